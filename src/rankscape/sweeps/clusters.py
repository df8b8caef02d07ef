"""Dask clusters: local worker processes, jobs of a batch system, or a scheduler that runs somewhere already."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from rankscape.errors import InputError
from rankscape.ground.parts import needs
from rankscape.sweeps.pool import Pool, Seen
from rankscape.sweeps.worker import ONE_THREAD


class BatchSystem(NamedTuple):
    """What dask-jobqueue calls its cluster, and the commands that submit a job and list those that wait."""

    cluster: str
    submit: str
    queue: str


BATCH_SYSTEMS = {
    "slurm": BatchSystem("SLURMCluster", "sbatch", "squeue --me"),
    "pbs": BatchSystem("PBSCluster", "qsub", "qstat -u $USER"),
    "lsf": BatchSystem("LSFCluster", "bsub", "bjobs"),
    "sge": BatchSystem("SGECluster", "qsub", "qstat"),
}

# Seconds that jobs may wait in their queue.
IN_QUEUE = 86400.0

# Dask would let a worker wait for data to go away, but the memory is that of the batch: it would wait for ever.
NEVER_PAUSE = {"DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False"}

# Seconds in which a worker process must be there.
START = 60

# Seconds in which a scheduler must answer.
ANSWER = 5

PROTOCOLS = ("tcp://", "tls://", "ucx://", "ws://", "wss://")


class Workers(NamedTuple):
    """Where workers are, what to look at when there are none, how long to wait for one, and how to bring them back."""

    target: Any
    remedy: str
    patience: float | None = None
    mend: Callable[[], None] = lambda: None


@contextlib.contextmanager
def started(kind: str, count: int, options: Mapping[str, Any]) -> Iterator[Workers]:
    """A Dask cluster of the given kind with `count` workers of one thread."""
    if kind == "dask":
        remedy = "Look at what its processes print, and at the memory of this machine; fewer `workers` need less."
        with local_cluster(count, options) as cluster:
            yield Workers(cluster, remedy, mend=partial(cluster.loop.add_callback, _mend, cluster))
        return
    check_submits(kind)
    remedy = f"Jobs may wait in their queue: look at `{BATCH_SYSTEMS[kind].queue}`, and at the logs that jobs left."
    with job_cluster(kind, options) as cluster:
        cluster.adapt(minimum_jobs=count, maximum_jobs=count)  # a job that ends, at its time limit say, is replaced
        yield Workers(cluster, remedy, IN_QUEUE)


def at_address(address: str) -> Workers:
    """Those of a scheduler that runs somewhere."""
    return Workers(
        address, f"Start one with `dask worker {address} --nthreads 1`, or look at the logs of those before."
    )


def _mend(cluster: Any) -> None:
    """Bring back the workers that Dask has given up.

    It does not start a worker again that died while it started; and one that died and does not come back within 15
    seconds (`distributed.deploy.lost-worker-timeout`), on a busy machine, say, it closes. With the last of them a sweep
    would wait for ever.
    """
    for name, worker in list(cluster.workers.items()):
        if worker.status.name in ("closed", "failed"):
            del cluster.workers[name]
    if cluster.worker_spec.keys() - cluster.workers.keys():  # also while they start: it begins nothing twice
        cluster.scale(len(cluster.worker_spec))


def local_cluster(count: int, options: Mapping[str, Any]) -> Any:
    """Worker processes on this machine; they come one by one, and one that dies on the way costs no other."""
    LocalCluster = _imported("distributed").LocalCluster
    defaults = {"threads_per_worker": 1, "processes": True, "dashboard_address": None, "memory_limit": 0}
    defaults |= {"env": ONE_THREAD, "death_timeout": START}
    cluster = _made(LocalCluster, defaults | dict(options) | {"n_workers": 0})
    cluster.scale(options.get("n_workers", count))
    return cluster


def job_cluster(kind: str, options: Mapping[str, Any]) -> Any:
    """A cluster whose workers are in jobs, none of them submitted yet: a process of one thread for each core of a job.

    The dashboard goes to a free port, because several sweeps may be started on one login node.
    """
    JobCluster = getattr(_imported("dask_jobqueue"), BATCH_SYSTEMS[kind].cluster)
    prologue = [f"export {name}={value}" for name, value in (ONE_THREAD | NEVER_PAUSE).items()]
    defaults = {"cores": 1, "processes": options.get("cores", 1), "memory": "4GB"}
    own = {
        "job_script_prologue": [*prologue, *options.get("job_script_prologue", [])],
        "scheduler_options": {"dashboard_address": ":0"} | dict(options.get("scheduler_options", {})),
    }
    return _made(JobCluster, defaults | dict(options) | own)


def check_submits(kind: str) -> None:
    """Refuse a batch system that is not here, before any work starts."""
    command = BATCH_SYSTEMS[kind].submit
    if shutil.which(command) is None:
        raise InputError(
            f"`executor` = {kind!r} submits jobs with {command!r}, and there is no such command here: start the sweep "
            "on a machine that submits jobs, or choose another executor."
        )


def _made(kind: Callable, options: dict[str, Any]) -> Any:
    try:
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise InputError(f"`cluster`: {kind.__name__} refuses {options}: {error}.") from None


@contextlib.contextmanager
def connected(target: Any) -> Iterator[Any]:
    """A Dask client of a cluster or an address."""
    Client = _imported("distributed").Client
    if isinstance(target, str):
        check_answers(target)
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what matters of a lost scheduler is said by us
    try:
        client = Client(target, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        log.setLevel(level)
        raise _no_answer(target, error) from None
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):  # a scheduler that is gone cannot say goodbye
            client.close(timeout=2)
        log.setLevel(level)


def check_answers(address: str) -> None:
    """Refuse an address where no scheduler answers: a Dask client would wait for minutes, or try to read what it finds.

    In a thread, because a notebook has an event loop of its own.
    """
    _imported("distributed")
    with ThreadPoolExecutor(1) as thread:
        try:
            kind = thread.submit(asyncio.run, _identity(address)).result()["type"]
        except (OSError, TimeoutError, ValueError) as error:
            raise _no_answer(address, error) from None
        except Exception:  # it speaks, but another language
            raise InputError(f"What answers at {address} is no Dask scheduler.") from None
    if kind != "Scheduler":
        raise InputError(f"At {address} answers a {kind} of Dask and not its scheduler.")


async def _identity(address: str) -> Any:
    from distributed.core import rpc
    from distributed.security import Security

    options = Security().get_connection_args("client")
    async with rpc(address, timeout=ANSWER, connection_args=options) as scheduler:
        return await asyncio.wait_for(scheduler.identity(), ANSWER)


def _no_answer(target: Any, error: Exception) -> InputError:
    reason = f": {error}" if str(error) else ""
    return InputError(f"No Dask scheduler answers at {target} within {ANSWER} s{reason}.")


def _imported(module: str) -> Any:
    return needs(module, "A sweep with Dask")


def dask_pool(client: Any, width: int, workers: Workers) -> Pool:
    """The executor of a client."""
    # Each call by a name of its own: a batch whose workers were killed would be known under its name as a failure.
    executor = client.get_executor(pure=False)
    return Pool(executor, width, None, partial(_seen, client, workers.mend), workers.remedy, workers.patience)


def of_user(executor: Executor, width: int) -> Pool:
    """An executor that somebody else made."""
    client = getattr(executor, "_client", None)
    if client is None or not type(executor).__module__.startswith("distributed"):
        return Pool(executor, width)
    return dask_pool(client, width, at_address(client.scheduler.address))


def _seen(client: Any, mend: Callable[[], None]) -> Seen:
    if client.status != "running":
        return Seen(gone=True)
    mend()
    try:
        return Seen(client.sync(client.scheduler.ncores, callback_timeout=ANSWER))
    except (OSError, TimeoutError):
        return Seen(answers=False)
