"""The contract of a model: its value at any cell, at all of them, and in rows that it has not seen."""

from abc import ABC, abstractmethod

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.scaling import Scaling


class Model(ABC):
    """What predicts every cell of a matrix.

    Subclass it as a frozen dataclass whose fields are numbers, words, arrays, entries, other models, or tuples of
    these: then it can be saved (`packing`).
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""

    @abstractmethod
    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,), without forming the matrix."""

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows, shape ``(k, n_in)``: of a matrix that is too large to be formed, a block."""
        i, j = np.repeat(rows, self.shape[1]), np.tile(np.arange(self.shape[1]), len(rows))
        return self.at(i, j).reshape(len(rows), self.shape[1])

    def missed(self, entries: Entries) -> np.ndarray:
        """Prediction minus value of entries of this matrix, times the roots of their weights; shape (m,)."""
        return (self.at(entries.rows, entries.columns) - entries.values) * entries.root_weights

    def errors(self, rows: np.ndarray, columns: np.ndarray, fitted: np.ndarray) -> np.ndarray:
        """Standard errors of these cells, given those that the low-rank fit has there."""
        del rows, columns
        return fitted

    def noise_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """How noisy entries of these cells are, relative to others; ones, where the model says nothing of it."""
        del columns
        return np.ones(len(rows))

    def capped(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values of these cells, no larger than it is known that they are."""
        del rows, columns
        return values

    @abstractmethod
    def dense(self) -> np.ndarray:
        """The value of every cell, shape ``(n_out, n_in)``."""

    def for_sizes(self, scaling: Scaling) -> "Model":
        """The same, where it knows the units of the data, for rows of other sizes."""
        del scaling
        return self

    @abstractmethod
    def folded(self, entries: Entries) -> np.ndarray:
        """The value of every cell of *other* rows, from what is observed of them; shape ``(n, n_in)``."""
