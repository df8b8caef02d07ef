"""CPU seconds of one call, and an end to those that take too many."""

import signal
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """What a call returned, its CPU seconds, and why it returned nothing."""

    answer: Any
    seconds: float
    failure: str | None = None


class TimeUp(BaseException):
    """The CPU seconds are spent; not an `Exception`, so that no peer catches it."""


def measured(call: Callable[[], Any], limit: float) -> Measured:
    """Call it, for at most `limit` CPU seconds; compiled code is stopped when it returns to Python."""

    def stop(*_: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    began = time.process_time()
    answer, failure = None, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = call()
    except TimeUp:
        failure = f"over {limit:g} CPU s"
    except Exception as problem:  # of a peer or of ours: a fit that fails is a result
        failure = f"{type(problem).__name__}: {problem}"[:120]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return Measured(answer, time.process_time() - began, failure)
