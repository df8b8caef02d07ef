"""Arrays from outside: checked once, returned as float64; and their size."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.numbers import EXACT, NotReal, exact_floats

# Numbers that are copied at a time, where there are very many.
PART = 1_000_000


def slices(count: int) -> Iterator[slice]:
    """Parts of so many places, one after the other; one that is empty where there are none.

    >>> list(slices(1_500_000))
    [slice(0, 1000000, None), slice(1000000, 1500000, None)]
    """
    for first in range(0, max(count, 1), PART):
        yield slice(first, min(first + PART, count))


def real_array(values: Any, name: str, copy: bool = True) -> np.ndarray:
    """Anything that converts to an array of real numbers, as float64, by default a copy; masked entries become NaN."""
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    given = as_array(values.data if masked is not None else values, name)
    try:
        if isinstance(values, list | tuple) and given.dtype.kind == "f" and np.any(np.abs(given.astype(float)) > EXACT):
            given = np.array(values, dtype=object)  # large whole numbers beside fractions were rounded already
        array = exact_floats(given if masked is None else np.where(masked, np.zeros_like(given), given))
    except NotReal as found:
        at = "" if found.position is None or not given.ndim else f" at {place(found.position, given.shape)}"
        raise InputError(f"`{name}` must hold real numbers, got {found.what}{at}.") from found
    if masked is not None:
        array = np.where(masked, np.nan, array)
    return array.copy() if copy and np.may_share_memory(array, given) else array


def as_array(values: Any, name: str) -> np.ndarray:
    """What NumPy makes of `values`, whatever their kind."""
    try:
        return np.asarray(values)
    except MemoryError:
        raise InputError(f"`{name}` has more members than fit the memory.") from None
    except Exception as error:  # lists of unequal length, objects that refuse in any way they like
        raise InputError(f"`{name}` cannot be made an array (it must hold real numbers): {error}") from None


def place(position: int, shape: tuple[int, ...]) -> str:
    """Where a flat position of an array is, in words.

    >>> place(5, (2, 3)), place(5, (6,))
    ('row 1, column 2', 'position 5')
    """
    at = [int(k) for k in np.unravel_index(position, shape)]
    return f"row {at[0]}, column {at[1]}" if len(at) == 2 else f"position {at[0] if len(at) == 1 else tuple(at)}"


def finite_array(values: Any, name: str, ndim: int, empty: bool = False, copy: bool = True) -> np.ndarray:
    """Read-only float64 `values`, a copy unless told not to; NaN, infinity, other dimensions and no values raise."""
    array = real_array(values, name, copy).view()
    if array.ndim != ndim:
        raise InputError(f"`{name}` must have {ndim} dimension(s), got shape {array.shape}.")
    if array.size == 0 and not empty:
        raise InputError(f"`{name}` is empty: shape {array.shape}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"`{name}` holds {array[where]} at position {where}; every value must be finite.")
    array.setflags(write=False)
    return array


def fixed(array: np.ndarray, kind: Any = None) -> np.ndarray:
    """A read-only view in row order, or a copy of the right type: loops are then compiled for one kind of arrays alone.

    >>> fixed(np.zeros((2, 3)).T).flags.writeable
    False
    """
    view = np.ascontiguousarray(array, kind).view()
    view.setflags(write=False)
    return view


def root_mean_square(values: np.ndarray) -> float:
    """Of no values it is NaN."""
    return float(np.sqrt(np.mean(values * values))) if len(values) else float("nan")
