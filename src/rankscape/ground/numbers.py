"""Real numbers as NumPy, pandas and Python hold them, as float64 without loss; the first that is none is named."""

import datetime
import reprlib
from typing import Any

import numpy as np

# Whole numbers up to here are floats without loss; beyond, neighbours become equal, as identifiers must not.
EXACT = 2**53

# What NumPy calls its kinds of values, for people.
KINDS = {"c": "complex numbers", "M": "dates", "m": "time spans"} | dict.fromkeys("SUT", "text")


class NotReal(Exception):
    """A value that is no real number, or none that float64 holds.

    Attributes
    ----------
    what : str
        What it is, for people.
    position : int or None
        Its flat position, if any.
    kind : str
        "text", "dates", "time spans", "complex numbers", "records", "long" (a whole number beyond 2^53) or "other".
    """

    def __init__(self, what: str, position: int | None = None, kind: str = "other"):
        super().__init__(what)
        self.what, self.position, self.kind = what, position, kind


def exact_floats(array: np.ndarray) -> np.ndarray:
    """The numbers of an array as float64, the array itself where it has them; None and NA become NaN.

    Text is refused even where it reads as a number: how it was meant ("1,234") is for its owner to say.

    >>> exact_floats(np.array([1, None, 2.5], dtype=object)).tolist()
    [1.0, nan, 2.5]
    """
    kind = array.dtype.kind
    if kind == "O":
        flat = array.ravel()
        found = np.empty(flat.shape)
        for k, value in enumerate(flat):
            found[k] = _float(value, k)
        return found.reshape(array.shape)
    if kind in KINDS or array.dtype.type is np.void:  # the short floats of machine learning have this kind too
        what = KINDS.get(kind, "records")
        shown = f"{what} ({_shown(array.flat[0])})" if array.size else what
        raise NotReal(shown, 0 if array.size else None, what)
    if kind in "iu" and array.dtype.itemsize == 8 and array.size and _largest(array) > EXACT:
        position = int(np.argmax((array > EXACT) | (array < -EXACT)))
        raise NotReal(_beyond(array.flat[position]), position, "long")
    # Wider floats may overflow, and infinity is refused where it stands; a NaN that signals is a NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float64, copy=False)


def is_missing(value: Any) -> bool:
    """Whether a single value says that nothing is known: None, pandas' NA, what NumPy masks; NaN is a float."""
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"


def _largest(array: np.ndarray) -> int:
    return max(int(array.max()), -int(array.min()))


def _beyond(value: Any) -> str:
    return f"the whole number {reprlib.repr(int(value))}, which is beyond 2^53 and would be rounded"


def _shown(value: Any) -> str:
    return reprlib.repr(str(value)) if isinstance(value, str) else str(value)


def _float(value: Any, position: int) -> float:
    if is_missing(value):
        return np.nan
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, bool | np.bool_):
        return float(value)
    if isinstance(value, int | np.integer):
        if abs(int(value)) > EXACT:
            raise NotReal(_beyond(value), position, "long")
        return float(value)
    what, kind = _foreign(value)
    if what is None:
        try:
            return float(value)  # Decimal, Fraction, a tensor of one number
        except (TypeError, ValueError, OverflowError):
            what = f"a value of type {type(value).__name__}"
    raise NotReal(f"{what} ({_shown(value)})", position, kind)


def _foreign(value: Any) -> tuple[str | None, str]:
    """What Python would turn into a number, or nearly, and must not; and its kind."""
    if isinstance(value, str | bytes):
        return "text", "text"
    if isinstance(value, datetime.date | np.datetime64):  # NaT too
        return "a date", "dates"
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return "a time span", "time spans"
    if isinstance(value, complex | np.complexfloating):
        return "a complex number", "complex numbers"
    return None, "other"
