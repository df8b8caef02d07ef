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


def _has_nan(answer: Any) -> bool:
    if isinstance(answer, float | np.ndarray):
        return np.asarray(answer).dtype.kind == "f" and bool(np.isnan(answer).any())
    if is_dataclass(answer):
        return any(_has_nan(getattr(answer, field.name)) for field in fields(answer))
    return isinstance(answer, tuple | list) and any(map(_has_nan, answer))
