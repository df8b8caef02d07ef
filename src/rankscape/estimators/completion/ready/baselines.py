"""Predictions that need no factor: what a completion is judged by."""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.offsets import damped_means, fit_offset
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.groups import sums_of
from rankscape.solvers.neighbours.near_rows import Donors, near_means, nearest, some_rows

# Rows whose mean the nearest-row baseline takes.
NEIGHBOURS = 5

# Held-out entries that the nearest rows predict: those of some rows where there are more.
SAMPLE = 20_000


def baseline_errors(training: Entries, heldout: Entries) -> dict[str, float]:
    """RMSE on the held-out entries of predictions that need no factor, fitted on the training entries.

    "column_mean" predicts each column's mean (the grand mean where a column is empty); "row_column_bias" predicts
    the grand mean plus damped row and column biases; "nearest_rows" the mean of the same column in the rows that are
    most alike (of a large matrix, in a sample of them).
    """
    mean = float(training.values.mean())
    column = mean + damped_means(training.columns, training.values - mean, training.shape[1], damping=0.0)
    guesses = {
        "column_mean": column[heldout.columns],
        "row_column_bias": fit_offset("row+column", training).at(heldout.rows, heldout.columns),
    }
    errors = {name: root_mean_square(guess - heldout.values) for name, guess in guesses.items()}
    return errors | {"nearest_rows": _nearest_rows(training, heldout, column)}


def column_means(whole: Entries, held: Entries) -> np.ndarray:
    """Means of the columns' entries that are not held out; zero where there are none."""
    n_in = whole.shape[1]
    total = sums_of(whole.columns, n_in, whole.values) - sums_of(held.columns, n_in, held.values)
    return total / np.maximum(whole.counts()[1] - held.counts()[1], 1)


def _nearest_rows(training: Entries, heldout: Entries, fallback: np.ndarray) -> float:
    """RMSE of the mean over the `NEIGHBOURS` nearest rows that know the column."""
    rows, judge = some_rows(heldout, SAMPLE)
    donors = Donors.of(training)
    near, line = nearest(training, rows, donors), np.searchsorted(rows, judge.rows)
    guess = near_means(near, donors.table, line, judge.columns, np.array([NEIGHBOURS]), power=0.0)[:, 0]
    return root_mean_square(np.where(np.isnan(guess), fallback[judge.columns], guess) - judge.values)
