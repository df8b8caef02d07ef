"""Rows and columns of different size: one number for each, by which entries are divided before they are fitted."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.sizes import sizes_of
from rankscape.ground.final import final
from rankscape.ground.groups import lower_medians

ScaleKind: TypeAlias = Literal["none", "column", "row", "both"]
SCALES: tuple[str, ...] = get_args(ScaleKind)

# Units of errors where nothing is scaled.
OF_DATA = "the units of the data"

# Alternating estimates of the sizes of rows and of columns; they settle to two digits in three.
ROUNDS = 3

# Entries of which no copy is made for the sake of their unit, where the largest is between these.
MANY, PLAIN = 1_000_000, (1e-3, 1e6)


_THEIR = {"column": "their column", "row": "their row", "both": "their row and column"}


@final
@dataclass(frozen=True, eq=False)
class Scaling:
    """``unit * row_i * column_j``: the size of an entry, in the units of the data.

    Attributes
    ----------
    kind : {"none", "column", "row", "both"}
        Which of the two differ from one.
    unit : float
        Size of all entries, so that none of the others overflows when it is squared.
    row, column : ndarray
        Of shapes ``(n_out,)`` and ``(n_in,)``, positive.
    """

    kind: str
    unit: float
    row: np.ndarray
    column: np.ndarray

    @classmethod
    def none(cls, shape: tuple[int, int]) -> "Scaling":
        """Every entry counts as it is."""
        return cls("none", 1.0, np.ones(shape[0]), np.ones(shape[1]))

    @property
    def uniform(self) -> bool:
        """Whether all entries have one size."""
        return self.kind == "none"

    @property
    def words(self) -> str:
        """In which units errors are, for people."""
        return OF_DATA if self.uniform else f"standard deviations of {_THEIR[self.kind]}"

    @property
    def divisor(self) -> str:
        """What entries are divided by."""
        return "largest of them" if self.uniform else f"standard deviation of {_THEIR[self.kind]}"

    @property
    def suffix(self) -> str:
        """The same behind a number: nothing where it is in the units of the data."""
        return "" if self.uniform else f" {self.words}"

    @property
    def short(self) -> str:
        """The same in a table."""
        each = {"none": "", "column": " (column sd)", "row": " (row sd)", "both": " (row and column sd)"}
        return each[self.kind]

    def deviation(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """What one is in `words`, in the units of the data, at these positions."""
        return self.row[rows] * self.column[columns]

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The size of the entries at these positions."""
        return self.unit * self.deviation(rows, columns)

    def dense(self) -> np.ndarray:
        """The size of every entry."""
        return self.unit * self.row[:, None] * self.column[None, :]

    def divide(self, entries: Entries) -> Entries:
        """Entries in standard units."""
        if self.uniform and self.unit == 1:
            return entries
        if self.uniform:
            return entries.changed(lambda part: entries.values[part] / self.unit)
        # One after another: the product of two sizes may overflow where the quotient does not.
        sizes = lambda part: (self.row[entries.rows[part]], self.column[entries.columns[part]])
        return entries.changed(lambda part: entries.values[part] / self.unit / sizes(part)[0] / sizes(part)[1])

    def multiply(self, entries: Entries) -> Entries:
        """Entries in the units of the data again, but for rounding."""
        return entries.with_values(entries.values * self.at(entries.rows, entries.columns))

    def in_unit_of(self, entries: Entries) -> "Scaling":
        """The same ratios, and the unit in which the largest of these entries is one, or is harmless as it is."""
        low, high = replace(self, unit=1.0).divide(entries).extremes
        largest = max(high, -low, 0.0)
        harmless = self.uniform and entries.count >= MANY and PLAIN[0] < largest < PLAIN[1]
        return replace(self, unit=1.0 if harmless else largest or 1.0)

    def of_new_rows(self, entries: Entries) -> "Scaling":
        """For other rows, whose size is read off their own entries where rows have one."""
        if not divided_sides(self.kind)[0]:
            return replace(self, row=np.ones(entries.shape[0]))
        values = entries.values / self.column[entries.columns]
        sizes = sizes_of(entries.rows, values, entries.shape[0], entries.weights, like=self.row)
        return replace(self, row=sizes.size)


def divided_sides(kind: str) -> tuple[bool, bool]:
    """Whether rows, and whether columns, are divided by their size.

    >>> divided_sides("column"), divided_sides("both")
    ((False, True), (True, True))
    """
    return kind in ("row", "both"), kind in ("column", "both")


def fit_scaling(kind: str, entries: Entries) -> Scaling:
    """The size of rows and columns that these entries have (`sizes_of`).

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((200, 3)) * [1.0, 1e-6, 1e8]
    >>> (fit_scaling("column", Entries.from_array(X)).column / [1.0, 1e-6, 1e8]).round(1)
    array([1., 1., 1.])
    """
    row, column = (np.ones(size) for size in entries.shape)
    if kind == "column":
        column = _sizes(entries, 1)
    elif kind == "row":
        row = _sizes(entries, 0)
    elif kind == "both":
        row, column = _both(entries)
    return Scaling(kind, 1.0, row, column).in_unit_of(entries)


def _sizes(entries: Entries, side: int) -> np.ndarray:
    groups = (entries.rows, entries.columns)[side]
    return sizes_of(groups, entries.values, entries.shape[side], entries.weights).size


def _both(entries: Entries) -> tuple[np.ndarray, np.ndarray]:
    """Sizes of rows and of columns whose products are those of the entries, from what their levels leave over."""
    row, column = np.ones(entries.shape[0]), _sizes(entries, 1)
    left = entries.with_values(entries.values / column[entries.columns])
    # Levels are taken away once, and as medians: means that are fitted again with the sizes draw a small row to zero.
    for groups in (left.columns, left.rows):
        left = left.with_values(left.values - lower_medians(groups, left.values, int(groups.max()) + 1)[groups])
    for _ in range(ROUNDS):
        for side, size in enumerate((row, column)):
            found = _sizes(left, side)
            left = left.with_values(left.values / found[(left.rows, left.columns)[side]])
            size *= found
    middle = float(np.median(row))
    return row / middle, column * middle
