"""From triplets in any order to entries in row order, of which only a piece is in memory at any time.

Records are dealt into ranges of rows, each of which fits the memory; then each range is sorted and settled as entries
in memory are. A cell lies in one range, and its records keep their order: what is settled is the same to the bit.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rankscape.entries.duplicates import settle
from rankscape.entries.observed import Entries
from rankscape.ground.final import final
from rankscape.ground.stored import Folder, deal

RECORD = np.dtype([("row", np.int32), ("column", np.int32), ("value", np.float64)])

# Records of a range, which are sorted at once: it takes about 60 bytes each.
RANGE = 2_000_000

# Bytes on disk for each record: while they are dealt, sorted (with a mark whether it is held out), and in both orders,
# the second of which may be dealt, too. What is dealt to be sorted is gone by then.
DEALT, SORTED, ORDERS = RECORD.itemsize, RECORD.itemsize + 1, 16 + 13

# Called with a row and a column that are given twice, to raise an error that knows where.
Refuse = Callable[[int, int], None]


def bytes_needed(records: int) -> int:
    """On disk, for so many records."""
    return records * (SORTED + max(DEALT, ORDERS)) + RANGE * DEALT


@final
class Sorter:
    """Takes records in any order.

    Parameters
    ----------
    folder : Folder
        Where they are kept.
    shape : (int, int)
        Of the whole matrix.
    counts : ndarray of int, shape (n_out,)
        Records of each row.

    Examples
    --------
    >>> sorter = Sorter(Folder(), (2, 3), np.array([1, 2]))
    >>> sorter.take(np.array([1, 0]), np.array([2, 1]), np.array([5.0, 3.0]))
    >>> sorter.take(np.array([1]), np.array([0]), np.array([4.0]))
    >>> entries = sorter.settled("error", lambda row, column: None)
    >>> entries.rows.tolist(), entries.columns.tolist(), entries.values.tolist()
    ([0, 1, 1], [1, 0, 2], [3.0, 4.0, 5.0])
    """

    def __init__(self, folder: Folder, shape: tuple[int, int], counts: np.ndarray):
        self.folder, self.shape, self.total = folder, shape, int(counts.sum())
        ranges = np.cumsum(counts) // RANGE
        self._range = np.unique(ranges, return_inverse=True)[1].astype(np.int32)

    def take(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Some records."""
        deal(RECORD, (rows, columns, values), self._range[rows], self._dealt)

    def settled(self, duplicates: str, refuse: Refuse) -> Entries:
        """The entries, mapped from the folder."""
        kinds = np.int32, np.int32, np.float64
        arrays, at = [self.folder.new(self.total, kind) for kind in kinds], 0
        for number in range(int(self._range.max(initial=-1)) + 1):
            path = self._dealt(number)
            if not path.exists():
                continue
            found = self._sorted(path, duplicates, refuse)
            for array, part in zip(arrays, found, strict=True):
                array[at : at + len(part)] = part
            at += len(found[0])
            path.unlink()
        for array in arrays:
            array.shorten(at)
        rows, columns, values = (array.mapped() for array in arrays)
        return Entries.sorted(rows, columns, values, self.shape)

    def _sorted(self, path: Path, duplicates: str, refuse: Refuse) -> tuple[np.ndarray, ...]:
        records = np.fromfile(path, RECORD)
        rows, columns, values = (np.ascontiguousarray(records[name]) for name in ("row", "column", "value"))
        del records
        twice = lambda earlier, later: refuse(int(rows[later]), int(columns[later]))
        return settle(rows, columns, values, None, self.shape, duplicates, twice)[:3]

    def _dealt(self, number: int) -> Path:
        return self.folder.path / f"range-{number}"
