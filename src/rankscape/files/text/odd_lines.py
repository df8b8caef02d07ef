"""What to say about a line of a wide table in which a cell is no number: what the line is, or what the cell is."""

from collections.abc import Sequence

from rankscape.files.numerals import Numerals, kind_of
from rankscape.files.text.dialect import plain
from rankscape.files.text.odd import why
from rankscape.files.text.records import Body


def odd_line(body: Body, numerals: Numerals, places: Sequence[int], k: int, place: int, cells: Sequence[str]) -> str:
    """The sentence about the cell of line k at a place, one of those that should hold numbers."""
    text = plain(cells[place])
    where = f"{body.path}, line {k + 1}, column {body.name(place)}"
    if body.header and [plain(cell) for cell in cells] == body.header:
        return f"{where}: {text!r}: this line is the header once more; delete it"
    if _is_words([plain(cells[at]) for at in places], numerals):
        return (
            f"{where}: {text!r} is not a finite number, and no cell of this line is one; is it a second header, a "
            "line of units, or a note? Delete it, or join it with the header"
        )
    return f"{where}: {why(text, numerals)}"


def _is_words(texts: Sequence[str], numerals: Numerals) -> bool:
    """Whether a line has words where the others have numbers, and not one word for a missing value in all."""
    said = [text for text in texts if text not in numerals.missing]
    letters = {kind_of(text, numerals) for text in said}
    return len(set(said)) > 1 and letters == {"t"} and not any(map(str.isdigit, "".join(said)))
