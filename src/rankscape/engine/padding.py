"""How matrices and vectors lie in memory for passes of vector instructions: padded, and from a cache line on.

``X`` lies in memory in the order in which a pass reads it (`put`, `take`): a block of four rows after the other, and in
a block one vector of each row, then the next vector of each. Of several streams at once the processor foresees less:
with whole rows in memory, passes over matrices that exceed the nearest cache took 1.4 times as long.
"""

import numpy as np
from llvmlite import binding

CACHE_LINE = 64
ROWS = 4  # four rows: their coefficients, sums and operands just fill the sixteen registers of AVX2


def _vector_bytes() -> int:
    """Return the length of the machine's vectors; where two halves are needed instead, LLVM sees to it."""
    try:
        return 64 if binding.get_host_cpu_features().get("avx512f") else 32
    except RuntimeError:  # LLVM does not know this processor
        return 32


VECTOR_BYTES = _vector_bytes()


def padded_width(width: int, dtype: np.dtype) -> int:
    """Round ``width`` up to whole vectors of the machine."""
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    return -(-width // lanes) * lanes


def padded_rows(rows: int) -> int:
    """Round ``rows`` up to whole blocks of rows."""
    return -(-rows // ROWS) * ROWS


def padded_size(rows: int, columns: int, dtype: np.dtype) -> int:
    """How many numbers a matrix takes, with its padding and up to the next cache line."""
    line = CACHE_LINE // np.dtype(dtype).itemsize
    return -(-padded_rows(rows) * padded_width(columns, dtype) // line) * line


def put(matrix: np.ndarray, flat: np.ndarray) -> None:
    """Write a matrix into zeros of `padded_size`, in the order of a pass."""
    rows, columns = matrix.shape
    whole = np.zeros((padded_rows(rows), padded_width(columns, flat.dtype)), flat.dtype)
    whole[:rows, :columns] = matrix
    flat[: whole.size] = whole.reshape(len(whole) // ROWS, ROWS, -1, _lanes_of(flat)).swapaxes(1, 2).reshape(-1)


def take(flat: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The matrix of this shape that was `put`, as a new array."""
    rows, width = padded_rows(shape[0]), padded_width(shape[1], flat.dtype)
    blocks = flat[: rows * width].reshape(rows // ROWS, -1, ROWS, _lanes_of(flat))
    return np.array(blocks.swapaxes(1, 2).reshape(rows, width)[: shape[0], : shape[1]], order="C")


def _lanes_of(array: np.ndarray) -> int:
    return VECTOR_BYTES // array.itemsize


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return a zero array whose first entry starts a cache line, so that no vector load is split in two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size].view(dtype).reshape(shape)
