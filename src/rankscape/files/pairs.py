"""Chosen cells by the names of their rows and columns: asked for in one long table, answered in another."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rankscape.errors import FileFormatError, InputError
from rankscape.files import formats
from rankscape.files.packing import content_of, packed
from rankscape.files.text.decoding import decode
from rankscape.files.text.dialect import plain
from rankscape.files.text.dialects import cut
from rankscape.files.text.records import Text
from rankscape.files.wanted import Wanted
from rankscape.ground.final import final
from rankscape.ground.numbers import EXACT
from rankscape.ground.storage import check_readable, check_writable, replacing

# Lines that are put together at a time.
BLOCK = 1 << 16


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """Cells that were asked for, as they stand in the file.

    Attributes
    ----------
    row_names, column_names : list of str
        What the file calls the row and the column of each cell.
    rows, columns : ndarray of int, shape (k,)
        Their positions; -1 where there is no row or column of that name.
    """

    row_names: list[str]
    column_names: list[str]
    rows: np.ndarray
    columns: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which of them name a row and a column that there are, shape (k,)."""
        return (self.rows >= 0) & (self.columns >= 0)


def read_pairs(path: Path, names: Sequence[str], labels: Sequence[np.ndarray]) -> Pairs:
    """Read the cells that a file asks for.

    Parameters
    ----------
    path
        A long table (CSV, TSV, text or Parquet). Its first line may name its columns; those called as `names` are
        used, and without a header the first two.
    names
        The names of the columns of rows and of columns in the table that was completed.
    labels
        What its rows and its columns are called.

    Raises
    ------
    InputError
        The file is not there, or names neither the columns nor known cells.
    """
    format = formats.format_of(path)
    if not format.long:
        raise InputError(f"{path}: pairs stand in a long table, {formats.long_extensions()}, one pair a line.")
    check_readable(path)
    known = [{str(label): k for k, label in enumerate(side.tolist())} for side in labels]
    lines = _parquet(path) if format.name == "parquet" else _text(path)
    pairs = _pairs(path, lines, names, known)
    if not pairs:
        raise FileFormatError(f"{path} holds no pairs; a line names a row and a column.")
    rows, columns = map(list, zip(*pairs, strict=True))
    found = [np.array([side[0].get(name, -1) for name in side[1]]) for side in zip(known, (rows, columns), strict=True)]
    return Pairs(rows, columns, *found)


def _pairs(
    path: Path, lines: Iterator[tuple[int, list[str]]], names: Sequence[str], known: Sequence[Mapping[str, int]]
) -> list[tuple[str, str]]:
    """The two cells of each line that count: by a header, or the first two where the first line is a known pair."""
    number, start = next(lines, (0, []))
    first, at, pairs = [cell.strip() for cell in start], (0, 1), []
    if set(names) <= set(first):
        at = first.index(names[0]), first.index(names[1])
    elif len(first) >= 2 and first[0] in known[0] and first[1] in known[1]:
        pairs.append((first[0], first[1]))
    elif first:
        wanted, found = " and ".join(map(repr, names)), ", ".join(map(repr, first[:6]))
        raise FileFormatError(
            f"{path}, line {number}: {found} is neither a header that names {wanted} nor a known row and column."
        )
    for line, cells in lines:
        if len(cells) <= max(at):
            raise FileFormatError(f"{path}, line {line}: {len(cells)} cell(s); a pair has a row and a column.")
        pairs.append((cells[at[0]].strip(), cells[at[1]].strip()))
    return pairs


def _text(path: Path) -> Iterator[tuple[int, list[str]]]:
    content, encoding = decode(path, content_of(path))
    text = Text.of(path, encoding, content)
    dialect = cut(text, Wanted()).dialect
    for k, unit in text.records(dialect):
        yield k + 1, [plain(cell) for cell in dialect.cut(unit.rstrip("\r")) or []]


def _parquet(path: Path) -> Iterator[tuple[int, list[str]]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"{path} is not a Parquet file that can be read: {error}") from error
    yield 1, table.column_names
    for k, cells in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True), start=1):
        yield k, ["" if cell is None else str(cell) for cell in cells]


def check_long(path: Path) -> Path:
    """Raise unless a long table can be written at `path`."""
    if not formats.format_of(path).long:
        raise InputError(f"{path}: chosen cells are written as a long table; name a file {formats.long_extensions()}.")
    check_writable(path)
    return path


def write_long(path: Path, columns: Mapping[str, Sequence | np.ndarray]) -> None:
    """Write columns of equal length as a long table, in the format that the extension stands for; NaN is empty."""
    with replacing(path) as file, packed(file, path) as out:
        if formats.format_of(path).name == "parquet":
            import pyarrow as pa
            from pyarrow import parquet

            arrays = [pa.array(values, from_pandas=True) for values in columns.values()]
            parquet.write_table(pa.table(dict(zip(columns, arrays, strict=True))), out)
            return
        delimiter = "\t" if {".tsv", ".txt"} & set(path.suffixes) else ","
        for block in _lines(columns, delimiter):
            out.write(block)


def _lines(columns: Mapping[str, Sequence | np.ndarray], delimiter: str) -> Iterator[bytes]:
    count = len(next(iter(columns.values())))
    for k in range(0, max(count, 1), BLOCK):
        block = io.StringIO()
        writer = csv.writer(block, delimiter=delimiter, lineterminator="\n")
        if not k:
            writer.writerow(columns)
        parts = [_texts(values[k : k + BLOCK]) for values in columns.values()]
        writer.writerows(zip(*parts, strict=True))
        yield block.getvalue().encode()


def _texts(values: Sequence | np.ndarray) -> list:
    """Numbers as reading them gives back the same floats, whole ones without a point; words as they are."""
    if not isinstance(values, np.ndarray):
        return list(values)
    if values.dtype == bool:
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind != "f":
        return values.tolist()
    return ["" if v != v else repr(int(v)) if v.is_integer() and abs(v) < EXACT else repr(v) for v in values.tolist()]
