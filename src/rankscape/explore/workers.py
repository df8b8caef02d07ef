"""Work in a process of its own: it can be ended at any moment, and takes no more memory and time than it may."""

import contextlib
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from rankscape.errors import RankscapeError
from rankscape.explore.calls import Call, Frame

# Bytes and seconds of a processor for one question.
MEMORY, SECONDS = 8 << 30, 3600

# Fits stand back behind pictures that follow a drag.
NICE = 5

# Seconds between two looks at whether anybody still waits.
LOOK = 0.05

# A function of this kind runs in the process: it yields frames, and asks `said` for what the page says meanwhile.
Work = Callable[..., Iterator[Frame]]


def frames_of(work: Work, arguments: tuple[Any, ...], call: Call) -> Iterator[Frame]:
    """What work yields, until it is done or nobody waits any more; then its process is ended."""
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        while not call.stopped:
            for said in call.said():
                ours.send(said)
            if not ours.poll(LOOK):
                continue
            try:
                frame = ours.recv()
            except EOFError:
                yield Frame("error", {"words": _ended(process)})
                return
            if frame is None:
                return
            yield frame
    finally:
        ours.close()
        process.kill()
        process.join()


# What every process of a table needs: loaded once, where processes begin as copies of one that has done nothing else.
LOADED = ["numpy", "rankscape.data.source", "rankscape.explore.completing"]


def ready() -> None:
    """Load it now, so that the first question waits for nothing."""
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


def _context() -> Any:
    if "forkserver" not in multiprocessing.get_all_start_methods():  # Windows
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context


def stand_back() -> None:
    """Said by work that takes long, once it does: what people wait for before is as urgent as a drag."""
    with contextlib.suppress(AttributeError, OSError):  # Windows
        os.nice(NICE)


def _ended(process: Any) -> str:
    process.join()
    if process.exitcode == -getattr(signal, "SIGXCPU", 24):
        return f"It took more than {SECONDS // 60} minutes of a processor: use the command line."
    return f"It needed more memory than {MEMORY >> 30} GB, or ended unexpectedly: use the command line."


def _run(line: Connection, work: Work, arguments: tuple[Any, ...]) -> None:
    _limit()
    warnings.simplefilter("ignore")  # the certificate says them
    # Nobody may wait any more; then there is nobody to tell either.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, EOFError):
        for frame in _told(work, line, arguments):
            line.send(frame)
        line.send(None)


def _told(work: Work, line: Connection, arguments: tuple[Any, ...]) -> Iterator[Frame]:
    """What work yields; at last, in the page's words, what went wrong."""
    try:
        yield from work(line, *arguments)
    except RankscapeError as error:
        yield Frame("error", {"words": str(error)})
    except MemoryError:
        yield Frame("error", {"words": f"It needs more memory than {MEMORY >> 30} GB: use the command line."})
    except (BrokenPipeError, ConnectionResetError, EOFError):
        raise
    except Exception as error:
        yield Frame("error", {"words": f"A defect of rankscape: {type(error).__name__}. Please report it."})


def _limit() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows; a limit that is lower already
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
