"""One pass over the rows of a wide table of text: every cell a number that is read as it is written, or its place."""

from array import array
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np

from rankscape.errors import FileFormatError
from rankscape.files.numerals import Numerals, may_lose
from rankscape.files.text.dialect import QUOTE, plain
from rankscape.files.text.odd_lines import odd_line
from rankscape.files.text.records import Body
from rankscape.files.wanted import BLANKS
from rankscape.ground.numbers import EXACT


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
                raise self._odd(k, place, cells)
            numbers.append(number)
        return numbers

    def _odd(self, k: int, place: int, cells: list[str]) -> FileFormatError:
        return FileFormatError(odd_line(self.body, self.numerals, self.places, k, place, cells))

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
                        raise self._odd(k, place, cells)
