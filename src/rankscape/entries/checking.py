"""What every list of entries is checked for, once: kind, length, range; and rows or columns without an entry."""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import FallbackWarning, InputError
from rankscape.ground.arrays import as_array, real_array
from rankscape.ground.checks import several, shown, whole
from rankscape.ground.types import Indices

if TYPE_CHECKING:
    from rankscape.entries.observed import Entries


def check_indices(indices: Any, name: str, count: int, size: int) -> np.ndarray:
    """The `indices`, checked for kind, length and range ``0 <= index < size``: int32 if they were, else int64."""
    array = as_array(indices, name)
    if array.ndim != 1 or len(array) != count:
        raise InputError(f"`{name}` must hold one index for each of the {count} values, got shape {array.shape}.")
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"`{name}` must hold integers, got {array.dtype}.")
    if count and (array.min() < 0 or array.max() >= size):
        k = int(np.argmax((array < 0) | (array >= size)))
        raise InputError(f"`{name}[{k}]` is {array[k]}, outside 0..{size - 1}; indices count from zero.")
    # Half the memory where the caller thought of it: scipy's sparse matrices and large files come with int32.
    return array if array.dtype == np.int32 else array.astype(np.int64, copy=False)


# Cells that can be counted: positions are numbered in 63 bits.
COUNTABLE = 2**62


def check_shape(shape: Any) -> tuple[int, int]:
    """Two positive integers."""
    sizes = several("shape", shape) if isinstance(shape, Iterable) else []
    if len(sizes) != 2:
        raise InputError(f"`shape` must be two numbers (n_out, n_in), got {shown(shape)}.")
    n_out, n_in = (whole("shape", size, least=1) for size in sizes)
    if max(n_out, n_in) > COUNTABLE:
        raise InputError(f"`shape` must be at most 2^62, got {shown((n_out, n_in))}.")
    return n_out, n_in


def check_labels(labels: Any, name: str, size: int) -> np.ndarray | None:
    """The labels as an array of the right length, or None."""
    if labels is None:
        return None
    array = as_array(labels, name)
    if array.shape != (size,):
        raise InputError(f"`{name}` must name all {size} of them, got shape {array.shape}.")
    return array


def check_weights(weights: Any, rows: Indices, columns: Indices) -> np.ndarray:
    """One positive, finite weight for each entry, as a float64 copy."""
    array = real_array(weights, "weights")
    if array.shape != rows.shape:
        raise InputError(
            f"`weights` must hold one number for each of the {len(rows)} entries, got shape {array.shape}."
        )
    # Zero is refused: an entry that counts for nothing is a missing one, and whether it is observed must be clear.
    wrong = ~((array > 0) & np.isfinite(array))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise InputError(
            f"`weights` must be positive and finite where X is observed, got {array[k]} at row {rows[k]}, "
            f"column {columns[k]}."
        )
    return array


def without_entries(entries: "Entries", columns: bool = True) -> str:
    """How many rows, and how many columns if asked for, have no entry, and the first of them; empty where none."""
    parts = []
    for kind, counts in zip(("row", "column"), entries.counts()[: 1 + columns], strict=False):
        missing = np.flatnonzero(counts == 0)
        if len(missing):
            shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            parts.append(f"{len(missing)} {kind}(s) ({shown})")
    return " and ".join(parts)


def warn_empty(entries: "Entries", stacklevel: int = 3) -> None:
    """One warning that counts the rows and columns without any entry."""
    if empty := without_entries(entries):
        warnings.warn(
            f"No entry is observed in {empty} of {entries.shape}; the data say nothing about them: a "
            "simulation leaves them to its start and its ridge, a completion fills them with the offset.",
            FallbackWarning,
            stacklevel=stacklevel,  # the line that made the problem
        )
