"""A model in the units of the data, where rows or columns are of different size; and one whose own units those are."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Scaled(Model):
    """``model_ij * unit * row_i * column_j``, within bounds.

    Attributes
    ----------
    model : Model
        In standard units.
    scaling : Scaling
        From them to the units of the data.
    low, high : float
        Bounds of all values, in the units of the data.
    row_constants, column_constants : ndarray, optional
        Values of rows and columns of which all entries are equal, in the units of the data; NaN of the others.
    """

    model: Model
    scaling: Scaling
    low: float = -np.inf
    high: float = np.inf
    row_constants: np.ndarray | None = None
    column_constants: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.model.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        values = self.within(self.model.at(rows, columns) * self.scaling.at(rows, columns))
        return _filled(_filled(values, self.row_constants, rows), self.column_constants, columns)

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows."""
        size = self.scaling.unit * self.scaling.row[rows][:, None] * self.scaling.column
        values = _filled(self.within(self.model.lines(rows) * size), self.row_constants, rows[:, None])
        return _filled(values, self.column_constants)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        values = _filled(self.within(self.model.dense() * self.scaling.dense()), self.row_constants, np.s_[:, None])
        return _filled(values, self.column_constants)

    @property
    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Which rows and which columns are constant."""
        sides = zip((self.row_constants, self.column_constants), self.shape, strict=True)
        rows, columns = (np.zeros(n, dtype=bool) if values is None else np.isfinite(values) for values, n in sides)
        return rows, columns

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows; where rows have a size, theirs is read off their own entries."""
        scaling = self.scaling.of_new_rows(entries)
        model = self.model.for_sizes(scaling)
        values = self.within(model.folded(scaling.divide(entries)) * scaling.dense())
        return _filled(values, self.column_constants)

    def within(self, values: np.ndarray) -> np.ndarray:
        """Values between the bounds."""
        return values if np.isinf([self.low, self.high]).all() else np.clip(values, self.low, self.high)


def _filled(values: np.ndarray, constants: np.ndarray | None, at: Any = np.s_[:]) -> np.ndarray:
    """Values of cells, or those of their lines (`at`) where all entries of these are equal."""
    return values if constants is None else np.where(np.isfinite(constants[at]), constants[at], values)


@final
@dataclass(frozen=True, eq=False)
class Unscaled(Model):
    """``model_ij / (unit * row_i * column_j)``: counts, say, know no other unit than their own.

    Attributes
    ----------
    model : Model
        In the units of the data.
    scaling : Scaling
        From standard units to them.
    """

    model: Model
    scaling: Scaling

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.model.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return self.model.at(rows, columns) / self.scaling.at(rows, columns)

    def noise_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """In standard units."""
        return self.model.noise_at(rows, columns) / self.scaling.at(rows, columns)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.model.dense() / self.scaling.dense()

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows, of the sizes that it was told (`for_sizes`)."""
        return self.model.folded(self.scaling.multiply(entries)) / self.scaling.dense()

    def for_sizes(self, scaling: Scaling) -> "Unscaled":
        """For rows of these sizes."""
        return replace(self, scaling=scaling)
