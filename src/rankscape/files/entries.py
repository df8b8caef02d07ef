"""Observed entries ``(row, column, value)``: the one form every data set and every file is brought to."""

import numpy as np

from rankscape.errors import FileFormatError


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
