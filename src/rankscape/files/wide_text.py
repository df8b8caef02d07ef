"""Wide tables of text: read in one pass, and given back with nothing changed but the cells that were missing."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from math import nan

import numpy as np

from rankscape.errors import FileFormatError
from rankscape.files.dialect import QUOTE, plain
from rankscape.files.numerals import Numerals, may_lose
from rankscape.files.odd import why
from rankscape.files.records import Body
from rankscape.files.wanted import BLANKS
from rankscape.files.wide import AbstractWide
from rankscape.files.words import TOTALS, folded
from rankscape.ground.final import final
from rankscape.ground.numbers import EXACT


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class TextWide(AbstractWide):
    """A wide table as the lines that it stands on."""

    body: Body
    numerals: Numerals
    lines: list[int] = field(default_factory=list, repr=False)  # of each row, counted from 0

    @property
    def title(self) -> str:
        """How its cells are cut and its numbers written."""
        mark = " with decimal commas" if self.numerals.decimal == "," else ""
        return f"cut at {self.body.dialect.title}{mark}"

    def others(self) -> dict[int, Sequence]:
        """Names of rows and text, cut once more."""
        places = [*([] if self.index is None else [self.index]), *self.aside]
        cells = [self.body.cells(k, unit) for k, unit in self.body.records()]
        return {place: [plain(row[place]) for row in cells] for place in places}

    def filled(self, matrix: np.ndarray, missing: np.ndarray) -> Iterator[str]:
        """Yield every line, with the numbers of ``matrix`` in the cells of ``missing``; all others stay to the byte."""
        text, dialect = self.body.text, self.body.dialect
        changed = np.flatnonzero(missing.any(axis=1)).tolist()
        ends = iter([(self.lines[row], row) for row in changed])
        units = self.body.records() if text.quoted else None
        line, row = next(ends, (-1, -1))
        k = 0
        while k < len(text.lines):
            if k != line:
                yield text.lines[k]
                k += 1
                continue
            unit = text.lines[k].rstrip("\r") if units is None else next(unit for at, unit in units if at == k)
            stop = k + 1 + unit.count(text.newline)
            end = "\r" if text.lines[stop - 1].endswith("\r") else ""
            cells = {self.places[j]: self._written(matrix[row, j]) for j in np.flatnonzero(missing[row]).tolist()}
            yield dialect.fill(unit, cells) + end
            k = stop
            line, row = next(ends, (-1, -1))

    def _written(self, number: float) -> str:
        if number != number:  # no number: only where standard errors of given values would stand
            return "NA" if self.body.dialect.separator == BLANKS else ""
        return self.numerals.written(number)


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over the rows of a wide table."""

    body: Body
    numerals: Numerals
    index: int | None
    places: list[int]

    @cached_property
    def _tail(self) -> int | None:
        """Where the numbers start, if all columns from there on are numbers."""
        width, start = self.body.width, self.places[0]
        return start if self.places == [*range(start, width)] else None

    def rows(self) -> tuple[np.ndarray, list[str] | None, list[int]]:
        """The values, the names of the rows, and the line of each; raise at the first cell that is no number."""
        values, labels, lines = array("d"), [], []
        quick = self._tail is not None and self.body.dialect.separator != BLANKS
        for k, unit in self.body.records():
            cells = unit.split(self.body.dialect.separator) if quick and QUOTE not in unit else self.body.cells(k, unit)
            if len(cells) != self.body.width:
                raise FileFormatError(self.body.ragged(k, cells, unit))
            values.extend(self._quick(unit, cells) or self._slow(k, cells))
            lines.append(k)
            if self.index is not None:
                labels.append(self._label(k, cells))
        self.body.check_comments()
        if not lines:
            raise FileFormatError(f"{self.body.path} holds a header and no entries")
        matrix = np.frombuffer(values).reshape(len(lines), len(self.places))
        self._check_digits(matrix, lines)
        return matrix, labels if self.index is not None else None, lines

    def _quick(self, unit: str, cells: list[str]) -> list[float] | None:
        """What `float` reads; None where something is odd, or `float` would accept what is no number here."""
        start, missing = self._tail, self.numerals.missing
        if start is None:
            return None
        rest = unit[len(cells[0]) :] if start else unit
        if "_" in rest or not rest.isascii():
            return None
        tail = cells[start:]
        if self.numerals.decimal == ",":
            if "." in rest:
                return None
            tail = [cell.replace(",", ".") for cell in tail]
        try:
            return [nan if cell in missing else float(cell) for cell in tail]
        except ValueError:
            return None

    def _slow(self, k: int, cells: list[str]) -> list[float]:
        """Cell by cell."""
        numbers = []
        for place in self.places:
            text = plain(cells[place])
            number = self.numerals.value(text)
            if number is None:
                raise FileFormatError(self._odd(k, place, cells))
            numbers.append(number)
        return numbers

    def _odd(self, k: int, place: int, cells: list[str]) -> str:
        text = plain(cells[place])
        where = f"{self.body.path}, line {k + 1}, column {self.body.name(place)}"
        if self.body.header and [plain(cell) for cell in cells] == self.body.header:
            return f"{where}: {text!r}: this line is the header once more; delete it"
        return f"{where}: {why(text, self.numerals)}"

    def _label(self, k: int, cells: list[str]) -> str:
        label = plain(cells[self.index or 0])
        if not label:
            raise FileFormatError(
                f"{self.body.path}, line {k + 1}, column {self.body.name(self.index or 0)}: the cell is empty; "
                "every row needs a name, or say `--index no`"
            )
        return label

    def _check_digits(self, matrix: np.ndarray, lines: list[int]) -> None:
        """Raise about the first number that a float64 does not hold as it was written."""
        with np.errstate(invalid="ignore"):
            odd = ((np.abs(matrix) >= EXACT) | (matrix == 0)).any(axis=1)
        if not odd.any():
            return
        suspects = {lines[row]: row for row in np.flatnonzero(odd).tolist()}
        for k, unit in self.body.records():
            if k in suspects and may_lose(matrix[suspects[k]], unit):
                cells = self.body.cells(k, unit)
                for place in self.places:
                    text = plain(cells[place])
                    if self.numerals.value(text) is None or self.numerals.lost(text):
                        raise FileFormatError(self._odd(k, place, cells))


def refuse_twice(body: Body, labels: Sequence[str], lines: Sequence[int]) -> None:
    """Raise if two rows have one name, however far they are apart."""
    if len(set(labels)) == len(labels):
        return
    first: dict[str, int] = {}
    for label, line in zip(labels, lines, strict=True):
        if label in first:
            raise FileFormatError(
                f"{body.path}, line {line + 1}, column {body.name(0)}: the name {label!r} is that of line "
                f"{first[label] + 1} too; give every row a name of its own, or say `--index no`"
            )
        first[label] = line


def refuse_total(body: Body, labels: Sequence[str], lines: Sequence[int]) -> None:
    """Raise if the last row is one of sums or means: it is no row like the others."""
    if len(labels) > 2 and folded(str(labels[-1])) in TOTALS:
        raise FileFormatError(
            f"{body.path}, line {lines[-1] + 1}: {labels[-1]!r} is a line of totals, not a row of the table; delete it"
        )


def joined(wide: TextWide, matrix: np.ndarray, missing: np.ndarray) -> Iterator[str]:
    """The text of a wide table in pieces of many lines."""
    newline, block = wide.body.text.newline, []
    for line in chain(wide.filled(matrix, missing), [None]):
        if line is None or len(block) == 10_000:
            yield newline.join(block) + (newline if line is not None else "")
            block = []
        if line is not None:
            block.append(line)
