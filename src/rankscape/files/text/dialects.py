"""Which separator and which decimal mark: told by what the cells become under each."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from rankscape.errors import FileFormatError
from rankscape.files.numerals import Numerals, evidence, kind_of
from rankscape.files.text.dialect import Dialect, plain
from rankscape.files.text.records import Text
from rankscape.files.wanted import BLANKS, SEPARATORS, Wanted
from rankscape.ground.missing import MISSING


@dataclass(frozen=True, eq=False)
class Cut:
    """A sample of records under one separator."""

    dialect: Dialect
    rows: list[list[str]]
    missing: frozenset[str]

    @cached_property
    def width(self) -> int:
        """How many cells a record has most often; 0 where there is none."""
        lengths = Counter(map(len, self.rows[1:] or self.rows))
        return lengths.most_common(1)[0][0] if lengths else 0

    @cached_property
    def regular(self) -> float:
        """Which share of the records has that many; the first may have one less, which is a header of R."""
        fits = sum(len(row) == self.width for row in self.rows)
        if len(self.rows) > 1 and len(self.rows[0]) == self.width - 1:
            fits += any(row[-1] for row in self.body)  # else each line below ends in a separator
        return fits / max(len(self.rows), 1)

    @property
    def body(self) -> list[list[str]]:
        """The records below the first, which may be a header."""
        return [row for row in self.rows[1:] or self.rows if len(row) == self.width]

    @cached_property
    def marks(self) -> Counter:
        """How many cells speak for which decimal mark."""
        return Counter(mark for row in self.body for cell in row if (mark := evidence(cell)))

    def decimal(self) -> str | None:
        """The decimal mark; None where whole numbers in thousands would look the same."""
        point, comma = self.marks["."], self.marks[","]
        if point or comma:
            return "." if point >= comma else ","
        if self.marks["?,"]:
            return None
        return "." if not self.marks["?."] or self.dialect.separator == "," else None

    def kinds(self) -> list[str]:
        """The letters of `kind_of` that each column holds, without those for missing."""
        numerals = Numerals(self.decimal() or ".", self.missing)
        columns = zip(*self.body, strict=True)
        return ["".join(sorted({kind_of(cell, numerals) for cell in column} - {"m"})) for column in columns]

    @cached_property
    def rank(self) -> tuple:
        """The smaller the better: columns that mix numbers and text, no numbers, blanks, share of text, few columns."""
        kinds = self.kinds()
        mixed = sum("t" in kind and kind != "t" for kind in kinds[1:])  # names of rows may look like anything
        numeric = sum(bool(kind) and "t" not in kind for kind in kinds)
        return mixed, not numeric, self.dialect.separator == BLANKS, -numeric / len(kinds), -len(kinds)


def cut(text: Text, wanted: Wanted) -> Cut:
    """The sample under the separator that fits best, or the one that is wanted."""
    mark = wanted.mark or text.said
    if mark is not None:
        return cut_at(text, mark, wanted)
    found, quotes = [], []
    for mark in SEPARATORS.values():
        try:
            found.append(cut_at(text, mark, wanted))
        except FileFormatError as error:
            quotes.append(error)
    if not found:
        raise quotes[0]
    found = [one for one in found if one.width > 1]
    if not found:
        return cut_at(text, "\t" if text.path.suffix.lower() == ".tsv" else ",", wanted)
    regular = _without_pieces([one for one in found if one.regular == 1.0])
    if not regular:
        return max(found, key=lambda one: (one.regular, one.dialect.separator != BLANKS, one.width))
    return _best(text, sorted(regular, key=lambda one: one.rank), wanted)


def cut_at(text: Text, mark: str, wanted: Wanted) -> Cut:
    """The sample under one separator."""
    dialect = Dialect(mark)
    return Cut(dialect, text.sample(dialect), MISSING | set(wanted.missing))


def _best(text: Text, ranked: list[Cut], wanted: Wanted) -> Cut:
    best = ranked[0]
    rivals = [one for one in ranked if one.rank == best.rank]
    if len(rivals) == 1:
        return best
    for one in rivals:
        if text.path.suffix.lower() == ".tsv" and one.dialect.separator == "\t":
            return one
    raise FileFormatError(
        f"{text.path}: cells could be cut at {best.dialect.title} or at {rivals[1].dialect.title}; say which: "
        f"{wanted.calls(text.path, 'separator', *(one.dialect.name for one in rivals))}"
    )


def _without_pieces(cuts: list[Cut]) -> list[Cut]:
    """Leave out a cut that has a column of text with another cut's separator in every cell: it cuts too little."""

    def holds(one: Cut, other: Cut) -> bool:
        mark = " " if other.dialect.separator == BLANKS else other.dialect.separator
        columns = zip(one.kinds(), zip(*one.body, strict=True), strict=True)
        return any(kind == "t" and all(mark in cell for cell in column) and _numbers(column, mark, one)
                   for kind, column in columns)  # fmt: skip

    pairs = [(one, other) for one in cuts for other in cuts if other is not one]
    pieces = [one for one, other in pairs if holds(one, other) and not holds(other, one)]  # both: the rank decides
    return [one for one in cuts if one not in pieces]


def _numbers(column: tuple[str, ...], mark: str, cut: Cut) -> bool:
    """Whether pieces of the cells are numbers, so that the mark is no part of names; names with blanks are common."""
    numerals = [Numerals(decimal, cut.missing) for decimal in ".,"]
    pieces = [piece.strip() for cell in column for piece in cell.split(mark)]
    numbers = [any(numeral.value(piece) is not None for numeral in numerals) for piece in pieces]
    return all(numbers) if mark == " " else any(numbers)


def numerals_of(text: Text, cut: Cut, wanted: Wanted) -> Numerals:
    """How the numbers are written: as the sample says, or else the first cell anywhere that settles it."""
    decimal = wanted.decimal or cut.decimal() or _settled(text, cut.dialect)
    if decimal is None:
        mark = "," if cut.marks["?,"] else "."
        word = next(cell for row in cut.body for cell in row if evidence(cell) == f"?{mark}")
        other = "," if mark == "." else "."
        raise FileFormatError(
            f"{text.path}: is {word} a decimal number, or one with a mark between thousands? No cell settles it; "
            f"say which: {wanted.calls(text.path, 'decimal', mark, other)}"
        )
    return Numerals(decimal, cut.missing)


def _settled(text: Text, dialect: Dialect) -> str | None:
    for _, unit in islice(text.records(dialect), 1, None):  # the first may be names
        for cell in dialect.cut(unit.rstrip("\r")) or []:
            if (mark := evidence(plain(cell))) in (".", ","):
                return mark
    return None
