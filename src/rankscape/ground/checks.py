"""Numbers from outside: checked once, returned as plain Python numbers."""

import math
import operator
from collections.abc import Sequence
from typing import Any

from rankscape.errors import InputError


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number within ``least .. most``.

    Examples
    --------
    >>> import numpy as np
    >>> whole("depth", np.int64(3), least=1)
    3
    >>> whole("depth", 2.5, least=1)
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: `depth` must be a whole number of at least 1, got 2.5.
    """
    value = _plain(value)
    try:
        number = operator.index(value)
    except (TypeError, ValueError):
        number = int(value) if isinstance(value, float) and value.is_integer() else None
    if number is None or number < least or (most is not None and number > most):
        span = f"of at least {least}" if most is None else f"within {least} .. {most}"
        raise InputError(f"`{name}` must be a whole number {span}, got {value!r}.")
    return number


def one_of(name: str, value: Any, known: Sequence[Any]) -> None:
    """Refuse a value that is none of those that are known.

    Examples
    --------
    >>> one_of("path", "sdg", ("minima", "sgd"))
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: `path` must be 'minima' or 'sgd', got 'sdg'.
    """
    if value not in known:
        *others, last = map(repr, known)
        raise InputError(f"`{name}` must be {', '.join(others)} or {last}, got {value!r}.")


def listed(value: Any) -> Any:
    """The pieces of ``5,3,1.5`` as people type it, alone or repeated; anything else as it is.

    Examples
    --------
    >>> listed("5,3"), listed(["5,-3", 1]), listed(7)
    (['5', '3'], ['5', '-3', 1], 7)
    """
    parts = [value] if isinstance(value, str) else value
    if isinstance(parts, list | tuple):
        return [piece for part in parts for piece in (part.split(",") if isinstance(part, str) else [part])]
    return value


def real(name: str, value: Any) -> float:
    """A finite number."""
    number = _number(value)
    if not math.isfinite(number):
        raise InputError(f"`{name}` must be a finite number, got {_plain(value)!r}.")
    return number


def positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    number = _number(value)
    if not 0 < number < math.inf:
        raise InputError(f"`{name}` must be positive and finite, got {_plain(value)!r}.")
    return number


def nonnegative(name: str, value: Any) -> float:
    """A finite number, zero or above."""
    number = _number(value)
    if not 0 <= number < math.inf:
        raise InputError(f"`{name}` must be zero or positive and finite, got {_plain(value)!r}.")
    return number


def share(name: str, value: Any) -> float:
    """A number between 0 and 1, both excluded."""
    number = _number(value)
    if not 0 < number < 1:
        raise InputError(f"`{name}` must lie between 0 and 1, got {_plain(value)!r}.")
    return number


def _number(value: Any) -> float:
    """The number as a float; NaN when it is none, so that every comparison refuses it."""
    value = _plain(value)
    try:
        return math.nan if isinstance(value, complex) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _plain(value: Any) -> Any:
    """Of an array, a tensor or one of their numbers the Python numbers."""
    return value.tolist() if hasattr(value, "tolist") else value
