"""From the three columns of a long table to the entries of a matrix: what CSV and Parquet have in common."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.table import Long, Table


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
        first, second = int(observed[first]), int(observed[second])
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
