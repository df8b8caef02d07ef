"""Whether the first line names the columns: words do; numbers may, and where both are plausible that is said."""

from rankscape.errors import FileFormatError
from rankscape.files.numerals import Numerals, kind_of
from rankscape.files.text.dialects import Cut
from rankscape.files.text.first_record import First
from rankscape.files.text.records import Body, Text
from rankscape.files.wanted import Wanted
from rankscape.files.words import INDEX_NAMES, folded


def body_of(text: Text, cut: Cut, numerals: Numerals, wanted: Wanted, long: bool) -> Body:
    """Tell the header from the records below it.

    Parameters
    ----------
    long
        Whether the records can only be those of a long table, which is not headed by numbers.
    """
    if cut.regular < 1.0:
        raise FileFormatError(_ragged(text, cut))
    line, unit = next(text.records(cut.dialect))
    first = cut.rows[0]
    after = line + unit.count(text.newline) + 1
    above = _comment(text, cut, line)
    if len(first) == cut.width - 1:  # R writes no name over the names of rows
        if all(kind_of(cell, numerals) != "t" for cell in first) and _is_numeric(cut, numerals):
            raise FileFormatError(_ragged(text, cut))
        header: list[str] | None = ["", *first]
    elif _is_header(text, cut, numerals, wanted, long and above is None, above):
        header = first
    else:
        return Body(text, cut.dialect, above, 0 if above is None else line, line, cut.width)
    return Body(text, cut.dialect, header, after, after, cut.width)


def _is_numeric(cut: Cut, numerals: Numerals) -> bool:
    return "t" not in {kind_of(row[0], numerals) for row in cut.body}


def _is_header(text: Text, cut: Cut, numerals: Numerals, wanted: Wanted, long: bool, above: list[str] | None) -> bool:
    if wanted.header is not None:
        return wanted.header
    if len(cut.rows) == 1:
        return all(kind_of(cell, numerals) == "t" for cell in cut.rows[0])
    if _is_title(cut):
        raise FileFormatError(
            f"{text.path}, line {next(text.records(cut.dialect))[0] + 1}: {cut.rows[0][0]!r} stands alone, as a title "
            f"does; put # before it, or say whether it is a header: {wanted.calls(text.path, 'header', 'yes', 'no')}"
        )
    first = First(cut.rows[0], list(zip(*cut.body, strict=True)), numerals)
    answer = first.names()
    if (long or above is not None) and answer is not True:
        return False
    if answer is None:
        shown = ", ".join(cut.rows[0][:4]) + (", ..." if cut.width > 4 else "")
        raise FileFormatError(
            f"{text.path}, line {next(text.records(cut.dialect))[0] + 1}: {shown} can be names of columns or data, "
            f"not like a header of words; say which: {wanted.calls(text.path, 'header', 'yes', 'no')}"
        )
    return answer


def _is_title(cut: Cut) -> bool:
    """Whether a word stands alone above a table, and is none that names the rows."""
    word, *others = cut.rows[0]
    return len(others) > 1 and not any(others) and bool(word) and folded(word) not in INDEX_NAMES


def _comment(text: Text, cut: Cut, line: int) -> list[str] | None:
    """The names in the last comment above the table, if they are as many as its columns and none is a number."""
    comments = [k for k in range(line) if text.is_comment(k)]
    if not comments:
        return None
    cells = cut.dialect.cut(text.lines[comments[-1]].strip().lstrip("#%!/ ").rstrip("\r"))
    names = [cell.strip().strip('"') for cell in cells or []]
    numerals = Numerals(cut.decimal() or ".")
    fits = len(names) == cut.width > 2 and all(kind_of(name, numerals) == "t" for name in names)
    fits = fits and all(name.count(" ") < 2 for name in names)  # a sentence with commas is no header
    return names if fits and len(set(names)) == len(names) else None


def _ragged(text: Text, cut: Cut) -> str:
    """What to say about the first record of another length than most."""
    width = len(cut.rows[0]) if len(cut.rows[0]) > 1 else cut.width  # a line of one cell above it is a title
    named = all(kind_of(cell, Numerals()) == "t" for cell in cut.rows[0])
    body = Body(text, cut.dialect, cut.rows[0] if named and width > 1 else None, 1, 0, width)
    for line, unit in body.records():
        cells = cut.dialect.cut(unit) or []
        if len(cells) != width:
            return body.ragged(line, cells, unit)
    return f"{text.path}: the cells of a table cannot be told apart; name what stands between them with `separator`"
