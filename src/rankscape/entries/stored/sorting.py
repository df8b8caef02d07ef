"""From triplets in any order to entries in row order, of which only a piece is in memory at any time.

Records are dealt into ranges of rows, each of which fits the memory: a piece of them becomes one file, range by range.
Then each range is taken out of all pieces, sorted and settled as entries in memory are. A cell lies in one range, and
its records keep their order: what is settled is the same to the bit. Pieces know nothing of each other, and neither do
ranges: whoever has several processes lets each of them do some.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from rankscape.entries.duplicates import settle
from rankscape.entries.observed import Entries
from rankscape.ground.stored import Folder, Stored, appearing

RECORD = np.dtype([("row", np.int32), ("column", np.int32), ("value", np.float64)])

# Records of a range, which are sorted at once: it takes about 60 bytes each.
RANGE = 2_000_000

# Bytes on disk for each record: while they are dealt, sorted (with a mark whether it is held out), and in both orders,
# the second of which may be dealt, too. What is dealt to be sorted is gone by then.
DEALT, SORTED, ORDERS = RECORD.itemsize, RECORD.itemsize + 1, 16 + 13

# Some records: rows, columns, values.
Triple = tuple[np.ndarray, np.ndarray, np.ndarray]


def bytes_needed(records: int) -> int:
    """On disk, for so many records."""
    return records * (SORTED + max(DEALT, ORDERS)) + RANGE * DEALT


def ranges_of(counts: np.ndarray) -> np.ndarray:
    """The range of each row, which has so many records."""
    return np.unique(np.cumsum(counts) // RANGE, return_inverse=True)[1].astype(np.int32)


class Piece(NamedTuple):
    """Some records in a file, range by range, several times; and where these begin, shape (times, ranges + 1)."""

    path: str
    starts: np.ndarray

    @property
    def records(self) -> int:
        """Of all its records."""
        return int((self.starts[:, -1] - self.starts[:, 0]).sum())


def deal(parts: Iterable[Triple], ranges: np.ndarray, path: Path) -> Piece:
    """Write a piece, which comes part by part."""
    number, begin = int(ranges.max(initial=-1)) + 1, 0
    starts = [np.zeros((0, number + 1), np.int64)]
    with appearing(path) as file:
        for rows, columns, values in parts:
            where = ranges[rows]
            order = np.argsort(where, kind="stable")
            records = np.empty(len(order), RECORD)
            for name, column in zip(RECORD.names or (), (rows, columns, values), strict=True):
                records[name] = column[order]
            file.write(records.data)
            starts.append(begin + np.append(0, np.cumsum(np.bincount(where, minlength=number)))[None])
            begin += len(order)
    return Piece(str(path), np.concatenate(starts))


class Range(NamedTuple):
    """The slices of pieces that make a range, in the order of the records, and where its entries go."""

    slices: Sequence[tuple[str, int, int]]
    arrays: Sequence[Stored]
    begin: int
    shape: tuple[int, int]
    duplicates: str


class Settled(NamedTuple):
    """How many entries a range has; or a row and a column that are given twice, and may not be."""

    entries: int
    twice: tuple[int, int] | None = None


def sort(given: Range) -> Settled:
    """Write the entries of a range in their place."""
    parts = [
        np.fromfile(path, RECORD, end - begin, offset=RECORD.itemsize * begin) for path, begin, end in given.slices
    ]
    records = np.concatenate(parts or [np.empty(0, RECORD)])
    del parts
    rows, columns, values = (np.ascontiguousarray(records[name]) for name in RECORD.names or ())
    del records

    def refuse(earlier: int, later: int) -> NoReturn:
        raise _TwiceError(int(rows[later]), int(columns[later]))

    try:
        found = settle(rows, columns, values, None, given.shape, given.duplicates, refuse)[:3]
    except _TwiceError as error:
        return Settled(0, error.args)
    for array, part in zip(given.arrays, found, strict=True):
        array[given.begin : given.begin + len(part)] = part
    return Settled(len(found[0]))


class _TwiceError(Exception):
    """A cell that is given twice."""


def ranges(pieces: Sequence[Piece], folder: Folder, shape: tuple[int, int], duplicates: str) -> list[Range]:
    """What is to be sorted, into new arrays of all records."""
    total = sum(piece.records for piece in pieces)
    arrays, begin, made = [folder.new(total, kind) for kind in (np.int32, np.int32, np.float64)], 0, []
    for k in range(max((piece.starts.shape[1] for piece in pieces), default=1) - 1):
        cuts = [(piece.path, int(part[k]), int(part[k + 1])) for piece in pieces for part in piece.starts]
        made.append(Range([cut for cut in cuts if cut[1] < cut[2]], arrays, begin, shape, duplicates))
        begin += sum(end - first for _, first, end in cuts)
    return made


def together(sorted_: Sequence[Range], counts: Sequence[int]) -> Entries:
    """The entries of all ranges, which have so many, mapped from the folder."""
    rows, columns, values = (_dense(array, sorted_, counts).mapped() for array in sorted_[0].arrays)
    return Entries.sorted(rows, columns, values, sorted_[0].shape)


def _dense(array: Stored, sorted_: Sequence[Range], counts: Sequence[int]) -> Stored:
    """Without the room that merged records have left: in another file, where nobody writes a second time."""
    total, at = sum(counts), 0
    if total == len(array) or array.folder is None:
        return array
    made = array.folder.new(total, array.dtype)
    for given, count in zip(sorted_, counts, strict=True):
        made[at : at + count] = array[given.begin : given.begin + count]
        at += count
    Path(array.path).unlink()
    return made
