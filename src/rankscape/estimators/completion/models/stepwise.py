"""One model, and a second one of what it leaves."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.ground.final import final


@final
@dataclass(frozen=True, eq=False)
class Stepwise(Model):
    """``first + second``, the second fitted to what the first one leaves of the entries.

    Attributes
    ----------
    first, second : Model
        Of one matrix.
    """

    first: Model
    second: Model

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.first.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return self.first.at(rows, columns) + self.second.at(rows, columns)

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows."""
        return self.first.lines(rows) + self.second.lines(rows)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.first.dense() + self.second.dense()

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows: what the first leaves of them is folded into the second."""
        first = self.first.folded(entries)
        return first + self.second.folded(entries.with_values(entries.values - entries.at(first)))


def rest_of(model: Model, entries: Entries) -> Entries:
    """What a model leaves of entries."""
    return entries.with_values(entries.values - model.at(entries.rows, entries.columns))
