"""Wide or long, and whether the first column names the rows: decided by what the columns hold."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

from rankscape.errors import FileFormatError
from rankscape.files.numerals import whole_of
from rankscape.files.wanted import Layout, Wanted
from rankscape.files.words import COLUMN_NAMES, INDEX_NAMES, ROW_NAMES, SHORT, VALUE_NAMES, folded

# `count`: whole numbers; `number`: others too; `mixed`: numbers and text.
Kind: TypeAlias = Literal["count", "number", "text", "mixed", "empty"]

# Columns that stand beside the three of a long table and are none of them.
BESIDE = ("observed", "observed_cell", "std_error")

# Pairs of keys that would repeat by chance if they were no keys, from which on it is certain that they are
# (no repetition at all has probability exp(-10)), and the share of them that duplicates may make up.
CERTAIN, SOME = 10.0, 0.1

# Records that are looked at: the first hundreds of users of a sorted file have rated the same movies.
LOOK = 50_000

# Whole numbers without repetition that rise so long are a count, or years, and seldom data.
RISING = 8

# Rows from which on it is asked about whole numbers without repetition in the first column alone.
UNLIKE = 5

# Seconds and milliseconds since 1970 between 1990 and 2040, as the fourth column of a long table.
SECONDS = ((6.3e8, 2.21e9), (6.3e11, 2.21e12))


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table: its name, what it holds, and its first cells (text, or numbers)."""

    name: str | None
    kind: Kind
    cells: Sequence
    place: Callable[[int], str] = "row {}".format  # where cell k is, for a person

    @property
    def is_key(self) -> bool:
        """Whether it can name rows or columns."""
        return self.kind == "text" or (self.kind == "count" and not any(str(cell)[:1] == "-" for cell in self.cells))

    @property
    def names_rows(self) -> bool:
        """Whether its header says that it names the rows; an empty one does."""
        name = self.name
        return name is not None and (not name or folded(name) in INDEX_NAMES or name.endswith(("id", "ID", "Id")))

    @cached_property
    def counts(self) -> Counter:
        """How often each cell is there."""
        return Counter(self.cells)

    @cached_property
    def whole(self) -> list[int]:
        """The cells that are whole numbers, of a column of such."""
        return [whole for cell in self.cells if (whole := whole_of(str(cell))) is not None]

    @property
    def repeats(self) -> bool:
        """Whether a cell is there twice."""
        return len(self.counts) < len(self.cells)

    @property
    def is_time(self) -> bool:
        """Whether all cells are times in seconds or milliseconds."""
        numbers = self.whole
        if self.kind != "count" or not numbers:
            return False
        low, high = min(numbers), max(numbers)
        return any(start < low and high < stop for start, stop in SECONDS)


def told_by_names(names: Sequence[str | None]) -> tuple[int, int, int] | None:
    """The places of rows, columns and values where the names of columns tell each of them once."""
    words = [folded(name or "") for name in names]
    groups = ROW_NAMES, COLUMN_NAMES, VALUE_NAMES
    if len(words) >= 3 and all(word in group for word, group in zip(words, groups, strict=False)):
        return 0, 1, 2
    found = [[k for k, word in enumerate(words) if word in group - SHORT] for group in groups]
    if all(len(places) == 1 for places in found) and len({places[0] for places in found}) == 3:
        return found[0][0], found[1][0], found[2][0]
    return None


def layout_of(path: Path, columns: Sequence[Column], wanted: Wanted) -> Layout:
    """Decide, or raise where a wide and a long table are both plausible."""
    if wanted.layout is not None:
        return wanted.layout
    if any(name is not None for name in wanted.names):
        return "long"
    own = [column for column in columns if column.name not in BESIDE or len(columns) == 3]
    answer = "long" if len(own) == 3 and len(columns) > 3 else _answer(own)  # rankscape wrote what stands beside
    if answer is None:
        names = ", ".join(column.name or str(k + 1) for k, column in enumerate(columns))
        raise FileFormatError(
            f"{path}: the columns {names} can be a wide table, or a long one (row, column, value); say which: "
            f"{wanted.calls(path, 'layout', 'wide', 'long')}"
        )
    return answer


