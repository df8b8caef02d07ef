"""JAX in double precision, and only in processes that it works in."""

import os
import sys
from contextlib import AbstractContextManager

from rankscape.errors import InputError

# Whether this process came by a fork from one in which JAX had begun: its threads stayed behind there.
_left_behind = False


def double() -> AbstractContextManager[object]:
    """A block in which JAX computes with 64 bits; outside of it the caller's own setting holds.

    Raises
    ------
    InputError
        This process was forked after JAX was used: it would wait for threads that it does not have.
    """
    if _left_behind:
        raise InputError(
            "This process was forked after JAX had been used, and JAX would wait here for ever: its threads stayed "
            "behind. Start processes by spawn: `multiprocessing.get_context('spawn').Pool()`, "
            "`ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn'))`, or `rankscape.sweep` with "
            "`executor='processes'`, which does."
        )
    import jax

    return jax.enable_x64(True)


def _after_fork() -> None:
    global _left_behind
    # JAX has no public word for it that takes no lock, and another thread may have held that lock.
    bridge = sys.modules.get("jax._src.xla_bridge")
    _left_behind = _left_behind or bool(getattr(bridge, "_backends", None))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
