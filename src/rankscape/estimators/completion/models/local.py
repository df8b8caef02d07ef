"""Local polynomials: each cell from the nearest entries, along ordered rows, columns, or both."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.interpolated import Interpolated
from rankscape.ground.final import final
from rankscape.solvers.neighbours.local_regression import local_polynomial


@final
@dataclass(frozen=True, eq=False)
class Local(Model):
    """A polynomial in the places of the nearest entries; between neighbours where no entry is near enough.

    An entry is not used to predict itself. Weights are not used.

    Attributes
    ----------
    entries : Entries
        What is seen.
    steps : (float, float)
        Lengths of a step from row to row and from column to column; infinite where the order means nothing.
    count, degree : int
        Of the entries around a cell, and of the polynomial.
    """

    entries: Entries
    steps: tuple[float, float]
    count: int
    degree: int

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.entries.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        values = local_polynomial(self.entries, rows, columns, self.steps, self.count, self.degree)
        nowhere = np.isnan(values)
        if nowhere.any():
            values[nowhere] = self._between.at(rows[nowhere], columns[nowhere])
        return values

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.at(*np.indices(self.shape).reshape(2, -1)).reshape(self.shape)

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows: from their own entries where columns are ordered, else levels; where they lie is not known."""
        values = self._between.folded(entries)
        if np.isfinite(self.steps[1]):
            rows, columns = np.indices(values.shape).reshape(2, -1)
            own = local_polynomial(entries, rows, columns, (np.inf, 1.0), self.count, self.degree).reshape(values.shape)
            values = np.where(np.isnan(own), values, own)
        return values

    @cached_property
    def _between(self) -> Interpolated:
        axes = (axis for axis, step in zip(("rows", "columns"), self.steps, strict=True) if np.isfinite(step))
        return Interpolated(self.entries, tuple(axes))
