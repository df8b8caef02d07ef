"""SIGTERM, by which batch systems and containers end a process, as an orderly end.

By default it ends Python at once: no checkpoint, locks and half files left behind. Here it is an exception as Ctrl-C
is one.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from rankscape.ground.final import final

# What a shell calls the end by this signal.
CODE = 128 + signal.SIGTERM


@final
class Terminated(SystemExit):
    """The process was told to end; where nobody catches it, it does, with exit code 143."""

    def __init__(self) -> None:
        super().__init__(CODE)


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Raise `Terminated` in this block where SIGTERM comes; one that the caller handles is left alone."""
    # Python takes signals in its main thread only.
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a batch system may send it twice: once is enough to clean up
    raise Terminated
