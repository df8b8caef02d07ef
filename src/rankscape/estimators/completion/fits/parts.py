"""Parts of a matrix that no entry connects: what each holds, and the directions that they may share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from rankscape.entries import Entries, loops
from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.arrays import slices
from rankscape.ground.final import final
from rankscape.ground.modes import Modes, modes_of
from rankscape.ground.stored import let_go

# Share of a part's largest singular value below which it does not have a direction: of a minimum, and of a fit that
# may meet the entries but for rounding.
NONE, ROUNDED = 1e-6, 1e-12

# Parts up to which they share directions: each costs a small decomposition at every minimum.
MANY = 200


@final
@dataclass(frozen=True, eq=False)
class Parts:
    """The connected parts of the graph of rows, columns and entries.

    Attributes
    ----------
    rows, columns : ndarray of int
        The part that each row and each column belongs to; one without entries is a part of its own.
    """

    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, entries: Entries | PreparedEntries) -> "Parts":
        """Follow the entries from rows to columns and back."""
        parents = np.arange(sum(entries.shape))
        starts, (n_out, _) = entries.row_starts, entries.shape
        cuts = [0, *np.searchsorted(starts, [part.stop for part in slices(entries.count)][:-1]).tolist(), n_out]
        for first, last in pairwise(cuts):
            columns = entries.columns[starts[first] : starts[last]]
            loops.connect(first, n_out, starts[first : last + 1] - starts[first], columns, parents)
            let_go(columns)
        loops.roots_of(parents)
        roots = parents == np.arange(len(parents))
        part = (np.cumsum(roots) - 1)[parents]
        return cls(part[:n_out], part[n_out:])

    def seen(self, fewest: int = 1) -> np.ndarray:
        """The parts of at least so many rows and so many columns."""
        count = max(self.rows.max(initial=0), self.columns.max(initial=0)) + 1
        lines = np.minimum(*(np.bincount(part, minlength=count) for part in (self.rows, self.columns)))
        return np.flatnonzero(lines >= fewest)

    def ranks(self, modes: Modes, least: float) -> tuple[int, ...]:
        """Directions within each part of more than one row and column whose singular value is larger than `least`."""
        least = max(NONE * modes.s.max(initial=0.0), least)
        return tuple(int((block.s > least).sum()) for _, _, block in self._blocks(modes, self.seen(fewest=2)))

    @cached_property
    def apart(self) -> bool:
        """Whether there are several that hold entries, and not very many."""
        return 1 < len(self.seen()) <= MANY

    def shared(self, modes: Modes, least: float = NONE) -> Modes:
        r"""The same entries from fewer directions: the k-th ones of all parts are one.

        No entry sees a cell between two parts, so that the rank of the whole need not be the sum of theirs, as it is
        of the zero-filled matrix, but the largest. Where the parts hold :math:`U_p S_p V_p^T` the factors
        :math:`U_p S_p^{1/2}` and :math:`V_p S_p^{1/2}`, side by side no longer but one below the other, have the same
        norm, and so has their product in the nuclear norm; its other Schatten quasi-norms are smaller. A part does not
        have directions of less than the share `least` of its largest.
        """
        if not self.apart:
            return modes
        left, right = np.zeros_like(modes.U), np.zeros_like(modes.V)
        rank = 0
        for rows, columns, block in self._blocks(modes, self.seen()):
            own = block.head(int((block.s > least * block.s.max(initial=0.0)).sum()))
            root, rank = np.sqrt(own.s), max(rank, len(own.s))
            left[rows, : len(root)], right[columns, : len(root)] = own.U * root, own.V * root
        return modes_of(left[:, :rank], right[:, :rank])

    def _blocks(self, modes: Modes, parts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, Modes]]:
        """Rows, columns and directions of each of these parts."""
        for part in parts.tolist():
            rows, columns = np.flatnonzero(self.rows == part), np.flatnonzero(self.columns == part)
            yield rows, columns, modes_of(modes.U[rows] * modes.s, modes.V[columns])
