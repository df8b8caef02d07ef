"""How far a sweep is: from the marks in the store, and from the lock when somebody works on it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rankscape.ground.progress import AbstractMeter
from rankscape.sweeps.lock import read_lock
from rankscape.sweeps.store import Store


class SweepProgress(NamedTuple):
    """How far a sweep is.

    Attributes
    ----------
    runs, done, failed, left : int
        All runs; those in the store; of these, how many ended badly (diverged); those still to be made.
    rate : float or None
        Runs a second since somebody works on it; None as long as there is nothing to tell.
    seconds_left : float or None
        At this rate.
    state : str
        "running", "finished", or "interrupted": the same command continues it.
    owner : str or None
        Who works on it.

    Examples
    --------
    >>> import tempfile, pathlib, rankscape as rs
    >>> store, told = pathlib.Path(tempfile.mkdtemp(), "grid.zarr"), []
    >>> base = dict(eigenvalues=[3.0, 1.0], depth=2, learning_rate=2e-3, steps=100)
    >>> sweep = rs.sweep(base, over={"alpha": [0.1, 0.2]}, store=store, progress=told.append)
    >>> sweep.status().state, sweep.status().done, [now.done for now in told][-1]
    ('finished', 2, 2)
    """

    runs: int
    done: int
    failed: int
    left: int
    rate: float | None
    seconds_left: float | None
    state: str
    owner: str | None


def shown_on(meter: AbstractMeter) -> Callable[[SweepProgress], None]:
    """What tells it to people."""
    meter.update("planning and starting workers")

    def show(now: SweepProgress) -> None:
        rate = {} if now.rate is None else {"runs/s": float(now.rate)}
        failed = {"failed": now.failed} if now.failed else {}
        meter.update("runs", now.done / now.runs, done=now.done, left=now.left, **failed, **rate)

    return show


def look(path: str | Path) -> SweepProgress:
    """The progress of the sweep in a store, whoever fills it."""
    store = Store(path)
    marks, owner = store.done(), read_lock(store.path)
    done = int(marks.sum())
    # Who holds the lock decides: marks alone cannot tell an interrupted sweep from a slow one.
    state = "running" if owner else "finished" if done == store.runs else "interrupted"
    name = f"{owner['user']} on {owner['host']} (process {owner['process']})" if owner else None
    began = (owner["started"], owner["done"]) if owner else (time.time(), done)
    return measured(store.runs, done, store.failed(marks), began, state, name)


def measured(
    runs: int, done: int, failed: int, began: tuple[float, int], state: str, owner: Any = None
) -> SweepProgress:
    """Progress from counts; `began` is the time of day and the runs done at that time."""
    seconds, new = time.time() - began[0], done - began[1]
    rate = new / seconds if new > 0 and seconds > 0 else None
    return SweepProgress(runs, done, failed, runs - done, rate, (runs - done) / rate if rate else None, state, owner)
