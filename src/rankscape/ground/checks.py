"""Numbers from outside: checked once, returned as plain Python numbers."""

import math
import operator
import os
import reprlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.errors import InputError

# Factors of a product: of more of them the entries leave the range of floats, or none of them matters.
DEEPEST = 1000

# Steps of a run: beyond, neighbouring steps are one and the same in float64; the fastest engine needs years for fewer.
MOST_STEPS = 2**53


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
        raise InputError(f"`{name}` must be a whole number {span}, got {shown(value)}.")
    return number


# Matrices, runs or points that are given in a list: no more are listed before they are looked at.
MOST_LISTED = 10**7


def several(name: str, values: Any) -> list[Any]:
    """The members of what is no text and no single thing, listed.

    >>> several("factors", (1, 2))
    [1, 2]
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"`{name}` must be a list, got {shown(values)}.")
    try:
        listed = list(islice(values, MOST_LISTED + 1))
    except Exception as error:  # a zero-dimensional array says that it can be gone through, and cannot
        raise InputError(f"`{name}` must be a list, got {shown(values)}: {error}.") from None
    if len(listed) > MOST_LISTED:
        raise InputError(f"`{name}` has more than {MOST_LISTED:,} members.")
    return listed


def shown(value: Any) -> str:
    """A value in an error, however long it is.

    >>> shown([1.0] * 1000), shown(10**5000)
    ('[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ...]', 'an int that is too long to show')
    """
    try:
        return reprlib.repr(value)
    except Exception:
        return f"an {type(value).__name__} that is too long to show"


def one_of(name: str, value: Any, known: Sequence[Any]) -> None:
    """Refuse a value that is none of those that are known.

    Examples
    --------
    >>> one_of("path", "sdg", ("minima", "sgd"))
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: `path` must be 'minima' or 'sgd', got 'sdg'.
    """
    if not any(isinstance(value, type(one)) and value == one for one in known):
        *others, last = map(repr, known)
        raise InputError(f"`{name}` must be {', '.join(others)} or {last}, got {shown(value)}.")


def path_of(name: str, value: Any) -> Path:
    """The path of a file or folder.

    >>> path_of("store", "runs.zarr").suffix
    '.zarr'
    """
    if not isinstance(value, str | os.PathLike) or "\0" in str(value):
        raise InputError(f"`{name}` must be the path of a file, got {shown(value)}.")
    return Path(value)


def of_kind(name: str, value: Any, kind: type | tuple[type, ...]) -> None:
    """Refuse what is of another class.

    >>> of_kind("rank", 1, int)
    """
    if not isinstance(value, kind):
        names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise InputError(f"`{name}` must be a {names}, got {shown(value)}.")


def switch(name: str, value: Any) -> bool:
    """True or False.

    >>> switch("sharp", True)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"`{name}` must be True or False, got {shown(value)}.")
    return bool(value)


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
        raise InputError(f"`{name}` must be a finite number, got {shown(_plain(value))}.")
    return number


def positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    number = _number(value)
    if not 0 < number < math.inf:
        raise InputError(f"`{name}` must be positive and finite, got {shown(_plain(value))}.")
    return number


def nonnegative(name: str, value: Any) -> float:
    """A finite number, zero or above."""
    number = _number(value)
    if not 0 <= number < math.inf:
        raise InputError(f"`{name}` must be zero or positive and finite, got {shown(_plain(value))}.")
    return number


def share(name: str, value: Any) -> float:
    """A number between 0 and 1, both excluded."""
    number = _number(value)
    if not 0 < number < 1:
        raise InputError(f"`{name}` must lie between 0 and 1, got {shown(_plain(value))}.")
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
