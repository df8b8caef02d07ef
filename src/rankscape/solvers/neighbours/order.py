"""Whether rows or columns of a matrix come in an order that means something: neighbours are alike."""

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.jit import compiled

# Places of an axis that are looked at, in windows of neighbours; cells; and places that there must be.
PLACES, WINDOW, CELLS, LEAST = 600, 60, 20_000, 5

# Orders by chance that the given one has to beat, and the share of their mean square error that it must stay below. On
# 33 public tables those of time, place and wavelength have shares of 0.01 to 0.45, the others of 0.55 and more, but for
# two whose rows are sorted by kind.
SHUFFLES, ALIKE = 19, 0.5

# Share of the cells that must be seen, and entries between two others: of fewer, chance finds an order in ratings.
SEEN, BETWEEN = 0.05, 30

# Mean square error, as a share of the entries' own, that is rounding.
ROUNDING = 1e-24

_loop = compiled("contract", "nsz")


def in_order(entries: Entries, axis: str) -> bool:
    """Whether entries are told by their neighbours along an axis, and not if its places are shuffled.

    The mean of each place is taken away: means may differ, and are known. All lines are shuffled in the same way, so
    that chance has one part in twenty however much they resemble each other. Of a large matrix some windows of places
    and some lines are looked at, the same ones every time.

    Parameters
    ----------
    entries : Entries
        What is seen.
    axis : {"rows", "columns"}
        Whose places are compared: whether the next row, or the next column, is alike.
    """
    if entries.shape[axis == "columns"] < LEAST:
        return False
    rng = np.random.default_rng(0)
    table = _across(entries, rng).T if axis == "rows" else _along(entries, rng)
    seen = np.isfinite(table)
    if seen.mean() < SEEN or np.maximum(seen.sum(1) - 2, 0).sum() < BETWEEN:
        return False
    squares = float(np.sum(table[seen] ** 2))
    if len(table) > 1:  # of a single line the means are all there is
        table = table - np.where(seen, table, 0.0).sum(0) / np.maximum(seen.sum(0), 1)
    table = np.ascontiguousarray(table)
    given = _missed(table, np.arange(table.shape[1]))
    shuffled = [_missed(table, rng.permutation(table.shape[1])) for _ in range(SHUFFLES)]
    chance = float(np.mean(shuffled))
    return given < min(shuffled) and given < ALIKE * chance and chance > ROUNDING * squares


def _along(entries: Entries, rng: np.random.Generator) -> np.ndarray:
    """Windows of columns, in some rows."""
    columns = _windows(entries.shape[1])
    rows = rng.permutation(np.flatnonzero(entries.counts()[0]))[: max(1, CELLS // len(columns))]
    return _table(entries, np.sort(rows), columns)


def _across(entries: Entries, rng: np.random.Generator) -> np.ndarray:
    """Windows of rows, in some columns."""
    rows = _windows(entries.shape[0])
    columns = rng.permutation(np.unique(entries.columns[_lying_in(entries, rows)]))[: max(1, CELLS // len(rows))]
    return _table(entries, rows, np.sort(columns))


def _windows(size: int) -> np.ndarray:
    if size <= PLACES:
        return np.arange(size)
    starts = np.linspace(0, size - WINDOW, PLACES // WINDOW).astype(int)
    return np.unique(starts[:, None] + np.arange(WINDOW))


def _lying_in(entries: Entries, rows: np.ndarray) -> np.ndarray:
    """Positions of the entries in some rows: entries are sorted, so that the others need not be looked at."""
    first, behind = np.searchsorted(entries.rows, rows), np.searchsorted(entries.rows, rows, side="right")
    parts = [np.arange(low, high) for low, high in zip(first, behind, strict=True)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=int)


def _table(entries: Entries, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The entries in some rows and columns, NaN for gaps."""
    table = np.full((len(rows), len(columns)), np.nan)
    number = np.full(entries.shape[1], -1)
    number[columns] = np.arange(len(columns))
    at = _lying_in(entries, rows)
    at = at[number[entries.columns[at]] >= 0]
    table[np.searchsorted(rows, entries.rows[at]), number[entries.columns[at]]] = entries.values[at]
    return table


@_loop
def _missed(table, order):
    """Squared error of each entry between its neighbours in this order, summed."""
    n, p = table.shape
    places, values = np.empty(p), np.empty(p)
    total = 0.0
    for i in range(n):
        count = 0
        for a in range(p):
            if not np.isnan(table[i, order[a]]):
                places[count], values[count] = a, table[i, order[a]]
                count += 1
        for k in range(1, count - 1):
            share = (places[k] - places[k - 1]) / (places[k + 1] - places[k - 1])
            total += (values[k] - values[k - 1] - share * (values[k + 1] - values[k - 1])) ** 2
    return total


@_missed.few()
def _missed_few(table, order):
    lines, places = np.nonzero(np.isfinite(table[:, order]))
    values = table[lines, order[places]]
    between = lines[:-2] == lines[2:]
    share = (places[1:-1] - places[:-2])[between] / (places[2:] - places[:-2])[between]
    before, behind = values[:-2][between], values[2:][between]
    return float(np.sum((values[1:-1][between] - before - share * (behind - before)) ** 2))
