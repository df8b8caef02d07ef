"""Between neighbours: each cell as the entries before and behind it, along ordered rows, columns, or both."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes
from rankscape.solvers.neighbours.between import between


@final
@dataclass(frozen=True, eq=False)
class Interpolated(Model):
    """Linear interpolation from the other entries of a line; the mean of both ways where rows and columns are ordered.

    An entry is not used to predict itself. Before the first entry of a line and behind its last one the nearest is
    held. Where a line has no other entry, in both ways, stand the levels of row and column. Weights are not used.

    Attributes
    ----------
    entries : Entries
        What is seen.
    axes : tuple of {"rows", "columns"}
        Whose order means something: from row to row, from column to column.
    """

    entries: Entries
    axes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.entries.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        ways = []
        if "columns" in self.axes:
            ways.append(between(self.entries, rows, columns))
        if "rows" in self.axes:
            ways.append(between(self._transposed, columns, rows))
        values = ways[0] if len(ways) == 1 else _mean(*ways)
        nowhere = np.isnan(values)
        if nowhere.any():
            values[nowhere] = self._levels.at(rows[nowhere], columns[nowhere])
        return values

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.at(*np.indices(self.shape).reshape(2, -1)).reshape(self.shape)

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows from column to column; where only rows are ordered, which place they have is not known: levels."""
        values = self._levels.folded(entries)
        if "columns" in self.axes:
            own = between(entries, *np.indices(values.shape).reshape(2, -1)).reshape(values.shape)
            values = np.where(np.isnan(own), values, own)
        return values

    @cached_property
    def _transposed(self) -> Entries:
        return self.entries.transposed()

    @cached_property
    def _levels(self) -> LowRank:
        offset = fit_offset("row+column", self.entries)
        noise = root_mean_square(self.entries.values - offset.of(self.entries))
        return LowRank(Modes.none(self.shape), offset, noise)


def _mean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The mean of both, or the one that is there."""
    return (np.where(np.isnan(one), other, one) + np.where(np.isnan(other), one, other)) / 2
