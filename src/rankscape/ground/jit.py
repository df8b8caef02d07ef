"""Loops that numba compiles: when they are first called, without the interpreter's lock, kept in the user's cache.

numba takes longer to import than a small matrix to complete, and its loops take ten seconds to compile: it is imported
when a loop is called, not when one is defined, and a task may `begin_in_numpy`. Machine code is kept by what it was
made from and not by where that lies: a new environment finds it there.
"""

import contextlib
import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache, cached_property, update_wrapper
from importlib import import_module
from inspect import unwrap
from pathlib import Path
from typing import Any

from rankscape.ground.final import final
from rankscape.ground.storage import cache_directory

# Numbers in all arguments together that are few; and how often a task calls a loop with few numbers before the loop is
# compiled. A table of 60 x 40 with a rank to find calls none more than 100 times, one without a rank some 5,000 times.
FEW, CALLS = 20_000, 150

# Seconds after which machine code that no version of a room has added to is thrown away when a new version comes.
STALE = 30 * 86400


# How often the task at hand has called each loop in NumPy; None outside of one.
_called: ContextVar["Counter[Loop] | None"] = ContextVar("calls in NumPy", default=None)


@contextlib.contextmanager
def begin_in_numpy(begin: bool = True) -> Iterator[None]:
    """A task, in which the first calls of each loop with few numbers are made in NumPy; or, if not, none of them.

    Small tasks end before numba is imported, large ones lose a tenth of a second. What is called how depends on the
    task alone, and not on what a process did before: so do the last digits. What begins within a task is part of it.
    """
    if begin and _called.get() is not None:
        yield
        return
    token = _called.set(Counter() if begin else None)
    try:
        yield
    finally:
        _called.reset(token)


@final
class Loop:
    """A function that is compiled for each type of its arguments when it is first called with them.

    Parameters
    ----------
    function : callable
        To be compiled.
    fastmath : tuple of str
        Liberties that LLVM may take.
    """

    def __init__(self, function: Callable[..., Any], fastmath: tuple[str, ...]):
        update_wrapper(self, function)
        self.py_func, self._fastmath = unwrap(function), fastmath  # numba compiles loops, not what checks their types
        self.of_few: Callable[..., Any] | None = None
        self._limit = 0

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        called = _called.get()
        if called is None or self.of_few is None or called[self] == CALLS or _size(arguments) > self._limit:
            return self.dispatcher(*arguments)
        called[self] += 1
        return self.of_few(*arguments)

    def few(self, limit: int = FEW) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator for a function that does the same in NumPy; at most `limit` numbers are few to it."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self.of_few, self._limit = function, limit
            return function

        return register

    @cached_property
    def dispatcher(self) -> Any:
        """What numba makes of it."""
        import numba

        loop: Any = numba.njit(nogil=True, fastmath=set(self._fastmath))(self.py_func)
        with contextlib.suppress(OSError, RuntimeError):  # no cache can be written: it is compiled each time
            loop._cache = _kept(self.py_func)
        return loop

    @property
    def _numba_type_(self) -> Any:
        """What numba asks of a function that another loop calls."""
        return self.dispatcher._numba_type_


def _size(arguments: tuple[Any, ...]) -> int:
    return sum(argument.size for argument in arguments if hasattr(argument, "size"))


def compiled(*fastmath: str) -> Callable[[Callable[..., Any]], Loop]:
    """A decorator for a loop.

    Parameters
    ----------
    *fastmath : str
        Liberties that LLVM may take. Never ``nnan`` or ``ninf``: divergence must stay visible.
    """
    return lambda function: Loop(function, fastmath)


def _kept(function: Callable[..., Any]) -> Any:
    """Where numba keeps the machine code of a function: a folder named by the sources of its room and of the one above.

    Numba by itself looks at the file of the loop alone, and would keep code of helpers that have changed since; and it
    looks beside that file, where a new environment finds nothing. What rooms share lies one above them.
    """
    caching: Any = import_module("numba.core.caching")
    room = Path(function.__code__.co_filename).parent
    folder = _folder(room, _sources(room))

    class Locator(caching._CacheLocator):
        get_cache_path = staticmethod(lambda: str(folder))
        get_source_stamp = staticmethod(lambda: folder.name)
        get_disambiguator = staticmethod(lambda: str(function.__code__.co_firstlineno))
        from_function = classmethod(lambda cls, *_: cls())

    class Implementation(caching.CompileResultCacheImpl):
        _locator_classes = (Locator,)

    class Cache(caching.FunctionCache):
        _impl_class = Implementation

    return Cache(function)


def _sources(room: Path) -> tuple[tuple[Path, int, int], ...]:
    """The files of a room and of the one above; those that are written anew count as others."""
    files = sorted([*room.glob("*.py"), *room.parent.glob("*.py")])
    return tuple((file, (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)


@cache
def _folder(room: Path, sources: tuple[tuple[Path, int, int], ...]) -> Path:
    if not sources:  # in an archive
        raise OSError(f"{room} is no folder.")
    digest = hashlib.sha256()
    for file, _, _ in sources:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = (Path(given) if given else cache_directory()) / "loops"
    folder = home / f"{room.name}-{digest.hexdigest()[:20]}"
    if not folder.exists():
        for other in home.glob(f"{room.name}-*"):
            if other.stat().st_mtime < time.time() - STALE:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise OSError(f"{folder} cannot be written to.")
    return folder
