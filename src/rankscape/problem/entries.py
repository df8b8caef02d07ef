"""Lists of observed entries: checked, merged, and split by a hash that does not depend on their order."""

import warnings
from typing import Any

import numpy as np

from rankscape._types import Entries, Indices
from rankscape.errors import FallbackWarning, InputError

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def check_indices(indices: Any, name: str, count: int, size: int) -> np.ndarray:
    """An int64 copy of `indices`, checked for kind, length and range ``0 <= index < size``."""
    array = np.array(indices)
    if array.ndim != 1 or len(array) != count:
        raise InputError(f"`{name}` must hold one index for each of the {count} values, got shape {array.shape}.")
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"`{name}` must hold integers, got {array.dtype}.")
    wrong = (array < 0) | (array >= size)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise InputError(f"`{name}[{k}]` is {array[k]}, outside 0..{size - 1}; indices count from zero.")
    return array.astype(np.int64)


def check_shape(shape: Any) -> tuple[int, int]:
    """Two positive integers."""
    try:
        n_out, n_in = (int(n) for n in shape)
    except (TypeError, ValueError):
        raise InputError(f"`shape` must be two numbers (n_out, n_in), got {shape!r}.") from None
    if min(n_out, n_in) < 1:
        raise InputError(f"`shape` must be positive, got {(n_out, n_in)}.")
    return n_out, n_in


def check_labels(labels: Any, name: str, size: int) -> np.ndarray | None:
    """The labels as an array of the right length, or None."""
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (size,):
        raise InputError(f"`{name}` must name all {size} of them, got shape {array.shape}.")
    return array


def merge_duplicates(
    rows: Indices, columns: Indices, values: Entries, shape: tuple[int, int], policy: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Apply the policy for positions that occur more than once: "error", "mean" or "last"."""
    if policy not in ("error", "mean", "last"):
        raise InputError(f"`duplicates` must be 'error', 'mean' or 'last', got {policy!r}.")
    key = rows * shape[1] + columns
    unique, first, inverse, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    if len(unique) == len(key):
        return rows, columns, values
    if policy == "error":
        position = unique[np.argmax(counts > 1)]
        here = np.flatnonzero(key == position)[:2]
        raise InputError(
            f"Entry (row {position // shape[1]}, column {position % shape[1]}) is given twice, at positions "
            f"{here[0]} and {here[1]}; choose duplicates='mean' or duplicates='last', or remove one."
        )
    if policy == "mean":
        merged = np.bincount(inverse, weights=values) / counts
        return rows[first], columns[first], merged
    last = np.empty(len(unique), dtype=np.int64)
    last[inverse] = np.arange(len(key))  # later assignments win
    return rows[last], columns[last], values[last]


def warn_empty(rows: Indices, columns: Indices, shape: tuple[int, int]) -> None:
    """One warning that counts the rows and columns without any entry."""
    parts = []
    for kind, indices, size in (("row", rows, shape[0]), ("column", columns, shape[1])):
        missing = np.flatnonzero(np.bincount(indices, minlength=size) == 0)
        if len(missing):
            shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            parts.append(f"{len(missing)} {kind}(s) ({shown})")
    if parts:
        warnings.warn(
            f"No entry is observed in {' and '.join(parts)} of {shape}; the data say nothing about them: a simulation "
            "leaves them to its start and its ridge, a completion fills them with the offset.",
            FallbackWarning,
            stacklevel=3,
        )


def entry_hash(rows: Indices, columns: Indices, seed: int) -> np.ndarray:
    """A 64-bit hash of (row, column, seed): the finaliser of SplitMix64, twice."""
    with np.errstate(over="ignore"):
        state = _splitmix(rows.astype(np.uint64) + _splitmix(np.array(seed % 2**64, dtype=np.uint64)))
        return _splitmix(state ^ (columns.astype(np.uint64) * _GOLDEN))


def _splitmix(x: Any) -> Any:
    x = x + _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def choose_heldout(rows: Indices, columns: Indices, shape: tuple[int, int], fraction: float, seed: int) -> np.ndarray:
    """A mask of the entries to hold out: those whose hash falls below `fraction`.

    Every row and column that has entries keeps at least one for training: the one with the largest hash.
    """
    hashed = entry_hash(rows, columns, seed)
    held = hashed < np.uint64(int(fraction * 2**64))
    for indices, size in ((rows, shape[0]), (columns, shape[1])):
        largest = np.zeros(size, dtype=np.uint64)
        np.maximum.at(largest, indices, hashed)
        held &= hashed != largest[indices]
    return held
