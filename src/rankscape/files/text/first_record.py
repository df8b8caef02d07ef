"""The first record of a table: whether its cells are names, by what they are and what stands below them."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import comb

import numpy as np

from rankscape.files.numerals import Numerals, kind_of, whole_of
from rankscape.files.words import INDEX_NAMES, folded

# How improbable a first record may be among the others before it is taken for names, and before it is asked.
ODD, UNLIKELY, OUTSIDE = 1e-3, 0.05, 0.01

# Years that head columns.
YEARS = (1800, 2100)

# Records that are surely the first ones of a file.
COUNTED = 150

# So many times the range of its column a number is far outside of it.
FAR = 3.0

# Names that only rise, and so rarely by chance (1 in 120) that it is asked.
RISING = 5


@dataclass(frozen=True, eq=False)
class First:
    """The first record, over the columns of the others."""

    cells: list[str]
    columns: list[tuple[str, ...]]
    numerals: Numerals

    @cached_property
    def kinds(self) -> list[list[str]]:
        """The letters of `kind_of`, column by column."""
        return [[kind_of(cell, self.numerals) for cell in column] for column in self.columns]

    @cached_property
    def own(self) -> list[str]:
        """The letters of the first record."""
        return [kind_of(cell, self.numerals) for cell in self.cells]

    def numeric(self, k: int) -> bool:
        """Whether column k holds numbers, for the most part, below the first record."""
        numbers = sum(kind in "id" for kind in self.kinds[k])
        return numbers > 0 and numbers >= self.kinds[k].count("t")

    def names(self) -> bool | None:
        """Whether these are names; None where it cannot be told."""
        over = [k for k in range(len(self.cells)) if self.numeric(k)]
        words = [k for k in over if self.own[k] == "t"]
        if words:  # a decimal number beside a word over numbers is data with a typing error, or names: who knows
            return None if words != [0] and any(self.own[k] == "d" for k in over) else True
        if self.cells[0] == "" and len(self.cells) > 1 and all(self.columns[0]) and "m" not in self.own[1:]:
            return self._empty_corner()
        if not over:
            return True if self._telling() or not any(kind in "id" for kind in self.own) else None
        rest = over if self.own[0] in "id" else [k for k in over if k > 0]
        if not all(self.own[k] in "id" for k in rest) or len(rest) < 2:
            return self._telling() and all(self.own[k] in "id" for k in rest)
        return self._numbers(rest)

    def _empty_corner(self) -> bool | None:
        """Nothing over a column in which no cell is empty: over text or a count of the rows it is no number lost."""
        if not self.numeric(0):
            return True
        if set(self.kinds[0]) != {"i"}:
            return False
        counts = [whole_of(cell) or 0 for cell in self.columns[0]]
        start = counts[:COUNTED]  # of a long file a sample, whose first records are in order
        risen = all(b > a for a, b in pairwise(counts))
        return True if risen and start in ([*range(len(start))], [*range(1, len(start) + 1)]) else None

    def _telling(self) -> bool:
        """Whether a word over a column of text is one that names such columns."""
        return self.own[0] == "t" and not self.numeric(0) and folded(self.cells[0]) in INDEX_NAMES

    def _numbers(self, rest: list[int]) -> bool | None:
        """The same of a first record of numbers, by what numbers it could be."""
        if self._telling():
            return True
        numbers = [self.numerals.number(self.cells[k]) or 0.0 for k in rest]
        if len(set(numbers)) < len(numbers):
            return False
        kinds = {self.own[k] for k in rest}
        chance = self._chance(rest) if len(kinds) == 1 else 1.0  # whole numbers and others mix in data
        if chance < ODD:
            return True
        steps = {round(b - a, 9) for a, b in pairwise(numbers)}
        if steps == {1.0} and len(rest) > 1 and self._years(rest, numbers):
            return True
        rising = len(rest) >= RISING and all(b > a for a, b in pairwise(numbers)) and self._rising(rest) < 1 / 20
        stepped = len(rest) > 2 and len(steps) == 1
        return (
            None
            if stepped or rising or chance < UNLIKELY or (kinds == {"i"} and self._outside(rest, numbers))
            else False
        )

    def _chance(self, rest: list[int]) -> float:
        """How often a record below would be whole numbers, or decimal ones, where the first record is."""
        below = [kind for k in rest for kind in self.kinds[k] if kind in "id"]
        share = {kind: (below.count(kind) + 1) / (len(below) + 2) for kind in "id"}
        return float(np.prod([share[self.own[k]] for k in rest]))

    def _years(self, rest: list[int], numbers: list[float]) -> bool:
        """Whether these are years, and nothing below is."""
        if not all(YEARS[0] <= number <= YEARS[1] for number in numbers):
            return False
        below = [x for k in rest for cell in self.columns[k] if (x := self.numerals.number(cell)) is not None]
        return not any(YEARS[0] <= x <= YEARS[1] for x in below)

    def _outside(self, rest: list[int], numbers: list[float]) -> bool:
        """Whether more numbers are outside the ranges of their columns than those of a record would be."""
        chance, outside = 1.0, 0
        for k, number in zip(rest, numbers, strict=True):
            below = [x for cell in self.columns[k] if (x := self.numerals.number(cell)) is not None]
            if not min(below) <= number <= max(below):
                far = max(min(below) - number, number - max(below)) > FAR * (max(below) - min(below))
                chance *= 2 / (len(below) + 1) * (0.1 if far else 1.0)
                outside += 1
        return outside > 0 and comb(len(rest), outside) * chance < OUTSIDE

    def _rising(self, rest: list[int]) -> float:
        """Which share of the records below rise from left to right."""
        records = [[self.numerals.number(self.columns[k][row]) for k in rest] for row in range(len(self.columns[0]))]
        full = [[x for x in record if x is not None] for record in records if None not in record]
        return sum(all(b > a for a, b in pairwise(record)) for record in full) / max(len(full), 1)
