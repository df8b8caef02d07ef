"""From triplets to a table whose entries are sorted on disk, and to errors that say where a record stands.

Shares of the records are looked through for names, names are merged in a tree, records are dealt into ranges of rows,
and ranges are sorted: four rounds of calls that know nothing of each other, by one process or by many workers. What
they find lies in the folder; only counts come back.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.stored import sorting
from rankscape.entries.stored.seen import Seen
from rankscape.entries.stored.sorting import Piece, bytes_needed
from rankscape.errors import FileFormatError
from rankscape.files.in_parts.base import Each, Part, Share, Triplets, one_by_one
from rankscape.files.table import Key, Table
from rankscape.ground.stored import Folder, Stored, check_indices_fit

# Records from which on others are asked to help: fewer are sorted in less time than several processes take to begin.
# 9.7 million over two workers made a whole fit 1.9 times as dear as one process, sorted here 1.6 times.
WORTH_SENDING = 50_000_000

# Files of names that are merged at a time.
MERGED = 8

# Of rows, and of columns.
Sides = tuple[Seen, Seen]
Paths = tuple[Path, Path]


def gather(given: Triplets, each: Each = one_by_one) -> Table:
    """Read the names, then everything.

    Raises
    ------
    FileFormatError
        A record that cannot be used, with its file; a cell that is given twice; nothing is there.
    StorageError
        The sorted entries do not fit the disk.
    """
    folder = Folder()
    if given.count is not None:
        _check_space(folder, given, given.count)
        each = each if given.count >= WORTH_SENDING else one_by_one
    shares = given.shares()
    named = _names(shares, folder, each)
    sides = _known(named)
    total = int(sides[0].counts.sum())
    if not total:
        raise FileFormatError(f"{given.source} holds no records")
    shape = len(sides[0].counts), len(sides[1].counts)
    for size, what in zip(shape, ("rows", "columns"), strict=True):
        check_indices_fit(size, what)
    _check_space(folder, given, total)
    pieces = _dealt(shares, sides, named, folder, each)
    used = sum(piece.records for piece in pieces)
    if not used:
        raise FileFormatError(f"{given.source}: {given.names[2]!r} is empty in all {total:,} records")
    entries = _sorted(given, pieces, sides, folder, each)
    rows, columns, values = given.names
    labels = [None if seen.positions else seen.names for seen in sides]
    return Table(
        entries=entries,
        row_labels=labels[0],
        column_labels=labels[1],
        format=given.format,
        names=given.names,
        skipped=total - used,
        merged=used - entries.count,
        read_as=f"triplets, {shape[0]:,} rows x {shape[1]:,} columns, sorted on disk: rows from {rows!r}, columns from "
        f"{columns!r}, values from {values!r}",
    )


# -- who does what ------------------------------------------------------------------------------------------


def _names(shares: Sequence[Share], folder: Folder, each: Each) -> Paths:
    """The files that hold the names of all rows, and of all columns."""
    paths = [_paths(folder, f"names-{k}") for k in range(len(shares))]
    _check_kinds(shares, each(look, list(zip(shares, paths, strict=True)), folder.path))
    level = 0
    while len(paths) != 1:
        level += 1
        groups = [paths[k : k + MERGED] for k in range(0, max(len(paths), 1), MERGED)]
        paths = [_paths(folder, f"names-{level}-{k}") for k in range(len(groups))]
        each(merge, list(zip(groups, paths, strict=True)), folder.path)
    return paths[0]


def _dealt(shares: Sequence[Share], sides: Sides, named: Paths, folder: Folder, each: Each) -> list[Piece]:
    ranges = sorting.ranges_of(sides[0].counts)
    stored = folder.new(len(ranges), ranges.dtype)
    stored[:] = ranges
    return each(deal, [(s, named, stored, folder.path / f"dealt-{k}") for k, s in enumerate(shares)], folder.path)


def _sorted(given: Triplets, pieces: list[Piece], sides: Sides, folder: Folder, each: Each) -> Entries:
    shape = len(sides[0].counts), len(sides[1].counts)
    ranges = sorting.ranges(pieces, folder, shape, given.duplicates)
    found = each(sort, [(one,) for one in ranges], folder.path)
    twice = next((settled.twice for settled in found if settled.twice), None)
    if twice:
        _refuse(given, sides, *twice)
    for piece in pieces:
        Path(piece.path).unlink()
    return sorting.together(ranges, [settled.entries for settled in found])


def _paths(folder: Folder, name: str) -> Paths:
    return folder.path / f"{name}-rows", folder.path / f"{name}-columns"


# -- what is done, here or elsewhere ------------------------------------------------------------------------


def look(share: Share, paths: Paths) -> dict[str, str]:
    """Write the names of a share; what its columns hold."""
    sides = Seen(), Seen()
    for keys in share.lines():
        for seen, key in zip(sides, keys, strict=True):
            _look(seen, key)
    for seen, path in zip(sides, paths, strict=True):
        seen.save(path)
    return share.kinds


def merge(several: Sequence[Paths], into: Paths) -> None:
    """Write the names that lie in several files into one."""
    for paths, path in zip(zip(*several, strict=True) if several else ((), ()), into, strict=True):
        Seen.merged(paths).save(path)


def deal(share: Share, named: Paths, ranges: Stored, path: Path) -> Piece:
    """Write the records of a share that have a value, range by range of rows."""
    sides = _known(named)
    return sorting.deal(_cells(share, sides), ranges[:], path)


def _cells(share: Share, sides: Sides) -> Iterator[sorting.Triple]:
    for part in share.parts():
        rows, columns = (_places(seen, key) for seen, key in zip(sides, part.keys, strict=True))
        known = ~np.isnan(part.values)
        yield rows[known], columns[known], part.values[known]


@lru_cache(maxsize=1)
def _known(named: Paths) -> Sides:
    """All names, which all shares of a process look up."""
    return Seen.merged([named[0]]), Seen.merged([named[1]])


def sort(one: sorting.Range) -> sorting.Settled:
    """Sort a range; names are not looked up any more."""
    _known.cache_clear()
    return sorting.sort(one)


# -- what cannot be used ------------------------------------------------------------------------------------


def _check_kinds(shares: Sequence[Share], found: list[dict[str, str]]) -> None:
    """Refuse columns of several kinds, where only reading has shown them."""
    first: dict[str, str] = {}
    for share, kinds in zip(shares, found, strict=True):
        for name, kind in kinds.items():
            if first.setdefault(name, kind) != kind:
                raise FileFormatError(
                    f"{share.where}, column {name!r}: holds {kind}, and {first[name]} before: use one type"
                )


def _check_space(folder: Folder, given: Triplets, records: int) -> None:
    folder.check_space(bytes_needed(records), f"Sorting {records:,} records of {given.source}")


def _look(seen: Seen, key: Key | np.ndarray) -> None:
    if isinstance(key, Key):
        seen.add(key.labels, np.bincount(key.codes, minlength=len(key.labels)))
    else:
        seen.add_positions(key)


def _places(seen: Seen, key: Key | np.ndarray) -> np.ndarray:
    return seen.places(key.labels)[key.codes] if isinstance(key, Key) else key


def _refuse(given: Triplets, sides: tuple[Seen, Seen], row: int, column: int) -> None:
    """Look for both records of a cell that is given twice, and say where they are."""
    found = []
    for part in given.parts():
        rows, columns = (_places(seen, key) for seen, key in zip(sides, part.keys, strict=True))
        at = np.flatnonzero((rows == row) & (columns == column) & ~np.isnan(part.values))
        found += [(_where(part, int(k)), part.values[k]) for k in at]
        if len(found) > 1:
            break
    names = [seen.name(place) for seen, place in zip(sides, (row, column), strict=True)]
    (first, one), (second, other) = found[:2]
    raise FileFormatError(
        f"{second}: the same cell, {given.names[0]}={names[0]} and {given.names[1]}={names[1]}, as {first}; the values "
        f'are {one:g} and {other:g}; choose what to do with duplicates="mean" or duplicates="last"'
    )


def _where(part: Part, place: int) -> str:
    return f"{part.where}, record {part.before + place + 1}"
