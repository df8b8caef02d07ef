"""Long tables as text: a fast reader, and a slow one that knows on which line it stands.

The fast reader (Apache Arrow) handles twenty million lines in seconds but cannot say where something is wrong.
Whenever it stumbles, the slow one reads the file again, and either names the place or accepts what it finds.
"""

import csv
import io
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.formats.base import Format, Wanted
from rankscape.files.long import blocks, to_table
from rankscape.files.packing import is_packed
from rankscape.files.records import NUMBER, Layout, check_utf8, first_line, lines_of, records, slow
from rankscape.files.table import Key, Long, Table, choose_columns, numbers_or_text

TAB = "\t"


def read_delimited(path: Path, wanted: Wanted, duplicates: Duplicates, marks: str) -> Table:
    """Read a long table; the first of the `marks` that the header holds stands between its cells."""
    layout = _layout(path, marks)
    chosen = choose_columns(path, layout.header, wanted)
    names = layout.header[chosen[0]], layout.header[chosen[1]], layout.header[chosen[2]]
    _check_header(layout, names, wanted)
    long = _fast(layout, chosen) or slow(layout, chosen)
    family = TSV if layout.delimiter == TAB else CSV
    return to_table(path, family.name, names, long, duplicates, lambda *pair: lines_of(layout, *pair))


def _check_header(layout: Layout, names: tuple[str, str, str], wanted: Wanted) -> None:
    where = f"{layout.path}, line {layout.header_lines}"
    try:
        for name in names:
            check_utf8(name)
    except ValueError as error:
        raise FileFormatError(f"{where}: {error}") from None
    if wanted[2] is None and NUMBER.fullmatch(names[2]):
        raise FileFormatError(
            f"{where}: {', '.join(names)} looks like data, not like a header; "
            "add a first line that names the columns (or name the columns to use, if it is one)"
        )


def _layout(path: Path, marks: str) -> Layout:
    start = first_line(path)
    if not start.strip(' \t\r\n",;'):  # a spreadsheet saves an empty sheet as a line of delimiters
        raise FileFormatError(f"{path} is empty; a table starts with a line that names its columns")
    if "\0" in start:
        raise FileFormatError(f"{path}, line 1: this is not UTF-8 text (UTF-16, perhaps); save the file as UTF-8")
    delimiter = next((mark for mark in marks if mark in start), marks[0])
    line, header = next(records(path, delimiter))
    names = tuple(name.strip() for name in header)
    last_line = line + sum(name.count("\n") for name in header)  # a quoted name may go over several lines
    return Layout(path, delimiter, names, last_line)


def _fast(layout: Layout, chosen: tuple[int, int, int]) -> Long | None:
    """Read with Arrow; None where anything is odd enough to need the slow reader."""
    import pyarrow as pa

    try:
        rows, columns, values = _arrow_columns(layout, chosen)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError):
        return None
    numbers = values.to_numpy()  # an empty cell is NaN here, and so is the word "nan"
    odd_values = np.count_nonzero(~np.isfinite(numbers)) != values.null_count
    if odd_values or rows.null_count or columns.null_count or not len(numbers):
        return None
    row_key = _key(rows, layout.header[chosen[0]])
    column_key = _key(columns, layout.header[chosen[1]])
    return Long(row_key, column_key, numbers) if row_key and column_key else None


def _arrow_columns(layout: Layout, chosen: tuple[int, int, int]) -> list:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    # Keys come as text in a dictionary: what a label is gets decided once, on the labels, not cell by cell.
    key = pa.dictionary(pa.int32(), pa.string())
    used = [str(at) for at in chosen]
    stream = pa.input_stream(str(layout.path), compression="gzip" if is_packed(layout.path) else None)
    with stream:
        table = arrow_csv.read_csv(
            stream,
            read_options=arrow_csv.ReadOptions(
                column_names=[str(at) for at in range(len(layout.header))],
                skip_rows=layout.header_lines,
                block_size=1 << 24,
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=used,
                column_types=dict(zip(used, (key, key, pa.float64()), strict=True)),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    return [table[used[0]], table[used[1]], table[used[2]]]


def _key(column, name: str) -> Key | None:
    whole = column.unify_dictionaries().combine_chunks()
    texts = [text.strip() for text in whole.dictionary.to_pylist()]
    if not all(texts):
        return None
    return Key(whole.indices.to_numpy(), numbers_or_text(texts, name))


def write_delimited(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool, delimiter: str) -> None:
    """Write a long table, block by block."""
    from pyarrow import csv as arrow_csv

    options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter)
    parts = blocks(matrix, source, full)
    empty = next(parts)
    header = io.StringIO()  # by hand, because Arrow quotes every name
    csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(empty.schema.names)
    file.write(header.getvalue().encode())
    with arrow_csv.CSVWriter(file, empty.schema, write_options=options) as writer:
        for part in parts:
            writer.write_batch(part)


def _format(name: str, title: str, marks: str, delimiter: str, packed: bool) -> Format:
    reader, writer = partial(read_delimited, marks=marks), partial(write_delimited, delimiter=delimiter)
    stores = "long table with a header, one line an entry; an empty value is a missing one"
    return Format(name, title, f".{name}", stores, reader, writer, long=True, packed=packed)


CSV = _format("csv", "CSV", marks=",;\t", delimiter=",", packed=True)
TSV = _format("tsv", "TSV", marks=TAB, delimiter=TAB, packed=True)
TXT = _format("txt", "text", marks="\t;, ", delimiter=TAB, packed=False)
