"""Rows that a model has not seen, filled in by what is observed of them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.checking import check_indices
from rankscape.entries.given.given import Giver
from rankscape.estimators.completion.completed.best import Best, best_unseen
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.ready.bounds import Bounds
from rankscape.ground.checks import whole
from rankscape.ground.final import final
from rankscape.ground.memory import check_room
from rankscape.ground.types import ArrayLike


@final
@dataclass(frozen=True, eq=False)
class NewRows:
    """Further rows of a completed matrix; nothing is fitted again.

    Attributes
    ----------
    model : Model
        Of the matrix that was completed.
    observed : Entries
        What is known of the new rows, in its columns.
    bounds : Bounds
        Within which every prediction is.
    like : callable, optional
        Makes of a full matrix what was given: a frame, an array.
    """

    model: Model
    observed: Entries
    bounds: Bounds = field(default_factory=Bounds.none)
    like: Giver | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, n_in)``."""
        return self.observed.shape

    @cached_property
    def matrix(self) -> np.ndarray:
        """All cells, shape ``(n, n_in)``: observed entries keep their values, the others are the model's."""
        check_room(self.shape, 2, "`top` gives the best columns of each row; or fill fewer rows at a time.")
        matrix = self.bounds.clip(self.model.folded(self.observed))
        matrix[self.observed.rows, self.observed.columns] = self.observed.values
        return matrix

    @property
    def frame(self) -> Any:
        """The filled rows as they were given: a frame, a `DataArray`, an array."""
        return self.matrix if self.like is None else self.like(self.matrix)

    def top(self, count: int, rows: ArrayLike | None = None) -> Best:
        """Of each row the unseen columns with the largest values, as `CompletedMatrix.top`."""
        where = np.arange(self.shape[0]) if rows is None else np.atleast_1d(np.asarray(rows))
        where = check_indices(where, "rows", len(where), self.shape[0])
        best = best_unseen(self._lines, self.observed, whole("count", count, least=1), where)
        return best._replace(values=self.bounds.clip(best.values, best.columns))

    def _lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows: each is folded in by itself, so that only a block is formed."""
        places = np.full(self.shape[0], -1)
        places[rows] = np.arange(len(rows))
        here = places[self.observed.rows] >= 0
        part = self.observed.part(here)
        return self.model.folded(Entries(places[part.rows], part.columns, part.values, (len(rows), self.shape[1])))
