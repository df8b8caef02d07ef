"""How unlike the rows or the columns of a matrix are: in what they measure, in level and in size."""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.scaling import fit_scaling
from rankscape.estimators.completion.ready.sizes import Sizes, sizes_of
from rankscape.ground.groups import lower_medians

# What may be divided, and the side of the matrix that it is.
SIDES = {"column": 1, "row": 0}

# Rows are in units of their own as well where nearly all columns say so: in all but this share of them what is left
# grows with the size of the row, by at least this exponent. Towns are large or small in each count and each density,
# and not in where they lie.
EXCEPT, WITH_ROWS = 0.1, 0.5

# Entries of a line from which on half of them tell its size; and how many of a table are looked at for that, because
# they are sorted (350,000 took 0.25 s, a million 1.5 s): whole rows of a tall table, as many as leave each column the
# last number.
TELLING, SORTED, KEPT = 5, 50_000, 20


def whole_lines(entries: Entries) -> Entries:
    """Some of the rows with all of their entries, or of the columns where these are more."""
    side = int(entries.shape[0] < entries.shape[1])
    share = max(SORTED, KEPT * entries.shape[1 - side]) / max(entries.count, 1)
    if share >= 1:
        return entries
    kept = np.random.default_rng(0).random(entries.shape[side]) < share
    return entries.part(kept[(entries.rows, entries.columns)[side]])


def unlike(entries: Entries, side: int) -> float:
    """How far from alike the entries of a line are: minus the mean log likelihood of Cauchy's law, a level and a size.

    A likelihood of normal entries would follow the longest tail. What two numbers for each line save is taken off
    (Akaike's criterion): with few entries a line they save much.
    """
    groups, away = _away(entries, side)
    if not len(away):
        return np.inf
    size = lower_medians(groups, away, entries.shape[side])[groups]
    return float(np.mean(np.log(size) + np.log1p((away / size) ** 2))) + 2 * len(np.unique(groups)) / len(away)


def _away(entries: Entries, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The line of each entry, and how far it is from the median there; but for those that are at the median.

    Most answers of a kind are equal, and what is rare has a size as well.
    """
    groups = (entries.rows, entries.columns)[side]
    away = np.abs(entries.values - medians(entries, side))
    return groups[away > 0], away[away > 0]


def typical(entries: Entries, side: int) -> np.ndarray:
    """Logarithms of the sizes of lines with enough entries, as half of these tell: not a wild one."""
    groups, away = _away(entries, side)
    enough = np.bincount(groups, minlength=entries.shape[side]) >= TELLING
    return np.log(lower_medians(groups, away, len(enough))[enough]) if enough.any() else np.zeros(0)


def medians(entries: Entries, side: int) -> np.ndarray:
    """Of each entry the median of its line."""
    groups = (entries.rows, entries.columns)[side]
    return lower_medians(groups, entries.values, entries.shape[side])[groups]


def left_over(entries: Entries, kind: str) -> Entries:
    """What is left where columns (if that is the kind) are of size one and level zero.

    A median is the level, because a mean is that of the largest rows.
    """
    divided = fit_scaling(kind, entries).divide(entries)
    return divided.with_values(divided.values - medians(divided, SIDES[kind]))


def in_all(left: Entries, side: int) -> bool:
    """Whether what is left grows with the sizes of rows (side 0) or columns in nearly all lines of the other side."""
    lines = (left.rows, left.columns)
    varied = left.values != 0
    groups, own, away = lines[1 - side][varied], lines[side][varied], np.log(np.abs(left.values[varied]))
    size = lower_medians(own, away, left.shape[side])[own]
    count = np.maximum(np.bincount(groups), 1)
    x, y = (z - (np.bincount(groups, z) / count)[groups] for z in (size, away))
    square = np.bincount(groups, x * x)
    exponents = np.bincount(groups, x * y)[square > 0] / square[square > 0]
    return bool(len(exponents) and np.quantile(exponents, EXCEPT) >= WITH_ROWS)


def sizes_along(entries: Entries, side: int) -> Sizes:
    """Standard deviations of rows (side 0) or columns (side 1)."""
    groups = (entries.rows, entries.columns)[side]
    return sizes_of(groups, entries.values, entries.shape[side], entries.weights)
