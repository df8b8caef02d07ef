"""Wide tables of text: read in one pass, and given back with nothing changed but the cells that were missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from rankscape.files.numerals import Numerals
from rankscape.files.text.dialect import plain
from rankscape.files.text.records import Body
from rankscape.files.wanted import BLANKS
from rankscape.files.wide import AbstractWide
from rankscape.ground.final import final


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


def joined(wide: TextWide, matrix: np.ndarray, missing: np.ndarray) -> Iterator[str]:
    """The text of a wide table in pieces of many lines."""
    newline, block = wide.body.text.newline, []
    for line in chain(wide.filled(matrix, missing), [None]):
        if line is None or len(block) == 10_000:
            yield newline.join(block) + (newline if line is not None else "")
            block = []
        if line is not None:
            block.append(line)
