"""What is removed before factorizing: a mean and damped biases of rows and columns."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.final import final

OffsetKind: TypeAlias = Literal["none", "mean", "row", "column", "row+column"]
# From the simplest to the richest: on a tie the simpler one is taken.
OFFSETS: tuple[str, ...] = get_args(OffsetKind)

# First damping: the entries that a row or column must have before half of its own mean is believed.
DAMPING = 5.0

# Alternating sweeps for row and column biases; they settle to four digits in five.
SWEEPS = 10

_NAMED = {
    "none": "nothing",
    "mean": "the mean",
    "row": "row levels",
    "column": "column levels",
    "row+column": "row and column levels",
}

_WORDS = {
    "none": "nothing was removed",
    "mean": "the mean of the observed entries was removed",
    "row": "the mean and damped row biases were removed",
    "column": "the mean and damped column biases were removed",
    "row+column": "the mean and damped row and column biases were removed",
}

_JOINT = {
    "none": "nothing was removed",
    "row": "levels of rows were fitted together with the directions",
    "column": "levels of columns were fitted together with the directions",
    "row+column": "levels of rows and columns were fitted together with the directions",
}


@final
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
    joint : bool
        Whether they are levels that were fitted together with the directions, undamped.
    """

    kind: str
    mean: float
    row: np.ndarray
    column: np.ndarray
    joint: bool = False

    @property
    def sides(self) -> tuple[bool, bool]:
        """Whether rows and whether columns have biases."""
        return biased_sides(self.kind)

    @property
    def named(self) -> str:
        """What it is, in a word or two."""
        return _NAMED[self.kind]

    @property
    def words(self) -> str:
        """What was removed, for people."""
        return _JOINT[self.kind] if self.joint else _WORDS[self.kind]

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The offset of the entries at these positions."""
        return self.mean + self.row[rows] + self.column[columns]

    def of(self, entries: Entries) -> np.ndarray:
        """The offset of these entries, in their order."""
        return self.at(entries.rows, entries.columns)

    def dense(self) -> np.ndarray:
        """The offset of every entry, shape ``(n_out, n_in)``."""
        return self.mean + self.row[:, None] + self.column[None, :]

    def transposed(self) -> "Offset":
        """The same offset of the transposed matrix."""
        kind = {"row": "column", "column": "row"}.get(self.kind, self.kind)
        return Offset(kind, self.mean, self.column, self.row, self.joint)

    def scaled(self, factor: float) -> "Offset":
        """The same offset in units that are `factor` times finer."""
        return replace(self, mean=self.mean * factor, row=self.row * factor, column=self.column * factor)


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
    >>> corner = np.array([0, 0, 1]), np.array([0, 1, 0])
    >>> fit_offset("mean", Entries(*corner, np.array([1.0, 2.0, 3.0]), (2, 2))).mean
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
        # The damping is learned on the way: none where there is no noise, so that exact ranks stay exact.
        dampings = [_next_damping(groups[s], biases[s], dampings[s], noise) for s in (0, 1)]
    return Offset(kind, mean, biases[0], biases[1])


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
