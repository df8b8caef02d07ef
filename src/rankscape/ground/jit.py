"""Compile loops with numba: without the interpreter's lock, cached on disk where a place for it can be written."""

from collections.abc import Callable
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
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            return numba.njit(**options)(function)

    return decorate
