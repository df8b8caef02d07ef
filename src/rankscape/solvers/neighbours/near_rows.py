"""Rows that are most alike in what both show, and what their entries predict for one another."""

from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.jit import compiled

# Numbers in a block of donors, which stays near the processor; and donors that it has at least.
BLOCK, LEAST = 2**14, 64

# Entries times donors, a quarter of a nanosecond each, where the list of a row costs as much as many entries. Rows that
# donate, at least; and most numbers of their table.
WORK, LIST, FEW, CELLS = 2e9, 40, 500, 2e7

# Squared distance, of entries of magnitude at most one, below which no row is nearer than another.
TINY = 1e-24

# Donors that are kept for each row: enough for a mean over 20, and at most.
KEPT, MOST = 25, 256

_loop = compiled("contract", "nsz")


class Donors(NamedTuple):
    """Rows that give their entries to others.

    Attributes
    ----------
    rows : ndarray of int
        Which ones, in random order: then few of them are near for a while only.
    table : ndarray
        Their entries, NaN where nothing is seen; shape (d, n_in).
    """

    rows: np.ndarray
    table: np.ndarray

    @classmethod
    def of(cls, entries: Entries) -> "Donors":
        """All rows that have entries, or as many of them as time and memory allow: the same ones every time."""
        rows = np.random.default_rng(0).permutation(np.flatnonzero(entries.counts()[0]))
        most = max(FEW, affordable(entries.count, entries.shape[0]))
        rows = rows[: max(1, min(most, int(CELLS / entries.shape[1])))]
        return cls(rows, rows_of(entries, rows))

    @property
    def kept(self) -> int:
        """How many of them are kept for each row."""
        seen = np.isfinite(self.table).mean() if self.table.size else 1.0
        return min(len(self.rows), MOST, int(np.ceil(KEPT / seen)))


class Neighbours(NamedTuple):
    """The donors nearest to each of some rows, nearest first.

    Attributes
    ----------
    donors : ndarray of int
        Their numbers in the list of donors, shape (n, kept).
    squares : ndarray
        Mean squared difference over the columns that both show; infinite where there is no further one.
    """

    donors: np.ndarray
    squares: np.ndarray


def affordable(count: int, rows: int) -> int:
    """How many donors so many entries in so many rows may be compared with."""
    return int(WORK / (count + LIST * rows))


def rows_of(entries: Entries, rows: np.ndarray) -> np.ndarray:
    """Some rows as a table, NaN where nothing is seen; shape (len(rows), n_in)."""
    table = np.full((len(rows), entries.shape[1]), np.nan)
    starts = _starts(entries)
    for line, row in enumerate(rows):
        part = slice(starts[row], starts[row + 1])
        table[line, entries.columns[part]] = entries.values[part]
    return table


