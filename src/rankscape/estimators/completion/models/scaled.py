"""A model in the units of the data, where rows or columns are of different size; and one whose own units those are."""

from dataclasses import dataclass, replace

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
    """

    model: Model
    scaling: Scaling
    low: float = -np.inf
    high: float = np.inf

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.model.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return self.within(self.model.at(rows, columns) * self.scaling.at(rows, columns))

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows."""
        size = self.scaling.unit * self.scaling.row[rows][:, None] * self.scaling.column
        return self.within(self.model.lines(rows) * size)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.within(self.model.dense() * self.scaling.dense())

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows; where rows have a size, theirs is read off their own entries."""
        scaling = self.scaling.of_new_rows(entries)
        model = self.model.for_sizes(scaling)
        return self.within(model.folded(scaling.divide(entries)) * scaling.dense())

    def within(self, values: np.ndarray) -> np.ndarray:
        """Values between the bounds."""
        return values if np.isinf([self.low, self.high]).all() else np.clip(values, self.low, self.high)


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
