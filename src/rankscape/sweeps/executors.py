"""Where batches run: here, in processes, on a Dask cluster, under a batch system, in any executor of the user.

All of them are `concurrent.futures` executors; this file knows how to start each, and how to start it again.
"""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any, TypeAlias

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import whole
from rankscape.sweeps.clusters import BATCH_SYSTEMS, PROTOCOLS, at_address, connected, dask_pool, of_user, started
from rankscape.sweeps.pool import Pool
from rankscape.sweeps.worker import begin_worker

# Where batches run: an executor, its name, or the address of a Dask scheduler.
ExecutorLike: TypeAlias = Executor | str


class InProcess(Executor):
    """Runs what is submitted at once, in this thread."""

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """The finished future."""
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def open_pool(
    executor: ExecutorLike | None, workers: int | None, cluster: Mapping[str, object] | None
) -> Iterator[Pool]:
    """Start what the user asked for, and end it afterwards; an executor of the user is left alone.

    Parameters
    ----------
    executor : None, Executor, or str
        None or "serial": here. "processes"; "dask", a local Dask cluster; the address of a Dask scheduler;
        "slurm", "pbs", "lsf" or "sge", jobs of a batch system.
    workers : int, optional
        Processes or jobs; as many as there are cores if left out.
    cluster : mapping, optional
        Options of the Dask cluster class, such as queue, cores, memory, walltime.
    """
    count = whole("workers", workers, least=1) if workers is not None else len(_cores())
    if cluster and executor != "dask" and executor not in BATCH_SYSTEMS:
        raise InputError("`cluster` holds options of a Dask cluster; they go with 'dask' or a batch system.")
    if executor is None or executor == "serial":
        yield Pool(InProcess(), 1)
    elif isinstance(executor, Executor):
        yield of_user(executor, 2 * (workers or getattr(executor, "_max_workers", None) or count))
    elif executor == "processes":
        with _processes(count) as pool:
            yield pool
    elif isinstance(executor, str) and (executor == "dask" or executor in BATCH_SYSTEMS):
        options = dict(cluster or {})
        cores = whole("cores", options.get("cores", 1), least=1) if executor in BATCH_SYSTEMS else 1
        with started(executor, count, options) as made, connected(made.target) as client:
            yield dask_pool(client, 2 * count * cores, made)
    elif isinstance(executor, str) and executor.startswith(PROTOCOLS):
        with connected(executor) as client:
            width = 2 * (workers or max(1, len(client.ncores())))
            yield dask_pool(client, width, at_address(executor))
    else:
        known = ("serial", "processes", "dask", *BATCH_SYSTEMS)
        hint = did_you_mean(executor, known) if isinstance(executor, str) else ""
        raise InputError(
            f"`executor` must be one of {', '.join(known)}, the address of a Dask scheduler (tcp://host:port), or a "
            f"concurrent.futures executor, got {executor!r}{hint or '.'}"
        )


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Pool]:
    """Spawned processes: a fork would copy the threads of JAX in an unknown state."""
    context = multiprocessing.get_context("spawn")
    current: list[ProcessPoolExecutor] = []

    def start() -> Executor:
        for old in current:
            old.shutdown(wait=False)
        current[:] = [ProcessPoolExecutor(count, context, begin_worker, (os.getpid(),))]
        return current[0]

    try:
        yield Pool(start(), 2 * count, renew=start)
    finally:
        current[0].shutdown(wait=True, cancel_futures=True)


def _cores() -> set[int] | range:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
