"""Values by the group they belong to, such as the entries of each row."""

import numpy as np

from rankscape.ground.jit import compiled

# Length of a group up to which values are sorted by insertion.
SHORT = 24

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
    _sort(starts, starts[:-1].copy(), np.asarray(groups, np.int64), np.asarray(values, np.float64), ordered)
    return starts, ordered


@_loop
def _sort(starts, at, groups, values, ordered):
    for e in range(len(groups)):
        ordered[at[groups[e]]] = values[e]
        at[groups[e]] += 1
    for g in range(len(starts) - 1):
        part = ordered[starts[g] : starts[g + 1]]
        if len(part) > SHORT:
            part[:] = np.sort(part)
            continue
        for e in range(1, len(part)):
            value, place = part[e], e
            while place > 0 and part[place - 1] > value:
                part[place] = part[place - 1]
                place -= 1
            part[place] = value
