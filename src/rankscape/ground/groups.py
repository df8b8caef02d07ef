"""Values by the group they belong to, such as the entries of each row."""

import numpy as np

from rankscape.ground.jit import compiled
from rankscape.ground.stored import let_go

# Length of a group up to which values are sorted by insertion.
SHORT = 24

# Values that are added up at a time.
PART = 1_000_000

_loop = compiled()


def sorted_groups(groups: np.ndarray, values: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `number` groups begins, and the last one ends; and the values, ascending within each.

    Two to six times as fast as ``np.lexsort((values, groups))``, whose order of the values it has.

    >>> starts, values = sorted_groups(np.array([2, 0, 2]), np.array([5.0, 1.0, 3.0]), 3)
    >>> starts.tolist(), values.tolist()
    ([0, 1, 1, 3], [1.0, 3.0, 5.0])
    """
    starts = np.zeros(number + 1, dtype=np.int64)
    np.cumsum(np.bincount(groups, minlength=number), out=starts[1:])
    ordered = np.empty(len(values))
    _gather(starts, np.asarray(groups, np.int64), np.asarray(values, np.float64), ordered)
    for g in np.flatnonzero(np.diff(starts) > SHORT):  # numba takes seconds to compile a sort
        ordered[starts[g] : starts[g + 1]].sort()
    return starts, ordered


@_loop
def _gather(starts, groups, values, ordered):
    """Bring groups together, and sort those that are short."""
    at = starts.copy()
    for e in range(len(groups)):
        ordered[at[groups[e]]] = values[e]
        at[groups[e]] += 1
    for g in range(len(starts) - 1):
        if starts[g + 1] - starts[g] > SHORT:
            continue
        for e in range(starts[g] + 1, starts[g + 1]):
            value, place = ordered[e], e
            while place > starts[g] and ordered[place - 1] > value:
                ordered[place] = ordered[place - 1]
                place -= 1
            ordered[place] = value


@_gather.few()
def _gather_few(starts, groups, values, ordered):
    ordered[:] = values[np.argsort(groups, kind="stable")]
    for g in np.flatnonzero(np.diff(starts) <= SHORT):
        ordered[starts[g] : starts[g + 1]].sort()


def lower_medians(groups: np.ndarray, values: np.ndarray, number: int) -> np.ndarray:
    """The median of the values of each group, of an even number the lower of the two in the middle: one of the values.

    Of an empty group it is whatever value comes next.

    >>> lower_medians(np.array([1, 0, 1, 1, 1]), np.array([4.0, 7.0, 1.0, 2.0, 9.0]), 2)
    array([7., 2.])
    """
    starts, ordered = sorted_groups(groups, values, number)
    middle = starts[:-1] + np.maximum(np.diff(starts) - 1, 0) // 2
    return ordered[np.minimum(middle, len(values) - 1)]


def runs_of(groups: np.ndarray, values: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Equal values of each group: the group of every different one, and how often it occurs there.

    >>> runs_of(np.array([0, 1, 0, 0]), np.array([5.0, 5.0, 3.0, 5.0]), 2)
    (array([0, 0, 1]), array([1, 2, 1]))
    """
    starts, v = sorted_groups(groups, values, number)
    g = np.repeat(np.arange(number), np.diff(starts))
    begins = np.flatnonzero(np.r_[True, (g[1:] != g[:-1]) | (v[1:] != v[:-1])][: len(g)])
    return g[begins], np.diff(np.r_[begins, len(g)])


def sums_of(groups: np.ndarray, size: int, values: np.ndarray | None = None) -> np.ndarray:
    """Sum of the values of each group, or how many there are; part by part, for NumPy copies indices to 64 bits.

    >>> sums_of(np.array([0, 2, 2]), 3, np.array([1.0, 2.0, 3.0])), sums_of(np.array([0, 2, 2]), 3)
    (array([1., 0., 5.]), array([1, 0, 2]))
    """
    part = lambda k: None if values is None else values[k : k + PART]
    total = np.bincount(groups[:PART], part(0), size)
    for k in range(PART, len(groups), PART):
        total += np.bincount(groups[k : k + PART], part(k), size)
        let_go(groups, groups if values is None else values)
    return total
