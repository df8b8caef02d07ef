"""From triplets to a table whose entries are sorted on disk, and to errors that say where a record stands."""

import numpy as np

from rankscape.entries.stored.seen import Seen
from rankscape.entries.stored.sorting import Sorter, bytes_needed
from rankscape.errors import FileFormatError
from rankscape.files.in_parts.base import Part, Triplets
from rankscape.files.table import Key, Table
from rankscape.ground.stored import Folder, check_indices_fit


def gather(given: Triplets) -> Table:
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
    sides = Seen(), Seen()
    for keys in given.lines():
        for seen, key in zip(sides, keys, strict=True):
            _look(seen, key)
    total = int(sides[0].counts.sum())
    if not total:
        raise FileFormatError(f"{given.source} holds no records")
    shape = len(sides[0].counts), len(sides[1].counts)
    for size, what in zip(shape, ("rows", "columns"), strict=True):
        check_indices_fit(size, what)
    _check_space(folder, given, total)
    sorter, used = Sorter(folder, shape, sides[0].counts), 0
    for part in given.parts():
        rows, columns = (_places(seen, key) for seen, key in zip(sides, part.keys, strict=True))
        known = ~np.isnan(part.values)
        used += int(known.sum())
        sorter.take(rows[known], columns[known], part.values[known])
    if not used:
        raise FileFormatError(f"{given.source}: {given.names[2]!r} is empty in all {total:,} records")
    entries = sorter.settled(given.duplicates, lambda row, column: _refuse(given, sides, row, column))
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
