"""Sending batches to a pool, a few at a time, and sending them again when workers die."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from typing import Any

from rankscape.errors import RankscapeError, RunFailed
from rankscape.sweeps.pool import Pool
from rankscape.sweeps.worker import Report, Task, work

# Times that workers may die without one batch getting done in between.
MOST_DEATHS = 3


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
            for future in pool.wait(running):
                task = running.pop(future)
                report = _result(future)
                if report is None:
                    lost.append(task)
                else:
                    deaths = 0
                    yield report
            if lost:
                deaths += 1
                again += lost
                if pool.renew is not None:  # dead processes take along all that was out, also what they had not begun
                    again += running.values()
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
            call = pool.executor.submit(function, *arguments)
            while not pool.wait([call]):
                pass
            return call.result()
        except RankscapeError:
            raise
        except (Exception, CancelledError) as error:
            if not _died(error):
                raise
            deaths += 1
            _start_again(pool, deaths, "the first run")


def begin(pool: Pool, function: Callable[..., Any], *arguments: Any) -> list[Future]:
    """Call a function once for each worker: so they start, and load what they need, while the client plans."""
    calls: list[Future] = []
    with contextlib.suppress(BrokenExecutor):  # the first batch sees it
        for _ in range(max(1, pool.width // 2)):
            calls.append(pool.executor.submit(function, *arguments))
    return calls


def wait_until_ready(pool: Pool, calls: Sequence[Future]) -> None:
    """Wait for calls to end and raise their errors; workers that died are seen, and replaced, by the first batch."""
    left = {*calls}
    while left:
        done = pool.wait(left)
        left -= done
        for call in done:
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
    except RankscapeError:
        raise
    except (Exception, CancelledError) as error:
        if _died(error):
            return None
        text = f"{type(error).__name__}: {error}"
        raise RunFailed(f"A worker failed ({text}); what is done stays done. Start the same sweep again.") from error


def _died(error: BaseException) -> bool:
    """Whether a worker died, by what its executor says; Dask has a word of its own, after a few deaths."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ == "KilledWorker"


def _start_again(pool: Pool, deaths: int, what: str) -> None:
    broken = pool.renew is None and getattr(pool.executor, "_broken", False)  # a pool of processes of the user's own
    if broken or deaths > MOST_DEATHS:
        raise RunFailed(
            f"Workers died {deaths} times in a row, with {what} among what they did: out of memory? What is done "
            "stays done; a smaller `batch` needs less memory."
        )
    if pool.renew is not None:
        pool.executor = pool.renew()
