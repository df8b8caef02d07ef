"""Short digests of what cannot be written out in a configuration: arrays and functions."""

import dis
import hashlib
import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

# Hexadecimal digits of a digest.
LENGTH = 16

# Packages whose versions stand beside each digest, and decide their code.
VERSIONED = {"rankscape", "numpy", "scipy", "numba", "jax", "optax", "diffrax", *sys.stdlib_module_names}

# What is told by its text.
PLAIN = bool | int | float | complex | str | bytes | type(None)


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
    """A digest of a function's code, of what it closes over, and of what it uses of its own module.

    Functions, classes and constants of the same module are followed, and what they use of it in turn; what comes from
    another module counts by its name. So does the code of rankscape itself and of the packages below it: their versions
    decide it, and they stand beside each digest. Comments and line numbers do not count.

    Examples
    --------
    >>> def scaled(factor):
    ...     return lambda x: factor * x
    >>> of_function(scaled(2)) == of_function(scaled(2)), of_function(scaled(2)) == of_function(scaled(3))
    (True, False)
    """
    return hashlib.sha256("\n".join(_parts(function, {})).encode()).hexdigest()[:LENGTH]


def _parts(value: Any, seen: dict[int, Any]) -> Iterator[str]:
    """Text that changes when the value would compute something else; memory addresses are left out."""
    if id(value) in seen:
        return
    if isinstance(value, PLAIN):
        yield repr(value)
    elif isinstance(value, CodeType):
        yield f"{value.co_code.hex()} {' '.join(value.co_names)}"
        for constant in value.co_consts:
            yield from _parts(constant, seen)
    elif isinstance(value, tuple | list | Mapping):
        seen[id(value)] = value  # kept, or another object would take its place in memory
        for item in value.items() if isinstance(value, Mapping) else value:
            yield from _parts(item, seen)
    elif callable(value):
        seen[id(value)] = value
        yield f"{_module(value)}.{getattr(value, '__qualname__', type(value).__qualname__)}"
        for item in _inner(value):
            yield from _parts(item, seen)
    elif hasattr(value, "__array__"):
        yield of_arrays(value)
    else:
        yield type(value).__qualname__


def _inner(value: Any) -> Iterator[Any]:
    """What decides what something callable computes: of a function, a class, a partial or wrapped function."""
    versioned = _module(value).partition(".")[0] in VERSIONED
    if isinstance(value, FunctionType):
        yield value.__defaults__, value.__kwdefaults__, [_content(cell) for cell in value.__closure__ or ()]
        if not versioned:
            yield value.__code__
            yield from _used(value)
    elif isinstance(value, type):
        if not versioned:
            yield from (base for base in value.__bases__ if base.__module__ == value.__module__)
            yield from _members(value)
    else:
        for name in ("func", "args", "keywords", "__wrapped__", "py_func", "__func__"):
            yield getattr(value, name, None)
        if type(value).__module__ == _module(value):  # an instance of a class that can be called
            yield type(value)


def _used(function: FunctionType) -> Iterator[Any]:
    """Functions, classes and constants of its own module that a function reads; not what it counts up itself."""
    steps = [step for code in _codes(function.__code__) for step in dis.get_instructions(code)]
    read = {step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    written = {step.argval for step in steps if step.opname == "STORE_GLOBAL"}
    for name in sorted(read - written):
        value = function.__globals__.get(name)
        if value is not None and (not callable(value) or _module(value) == function.__module__):
            yield name, value


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _members(kind: type) -> Iterator[Any]:
    """The methods and constants that a class defines."""
    for name, member in vars(kind).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType) or not name.startswith("__"):
            yield name, function


def _module(value: Any) -> str:
    return getattr(value, "__module__", None) or ""


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that is never bound
        return None
