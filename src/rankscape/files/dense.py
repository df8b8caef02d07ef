"""From a dense array that a file holds to its entries."""

from collections.abc import Sequence

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import FileFormatError
from rankscape.ground.arrays import place
from rankscape.ground.numbers import KINDS, NotReal, exact_floats


def chosen(name: str, names: Sequence[str]) -> str:
    """In words which of several arrays was read: the others are left alone, also one called ``mask``.

    >>> chosen("X", ["X", "mask"]), chosen("X", ["X"])
    ("the array 'X', and nothing else of the file: not 'mask'", '')
    """
    others = [repr(other) for other in names if other != name]
    shown = ", ".join(others[:4]) + (", ..." if len(others) > 4 else "")
    return f"the array {name!r}, and nothing else of the file: not {shown}" if others else ""


def entries_of(array: np.ndarray, where: str) -> Entries:
    """Return the entries of a dense array in reading order; NaN is a missing one, infinity an error.

    Parameters
    ----------
    array
        A real matrix.
    where
        What to call it in an error.
    """
    matrix = _real_matrix(array, where)
    infinite = np.isinf(matrix)  # here and not in `Entries`, because a file's error says how many and what to write
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise FileFormatError(
            f"{where}: the cell at row {row}, column {column} (counted from 0) is {matrix[row, column]}; "
            f"{np.count_nonzero(infinite)} cell(s) are infinite: write NaN where a cell is missing"
        )
    entries = Entries.from_array(matrix)
    if not entries.count:
        raise FileFormatError(f"{where}: all {matrix.size} cells are missing (NaN); at least one must be observed")
    return entries


def _real_matrix(array: np.ndarray, where: str) -> np.ndarray:
    if array.ndim != 2:
        raise FileFormatError(f"{where}: has {array.ndim} dimension(s), shape {array.shape}; a matrix has 2")
    if array.size == 0:
        raise FileFormatError(f"{where}: is empty, shape {array.shape}")
    if array.dtype.kind not in "iufb":
        kind = {"O": "Python objects"}.get(array.dtype.kind) or KINDS.get(array.dtype.kind)
        raise FileFormatError(
            f"{where}: holds {kind or 'neither integers nor floats'} ({array.dtype}), not real numbers"
        )
    return floats_of(array, where)


def floats_of(array: np.ndarray, where: str) -> np.ndarray:
    """Real numbers as float64; whole numbers that would be rounded raise."""
    try:
        return exact_floats(array).astype(np.float64)
    except NotReal as found:
        at = "" if found.position is None else f"the cell at {place(found.position, array.shape)} (counted from 0) "
        raise FileFormatError(f"{where}: {at}holds {found.what}; store such numbers as floats") from None
