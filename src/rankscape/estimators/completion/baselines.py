"""What can be said about an entry without any factor: offsets to remove first, and baselines to be judged by."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from rankscape.entries import Entries

OffsetKind = Literal["none", "mean", "row", "column", "row+column"]
# From the simplest to the richest: on a tie the simpler one is taken.
OFFSETS: tuple[str, ...] = get_args(OffsetKind)

# First damping: the entries that a row or column must have before half of its own mean is believed.
DAMPING = 5.0

# Alternating sweeps for row and column biases; they settle to four digits in five.
SWEEPS = 10

# Rows whose mean the nearest-row baseline takes.
NEIGHBOURS = 5

# Largest ``n_out^2 n_in`` for which all distances between rows are computed.
NEAREST_WORK = 3e8

_WORDS = {
    "none": "nothing was removed",
    "mean": "the mean of the observed entries was removed",
    "row": "the mean and damped row biases were removed",
    "column": "the mean and damped column biases were removed",
    "row+column": "the mean and damped row and column biases were removed",
}


@dataclass(frozen=True, eq=False)
class Offset:
    """``mean + row_i + column_j``, the part of the matrix that is removed before factorizing.

    Attributes
    ----------
    kind : {"none", "mean", "row", "column", "row+column"}
        Which parts differ from zero.
    mean : float
        In the units of the data, as are the others.
    row, column : ndarray
        Biases of shapes ``(n_out,)`` and ``(n_in,)``; zero for a row or column without entries.
    """

    kind: str
    mean: float
    row: np.ndarray
    column: np.ndarray

    @property
    def sides(self) -> tuple[bool, bool]:
        """Whether rows and whether columns have biases."""
        return biased_sides(self.kind)

    @property
    def words(self) -> str:
        """What was removed, for people."""
        return _WORDS[self.kind]

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The offset of the entries at these positions."""
        return self.mean + self.row[rows] + self.column[columns]

    def dense(self) -> np.ndarray:
        """The offset of every entry, shape ``(n_out, n_in)``."""
        return self.mean + self.row[:, None] + self.column[None, :]

    def scaled(self, factor: float) -> "Offset":
        """The same offset in units that are `factor` times finer."""
        return Offset(self.kind, self.mean * factor, self.row * factor, self.column * factor)


def biased_sides(kind: str) -> tuple[bool, bool]:
    """Whether an offset of this kind has row biases, and whether it has column biases.

    >>> biased_sides("column"), biased_sides("row+column")
    ((False, True), (True, True))
    """
    return "row" in kind, "column" in kind


def fit_offset(kind: str, entries: Entries) -> Offset:
    r"""Fit an offset to the given entries.

    Row and column biases, where both are asked for, alternate
    ``b_i = sum_j (y_ij - mean - c_j) / (count_i + damping)`` and its mirror, which minimises the squared residual plus
    ``damping * |b|^2``. The damping is the variance of the residual over that of the biases (one
    expectation-maximisation step a sweep): near 5 for ratings, none where there is no noise.

    Examples
    --------
    >>> fit_offset("mean", Entries([0, 0, 1], [0, 1, 0], [1.0, 2.0, 3.0], shape=(2, 2))).mean
    2.0
    """
    n_out, n_in = entries.shape
    zero = Offset(kind, 0.0, np.zeros(n_out), np.zeros(n_in))
    if kind == "none":
        return zero
    mean = float(entries.values.mean())
    if kind == "mean":
        return Offset(kind, mean, zero.row, zero.column)
    sides, groups = biased_sides(kind), (entries.rows, entries.columns)
    biases, dampings = [zero.row, zero.column], [DAMPING, DAMPING]
    for _ in range(SWEEPS):
        for s in np.flatnonzero(sides):
            other = biases[1 - s][groups[1 - s]]
            biases[s] = damped_means(groups[s], entries.values - mean - other, entries.shape[s], dampings[s])
        rest = entries.values - mean - biases[0][entries.rows] - biases[1][entries.columns]
        noise = float(np.mean(rest**2))
        dampings = [_next_damping(groups[s], biases[s], dampings[s], noise) for s in (0, 1)]
    return Offset(kind, mean, *biases)


def _next_damping(groups: np.ndarray, biases: np.ndarray, damping: float, noise: float) -> float:
    """Noise over the variance of the biases, which is their mean square plus what each one's estimate leaves open."""
    counts = np.bincount(groups, minlength=len(biases))
    seen = counts > 0
    variance = float(np.mean(biases[seen] ** 2 + noise / (counts[seen] + damping)))
    return noise / variance if variance > 0 else DAMPING


def damped_means(groups: np.ndarray, values: np.ndarray, size: int, damping: float) -> np.ndarray:
    """Mean of the values of each group, drawn towards zero as if `damping` zeros had been seen as well."""
    counts = np.bincount(groups, minlength=size)
    # An empty group has a zero sum; the floor only keeps 0/0 away when nothing is damped.
    return np.bincount(groups, weights=values, minlength=size) / np.maximum(counts + damping, 1e-300)


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
