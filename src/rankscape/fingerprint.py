"""Short digests of what cannot be written out in a configuration: arrays and functions."""

import hashlib
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np

LENGTH = 16
"""Hexadecimal digits of a digest."""


def of_arrays(*arrays: Any) -> str:
    """A digest of shapes, kinds and contents.

    Examples
    --------
    >>> import numpy as np
    >>> of_arrays(np.zeros(3)) == of_arrays(np.zeros(3)), of_arrays(np.zeros(3)) == of_arrays(np.ones(3))
    (True, False)
    """
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:LENGTH]


def of_function(function: Any) -> str:
    """A digest of a function's code and of the numbers, arrays and functions that it closes over.

    Examples
    --------
    >>> def scaled(factor):
    ...     return lambda x: factor * x
    >>> of_function(scaled(2)) == of_function(scaled(2)), of_function(scaled(2)) == of_function(scaled(3))
    (True, False)
    """
    return hashlib.sha256("\n".join(_parts(function, set())).encode()).hexdigest()[:LENGTH]


def _parts(value: Any, seen: set[int]) -> Iterator[str]:
    """Text that changes when the value would compute something else; memory addresses are left out."""
    if id(value) in seen:
        return
    if isinstance(value, bool | int | float | complex | str | bytes | type(None)):
        yield repr(value)
    elif isinstance(value, CodeType):
        yield value.co_code.hex()
        for constant in value.co_consts:
            yield from _parts(constant, seen)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item, seen)
    elif callable(value):
        seen.add(id(value))
        yield f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
        inner = getattr(value, "func", None), getattr(value, "args", ()), getattr(value, "__code__", None)
        defaults = getattr(value, "__defaults__", None) or ()
        cells = [_content(cell) for cell in getattr(value, "__closure__", None) or ()]
        for item in (*inner, *defaults, *cells):
            yield from _parts(item, seen)
    elif hasattr(value, "__array__"):
        yield of_arrays(value)
    else:
        yield type(value).__qualname__


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is never bound
        return None
