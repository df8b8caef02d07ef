"""Arrays from outside: checked once, returned as float64; and their size."""

from typing import Any

import numpy as np

from rankscape.errors import InputError


def real_array(values: Any, name: str, copy: bool = True) -> np.ndarray:
    """Anything that converts to an array of real numbers, as float64, by default a copy; masked entries become NaN."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise InputError(f"`{name}` must hold real numbers, got {array.dtype}.")
        return np.array(array, dtype=np.float64, copy=copy or None)  # None: only where the type differs
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"`{name}` must hold real numbers: {error}") from None


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


def root_mean_square(values: np.ndarray) -> float:
    """Of no values it is NaN."""
    return float(np.sqrt(np.mean(values * values))) if len(values) else float("nan")
