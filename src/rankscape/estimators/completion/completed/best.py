"""The best unseen columns of each row: what a recommender wants of a matrix that is too large to be written."""

import warnings
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import FallbackWarning

# Cells that are formed at a time: 32 MB for each array of them.
BLOCK = 1 << 22

# From rows to every value of them, shape (k, n_in).
Lines: TypeAlias = Callable[[np.ndarray], np.ndarray]


class Best(NamedTuple):
    """Unseen cells, of each row the largest predictions first.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (k,)
        Positions, counted from zero; rows in the order in which they were asked for.
    values : ndarray, shape (k,)
        The model's.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray


def best_unseen(lines: Lines, observed: Entries, count: int, rows: np.ndarray) -> Best:
    """Of each of these rows the `count` largest values that are not observed, fewer where fewer are unseen."""
    height = max(1, BLOCK // observed.shape[1])
    parts = [_block(lines, observed, count, rows[k : k + height]) for k in range(0, len(rows), height)]
    columns, values = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    there = columns >= 0
    if there.sum() > len(rows) and np.ptp(values[there]) == 0:
        message = "The model predicts the same value for every unseen cell: which columns come first means nothing."
        warnings.warn(message, FallbackWarning, stacklevel=4)
    return Best(np.repeat(rows, there.sum(1)), columns[there], values[there])


def _block(lines: Lines, observed: Entries, count: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of some rows, both of shape (k, count); column -1 where nothing is left."""
    values = lines(rows)
    seen, places = _seen(observed, rows)
    values[places, seen] = -np.inf
    width = values.shape[1]
    count = min(count, width)
    # The cells that may come first, then in order; equal values by their column, as people would list them.
    chosen = np.sort(np.argpartition(values, width - count, axis=1)[:, width - count :], axis=1)
    order = np.argsort(-np.take_along_axis(values, chosen, axis=1), axis=1, kind="stable")
    columns = np.take_along_axis(chosen, order, axis=1)
    found = np.take_along_axis(values, columns, axis=1)
    return np.where(np.isneginf(found), -1, columns), found


def _seen(observed: Entries, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The observed columns of these rows, and in which of them each lies."""
    first, last = (np.searchsorted(observed.rows, rows, side) for side in ("left", "right"))
    places = np.repeat(np.arange(len(rows)), last - first)
    # Entries are in row order, so those of a row are a stretch: its start, and a count within it.
    within = np.arange(len(places)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    return observed.columns[np.repeat(first, last - first) + within], places
