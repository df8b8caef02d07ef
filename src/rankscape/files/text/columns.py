"""What the columns of a text hold: from a sample, and from many records where it decides."""

from collections.abc import Sequence

from rankscape.errors import FileFormatError
from rankscape.files.layout import LOOK, Column, Kind, told_by_names
from rankscape.files.numerals import Numerals, kind_of
from rankscape.files.text.dialects import Cut
from rankscape.files.text.long_text import first_cells
from rankscape.files.text.odd import units_in, why
from rankscape.files.text.records import Body

# A column with fewer numbers than this share of its cells, and with more than a few words, holds text.
FEW_NUMBERS, FEW_WORDS = 0.2, 2


def is_code(cells: Sequence[str], numerals: Numerals) -> bool:
    """Whether a column holds codes: digits to one length, with zeros before them, as no quantity is written."""
    said = [cell for cell in cells if cell not in numerals.missing]
    alike = len({len(cell) for cell in said}) == 1 and len(said[0]) > 1
    return alike and all(cell.isascii() and cell.isdigit() for cell in said) and any(cell[0] == "0" for cell in said)


def kind_of_column(cells: Sequence[str], numerals: Numerals, first: bool, codes: bool = False) -> Kind:
    """What a column holds; names of rows may be numbers up to a half. Where there are codes, they are text."""
    if codes and is_code(cells, numerals):
        return "text"
    letters = [kind_of(cell, numerals) for cell in cells]
    whole, decimal, text = (letters.count(letter) for letter in "idt")
    if not whole + decimal + text:
        return "empty"
    if not text:
        return "number" if decimal else "count"
    words = {cell for cell, letter in zip(cells, letters, strict=True) if letter == "t"}
    share = (whole + decimal) / (whole + decimal + text)
    if first:
        return "mixed" if share >= 0.5 else "text"
    return "text" if not share or (share < FEW_NUMBERS and len(words) > FEW_WORDS) else "mixed"


def columns_of(body: Body, sample: Cut, numerals: Numerals) -> list[Column]:
    """All columns; the cells of those only that decide between layouts, or whether there is an index."""
    names = body.header or [None] * body.width
    chosen = told_by_names(names)
    places = sorted({0, *(chosen or ()), *(range(body.width) if body.width in (3, 4, 5) else ())})
    cells, lines = first_cells(body, places, LOOK)
    looked = dict(zip(places, cells, strict=True))
    skip = 0 if body.header is None else 1
    rows = [row for row in sample.rows[skip:] if len(row) == body.width]
    found, codes = [], _codes(rows, numerals)
    for place, name in enumerate(names):
        seen = looked.get(place) or [row[place] for row in rows]
        kind = kind_of_column(seen, numerals, place == 0, codes and place == 0)
        found.append(Column(name, kind, looked.get(place, ()), lambda k: f"line {lines[k] + 1}"))
    return found


def _codes(rows: Sequence[Sequence[str]], numerals: Numerals) -> bool:
    """Whether digits with zeros before them can be codes: some programs write all numbers so."""
    columns = [column for column in zip(*rows, strict=True) if not set(column) <= numerals.missing]
    return not all(is_code(column, numerals) for column in columns)


def wide_places(body: Body, sample: Cut, numerals: Numerals, index: bool) -> tuple[list[int], list[int]]:
    """The places of the columns of numbers and of those that are kept aside."""
    rows = [row for row in sample.rows[0 if body.header is None else 1 :] if len(row) == body.width]
    codes = _codes(rows, numerals)
    kinds = [kind_of_column([row[k] for row in rows], numerals, False, codes) for k in range(body.width)]
    empty = [k for k, kind in enumerate(kinds) if kind == "empty"]
    if empty:
        cells, _ = first_cells(body, empty, len(body.text.lines))
        for place, column in zip(empty, cells, strict=True):
            kinds[place] = kind_of_column(column, numerals, False)
    rest = range(1 if index else 0, body.width)
    nameless = [k for k in rest if kinds[k] == "empty" and body.header is not None and not body.header[k]]
    aside = [k for k in rest if kinds[k] == "text" or k in nameless]
    for place in aside:
        _refuse_units(body, place, [row[place] for row in rows], numerals)
    return [k for k in rest if k not in aside], aside


def _refuse_units(body: Body, place: int, cells: list[str], numerals: Numerals) -> None:
    """Raise if a column of text holds numbers with a unit each: it is meant to be completed."""
    text = units_in([cell for cell in cells if kind_of(cell, numerals) != "m"])
    if text is None:
        return
    (column,), lines = first_cells(body, [place], LOOK)
    line = lines[column.index(text)] + 1
    raise FileFormatError(f"{body.path}, line {line}, column {body.name(place)}: {why(text, numerals)}")
