"""Whether the columns of a matrix come in an order that means something: neighbours are alike."""

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.jit import compiled

# Columns that are looked at, in windows of neighbours; cells; and columns that there must be.
COLUMNS, WINDOW, CELLS, LEAST = 600, 60, 20_000, 5

# Orders by chance that the given one has to beat, and the share of their mean square error that it must stay below. On
# 33 public tables those of time, place and wavelength have shares of 0.01 to 0.45, the others of 0.55 and more, but for
# two whose rows are sorted by kind.
SHUFFLES, ALIKE = 19, 0.5

# Mean square error, as a share of the entries' own, that is rounding.
ROUNDING = 1e-24

_loop = compiled("contract", "nsz")


def in_order(entries: Entries) -> bool:
    """Whether entries are told by their neighbours along the rows, and not if the columns are shuffled.

    The mean of each column is taken away: means may differ, and are known. All rows are shuffled in the same way, so
    that chance has one part in twenty however much the rows resemble each other. Of a large matrix some windows of
    columns and some rows are looked at, the same ones every time.
    """
    if entries.shape[1] < LEAST:
        return False
    rng = np.random.default_rng(0)
    table = _part(entries, rng)
    seen = np.isfinite(table)
    squares = float(np.sum(table[seen] ** 2))
    table -= np.where(seen, table, 0.0).sum(0) / np.maximum(seen.sum(0), 1)
    given = _missed(table, np.arange(table.shape[1]))
    shuffled = [_missed(table, rng.permutation(table.shape[1])) for _ in range(SHUFFLES)]
    chance = float(np.mean(shuffled))
    return given < min(shuffled) and given < ALIKE * chance and chance > ROUNDING * squares


def _part(entries: Entries, rng: np.random.Generator) -> np.ndarray:
    n, p = entries.shape
    columns = np.arange(p)
    if p > COLUMNS:
        starts = np.linspace(0, p - WINDOW, COLUMNS // WINDOW).astype(int)
        columns = np.unique(starts[:, None] + np.arange(WINDOW))
    rows = np.flatnonzero(entries.counts()[0])
    rows = rng.permutation(rows)[: max(1, CELLS // len(columns))]
    row, column = np.full(n, -1), np.full(p, -1)
    row[rows], column[columns] = np.arange(len(rows)), np.arange(len(columns))
    i, j = row[entries.rows], column[entries.columns]
    inside = (i >= 0) & (j >= 0)
    table = np.full((len(rows), len(columns)), np.nan)
    table[i[inside], j[inside]] = entries.values[inside]
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
