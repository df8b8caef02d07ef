"""Which entries are held out: decided by a hash of (row, column, seed), so never by their order."""

from typing import Any

import numpy as np

from rankscape.entries import hashed
from rankscape.ground.arrays import slices
from rankscape.ground.stored import Stored, blank, let_go, put, room
from rankscape.ground.types import Indices

# The constants of SplitMix64 (Steele, Lea, Flood 2014): one bit of (row, column, seed) turns half of a hash over.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def entry_hash(rows: Indices, columns: Indices, seed: int) -> np.ndarray:
    """A 64-bit hash of (row, column, seed): the finaliser of SplitMix64, twice."""
    return _hashes(rows, columns, _splitmix(np.array(seed % 2**64, dtype=np.uint64)))


def _splitmix(x: Any) -> Any:
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _MIX_1
        x = (x ^ (x >> np.uint64(27))) * _MIX_2
        return x ^ (x >> np.uint64(31))


def choose_heldout(rows: Indices, columns: Indices, shape: tuple[int, int], fraction: float, seed: int) -> np.ndarray:
    """A mask of the entries to hold out: those whose hash falls below `fraction`.

    Every row and column that has entries keeps at least one for training: the one with the largest hash.
    """
    first = np.uint64(int(_splitmix(np.array(seed % 2**64, dtype=np.uint64))))
    largest = np.zeros(shape[0], np.uint64), np.zeros(shape[1], np.uint64)
    for part in slices(len(rows)):
        hashed.largest_hashes(rows[part], columns[part], first, *largest)
        let_go(rows, columns)
    held = room(len(rows), bool, rows)
    for part in slices(len(rows)):
        chosen, limit = blank(held, part), np.uint64(min(int(fraction * 2**64), 2**64 - 1))
        hashed.choose(rows[part], columns[part], first, limit, *largest, chosen)
        put(held, part, chosen)
        let_go(rows, columns)
    return held.mapped() if isinstance(held, Stored) else held


@hashed.largest_hashes.few()
def _largest_hashes(rows, columns, first, of_rows, of_columns):
    found = _hashes(rows, columns, first)
    np.maximum.at(of_rows, rows, found)
    np.maximum.at(of_columns, columns, found)


@hashed.choose.few()
def _choose(rows, columns, first, limit, of_rows, of_columns, held):
    found = _hashes(rows, columns, first)
    held[:] = (found < limit) & (found != of_rows[rows]) & (found != of_columns[columns])


def _hashes(rows, columns, first):
    state = _splitmix(rows.astype(np.uint64) + first)
    return _splitmix(state ^ (columns.astype(np.uint64) * _GOLDEN))
