"""From the three columns of a long table to the entries of a matrix, and back: what all long formats have in common."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.numerals import Numerals
from rankscape.files.table import DEFAULT_NAMES, OBSERVED, Long, Table
from rankscape.files.text.decoding import Encoding
from rankscape.files.text.dialect import Dialect

# How many cells of a long table are put together at a time.
BLOCK = 1 << 20

STD_ERROR = "std_error"


@dataclass(frozen=True, eq=False)
class LongStyle:
    """How a long table of text stood in its file.

    Parameters
    ----------
    digits
        What the cell of each entry says, in the order of the entries; None where entries were merged.
    """

    dialect: Dialect
    numerals: Numerals
    encoding: Encoding
    newline: str
    digits: np.ndarray | None = field(default=None, repr=False)


def to_table(
    path: Path,
    kind: str,
    names: tuple[str, str, str],
    long: Long,
    duplicates: Duplicates,
    place_of: Callable[[int, int], str],
    style: LongStyle | None = None,
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
    if style is not None:
        style = replace(style, digits=_in_order(long, observed, cells, entries.count))
    said = f", cut at {style.dialect.title}" if style else ""
    return Table(
        read_as=f"a long table, {shape[0]:,} rows x {shape[1]:,} columns{said}: rows from {names[0]!r}, columns from "
        f"{names[1]!r}, values from {names[2]!r}",
        long=style,
        entries=entries,
        row_labels=rows.labels,
        column_labels=columns.labels,
        format=kind,
        names=names,
        skipped=len(long.values) - len(observed),
        merged=len(observed) - entries.count,
    )


def _in_order(long: Long, observed: np.ndarray, cells: tuple, count: int) -> np.ndarray | None:
    if long.digits is None or count < len(observed):
        return None
    return long.digits[observed][np.lexsort((cells[1], cells[0]))]


@dataclass(frozen=True, eq=False)
class Block:
    """Some records of a long table to write: whole rows of the matrix."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    observed: np.ndarray
    errors: np.ndarray | None

    @property
    def std_error(self) -> np.ndarray | None:
        """Standard errors, NaN where a value was observed."""
        return None if self.errors is None else np.where(self.observed, np.nan, self.errors)


def header_of(source: Table) -> list[str]:
    """The names of the columns that are written."""
    names = list(source.names if source.row_labels is not None else DEFAULT_NAMES)
    for name in (OBSERVED, *([] if source.errors is None else [STD_ERROR])):
        names.append(name if name not in names else f"{name}_cell")
    return names


def labels_of(source: Table) -> list[np.ndarray]:
    """The labels of rows and columns, counts where there are none."""
    pairs = zip(source.shape, (source.row_labels, source.column_labels), strict=True)
    return [np.arange(size) if labels is None else labels for size, labels in pairs]


def blocks(matrix: np.ndarray, source: Table, full: bool) -> Iterator[Block]:
    """Yield blocks of whole rows, so that memory stays at a block however large the matrix."""
    known = source.known
    height = max(1, BLOCK // source.shape[1])
    for start in range(0, source.shape[0], height):
        part = slice(start, start + height)
        rows, columns = np.nonzero(np.ones_like(known[part]) if full else ~known[part])
        rows += start
        errors = None if source.errors is None else source.errors[rows, columns]
        yield Block(rows, columns, matrix[rows, columns], known[rows, columns], errors)
