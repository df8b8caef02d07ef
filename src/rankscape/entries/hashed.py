"""Loops that choose entries by a hash of their place: the same ones whatever the order that they come in."""

import numpy as np

from rankscape.ground.jit import compiled

_loop = compiled("reassoc", "contract", "nsz")


@_loop
def largest_hashes(rows, columns, seed, of_rows, of_columns):
    """The largest hash (`heldout.entry_hash`) of each row and of each column."""
    for e in range(len(rows)):
        hashed = _hash(rows[e], columns[e], seed)
        of_rows[rows[e]] = max(of_rows[rows[e]], hashed)
        of_columns[columns[e]] = max(of_columns[columns[e]], hashed)


@_loop
def choose(rows, columns, seed, limit, of_rows, of_columns, held):
    """Mark the entries whose hash is below a limit, but not the largest of a row or column."""
    for e in range(len(held)):
        hashed = _hash(rows[e], columns[e], seed)
        held[e] = hashed < limit and hashed != of_rows[rows[e]] and hashed != of_columns[columns[e]]


@_loop
def _hash(row, column, seed):
    return _splitmix(_splitmix(np.uint64(row) + seed) ^ (np.uint64(column) * np.uint64(0x9E3779B97F4A7C15)))


@_loop
def _splitmix(x):
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
