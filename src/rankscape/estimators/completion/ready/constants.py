"""Rows and columns of which all entries are equal, and by no chance: every other cell of them is that number too."""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.scaling import divided_sides
from rankscape.ground.groups import runs_of

# Entries that must be equal, at least: two numbers of a continuous quantity are so by rounding.
LEAST = 3

# Share of the pairs of entries in other lines that are equal, up to which equal ones are no chance.
CHANCE = 0.01

# Entries that are looked at for that.
LOOKED_AT = 100_000


def constants(entries: Entries, kind: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The value of each row, and of each column, whose entries are all equal; NaN where they differ or are few.

    A quantity of its own, that is divided by its size (`kind`, as in `Scaling`), has a level of its own, whatever the
    others are. Elsewhere it counts how often entries of other lines are equal: who gave five stars five times has not
    given five stars to everything. None of a side on which nothing is constant.

    Examples
    --------
    >>> X = np.array([[1.0, 7.0], [2.0, 7.0], [4.0, np.nan], [3.0, 7.0]])
    >>> constants(Entries.from_array(X), "column")
    (None, array([nan,  7.]))
    """
    rows, columns = (_of_side(entries, side, divided) for side, divided in enumerate(divided_sides(kind)))
    return rows, columns


def _of_side(entries: Entries, side: int, divided: bool) -> np.ndarray | None:
    """None where no line is constant."""
    groups, size = (entries.rows, entries.columns)[side], entries.shape[side]
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, groups, entries.values)
    np.maximum.at(high, groups, entries.values)
    equal = (low == high) & (entries.counts()[side] >= LEAST)
    if not equal.any() or not (divided or _equal_pairs(entries.part(~equal[groups]), side) < CHANCE):
        return None
    return np.where(equal, low, np.nan)


def _equal_pairs(entries: Entries, side: int) -> float:
    """Share of the pairs of entries of one line that are equal; one where there is none."""
    if entries.count > LOOKED_AT:
        entries = entries.some(LOOKED_AT)
    groups = (entries.rows, entries.columns)[side]
    _, same = runs_of(groups, entries.values, entries.shape[side])
    counts = np.bincount(groups)
    pairs = float(counts @ (counts - 1.0))
    return float(same @ (same - 1.0)) / pairs if pairs else 1.0