def some_rows(entries: Entries, most: int) -> tuple[np.ndarray, Entries]:
    """Rows that have entries, ascending, and these entries: about `most`, the same ones every time."""
    rows = np.unique(entries.rows)
    if entries.count > most:
        count = max(1, len(rows) * most // entries.count)
        rows = np.sort(np.random.default_rng(0).choice(rows, count, replace=False))
        entries = entries.part(np.isin(entries.rows, rows))
    return rows, entries


def nearest(asked: Entries, rows: np.ndarray, donors: Donors, new: bool = False) -> Neighbours:
    """The donors nearest to some rows of `asked`, a row itself left out.

    Parameters
    ----------
    asked : Entries
        Of a matrix with n_in columns.
    rows : ndarray of int, shape (n,)
        Which of its rows.
    donors : Donors
        Rows of the same matrix, or of another one.
    new : bool
        Whether the donors are of another one: none of them is a row itself.
    """
    most = donors.kept
    found = Neighbours(np.zeros((len(rows), most), np.int64), np.full((len(rows), most), np.inf))
    own = np.full(asked.shape[0], -1)
    if not new:
        own[donors.rows] = np.arange(len(donors.rows))
    # Copies of one kind: the loops are compiled once.
    parts = _starts(asked), asked.columns.astype(np.int64), asked.values
    size = max(LEAST, BLOCK // asked.shape[1])
    for low in range(0, len(donors.rows), size):
        some = np.ascontiguousarray(donors.table[low : low + size].T)
        _nearest(*parts, rows, some, own[rows] - low, low, *found)
    return found


def _starts(entries: Entries) -> np.ndarray:
    return np.searchsorted(entries.rows, np.arange(entries.shape[0] + 1))


@_loop
def _nearest(starts, columns, values, asked, table, own, low, donors, squares):
    """Keep the smallest distances to a block of donors (n_in, d), ascending; the first of those that are equal."""
    count, most = table.shape[1], donors.shape[1]
    total, shared = np.empty(count), np.empty(count)
    for i in range(len(asked)):
        total[:] = 0.0
        shared[:] = 0.0
        for e in range(starts[asked[i]], starts[asked[i] + 1]):
            donor, value = table[columns[e]], values[e]
            for d in range(count):
                difference = value - donor[d]
                both = 0.0 if np.isnan(difference) else 1.0
                total[d] += 0.0 if np.isnan(difference) else difference * difference
                shared[d] += both
        last = squares[i, most - 1]
        for d in range(count):
            # Most are farther than the last that is kept, which is seen without a division.
            if total[d] >= last * shared[d] or d == own[i] or shared[d] == 0.0:
                continue
            square, a = total[d] / shared[d], most - 1
            while a > 0 and squares[i, a - 1] > square:
                squares[i, a], donors[i, a] = squares[i, a - 1], donors[i, a - 1]
                a -= 1
            squares[i, a], donors[i, a] = square, low + d
            last = squares[i, most - 1]


@_nearest.few()
def _nearest_few(starts, columns, values, asked, table, own, low, donors, squares):
    most, numbers = donors.shape[1], low + np.arange(table.shape[1])
    for i, row in enumerate(asked):
        part = slice(starts[row], starts[row + 1])
        difference = values[part, None] - table[columns[part]]
        both = np.isfinite(difference)
        shared = both.sum(0)
        square = np.where(both, difference, 0.0)
        square = np.einsum("ed,ed->d", square, square) / np.maximum(shared, 1)
        square[(shared == 0) | (numbers - low == own[i])] = np.inf
        merged, names = np.append(squares[i], square), np.append(donors[i], numbers)
        nearest = np.argsort(merged, kind="stable")[:most]
        squares[i], donors[i] = merged[nearest], np.where(merged[nearest] < np.inf, names[nearest], 0)


def near_means(
    near: Neighbours, table: np.ndarray, at: np.ndarray, columns: np.ndarray, counts: np.ndarray, power: float
) -> np.ndarray:
    """Weighted means over the nearest ``counts[c]`` donors that show a column; shape (k, len(counts)).

    Entry e asks for line ``at[e]`` of the neighbours and for ``columns[e]`` of the donors' `table`. A donor at squared
    distance ``q`` has the weight ``q^(-power/2)``. Where fewer show the column they are all taken; NaN where none does.
    """
    guesses = np.full((len(at), len(counts)), np.nan)
    _means(*near, table, at.astype(np.int64), columns.astype(np.int64), counts, power, guesses)
    return guesses


@_loop
def _means(donors, squares, table, at, columns, counts, power, guesses):
    for e in range(len(at)):
        i, j = at[e], columns[e]
        total, weight, found, c = 0.0, 0.0, 0, 0
        for a in range(donors.shape[1]):
            if squares[i, a] == np.inf:
                break
            value = table[donors[i, a], j]
            if np.isnan(value):
                continue
            # A row that is met exactly decides alone, but must not weigh infinitely.
            w = 1.0 if power == 0 else (squares[i, a] + TINY) ** (-0.5 * power)
            total += w * value
            weight += w
            found += 1
            if found == counts[c]:
                guesses[e, c] = total / weight
                c += 1
                if c == len(counts):
                    break
        if found:
            guesses[e, c:] = total / weight


@_means.few()
def _means_few(donors, squares, table, at, columns, counts, power, guesses):
    square, value = squares[at], table[donors[at], columns[:, None]]
    shown = np.isfinite(square) & ~np.isnan(value)
    weight = np.where(shown, 1.0 if power == 0 else (np.where(shown, square, 1.0) + TINY) ** (-0.5 * power), 0.0)
    found, weights = np.cumsum(shown, axis=1), np.cumsum(weight, axis=1)
    totals = np.cumsum(weight * np.where(shown, value, 0.0), axis=1)
    some = np.flatnonzero(found[:, -1])
    for c, count in enumerate(counts):
        last = np.argmax(found[some] >= np.minimum(count, found[some, -1])[:, None], axis=1)
        guesses[some, c] = totals[some, last] / weights[some, last]
