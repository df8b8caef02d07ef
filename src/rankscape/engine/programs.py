"""What JAX compiles for the engines: one program for each shape, and no more of them than memory should hold.

JAX keeps every program for ever: 1.9 to 2.6 MB for each new shape of a run (measured on one core, JAX 0.10.2).
"""

import threading
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import jax

# Programs that are kept, about 80 MB of them. To make one takes a few tenths of a second, as long as all of its runs
# where these are small; a sweep has a handful, and is far from making any of them twice.
MOST = 32

_lock = threading.Lock()
_made = 0


def program(*static: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a function that JAX compiles for each shape of its arguments, and for the values of some.

    Before more than `MOST` programs are kept, all are dropped, with what JAX remembers of how it made them: that alone
    is an eighth of the memory, and no function's own cache holds it. Functions that the caller compiled with JAX are
    then compiled again, too, when they are called next; what they compute does not change.

    Parameters
    ----------
    *static : str
        The arguments whose values make a program of their own: functions, and counts that a loop unrolls.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @partial(jax.jit, static_argnames=static)
        @wraps(function)
        def traced(*arguments: Any) -> Any:
            _count()  # Python runs this function once for each program
            return function(*arguments)

        @wraps(function)
        def run(*arguments: Any) -> Any:
            if _made >= MOST:
                _forget()
            return traced(*arguments)

        return run

    return decorate


def _count() -> None:
    global _made
    with _lock:
        _made += 1


def _forget() -> None:
    global _made
    with _lock:
        if _made >= MOST:  # another thread may have done it
            jax.clear_caches()
            _made = 0
