"""Predictions that need no factor: what a completion is judged by."""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.offsets import damped_means, fit_offset

# Rows whose mean the nearest-row baseline takes.
NEIGHBOURS = 5

# Largest ``n_out^2 n_in`` for which all distances between rows are computed.
NEAREST_WORK = 3e8


def baseline_errors(training: Entries, heldout: Entries) -> dict[str, float]:
    """RMSE on the held-out entries of predictions that need no factor, fitted on the training entries.

    "column_mean" predicts each column's mean (the grand mean where a column is empty); "row_column_bias" predicts
    the grand mean plus damped row and column biases; "nearest_rows", of matrices that are not too large, the mean of
    the same column in the rows that are most alike.
    """
    mean = float(training.values.mean())
    column = damped_means(training.columns, training.values - mean, training.shape[1], damping=0.0)
    guesses = {
        "column_mean": mean + column[heldout.columns],
        "row_column_bias": fit_offset("row+column", training).at(heldout.rows, heldout.columns),
    }
    if training.shape[0] ** 2 * training.shape[1] <= NEAREST_WORK:
        guesses["nearest_rows"] = _nearest_rows(training, heldout, guesses["column_mean"])
    return {name: float(np.sqrt(np.mean((guess - heldout.values) ** 2))) for name, guess in guesses.items()}


def _nearest_rows(training: Entries, heldout: Entries, fallback: np.ndarray) -> np.ndarray:
    """The mean over the `NEIGHBOURS` nearest rows that know the column; distances over what both rows know."""
    X, known = np.zeros(training.shape), np.zeros(training.shape)
    X[training.rows, training.columns], known[training.rows, training.columns] = training.values, 1.0
    both = known @ known.T
    squares = X**2 @ known.T
    distance = np.where(both > 0, (squares + squares.T - 2 * X @ X.T) / np.maximum(both, 1.0), np.inf)
    guess = fallback.copy()
    for j in np.unique(heldout.columns):
        asked, donors = np.flatnonzero(heldout.columns == j), np.flatnonzero(known[:, j])
        if not len(donors):
            continue
        apart = distance[heldout.rows[asked][:, None], donors]
        order = np.argsort(apart, axis=1, kind="stable")[:, :NEIGHBOURS]
        near = np.isfinite(np.take_along_axis(apart, order, axis=1))
        total = (X[donors[order], j] * near).sum(1)
        guess[asked] = np.where(near.any(1), total / np.maximum(near.sum(1), 1), guess[asked])
    return guess
