"""Observed entries ``(row, column, value)``: the one form every data set and every file is brought to."""

from collections.abc import Callable

import numpy as np

from rankscape.errors import FileFormatError, InputError

POLICIES = ("error", "mean", "last")
"""What can be done about two lines that give the same cell."""


def dense(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the matrix that the entries describe, NaN where there is none."""
    matrix = np.full(shape, np.nan)
    matrix[rows, columns] = values
    return matrix


def of_array(array: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the entries of a dense array in reading order; NaN is a missing one, infinity an error.

    Parameters
    ----------
    array
        A real matrix.
    where
        What to call it in an error.
    """
    matrix = _real_matrix(array, where)
    infinite = np.isinf(matrix)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise FileFormatError(
            f"{where}: the cell at row {row}, column {column} (counted from 0) is {matrix[row, column]}; "
            f"{np.count_nonzero(infinite)} cell(s) are infinite: write NaN where a cell is missing"
        )
    rows, columns = np.nonzero(~np.isnan(matrix))
    if not rows.size:
        raise FileFormatError(f"{where}: all {matrix.size} cells are missing (NaN); at least one must be observed")
    return rows, columns, matrix[rows, columns]


def _real_matrix(array: np.ndarray, where: str) -> np.ndarray:
    if array.dtype.kind not in "iufb":
        kind = {"c": "complex numbers", "U": "text", "S": "text", "O": "Python objects"}.get(array.dtype.kind)
        raise FileFormatError(
            f"{where}: holds {kind or 'neither integers nor floats'} ({array.dtype}), not real numbers"
        )
    if array.ndim != 2:
        raise FileFormatError(f"{where}: has {array.ndim} dimension(s), shape {array.shape}; a matrix has 2")
    if array.size == 0:
        raise FileFormatError(f"{where}: is empty, shape {array.shape}")
    return array.astype(np.float64)


def check_policy(duplicates: str) -> None:
    """Raise if ``duplicates`` is not one of the policies."""
    if duplicates not in POLICIES:
        raise InputError(f"duplicates={duplicates!r} is not known; choose one of {', '.join(map(repr, POLICIES))}")


def settle(
    rows: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    shape: tuple[int, int],
    duplicates: str,
    refuse: Callable[[int, int], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort entries by row, then column, and settle the cells that are given more than once.

    The result does not depend on the order of the entries (except through ``duplicates="last"``), so neither does
    anything computed from it, random streams included.

    Parameters
    ----------
    refuse
        Called with the positions of the first repeated entry and of the entry it repeats, under ``"error"``; raises.
    """
    cells = rows.astype(np.int64) * shape[1] + columns
    if np.all(cells[1:] > cells[:-1]):  # already in order and without repetition: the common case, no sort
        return rows, columns, values
    order = _stable_order(cells, shape[0] * shape[1])
    cells = cells[order]
    first = np.append(True, cells[1:] != cells[:-1])
    if first.all():
        return rows[order], columns[order], values[order]
    if duplicates == "error":
        repeated = np.flatnonzero(~first)
        at = repeated[np.argmin(order[repeated])]
        refuse(int(order[np.flatnonzero(first[: at + 1])[-1]]), int(order[at]))
    kept = order[first]
    return rows[kept], columns[kept], _combine(values[order], first, duplicates)


def _stable_order(cells: np.ndarray, count: int) -> np.ndarray:
    """Return the order that sorts ``cells``, all below ``count``; the file's order survives among equals."""
    bits = len(cells).bit_length()
    if count.bit_length() + bits > 63:
        return np.argsort(cells, kind="stable")
    # With its position in the low bits every cell is unique, and a plain sort is several times faster than argsort.
    return np.sort((cells << bits) | np.arange(len(cells))) & ((1 << bits) - 1)


def _combine(values: np.ndarray, first: np.ndarray, duplicates: str) -> np.ndarray:
    starts = np.flatnonzero(first)
    if duplicates == "last":
        return values[np.append(starts[1:], len(values)) - 1]
    return np.add.reduceat(values, starts) / np.diff(np.append(starts, len(values)))
