"""Order and repetition: entries are sorted here, and positions that are given twice are settled here."""

from collections.abc import Callable
from typing import Literal, NoReturn, TypeAlias, get_args

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import one_of

Duplicates: TypeAlias = Literal["error", "mean", "last"]
POLICIES: tuple[str, ...] = get_args(Duplicates)

# Entries from which half the memory for an index is not enough.
MANY = 2**31

Settled: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]
Refuse: TypeAlias = Callable[[int, int], None]


def index_type(size: int) -> type:
    """The smallest type for indices below `size`."""
    return np.int32 if size < MANY else np.int64


def check_policy(duplicates: str) -> None:
    """Raise if `duplicates` is not one of the policies."""
    one_of("duplicates", duplicates, POLICIES)


def settle(
    rows: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray | None,
    shape: tuple[int, int],
    duplicates: str,
    refuse: Refuse | None = None,
) -> Settled:
    """Sort entries by row, then column, and settle the positions that are given more than once.

    The result does not depend on the order of the entries (except through ``duplicates="last"``), so neither does
    anything computed from it, random streams included.

    Parameters
    ----------
    duplicates : {"error", "mean", "last"}
        "mean" weighs the values by their weights, and adds these up.
    refuse : callable, optional
        Called under "error" with the positions of the first repeated entry and of the one it repeats; raises an error
        of its own, one that names a line of a file, say.
    """
    check_policy(duplicates)
    ahead = rows[1:] > rows[:-1]
    if np.all(ahead | ((rows[1:] == rows[:-1]) & (columns[1:] > columns[:-1]))):
        return rows, columns, values, weights  # in order and without repetition: the common case, no sort
    order = row_order(rows, columns, shape)
    i, j = rows[order], columns[order]
    first = np.append(True, (i[1:] != i[:-1]) | (j[1:] != j[:-1]))
    y, w = values[order], None if weights is None else weights[order]
    if first.all():
        return i, j, y, w
    if duplicates == "error":
        repeated = np.flatnonzero(~first)
        at = repeated[np.argmin(order[repeated])]  # the first in the order in which they were given
        earlier, later = int(order[np.flatnonzero(first[: at + 1])[-1]]), int(order[at])
        (refuse or _refuse(rows, columns))(earlier, later)
    return i[first], j[first], *_combine(y, w, first, duplicates)


def _refuse(rows: np.ndarray, columns: np.ndarray) -> Callable[[int, int], NoReturn]:
    def refuse(earlier: int, later: int) -> NoReturn:
        raise InputError(
            f"Entry (row {rows[later]}, column {columns[later]}) is given twice, at positions {earlier} and {later}; "
            "choose duplicates='mean' or duplicates='last', or remove one."
        )

    return refuse


def row_order(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The permutation that sorts positions by row and then by column; the given order survives among equals.

    >>> row_order(np.array([1, 0, 1]), np.array([2, 1, 0]), (2, 3)).tolist()
    [1, 2, 0]
    """
    count = len(rows)
    bits, kind = count.bit_length(), index_type(count)
    if (shape[0] * shape[1]).bit_length() + bits > 63:  # Python's integers: the product may be beyond int64
        return np.lexsort((columns, rows))
    # With its position in the low bits every cell is unique, and a plain sort is several times faster than argsort. In
    # place throughout: of twenty million entries each further copy would be as large as half of what was given.
    packed = np.multiply(rows, shape[1], dtype=np.int64)
    packed += columns
    packed <<= bits
    packed |= np.arange(count, dtype=kind)
    packed.sort()
    return np.bitwise_and(packed, (1 << bits) - 1, out=np.empty(count, kind), casting="unsafe")


def _combine(
    values: np.ndarray, weights: np.ndarray | None, first: np.ndarray, duplicates: str
) -> tuple[np.ndarray, np.ndarray | None]:
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(values))
    if duplicates == "last":
        return values[ends - 1], None if weights is None else weights[ends - 1]
    if weights is None:
        return np.add.reduceat(values, starts) / (ends - starts), None
    total = np.add.reduceat(weights, starts)
    return np.add.reduceat(weights * values, starts) / total, total
