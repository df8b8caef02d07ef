"""Observed entries in two orders, by rows and by columns, for sums that belong to one line each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.duplicates import index_type
from rankscape.ground.final import final
from rankscape.ground.stored import Array, Folder, Stored, blank, let_go, put, room
from rankscape.ground.threads import each
from rankscape.solvers.packed import loops
from rankscape.solvers.packed.dealing import deal, taken

# Work of a block of lines, a line being worth so many entries: enough for one call, and little enough that two threads
# end together.
WORK, LINE = 100_000, 20

# Entries of the other order that are put together at a time, where it is too large for the memory.
PUT = 1 << 24

# Passes over all of them for that, up to which they are not dealt first.
PASSES = 8


class Block(NamedTuple):
    """Some lines of an order: `starts` and `middles` count from the first of their entries."""

    first: int
    last: int
    starts: np.ndarray
    middles: np.ndarray
    partners: np.ndarray
    values: np.ndarray

    @property
    def lines(self) -> slice:
        """Which lines these are."""
        return slice(self.first, self.last)

    def entries(self, everything: bool) -> tuple[np.ndarray, ...]:
        """Where the entries of each line begin and end that are fitted, or all of them; partners and values."""
        return self.starts, self.starts[1:] if everything else self.middles, self.partners, self.values

    @property
    def held(self) -> tuple[np.ndarray, ...]:
        """The same of those that are held out."""
        return self.middles, self.starts[1:], self.partners, self.values


class Order(NamedTuple):
    """Entries line by line; of each line first those that are fitted, then those that are held out.

    Entries are in memory or in files; whoever goes through them goes block by block, the same blocks either way.

    Attributes
    ----------
    starts, middles : ndarray of int64
        Where each line begins, shape (n + 1,), and where its held-out entries do, (n,).
    partners : ndarray or Stored
        The line of the other side.
    values : ndarray or Stored of float32
    """

    starts: np.ndarray
    middles: np.ndarray
    partners: Array
    values: Array

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

    def load(self, first: int, last: int) -> Block:
        """Some lines with their entries."""
        begin, end = int(self.starts[first]), int(self.starts[last])
        starts, middles = self.starts[first : last + 1] - begin, self.middles[first:last] - begin
        return Block(first, last, starts, middles, self.partners[begin:end], self.values[begin:end])

    def each(self, function: Callable[[Block], Any], threads: int) -> list[Any]:
        """The function of every block, in their order; it must write to places of its own lines alone."""
        return each(lambda cut: function(self.load(*cut)), self.blocks(), threads)

    def turned(self, lines: int, like: np.ndarray, threads: int = 1) -> "Order":
        """The same entries by the `lines` of the other side, in memory or in files as the array `like` is."""
        starts, middles = np.zeros(lines + 1, np.int64), np.zeros(lines, np.int64)
        self.each(lambda b: loops.count_turned(b.starts, b.middles, b.partners, starts, middles), 1)
        starts, middles = np.cumsum(starts), middles + np.cumsum(starts)[:-1]
        count = int(starts[-1])
        partners, values = room(count, index_type(self.lines), like), room(count, np.float32, like)
        out = Order(starts, middles, partners, values)
        # Each thread goes through all entries, and writes those of its own lines.
        parts = max(threads, 1 + count // PUT) if isinstance(partners, Stored) else threads
        share = np.arange(1, parts) * count // parts
        cuts = [0, *np.searchsorted(starts, share).tolist(), lines]
        if isinstance(partners, Stored) and parts > PASSES and partners.folder is not None:
            self._turn_dealt(out, cuts, partners.folder, threads)
        else:
            each(lambda cut: self._turn(out, *cut), pairwise(cuts), threads)
        return out

    def _turn_dealt(self, out: "Order", cuts: list[int], folder: Folder, threads: int) -> None:
        paths = deal(self, cuts, folder)

        def turn(number: int) -> None:
            place = _Place(out, cuts[number], cuts[number + 1])
            loops.turn_dealt(*taken(paths[number]), *place.given)
            place.put()

        each(turn, range(len(paths)), threads)

    def _turn(self, out: "Order", first: int, last: int) -> None:
        place = _Place(out, first, last)
        self.each(lambda block: loops.turn(*block, *place.given), 1)
        place.put()


@final
class _Place:
    """Some lines of an order that is written."""

    def __init__(self, out: Order, first: int, last: int):
        self._out, begin = out, int(out.starts[first])
        self._part = slice(begin, int(out.starts[last]))
        self._partners, self._values = blank(out.partners, self._part), blank(out.values, self._part)
        # Where the next entry of each line goes that is fitted, and that is held out; loops move them on.
        fitted, held = out.starts[first:last] - begin, out.middles[first:last] - begin
        self.given = first, last, fitted, held, self._partners, self._values

    def put(self) -> None:
        """Write them in their place."""
        put(self._out.partners, self._part, self._partners)
        put(self._out.values, self._part, self._values)


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
        (n_out, n_in), count, like = entries.shape, entries.count, entries.values
        starts = entries.row_starts.astype(np.int64)
        partners, values = room(count, index_type(n_in), like), room(count, np.float32, like)
        rows = Order(starts, np.empty(n_out, np.int64), partners, values)

        def write(cut: tuple[int, int]) -> None:
            first, last = cut
            part = slice(int(starts[first]), int(starts[last]))
            out = rows.middles[first:last], blank(partners, part), blank(values, part)
            given = entries.columns[part], entries.values[part], held[part], shift, scale
            loops.fitted_first(starts[first : last + 1] - part.start, *given, *out)
            rows.middles[first:last] += part.start
            put(partners, part, out[1])
            put(values, part, out[2])
            let_go(entries.columns, entries.values, held)

        each(write, rows.blocks(), threads)
        return cls((rows, rows.turned(n_in, like, threads)))

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
