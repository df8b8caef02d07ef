"""The contract of a model: its value at any cell, at all of them, and in rows that it has not seen."""

from abc import ABC, abstractmethod

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.scaling import Scaling


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