def _answer(columns: Sequence[Column]) -> Layout | None:
    chosen = told_by_names([column.name for column in columns])
    if chosen and (columns[chosen[0]].is_key or columns[chosen[1]].is_key):
        return "long"
    if len(columns) not in (3, 4):
        return "wide"
    row, column, value, *others = columns
    if not (row.is_key and column.is_key and value.kind in ("count", "number", "mixed")):
        return "wide"
    beside = all(other.is_time or other.kind == "text" for other in others)
    if row.kind == column.kind == "text":
        if beside:  # as a wide table it would have a single column of numbers
            return "long"
        return None if is_keyed(row, column) is not False else "wide"
    keyed = is_keyed(row, column)
    if keyed is False:
        return "long" if others and others[0].is_time and row.repeats and column.repeats else "wide"
    if keyed is None and others and others[0].is_time and not any(one.name for one in columns):
        return "long"  # without a header, a time in seconds stands last in the files of MovieLens and nowhere else
    return "long" if keyed and beside else None


def is_keyed(row: Column, column: Column) -> bool | None:
    """Whether pairs of the two are too seldom repeated for anything but keys; None where it cannot be told."""
    if not (row.repeats and column.repeats):
        return False
    n = len(row.cells)
    again = [sum((count / n) ** 2 for count in one.counts.values()) for one in (row, column)]
    expected = n * (n - 1) / 2 * again[0] * again[1]
    pairs = Counter(zip(row.cells, column.cells, strict=True))
    found = sum(count * (count - 1) // 2 for count in pairs.values())
    if found > SOME * expected:
        return False
    return True if expected >= CERTAIN else None


def is_index(path: Path, first: Column, others_alike: bool, wanted: Wanted) -> bool:
    """Whether the first column names the rows; raise where it may as well be data.

    Parameters
    ----------
    others_alike
        Whether other columns hold whole numbers with hardly a repetition too.
    """
    if wanted.index is not None:
        if wanted.index and first.repeats:
            raise FileFormatError(f"{path}, {_twice(first)}; every row needs a name of its own")
        return wanted.index
    if first.kind == "text" or (first.kind == "mixed" and first.names_rows):
        if not first.repeats:
            return True
        if len(first.counts) <= len(first.cells) / 2:
            return False  # a column of text like others
        raise FileFormatError(
            f"{path}, {_twice(first)}; give every row a name of its own, or say that this column is no name: "
            f"`--index no` (in Python index=False)"
        )
    if first.repeats or first.kind not in ("count", "number"):
        return False
    return first.names_rows or (first.kind == "count" and _counts(path, first, others_alike, wanted))


def _counts(path: Path, first: Column, others_alike: bool, wanted: Wanted) -> bool:
    """The same of whole numbers that do not repeat, under a name that says nothing."""
    numbers = first.whole
    if len(numbers) < len(first.cells):
        return False  # names are not missing
    steps = {b - a for a, b in pairwise(numbers)}
    rising = all(step > 0 for step in steps)
    if len(numbers) > 2 and rising and (len(steps) == 1 or len(numbers) >= RISING):
        name = f"the first column{'' if not first.name else f', {first.name!r},'}"
        raise FileFormatError(
            f"{path}: {name} rises from {numbers[0]} to {numbers[-1]}: it can name the rows or be data; say which: "
            f"{wanted.calls(path, 'index', 'yes', 'no')}"
        )
    if first.name is None and len(numbers) >= UNLIKE and not others_alike:
        raise FileFormatError(
            f"{path}: the first column ({numbers[0]}, {numbers[1]}, ...) holds whole numbers without repetition, and "
            f"others do not: it can name rows or be data; say which: {wanted.calls(path, 'index', 'yes', 'no')}"
        )
    return False


def _twice(first: Column) -> str:
    word = next(word for word, count in first.counts.items() if count > 1)
    at = [first.place(k) for k, cell in enumerate(first.cells) if cell == word][:2]
    column = f", column {first.name!r}" if first.name else ", the first column"
    return f"{at[1]}{column}: the name {str(word)!r} is that of {at[0]} too"


def surely_long(columns: Sequence[Column]) -> bool:
    """Whether columns without names can only be those of a long table."""
    return len(columns) in (3, 4) and _answer(columns) == "long"
