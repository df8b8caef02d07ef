"""Along an ordered axis: what lies between two entries is predicted by both."""

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.arrays import fixed
from rankscape.ground.jit import compiled

_loop = compiled("contract", "nsz")


def between(entries: Entries, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Linear interpolation along each row, at pairs of positions, from the other entries of the row; shape (k,).

    An entry is not used to predict itself. Before the first entry of a row and behind its last one the nearest is
    held; NaN where a row has no (other) entry.

    >>> row = Entries([0, 0, 0], [0, 2, 3], [1.0, 3.0, 7.0], shape=(1, 5))
    >>> between(row, np.zeros(5, int), np.arange(5)).tolist()
    [3.0, 2.0, 5.0, 3.0, 7.0]
    """
    guesses = np.empty(len(rows))
    starts = np.searchsorted(entries.rows, np.arange(entries.shape[0] + 1))
    _between(starts, entries.columns, entries.values, fixed(rows), fixed(columns), guesses)
    return guesses


@_loop
def _between(starts, places, values, rows, columns, guesses):
    for e in range(len(rows)):
        low, high, here = starts[rows[e]], starts[rows[e] + 1], columns[e]
        after = low + np.searchsorted(places[low:high], here)
        before = after - 1
        if after < high and places[after] == here:
            after += 1
        if before < low and after == high:
            guesses[e] = np.nan
        elif before < low:
            guesses[e] = values[after]
        elif after == high:
            guesses[e] = values[before]
        else:
            share = (here - places[before]) / (places[after] - places[before])
            guesses[e] = values[before] + share * (values[after] - values[before])


@_between.few()
def _between_few(starts, places, values, rows, columns, guesses):
    low, high = starts[rows], starts[rows + 1]
    width = max(places.max(initial=0), columns.max(initial=0)) + 1
    lines = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    after = np.searchsorted(lines * width + places, rows * width + columns)
    before = after - 1
    inside = after < high
    inside[inside] = places[after[inside]] == columns[inside]
    after = after + inside
    ahead, behind = before >= low, after < high
    guesses[:] = np.nan
    guesses[behind], guesses[ahead] = values[after[behind]], values[before[ahead]]
    both = ahead & behind
    before, after, here = before[both], after[both], columns[both]
    share = (here - places[before]) / (places[after] - places[before])
    guesses[both] = values[before] + share * (values[after] - values[before])
