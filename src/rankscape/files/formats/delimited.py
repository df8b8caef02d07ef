"""Tables of text, wide or long: the content tells how they are cut, and what stands where."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.formats.base import Format
from rankscape.files.layout import Column, is_index, layout_of, surely_long
from rankscape.files.long import LongStyle, to_table
from rankscape.files.numerals import Numerals, whole_of
from rankscape.files.packing import content_of
from rankscape.files.table import DEFAULT_NAMES, Table, choose_columns
from rankscape.files.text.columns import columns_of, wide_places
from rankscape.files.text.decoding import Encoding, decode
from rankscape.files.text.dialects import Cut, cut, cut_at, numerals_of
from rankscape.files.text.header import body_of
from rankscape.files.text.long_text import fast, lines_of, slow
from rankscape.files.text.odd import markup
from rankscape.files.text.records import Body, Text
from rankscape.files.text.row_names import refuse_total, refuse_twice
from rankscape.files.text.rows_pass import Pass
from rankscape.files.text.text_size import TextSize
from rankscape.files.text.text_writing import write_text
from rankscape.files.text.wide_text import TextWide
from rankscape.files.wanted import Wanted
from rankscape.files.wide import table_of

# Pairs of equal cells in a column whose absence in the first one would not be noticed (exp(-3) = 0.05).
FEW_PAIRS = 3.0

# Characters that are cut into lines to tell the layout; a long table is read without cutting the rest.
HEAD = 1 << 25


def read_delimited(path: Path, wanted: Wanted, duplicates: Duplicates, name: str) -> Table:
    """Read a table of text."""
    content, encoding = decode(path, content_of(path, TextSize(path).add))
    return read_text(path, content, encoding, wanted, duplicates, name)


def read_text(
    path: Path, content: str, encoding: Encoding, wanted: Wanted, duplicates: Duplicates, name: str, cells: bool = False
) -> Table:
    """Read a table from its text; where its ``cells`` are told already, tabs and points are all that is in it."""
    if not content.strip(' \t\r\n,;"'):  # a spreadsheet saves an empty sheet as a line of separators
        raise FileFormatError(f"{path} is empty; a table has a line for each row, or for each entry")
    if (other := markup(content[:HEAD])) is not None:
        raise FileFormatError(f"{path} holds {other} and not a table of cells; save the table as CSV")
    head = Text.of(path, encoding, content[: content.find("\n", HEAD) + 1] if len(content) > HEAD else content)
    sample = cut_at(head, "\t", wanted) if cells else cut(head, wanted)
    if not sample.rows:
        raise FileFormatError(f"{path} holds comments and no entries")
    numerals = Numerals(missing=sample.missing) if cells else numerals_of(head, sample, wanted)
    body = body_of(head, sample, numerals, wanted, _surely_long(head, sample, numerals))
    columns = columns_of(body, sample, numerals)
    layout = layout_of(path, columns, wanted)
    whole = lambda: dataclasses.replace(body, text=Text.of(path, encoding, content) if len(content) > HEAD else head)
    if layout == "long":
        below = lambda: content[sum(len(line) + 1 for line in head.lines[: body.first]) :]
        return _long(body, whole, below, numerals, wanted, duplicates, name)
    index = is_index(path, columns[0], _alike(sample, columns), wanted)
    return _wide(whole(), sample, numerals, index, wanted, name)


def _surely_long(text: Text, sample: Cut, numerals: Numerals) -> bool:
    """Whether the records below the first can only be those of a long table, whatever the first is."""
    if sample.regular < 1.0 or sample.width not in (3, 4) or len(sample.rows) < 3:
        return False
    line, unit = next(text.records(sample.dialect))
    after = line + unit.count(text.newline) + 1
    return surely_long(columns_of(Body(text, sample.dialect, None, 0, after, sample.width), sample, numerals))


def _alike(sample: Cut, columns: list[Column]) -> bool:
    """Whether the columns but the first hold whole numbers that hardly repeat, so that the first is like them."""
    others = [k for k, column in enumerate(columns[1:], start=1) if column.kind in ("count", "number")]
    if any(columns[k].kind == "number" for k in others):
        return False
    numbers = [whole for k in others for row in sample.body if (whole := whole_of(row[k])) is not None]
    middle = sorted(columns[0].whole)[len(columns[0].whole) // 2] if columns[0].whole else 0
    if not numbers or not min(numbers) <= middle <= max(numbers):
        return False
    counts = [Counter(row[k] for row in sample.body) for k in others]
    pairs = [sum(count * (count - 1) / 2 for count in one.values()) for one in counts]
    return sum(pairs) <= FEW_PAIRS * len(pairs)


def _long(
    body: Body,
    whole: Callable[[], Body],
    below: Callable[[], str],
    numerals: Numerals,
    wanted: Wanted,
    duplicates: Duplicates,
    name: str,
) -> Table:
    header = body.header or [*DEFAULT_NAMES, *(f"column{k}" for k in range(4, body.width + 1))][: body.width]
    known = body.header is not None or body.width == 3 or any(wanted.names)
    places = choose_columns(body.path, header, wanted) if known else (0, 1, 2)
    names = header[places[0]], header[places[1]], header[places[2]]
    long = fast(body, below, numerals, places)
    if long is None:
        body = whole()
        long = slow(body, numerals, places, names)
    style = LongStyle(body.dialect, numerals, body.text.encoding, body.text.newline)
    return to_table(body.path, name, names, long, duplicates, lambda *pair: lines_of(whole(), *pair), style)


def _wide(body: Body, sample: Cut, numerals: Numerals, index: bool, wanted: Wanted, name: str) -> Table:
    places, aside = wide_places(body, sample, numerals, index)
    if len(places) < 2 and wanted.layout is None:
        names = ", ".join(body.name(k) for k in range(min(body.width, 12)))
        shown = next(((k, row[k]) for k in aside for row in sample.body if row[k] not in numerals.missing), None)
        said = "" if shown is None else f" ({body.name(shown[0])} holds {shown[1]!r}, which is no number)"
        raise FileFormatError(
            f"{body.path} has only {names}{said}; a long table has three columns, row, column and value, and a wide "
            "one at least two columns of numbers (`--layout wide` accepts one)"
        )
    values, labels, lines = Pass(body, numerals, 0 if index else None, places).rows()
    if labels is not None:
        refuse_twice(body, labels, lines)
        refuse_total(body, labels, lines)
    wide = TextWide(
        names=body.header,
        index=0 if index else None,
        places=places,
        aside=aside,
        body=body,
        numerals=numerals,
        lines=lines,
    )
    return table_of(body.path, wide, values, labels, name)


def _format(name: str, title: str, separator: str, others: tuple[str, ...] = ()) -> Format:
    reader, writer = partial(read_delimited, name=name), partial(write_text, name=name, separator=separator)
    stores = "wide or long table, as its content tells; an empty cell or a usual word is a missing value"
    return Format(
        name, title, f".{name}", stores, reader, writer, long=True, packed=True, others=others, settles=SETTLES
    )


# What the content of a text does not always tell.
SETTLES = ("layout", "header", "index", "decimal", "separator", "missing")

CSV = _format("csv", "CSV", ",")
TSV = _format("tsv", "TSV", "\t")
TXT = _format("txt", "text", "\t", others=(".dat", ".data", ".tab"))
