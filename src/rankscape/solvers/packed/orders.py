"""Observed entries in two orders, by rows and by columns, for sums that belong to one line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.duplicates import index_type
from rankscape.ground.final import final
from rankscape.ground.threads import each
from rankscape.solvers.packed import loops

# Work of a block of lines, a line being worth so many entries: enough for one call, and little enough that two threads
# end together.
WORK, LINE = 100_000, 20


class Order(NamedTuple):
    """Entries line by line; of each line first those that are fitted, then those that are held out.

    Attributes
    ----------
    starts, middles : ndarray of int64
        Where each line begins, shape (n + 1,), and where its held-out entries do, (n,).
    partners : ndarray
        The line of the other side.
    values : ndarray of float32
    """

    starts: np.ndarray
    middles: np.ndarray
    partners: np.ndarray
    values: np.ndarray

    @property
    def lines(self) -> int:
        """How many there are."""
        return len(self.middles)

    def ends(self, everything: bool) -> np.ndarray:
        """Where the entries of each line end that are fitted, or all of them."""
        return self.starts[1:] if everything else self.middles

    def blocks(self) -> Iterator[tuple[int, int]]:
        """First and last line of blocks of about equal work; the entries alone decide where they are cut."""
        work = (self.starts[1:] + LINE * np.arange(1, self.lines + 1)) // WORK
        cuts = np.flatnonzero(np.diff(work)) + 1
        first = 0
        for last in [*cuts.tolist(), self.lines]:
            if last > first:
                yield first, last
            first = last

    def part(self, chosen: np.ndarray) -> "Order":
        """The lines that a mask chooses, numbered anew."""
        lengths = np.diff(self.starts)
        keep = np.repeat(chosen, lengths)
        starts = np.append(0, np.cumsum(lengths[chosen]))
        middles = starts[:-1] + (self.middles - self.starts[:-1])[chosen]
        return Order(starts, middles, self.partners[keep], self.values[keep])

    def turned(self, lines: int, threads: int = 1) -> "Order":
        """The same entries by the `lines` of the other side."""
        starts, middles = np.zeros(lines + 1, np.int64), np.zeros(lines, np.int64)
        partners, values = np.empty(len(self.values), index_type(self.lines)), np.empty_like(self.values)
        loops.turned_starts(self.starts, self.middles, self.partners, starts, middles)
        out = Order(starts, middles, partners, values)
        # Each thread goes through all entries, and writes those of its own lines.
        share = np.arange(1, threads) * len(values) // threads
        cuts = [0, *np.searchsorted(starts, share).tolist(), lines]
        each(lambda cut: loops.turn(*cut, *self, *out), pairwise(cuts), threads)
        return out


@final
@dataclass(frozen=True, eq=False)
class Orders:
    """Both orders of the same entries, less a shift and over a scale: 16 bytes an entry.

    Attributes
    ----------
    sides : (Order, Order)
        By rows, and by columns.
    """

    sides: tuple[Order, Order]

    @classmethod
    def of(cls, entries: Entries, held: np.ndarray, shift: float, scale: float, threads: int = 1) -> "Orders":
        """Of entries in row order, some of which are `held` out."""
        (n_out, n_in), count = entries.shape, entries.count
        starts = np.searchsorted(entries.rows, np.arange(n_out + 1, dtype=entries.rows.dtype)).astype(np.int64)
        partners, values = np.empty(count, index_type(n_in)), np.empty(count, np.float32)
        middles = np.empty(n_out, np.int64)
        rows = Order(starts, middles, partners, values)
        given = starts, entries.columns, entries.values, held, shift, scale, middles, partners, values
        each(lambda block: loops.fitted_first(*block, *given), rows.blocks(), threads)
        return cls((rows, rows.turned(n_in, threads)))

    @property
    def shape(self) -> tuple[int, int]:
        """Lines of both sides."""
        return self.sides[0].lines, self.sides[1].lines

    @property
    def count(self) -> int:
        """All entries."""
        return len(self.sides[0].values)

    @property
    def fitted(self) -> int:
        """Entries that are not held out."""
        order = self.sides[0]
        return int((order.middles - order.starts[:-1]).sum())

    def transposed(self) -> "Orders":
        """Rows as columns; nothing is copied."""
        return Orders((self.sides[1], self.sides[0]))

    def part(self, chosen: np.ndarray) -> "Orders":
        """The rows that a mask chooses, numbered anew, and all columns."""
        rows = self.sides[0].part(chosen)
        return Orders((rows, rows.turned(self.shape[1])))
