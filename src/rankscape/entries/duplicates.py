"""Order and repetition: entries are sorted here, and positions that are given twice are settled here."""

from collections.abc import Callable
from typing import Literal, NoReturn, TypeAlias, get_args

import numpy as np

from rankscape.errors import InputError

Duplicates: TypeAlias = Literal["error", "mean", "last"]
POLICIES: tuple[str, ...] = get_args(Duplicates)

Settled: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]
Refuse: TypeAlias = Callable[[int, int], None]


def check_policy(duplicates: str) -> None:
    """Raise if `duplicates` is not one of the policies."""
    if duplicates not in POLICIES:
        raise InputError(f"`duplicates` must be 'error', 'mean' or 'last', got {duplicates!r}.")


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
    cells = rows.astype(np.int64) * shape[1] + columns
    if np.all(cells[1:] > cells[:-1]):  # in order and without repetition: the common case, no sort
        return rows, columns, values, weights
    order = _stable_order(cells, shape[0] * shape[1])
    cells = cells[order]
    first = np.append(True, cells[1:] != cells[:-1])
    arrange = lambda chosen: (rows[chosen], columns[chosen])
    if first.all():
        return *arrange(order), values[order], None if weights is None else weights[order]
    if duplicates == "error":
        repeated = np.flatnonzero(~first)
        at = repeated[np.argmin(order[repeated])]
        earlier, later = int(order[np.flatnonzero(first[: at + 1])[-1]]), int(order[at])
        (refuse or _refuse(rows, columns))(earlier, later)
    merged = _combine(values[order], None if weights is None else weights[order], first, duplicates)
    return *arrange(order[first]), *merged


def _refuse(rows: np.ndarray, columns: np.ndarray) -> Callable[[int, int], NoReturn]:
    def refuse(earlier: int, later: int) -> NoReturn:
        raise InputError(
            f"Entry (row {rows[later]}, column {columns[later]}) is given twice, at positions {earlier} and {later}; "
            "choose duplicates='mean' or duplicates='last', or remove one."
        )

    return refuse


def _stable_order(cells: np.ndarray, count: int) -> np.ndarray:
    """The order that sorts `cells`, all below `count`; the given order survives among equals."""
    bits = len(cells).bit_length()
    if count.bit_length() + bits > 63:
        return np.argsort(cells, kind="stable")
    # With its position in the low bits every cell is unique, and a plain sort is several times faster than argsort.
    return np.sort((cells << bits) | np.arange(len(cells))) & ((1 << bits) - 1)


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
