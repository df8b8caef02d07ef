"""Compile loops with numba: without the interpreter's lock, cached on disk where a place for it can be written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def compiled(*fastmath: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a loop.

    Parameters
    ----------
    *fastmath : str
        Liberties that LLVM may take. Never ``nnan`` or ``ninf``: divergence must stay visible.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        options: dict[str, Any] = dict(nogil=True, fastmath=set(fastmath))
        try:
            loop: Any = numba.njit(cache=True, **options)(function)
            # numba looks at the file of the loop alone and would keep machine code of helpers that have changed since.
            loop._cache._cache_file._source_stamp = _stamp(Path(function.__code__.co_filename).parent)
            return loop
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            return numba.njit(**options)(function)

    return decorate


def _stamp(room: Path) -> tuple:
    """What changes when a file beside the loop changes."""
    return tuple((file.name, (s := file.stat()).st_mtime_ns, s.st_size) for file in sorted(room.glob("*.py")))
