"""Where batches run: here, in processes, on a Dask cluster, under a batch system, in any executor of the user.

All of them are `concurrent.futures` executors; this file knows how to start each, and how to start it again.
"""

import contextlib
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from rankscape.checks import whole
from rankscape.errors import InputError, did_you_mean
from rankscape.sweeps.worker import ONE_THREAD, begin_worker

BATCH_SYSTEMS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"}
"""What dask-jobqueue calls them."""

NEVER_PAUSE = {"DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False"}
"""Dask would let a worker wait for data to go away, but the memory is that of the batch: it would wait for ever."""

ANSWER = 5
"""Seconds in which a scheduler must answer."""

PROTOCOLS = ("tcp://", "tls://", "ucx://", "ws://", "wss://")


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


@dataclass
class Pool:
    """An executor, how many batches it is given at a time, whether it still lives, and how to start it again."""

    executor: Executor
    width: int
    alive: Callable[[], bool] = lambda: True
    renew: Callable[[], Executor] | None = None


@contextlib.contextmanager
def open_pool(executor: Any, workers: int | None, cluster: Mapping[str, Any] | None) -> Iterator[Pool]:
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
        yield Pool(executor, 2 * (workers or getattr(executor, "_max_workers", None) or count))
    elif executor == "processes":
        with _processes(count) as pool:
            yield pool
    elif isinstance(executor, str) and (executor == "dask" or executor in BATCH_SYSTEMS):
        with _started(executor, count, dict(cluster or {})) as started, _dask(started, 2 * count) as pool:
            yield pool
    elif isinstance(executor, str) and executor.startswith(PROTOCOLS):
        with _dask(executor, 2 * workers if workers else None) as pool:
            yield pool
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


@contextlib.contextmanager
def _started(kind: str, count: int, options: dict[str, Any]) -> Iterator[Any]:
    """A Dask cluster of the given kind with `count` workers of one thread."""
    if kind == "dask":
        LocalCluster = _imported("distributed").LocalCluster
        defaults = {"threads_per_worker": 1, "processes": True, "dashboard_address": None, "memory_limit": 0}
        cluster = _made(LocalCluster, {"n_workers": count, "env": ONE_THREAD} | defaults | options)
    else:
        JobCluster = getattr(_imported("dask_jobqueue"), BATCH_SYSTEMS[kind])
        prologue = [f"export {name}={value}" for name, value in (ONE_THREAD | NEVER_PAUSE).items()]
        prologue += options.pop("job_script_prologue", [])
        defaults = {"cores": 1, "processes": 1, "memory": "4GB", "job_script_prologue": prologue}
        cluster = _made(JobCluster, defaults | options)
        cluster.adapt(minimum_jobs=count, maximum_jobs=count)  # a job that ends, at its time limit say, is replaced
    with cluster:
        yield cluster


def _made(kind: Callable, options: dict[str, Any]) -> Any:
    try:
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise InputError(f"`cluster`: {kind.__name__} refuses {options}: {error}.") from None


@contextlib.contextmanager
def _dask(target: Any, width: int | None) -> Iterator[Pool]:
    """The executor of a Dask client of a cluster or an address."""
    Client = _imported("distributed").Client
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what matters of a lost scheduler is said by us
    try:
        client = Client(target, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        log.setLevel(level)
        raise InputError(f"No Dask scheduler answers at {target} within {ANSWER} s: {error}.") from None
    try:
        if width is None:
            width = 2 * max(1, len(client.ncores()))
        yield Pool(client.get_executor(), width, lambda: client.status == "running")
    finally:
        with contextlib.suppress(Exception):  # a scheduler that is gone cannot say goodbye
            client.close(timeout=2)
        log.setLevel(level)


def _imported(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError("Dask is not installed: pip install 'rankscape[cluster]'.") from None


def _cores() -> set[int] | range:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
