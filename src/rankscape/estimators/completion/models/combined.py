"""A weighted mean of models, each kept within the range that the entries allow."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Combined(Model):
    """``sum_k weight_k model_k``.

    Attributes
    ----------
    models : tuple of Model
        Of one matrix.
    weights : tuple of float
        Positive, with sum one.
    low, high : float
        Bounds of each model's values before they are averaged: one wild value would spoil a mean.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    low: float = -np.inf
    high: float = np.inf

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.models[0].shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return self._mean(model.at(rows, columns) for model in self.models)

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows."""
        return self._mean(model.lines(rows) for model in self.models)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self._mean(model.dense() for model in self.models)

    def folded(self, entries: Entries) -> np.ndarray:
        """Every cell of other rows."""
        return self._mean(model.folded(entries) for model in self.models)

    def for_sizes(self, scaling: Scaling) -> "Combined":
        """Each of them."""
        return replace(self, models=tuple(model.for_sizes(scaling) for model in self.models))

    def _mean(self, values) -> np.ndarray:
        within = (np.clip(value, self.low, self.high) for value in values)
        return sum((w * value for w, value in zip(self.weights, within, strict=True)), np.zeros(()))
