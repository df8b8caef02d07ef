"""The mean of near rows, or of near columns: each cell as the lines most like its own have it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes
from rankscape.solvers.neighbours.near_rows import Donors, Neighbours, near_means, nearest


@final
@dataclass(frozen=True, eq=False)
class NearLines(Model):
    """The offset, and a weighted mean of what it leaves of the nearest rows that show the column.

    Distances are mean squared differences over what two rows both show, of which an entry that is predicted is a part.
    Of a large table some rows give, the same ones every time. Weights of entries are not used.

    Attributes
    ----------
    entries : Entries
        What is seen.
    flipped : bool
        Whether columns are compared, in place of rows.
    offset : Offset
        Taken away first.
    size : ndarray
        The unit of each column where distances are computed; of each row if flipped.
    count : int
        How many rows the mean is over.
    power : float
        The weight of a row is its distance to minus this power.
    """

    entries: Entries
    flipped: bool
    offset: Offset
    size: np.ndarray
    count: int
    power: float

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.entries.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        lines, places = (columns, rows) if self.flipped else (rows, columns)
        return self.offset.at(rows, columns) + self._means(self._near, self._donors.table, lines, places)

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return self.at(*np.indices(self.shape).reshape(2, -1)).reshape(self.shape)

    def folded(self, entries: Entries) -> np.ndarray:
        """New rows by the known ones that are near; near columns are those of the known rows."""
        noise = root_mean_square(self.entries.values - self.offset.of(self.entries))
        values = LowRank(Modes.none(self.shape), self.offset, noise).folded(entries)
        rest = entries.with_values(entries.values - entries.at(values))
        rows, columns = np.indices(values.shape).reshape(2, -1)
        if self.flipped:
            means = self._means(self._near, rest.dense().T[self._donors.rows], columns, rows, np.ones(len(values)))
        else:
            rest = rest.with_values(rest.values / self.size[rest.columns])
            near = nearest(rest, np.arange(len(values)), self._donors, new=True)
            means = self._means(near, self._donors.table, rows, columns)
        return values + means.reshape(values.shape)

    def rest_of(self, entries: Entries) -> Entries:
        """What the offset leaves of entries of this matrix, in units of the size; the lines that are compared as rows.

        Those of a transposed matrix if flipped.
        """
        rest = entries.with_values(entries.values - self.offset.of(entries))
        rest = rest.transposed() if self.flipped else rest
        return rest.with_values(rest.values / self.size[rest.columns])

    @cached_property
    def _rest(self) -> Entries:
        return self.rest_of(self.entries)

    @cached_property
    def _donors(self) -> Donors:
        return Donors.of(self._rest)

    @cached_property
    def _near(self) -> Neighbours:
        return nearest(self._rest, np.arange(self._rest.shape[0]), self._donors)

    def _means(
        self,
        near: Neighbours,
        table: np.ndarray,
        lines: np.ndarray,
        places: np.ndarray,
        size: np.ndarray | None = None,
    ) -> np.ndarray:
        """Zero, which is the offset alone, where no near line shows the place."""
        means = near_means(near, table, lines, places, np.array([self.count]), self.power)[:, 0]
        return np.nan_to_num(means) * (self.size if size is None else size)[places]
