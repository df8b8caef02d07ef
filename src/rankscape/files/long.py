"""From the three columns of a long table to the entries of a matrix, and back: what CSV and Parquet have in common."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.table import DEFAULT_NAMES, OBSERVED, Long, Table

# How many cells of a long table are put together at a time.
BLOCK = 1 << 20


def to_table(
    path: Path,
    kind: str,
    names: tuple[str, str, str],
    long: Long,
    duplicates: Duplicates,
    place_of: Callable[[int, int], str],
) -> Table:
    """Sort labels and entries, leave out the empty cells and settle the repeated ones.

    Parameters
    ----------
    place_of
        Says where two records stand in the file, for a person ("lines 3 and 9"); called only to explain an error.
    """
    rows, columns = long.rows.sorted(), long.columns.sorted()
    shape = len(rows.labels), len(columns.labels)
    observed = np.flatnonzero(~np.isnan(long.values))
    if not observed.size:
        raise FileFormatError(
            f"{path}: column {names[2]!r} is empty on all {len(long.values)} lines: nothing is observed"
        )

    def refuse(first: int, second: int) -> None:
        first, second = int(observed[first]), int(observed[second])  # records, where empty cells count too
        row, column = rows.labels[rows.codes[second]], columns.labels[columns.codes[second]]
        raise FileFormatError(
            f"{path}, {place_of(first, second)}: the same cell, {names[0]}={row!s} and {names[1]}={column!s}, "
            f"has the values {long.values[first]:g} and {long.values[second]:g}; "
            'choose what to do with duplicates="mean" or duplicates="last"'
        )

    cells = rows.codes[observed], columns.codes[observed], long.values[observed]
    entries = Entries(*cells, shape, duplicates=duplicates, refuse=refuse)
    return Table(
        entries=entries,
        row_labels=rows.labels,
        column_labels=columns.labels,
        format=kind,
        names=names,
        skipped=len(long.values) - len(observed),
        merged=len(observed) - entries.count,
    )


def blocks(matrix: np.ndarray, source: Table, full: bool) -> Iterator:
    """Yield record batches of whole rows of the matrix: first an empty one, for its schema."""
    import pyarrow as pa

    known = np.zeros(source.shape, dtype=bool)
    known[source.rows, source.columns] = True
    row_labels, column_labels = (
        pa.array(np.arange(size) if labels is None else labels)
        for size, labels in zip(source.shape, (source.row_labels, source.column_labels), strict=True)
    )
    names = list(source.names if source.row_labels is not None else DEFAULT_NAMES)
    names.append(OBSERVED if OBSERVED not in names else f"{OBSERVED}_cell")
    height = max(1, BLOCK // source.shape[1])  # whole rows, so that memory stays at a block however large the matrix
    for start, stop in [(0, 0)] + [(top, top + height) for top in range(0, source.shape[0], height)]:
        rows, columns = np.nonzero(np.ones_like(known[start:stop]) if full else ~known[start:stop])
        rows += start
        arrays = [row_labels.take(pa.array(rows)), column_labels.take(pa.array(columns))]
        arrays += [pa.array(matrix[rows, columns]), pa.array(known[rows, columns])]
        yield pa.record_batch(arrays, names=names)
