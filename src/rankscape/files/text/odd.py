"""What to say about a cell that is no number: what it looks like, and what to do."""

import re
from collections.abc import Sequence

from rankscape.files.numerals import Numerals

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{1,2}:\d{2}(:\d{2})?"
)
_UNIT = re.compile(r"([-+]?[.,]?\d[\d.,]*)\s*([A-Za-zµμ°%‰€$£]+(?:/[A-Za-zµμ]+)?)")
_MONEY = re.compile(r"[€$£¥]\s*[-+]?[\d.,]+")
_LIMIT = re.compile(r"[<>≤≥~]\s*[\d.,]+")
_SPREAD = re.compile(r"[-+]?[\d.,]+\s*(?:±|\+/-|\+-)\s*[\d.,]+")
_INFINITE = re.compile(r"[-+]?inf(inity)?", re.IGNORECASE)


# How a text starts that is no table of cells.
_MARKUP = (
    (re.compile(r'\s*(?:\{\s*"|\[\s*[{\[])'), "JSON"),
    (re.compile(r"\s*<(?:!doctype html|html|table|\?xml|!--)", re.IGNORECASE), "a web page or XML"),
)


def markup(text: str) -> str | None:
    """What a text is that is written for programs, and no table.

    >>> markup('[{"a": 1}]'), markup("<1,2,3")
    ('JSON', None)
    """
    return next((title for pattern, title in _MARKUP if pattern.match(text)), None)


def unit_of(text: str) -> str | None:
    """The unit that stands after a number, if one does.

    >>> unit_of("3.5 mg"), unit_of("45%"), unit_of("x3")
    ('mg', '%', None)
    """
    match = _UNIT.fullmatch(text)
    return match[2] if match else None


def why(text: str, numerals: Numerals) -> str:
    """The sentence about one cell: its text, what is wrong with it, and the remedy."""
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    if lost := numerals.lost(text):
        return f"{shown} {lost}"
    if _INFINITE.fullmatch(text):
        return f"{shown} is not a finite number; leave the cell empty where the entry is missing"
    other = Numerals("," if numerals.decimal == "." else ".", numerals.missing)
    if other.number(text) is not None:
        words = {".": "point", ",": "comma"}
        return (
            f"{shown} is not a finite number with a decimal {words[numerals.decimal]}, as the others have; write it "
            f"with a decimal {words[numerals.decimal]}, or name the mark: `--decimal '{other.decimal}'`"
        )
    if _DATE.fullmatch(text):
        return f"{shown} is a date or a time, not a finite number; only numbers can be completed: remove the column"
    if unit := unit_of(text):
        return f"{shown} has a unit and is not a finite number; write the number alone, and {unit!r} in the header"
    if _MONEY.fullmatch(text):
        return f"{shown} is an amount of money, not a finite number; write the number alone"
    if _LIMIT.fullmatch(text):
        return f"{shown} is a limit, not a finite number; write a number, or leave the cell empty"
    if _SPREAD.fullmatch(text):
        return f"{shown} is a number and its error, not a finite number; write the number alone"
    if any(character.isdigit() for character in text):
        mark = numerals.decimal
        return f"{shown} is not a finite number; write it in digits, as -1{mark}5 or 2e-3, or leave the cell empty"
    return (
        f"{shown} is not a finite number; say `--missing '{text}'` if it means that the value is missing, and take the "
        "column out if it is text"
    )


def units_in(texts: Sequence[str]) -> str | None:
    """The first of the cells if all are numbers with the same few units: a column that was meant as numbers."""
    found = [unit_of(text) for text in texts]
    same = bool(found) and None not in found and len(set(found)) <= max(1, min(3, len(found) // 4))
    return texts[0] if same or (texts and all(_MONEY.fullmatch(text) for text in texts)) else None
