"""Gaps with a pattern: held-out entries that are drawn in it.

Entries held out at random have their neighbours left; the cells to be filled may not. Where gaps have a pattern (a row
that ends early, a group of columns that some rows lack), a choice made on random entries is made for other cells than
those that will be filled.
"""

import numpy as np
from scipy.sparse import csr_array

from rankscape.entries import Entries

# Share of the entries that one draw imposes.
IMPOSED = 0.1

# Entries that a row must keep, and the share of a column's.
KEPT, KEPT_OF_COLUMN = 2, 0.5


def impose(entries: Entries, seed: int) -> np.ndarray:
    """A mask of entries to hold out in the pattern of the gaps: rows get the gaps of other rows.

    Donors are drawn in proportion to what they lack; each target is used once, keeps `KEPT` entries and shows at least
    half of the donor's gap; a column keeps half of its entries. A row without entries gives nothing: what it would ask
    for nobody can know.
    """
    random = np.random.default_rng([0x6A95, seed])
    seen = csr_array((np.arange(1, entries.count + 1), (entries.rows, entries.columns)), shape=entries.shape)
    by_row, by_column = entries.counts()
    lacking = np.where(by_row >= KEPT, entries.shape[1] - by_row, 0).astype(float)
    held = np.zeros(entries.count, dtype=bool)
    if not lacking.any():
        return held
    left, wanted = by_column.copy(), IMPOSED * entries.count
    donors = random.choice(len(lacking), size=4 * len(lacking), p=lacking / lacking.sum())
    targets = np.tile(random.permutation(len(lacking)), 4)
    used = np.zeros(len(lacking), dtype=bool)
    for donor, target in zip(donors, targets, strict=True):
        if held.sum() >= wanted:
            break
        if used[target] or target == donor:
            continue
        has, known = _row(seen, target), _row(seen, donor)[0]
        hidden = ~np.isin(has[0], known)
        columns, places = has[0][hidden], has[1][hidden] - 1
        enough = len(has[0]) - len(columns) >= min(KEPT, len(known))
        if not enough or 2 * len(columns) < lacking[donor] or not len(columns):
            continue
        if (left[columns] - 1 < np.maximum(KEPT, KEPT_OF_COLUMN * by_column[columns])).any():
            continue
        left[columns] -= 1
        held[places], used[target] = True, True
    return held


def _row(seen: csr_array, i: int) -> tuple[np.ndarray, np.ndarray]:
    begin, end = seen.indptr[i], seen.indptr[i + 1]
    return seen.indices[begin:end], seen.data[begin:end]
