"""Where a limit hides what is small: cells that are missing lie below it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.drawn import Drawn
from rankscape.estimators.completion.models.links import Below
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Limited(Model):
    """The mean of draws; of a missing cell, or one that equals the limit, given that it lies below.

    Attributes
    ----------
    draws : Drawn
        Whose link is `Below`.
    seen : Entries
        What is observed.
    beyond : float
        Root mean square of what is missed of hidden cells beyond what the draws expect.
    """

    draws: Drawn
    seen: Entries
    beyond: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.draws.shape

    @property
    def limit(self) -> float:
        """Below which nothing is seen."""
        return self._link.limit

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return np.where(self.hidden(rows, columns), self.draws.at(rows, columns), self._free.at(rows, columns))

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        hidden = self.hidden(*np.indices(self.shape).reshape(2, -1)).reshape(self.shape)
        return np.where(hidden, self.draws.dense(), self._free.dense())

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows, whose missing cells lie below the limit too."""
        return Limited(self.draws.of_rows(every_cell(entries, self.limit)), entries).dense()

    def errors(self, rows: np.ndarray, columns: np.ndarray, fitted: np.ndarray) -> np.ndarray:
        """The spread of the draws, below the limit."""
        return np.where(self.hidden(rows, columns), self.spread(rows, columns), fitted)

    def capped(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """No larger than the limit, where that hides a cell."""
        return np.where(self.hidden(rows, columns), np.minimum(values, self.limit), values)

    def hidden(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Which of these cells lie below the limit."""
        return self.seen.part(self.seen.values > self.limit).find(rows, columns) < 0

    def spread(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Errors to expect of what lies below the limit at these positions, shape (k,)."""
        link, draws = self._link, list(self.draws.draws_at(rows, columns))
        means = np.array([link.mean(*draw) for draw in draws])
        within = np.mean([link.variance(*draw) for draw in draws], axis=0)
        errors = np.sqrt(means.var(0) + within + self.beyond**2)
        return np.where(self._dark[0][rows] | self._dark[1][columns], np.maximum(errors, link.size), errors)

    @cached_property
    def _dark(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns that show nothing above the limit: how far below it they lie nothing says."""
        rows, columns = self.seen.part(self.seen.values > self.limit).counts()
        return rows == 0, columns == 0

    @property
    def _link(self) -> Below:
        assert isinstance(self.draws.link, Below)
        return self.draws.link

    @cached_property
    def _free(self) -> Drawn:
        return replace(self.draws, link=replace(self._link, limit=np.inf))


def every_cell(entries: Entries, limit: float) -> Entries:
    """All cells of a matrix: those that are missing hold the limit."""
    rows, columns = np.indices(entries.shape).reshape(2, -1)
    weights = None if entries.weights is None else entries.dense(entries.weights, fill=1.0).ravel()
    return Entries.sorted(rows, columns, entries.dense(fill=limit).ravel(), entries.shape, weights)
