"""Sending batches to a pool, a few at a time, and sending them again when workers die."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import Any

from rankscape.errors import RankscapeError, RunFailed
from rankscape.sweeps.executors import Pool
from rankscape.sweeps.worker import Report, Task, work

# Times that workers may die without one batch getting done in between.
MOST_DEATHS = 3

# Seconds after which it is seen whether the pool still lives.
LOOK = 1.0


def reports(pool: Pool, tasks: Iterator[Task]) -> Iterator[Report]:
    """What comes back from the workers, in the order in which it does; never more tasks out than the pool's width."""
    running: dict[Future, Task] = {}
    again: list[Task] = []
    deaths = 0
    try:
        while True:
            lost = _send(pool, running, again, tasks)
            if not running and not lost:
                return
            # With a time limit: a scheduler that vanished leaves futures that never end.
            for future in wait(running, LOOK, FIRST_COMPLETED).done:
                task = running.pop(future)
                report = _result(future)
                if report is None:
                    lost.append(task)
                else:
                    deaths = 0
                    yield report
            if not pool.alive():
                raise RunFailed("The scheduler is gone; what is done stays done. Start the same sweep again.")
            if lost:
                deaths += 1
                # Dead workers take along all that was out, also what they had not begun.
                again += [*lost, *running.values()]
                running.clear()
                _start_again(pool, deaths, f"the batch that begins with run {again[0].start}")
    finally:
        for future in running:
            future.cancel()


def ask(pool: Pool, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of one call of a function where batches run."""
    deaths = 0
    while True:
        try:
            return pool.executor.submit(function, *arguments).result()
        except (BrokenExecutor, CancelledError):
            deaths += 1
            _start_again(pool, deaths, "the first run")


def begin(pool: Pool, function: Callable[..., Any], *arguments: Any) -> list[Future]:
    """Call a function once for each worker: so they start, and load what they need, while the client plans."""
    calls: list[Future] = []
    with contextlib.suppress(BrokenExecutor):  # the first batch sees it
        for _ in range(max(1, pool.width // 2)):
            calls.append(pool.executor.submit(function, *arguments))
    return calls


def wait_until_ready(calls: Iterable[Future]) -> None:
    """Wait for calls to end and raise their errors; workers that died are seen, and replaced, by the first batch."""
    for call in calls:
        _result(call)


def _send(pool: Pool, running: dict[Future, Task], again: list[Task], tasks: Iterator[Task]) -> list[Task]:
    """Fill the pool; give back the task that it could not take because its workers died."""
    while len(running) < pool.width:
        task = again.pop() if again else next(tasks, None)
        if task is None:
            break
        try:
            running[pool.executor.submit(work, task)] = task
        except BrokenExecutor:
            return [task]
    return []


def _result(future: Future) -> Any:
    """The report of a batch, or None when the worker died before there was one."""
    try:
        return future.result()
    except (BrokenExecutor, CancelledError):
        return None
    except RankscapeError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise RunFailed(f"A worker failed ({text}); what is done stays done. Start the same sweep again.") from error


def _start_again(pool: Pool, deaths: int, what: str) -> None:
    if pool.renew is None or deaths > MOST_DEATHS:
        raise RunFailed(
            f"Workers died {deaths} times in a row, with {what} among what they did: out of memory? What is done "
            "stays done; a smaller `batch` needs less memory."
        )
    pool.executor = pool.renew()
