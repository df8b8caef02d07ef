"""Numbers as people write them: a decimal mark, perhaps groups of thousands; and words for what is missing."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

import numpy as np

from rankscape.ground.missing import MISSING
from rankscape.ground.numbers import EXACT

# Marks between groups of thousands, beside the one that is not the decimal mark: blanks of four kinds, apostrophes.
GROUPING = " \xa0\u2009\u202f'\u2019"
MINUS = str.maketrans("\u2212", "-")

_GROUPED = r"[-+]?[1-9][0-9]{{0,2}}(?P<mark>{marks})[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*(?:{decimal}[0-9]*)?"
_PLAIN = r"[-+]?(?:[0-9]+{after}|{decimal}[0-9]+)(?:[eE][-+]?[0-9]+)?"
# Fortran's double precision, with its decimal point: "1D2" is a name.
_DOUBLE = re.compile(r"([-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+))[dD]([-+]?[0-9]+)", re.ASCII)


@dataclass(frozen=True)
class Numerals:
    """How the numbers of a table are written."""

    decimal: str = "."
    missing: frozenset[str] = field(default=MISSING)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern, re.Pattern]:
        other, decimal = "," if self.decimal == "." else ".", re.escape(self.decimal)
        # "1." is what programs write; "1," is a cell that was cut at the wrong place.
        after = rf"(?:{decimal}[0-9]*)?" if self.decimal == "." else rf"(?:{decimal}[0-9]+)?"
        grouped = _GROUPED.format(marks=f"[{re.escape(other + GROUPING)}]", decimal=decimal)
        return re.compile(_PLAIN.format(after=after, decimal=decimal), re.ASCII), re.compile(grouped, re.ASCII)

    def number(self, text: str) -> float | None:
        """The number that a text without blanks around it stands for; None where it is none.

        >>> Numerals(",").number("1.234,5"), Numerals().number("1.5D+03")
        (1234.5, 1500.0)
        """
        if text[:1] == "\u2212":
            text = text.translate(MINUS)
        plain, grouped = self._patterns
        if plain.fullmatch(text):
            return float(text if self.decimal == "." else text.replace(",", "."))
        if match := grouped.fullmatch(text):
            return float(text.replace(match["mark"], "").replace(self.decimal, "."))
        if self.decimal == "." and (double := _DOUBLE.fullmatch(text)):
            return float(f"{double[1]}e{double[2]}")
        return None

    def value(self, text: str) -> float | None:
        """The number, NaN for a word that says it is missing, or None."""
        return np.nan if text in self.missing else self.number(text)

    def lost(self, text: str) -> str | None:
        """What a float64 would lose of a number: "is too large ...", in words; None where it holds what is written.

        >>> Numerals().lost("0.1"), Numerals().lost("1e-400")
        (None, 'is too small for a float64; write 0')
        >>> Numerals().lost("9007199254740993")
        'is a whole number beyond 2^53, which a float64 would round; write 9007199254740992'
        """
        number = self.number(text)
        if number is None:
            return None
        if np.isinf(number):
            return "is too large for a float64"
        digits, exponent, _ = text.casefold().replace("d", "e").partition("e")
        if number == 0 and any(digit in digits for digit in "123456789"):
            return "is too small for a float64; write 0"
        whole = "".join(digit for digit in digits if digit.isdigit())
        if abs(number) < EXACT or exponent or self.decimal in digits or Decimal(whole) == abs(Decimal(number)):
            return None
        return f"is a whole number beyond 2^53, which a float64 would round; write {number:.16g}"

    def written(self, number: float) -> str:
        """A number as a cell, so that reading it gives the same float.

        >>> Numerals().written(2.5), Numerals().written(1.125)  # 1.125 could be a thousand of something elsewhere
        ('2.5', '1.1250')
        """
        text = repr(float(number)).removesuffix(".0")
        if text[-4:-3] == "." and len(text) < 9 and evidence(text) == "?.":
            text += "0"
        return text if self.decimal == "." else text.replace(".", self.decimal)


# What stands only in numbers that may become zero.
_TINY = r"[eEdD]-[0-9]{3}|[0-9]{300}"
_TINY_TEXT, _TINY_BYTES = re.compile(_TINY), re.compile(_TINY.encode())


def may_lose(values: np.ndarray, text: str | bytes) -> bool:
    """Whether one of these numbers may not be what the text says, at the price of a look at each."""
    with np.errstate(invalid="ignore"):
        if (np.abs(values) >= EXACT).any():
            return True
    tiny = _TINY_TEXT.search(text) if isinstance(text, str) else _TINY_BYTES.search(text)
    return bool(tiny) and not np.all(values)


_WHOLE = re.compile(r"[-+\u2212]?[0-9]+", re.ASCII)


def whole_of(text: str) -> int | None:
    """The whole number that a cell is, unless it has more digits than any quantity.

    >>> whole_of("-12"), whole_of("1.0"), whole_of("--1")
    (-12, None, None)
    """
    return int(text.translate(MINUS)) if len(text) <= 400 and _WHOLE.fullmatch(text) else None


def kind_of(text: str, numerals: Numerals) -> str:
    """One letter: ``m`` missing, ``i`` a whole number, ``d`` another number, ``t`` text."""
    if text in numerals.missing:
        return "m"
    if _WHOLE.fullmatch(text):
        return "i"
    return "t" if numerals.number(text) is None else "d"


_GROUPS = {mark: re.compile(rf"[-+]?[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+", re.ASCII) for mark in ".,"}
_SPACED = re.compile(rf"[-+]?[1-9][0-9]{{0,2}}(?:[{GROUPING}][0-9]{{3}})+(?:[.,][0-9]*)?", re.ASCII)
_MARKED = re.compile(r"(?=.*[0-9])[-+\u2212]?[0-9]*[.,][0-9.,]*(?:[eEdD][-+]?[0-9]+)?", re.ASCII)


def evidence(text: str) -> str:
    """What a number says about the decimal mark: ``.``, ``,``, ``?.`` or ``?,`` where it could be either, or nothing.

    >>> evidence("0.5"), evidence("1.234.567"), evidence("1,234"), evidence("12")
    ('.', ',', '?,', '')
    """
    if _SPACED.fullmatch(text):  # blanks or apostrophes between thousands leave one mark for decimals
        return next((mark for mark in ".," if mark in text), "")
    if not _MARKED.fullmatch(text):
        return ""
    last = max(text.rfind("."), text.rfind(","))
    mark, other = text[last], "," if text[last] == "." else "."
    if other in text:
        return mark
    if not _GROUPS[mark].fullmatch(text):
        return mark if text.count(mark) == 1 else ""
    return other if text.count(mark) > 1 else f"?{mark}"
