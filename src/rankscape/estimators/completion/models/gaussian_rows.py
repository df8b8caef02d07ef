"""Rows drawn from one Gaussian with a full covariance: each cell as the others of its row predict it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.ground.final import final
from rankscape.solvers.full_covariance import FullCovariance, by_pattern, filled_rows, from_others


@final
@dataclass(frozen=True, eq=False)
class GaussianRows(Model):
    r"""``E[x_ij | the other entries of row i]`` for rows drawn from :math:`N(c, \mathrm{diag}(s) S \mathrm{diag}(s))`.

    Attributes
    ----------
    entries : Entries
        What is seen.
    flipped : bool
        Whether columns are what is drawn, in place of rows.
    centre, size : ndarray, shape (p,)
        Mean and unit of each variable: a column, or a row if flipped.
    covariance : ndarray, shape (p, p)
        In these units; the matrix of scale of Student's t.
    tail : float
        Degrees of freedom of Student's t; infinite for a Gaussian.
    pseudo_rows : float
        Draws without correlation that the covariance counts in.
    """

    entries: Entries
    flipped: bool
    centre: np.ndarray
    size: np.ndarray
    covariance: np.ndarray
    tail: float
    pseudo_rows: float

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.entries.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return self._cells[0][rows, columns]

    def std(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Standard deviations of the cells at pairs of positions, given the others of their rows; shape (k,)."""
        return self._cells[1][rows, columns]

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self._cells[0].copy()

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows are draws as well; if flipped, they are regressed on the rows that are known."""
        if self.flipped:
            return np.array([self._regressed(row) for row in entries.dense()])
        return from_others(by_pattern(self._standard(entries)), self._law)[0] * self.size + self.centre

    @property
    def _law(self) -> FullCovariance:
        return FullCovariance(np.zeros(len(self.centre)), self.covariance, self.tail)

    def _standard(self, entries: Entries) -> np.ndarray:
        return (entries.dense() - self.centre) / self.size

    @cached_property
    def _cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Expectation and deviation of every cell."""
        draws = self.entries.transposed() if self.flipped else self.entries
        expected, deviations = from_others(by_pattern(self._standard(draws)), self._law)
        expected, deviations = expected * self.size + self.centre, deviations * self.size
        return (expected.T, deviations.T) if self.flipped else (expected, deviations)

    @cached_property
    def _filled(self) -> np.ndarray:
        return filled_rows(by_pattern(self._standard(self.entries.transposed())), self._law)

    def _regressed(self, row: np.ndarray) -> np.ndarray:
        """A new row by its regression on the known ones, with the same pseudo-draws without correlation."""
        seen = np.isfinite(row)
        if not seen.any():
            return (self._filled * self.size + self.centre).mean(1)
        known, middle = self._filled[seen], self._filled[seen].mean(0)
        covariance = (known - middle).T @ (known - middle) + self.pseudo_rows * np.diag(np.diag(self.covariance))
        slopes = np.linalg.solve(covariance, (known - middle).T @ (row[seen] - row[seen].mean()))
        return row[seen].mean() + (self._filled - middle) @ slopes
