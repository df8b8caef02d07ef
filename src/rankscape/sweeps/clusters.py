"""Dask clusters: local worker processes, jobs of a batch system, or a scheduler that runs somewhere already."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from rankscape.errors import InputError
from rankscape.ground.parts import needs
from rankscape.sweeps.worker import ONE_THREAD


class BatchSystem(NamedTuple):
    """What dask-jobqueue calls its cluster, and the command that submits a job."""

    cluster: str
    submit: str


BATCH_SYSTEMS = {
    "slurm": BatchSystem("SLURMCluster", "sbatch"),
    "pbs": BatchSystem("PBSCluster", "qsub"),
    "lsf": BatchSystem("LSFCluster", "bsub"),
    "sge": BatchSystem("SGECluster", "qsub"),
}

# Dask would let a worker wait for data to go away, but the memory is that of the batch: it would wait for ever.
NEVER_PAUSE = {"DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE": "False"}

# Seconds in which a scheduler must answer.
ANSWER = 5

PROTOCOLS = ("tcp://", "tls://", "ucx://", "ws://", "wss://")


@contextlib.contextmanager
def started(kind: str, count: int, options: Mapping[str, Any]) -> Iterator[Any]:
    """A Dask cluster of the given kind with `count` workers of one thread."""
    if kind == "dask":
        cluster = local_cluster(count, options)
    else:
        check_submits(kind)
        cluster = job_cluster(kind, options)
        cluster.adapt(minimum_jobs=count, maximum_jobs=count)  # a job that ends, at its time limit say, is replaced
    with cluster:
        yield cluster


def local_cluster(count: int, options: Mapping[str, Any]) -> Any:
    """Worker processes on this machine."""
    LocalCluster = _imported("distributed").LocalCluster
    defaults = {"threads_per_worker": 1, "processes": True, "dashboard_address": None, "memory_limit": 0}
    return _made(LocalCluster, {"n_workers": count, "env": ONE_THREAD} | defaults | dict(options))


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
