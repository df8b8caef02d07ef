"""One batch, wherever it is sent: check the versions, make the runs, write them into the store."""

import gc
import os
import threading
import time
from typing import Any, NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.versions import check_versions
from rankscape.run.outcome import Outcome
from rankscape.sweeps.experiment import AbstractExperiment, Batch
from rankscape.sweeps.grid import Point
from rankscape.sweeps.layout import OUTCOMES
from rankscape.sweeps.store import UNKNOWN, Store

# The environment of a worker process: as many processes as cores, each with one thread.
ONE_THREAD = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # several workers may share a GPU
}


class Task(NamedTuple):
    """A batch that is sent to a worker."""

    path: str
    configuration: Any
    experiment: AbstractExperiment
    start: int
    points: list[Point]


class Report(NamedTuple):
    """What comes back from a worker: counts, not data."""

    start: int
    done: int
    failed: int
    errors: list[tuple[int, str]]
    seconds: float


def prepare(experiment: AbstractExperiment, expected: dict[str, str]) -> None:
    """Before the first batch: refuse other versions than those of the client, and load what takes a second."""
    check_versions(expected)
    import zarr  # noqa: F401

    experiment.prepare()


def work(task: Task) -> Report:
    """Make the runs of a batch and write them into the store."""
    check_versions(task.configuration["versions"])
    began = time.monotonic()
    store = Store(task.path)
    batch = task.experiment.run(task.points, store.layout)
    arrays, done = _arrays(batch)
    # Read again: hours may have passed since the batch was sent.
    if Store(task.path).attributes["configuration"] != task.configuration:
        raise InputError(f"{task.path} was replaced by another sweep while this one was running.")
    store.write(task.start, arrays, done)
    bad = [outcome for outcome in batch.outcomes if outcome and not Outcome(outcome).good]
    errors = [(task.start + k, text) for k, text in enumerate(batch.errors) if text]
    return Report(task.start, int(done.sum()), len(bad), errors, time.monotonic() - began)


def _arrays(batch: Batch) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What is written of a batch; a run with an error stays as if it had not been made."""
    done = np.array([not text for text in batch.errors])
    codes = [OUTCOMES.index(Outcome(outcome)) if outcome else UNKNOWN for outcome in batch.outcomes]
    arrays = {name: np.where(done.reshape(-1, *[1] * (a.ndim - 1)), a, np.nan) for name, a in batch.blocks.items()}
    arrays["outcome"] = np.where(done, np.array(codes, dtype=np.int8), np.int8(UNKNOWN))
    arrays["message"] = np.array(batch.messages, dtype=object)
    return arrays, done


def begin_worker(parent: int) -> None:
    """In a new process of a pool: one thread for each library, and no life beyond the client's."""
    from threadpoolctl import threadpool_limits

    os.environ.update(ONE_THREAD)
    threadpool_limits(1)  # for what is loaded already
    gc.set_threshold(100_000, 20, 100)  # a batch makes many small objects, and each collection looks at all of JAX
    threading.Thread(target=_follow, args=[parent], daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
