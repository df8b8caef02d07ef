"""A model in the units of the data, where rows or columns are of different size."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.scaling import Scaling
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Scaled(Model):
    """``model_ij * unit * row_i * column_j``.

    Attributes
    ----------
    model : Model
        In standard units.
    scaling : Scaling
        From them to the units of the data.
    """

    model: Model
    scaling: Scaling

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.model.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return self.model.at(rows, columns) * self.scaling.at(rows, columns)

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows."""
        return self.model.lines(rows) * (self.scaling.unit * self.scaling.row[rows][:, None] * self.scaling.column)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.model.dense() * self.scaling.dense()

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows; where rows have a size, theirs is read off their own entries."""
        scaling = self.scaling.of_new_rows(entries)
        return self.model.folded(scaling.divide(entries)) * scaling.dense()
