"""Where floats end: a prediction that would pass through overflow is refused, not answered."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from rankscape.errors import InputError

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Steps that a recursion takes one by one, and evaluations of an equation: minutes.
MOST_STEPS, MOST_EVALUATIONS = 10**8, 300_000


def within_floats(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Refuse arguments for which a prediction overflows, divides by zero, or is no number.

    What overflows on purpose, to infinity, says so with `numpy.errstate` where it does.
    """

    @wraps(function)
    def within(*arguments: _P.args, **named: _P.kwargs) -> _R:
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                answer = function(*arguments, **named)
        except (ArithmeticError, np.linalg.LinAlgError, MemoryError) as error:
            raise InputError(
                f"`{function.__name__}`: these numbers lead beyond what float64 or the memory holds ({error}); take "
                "scales, depth and steps nearer to 1."
            ) from error
        if _has_nan(answer):
            raise InputError(f"`{function.__name__}`: for these numbers the answer is lost in rounding (NaN).")
        return answer

    return within


def check_scale(values: np.ndarray, largest: float, smallest: float = 0.0) -> None:
    """Refuse data whose largest entry is so near the end of float64 that what is computed from it is beyond.

    >>> check_scale(np.array([0.0, -1e200]), largest=1e150)
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: The largest entry has the size 1e+200, beyond 1e+150: divide the data by 1e+200 first.
    """
    size = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))  # no copy: they may be many
    if size > largest or 0 < size < smallest:
        bound = f"beyond {largest:.3g}" if size > largest else f"below {smallest:.3g}"
        raise InputError(f"The largest entry has the size {size:.3g}, {bound}: divide the data by {size:.0e} first.")


def _has_nan(answer: Any) -> bool:
    if isinstance(answer, float | np.ndarray):
        return np.asarray(answer).dtype.kind == "f" and bool(np.isnan(answer).any())
    if is_dataclass(answer):
        return any(_has_nan(getattr(answer, field.name)) for field in fields(answer))
    return isinstance(answer, tuple | list) and any(map(_has_nan, answer))
