"""Posteriors of very many entries, updated by the workers of a Dask cluster: the same blocks, and the same bits.

Entries lie in files that all workers see, and so do the records of a side while the other one is updated. A task is a
range of blocks: it reads, updates, writes the records of its lines under a name of its own, and returns its sums. No
task needs another one's result in a worker's memory, so that a worker may die at any time: its tasks are done again,
and write the same bytes. Sums are added here, block by block, in the order that one process has.
"""

import contextlib
import os
import time
import weakref
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rankscape.errors import InputError, RankscapeError, RunFailed, did_you_mean
from rankscape.ground.checks import shown
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_arrays
from rankscape.ground.stored import Folder, Stored, folder_of
from rankscape.run.settings import versions
from rankscape.solvers.packed.hands import AbstractHands, Sums, Update
from rankscape.solvers.packed.orders import Block, Order
from rankscape.solvers.packed.records import record_size
from rankscape.sweeps.clusters import BATCH_SYSTEMS, PROTOCOLS, Workers, at_address, connected, dask_pool, started
from rankscape.sweeps.worker import check_versions

# Entries of a task: enough that its bookkeeping is a hundredth of its work.
TASK = 2_000_000


@final
class Records:
    """Records of a side in files, one after the other."""

    def __init__(self, paths: tuple[str, ...], size: int):
        self.paths, self.size = paths, size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Records) and self.paths == other.paths

    def __hash__(self) -> int:
        return hash(self.paths)

    def read(self) -> np.ndarray:
        """All of them."""
        parts = [np.fromfile(path, np.float32).reshape(-1, self.size) for path in self.paths]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def kept(self) -> "Records":
        """The same, whose files go with this object."""
        weakref.finalize(self, _remove, self.paths)
        return self


class Task(NamedTuple):
    """Some blocks of a side, which begin at these lines, the last one being the end."""

    starts: Stored
    middles: Stored
    partners: Stored
    values: Stored
    cuts: tuple[int, ...]
    update: Update
    other: Records
    output: str
    versions: dict[str, str]
    arithmetic: str


def work(task: Task) -> list[Sums]:
    """Update the blocks of a task, write their records, and return their sums."""
    _same(tuple(task.versions.items()), task.arithmetic)
    first, last = task.cuts[0], task.cuts[-1]
    order = Order(task.starts[first : last + 1], task.middles[first:last], task.partners, task.values)
    records = np.empty((last - first, record_size(task.update.width)), np.float32)
    other = _read(task.other)
    sums = []
    for begin, end in zip(task.cuts, task.cuts[1:], strict=False):
        block = order.load(begin - first, end - first)
        sums.append(task.update(block, other, records[block.lines]))
    part = f"{task.output}.{os.getpid()}"
    records.tofile(part)
    os.replace(part, task.output)  # a task that is done twice writes the same bytes, and is never seen half-written
    return sums


@lru_cache(maxsize=1)
def _read(records: Records) -> np.ndarray:
    """The other side, which all tasks of a worker share."""
    return records.read()


@lru_cache(maxsize=1)
def _same(expected: tuple[tuple[str, str], ...], digest: str) -> None:
    check_versions(dict(expected))
    check_arithmetic(digest)


def probe(folder: str, expected: dict[str, str]) -> str:
    """On a worker, before the work: versions, whether it sees the folder, and what its arithmetic gives."""
    check_versions(expected)
    if not Path(folder).is_dir():
        return ""
    return arithmetic()


@lru_cache(maxsize=1)
def arithmetic() -> str:
    """A digest of one small update: other processors may add in another way."""
    random = np.random.default_rng(0)
    partners, values = random.integers(0, 20, 200).astype(np.int32), random.standard_normal(200).astype(np.float32)
    other = random.standard_normal((20, record_size(5))).astype(np.float32)
    starts, records = np.arange(0, 201, 20), np.empty((10, record_size(5)), np.float32)
    other[:, :15] = np.abs(other[:, :15])
    update = Update(5, 0.5, np.full(6, 100.0), True, True)
    sums = update(Block(0, 10, starts, starts[1:], partners, values), other, records)
    return of_arrays(records, *sums)


def check_arithmetic(digest: str) -> None:
    """Refuse what comes from a processor that rounds otherwise."""
    if digest != arithmetic():
        raise InputError(
            "A worker has a processor that adds in another way: results would differ in their last digits."
        )


@final
class DaskHands(AbstractHands):
    """The workers of a Dask client.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    workers : Workers
        What is known of how to bring workers back.
    """

    def __init__(self, client: Any, workers: Workers):
        self.client, self._pool = client, dask_pool(client, 1, workers)
        self._pool.work = "fit"
        self._versions, self._numbers = versions(), count()
        self._kept: dict[int, tuple[Any, Stored, Stored]] = {}
        self._probed = ""

    def update(self, order: Order, side: int, update: Update, other: Any) -> tuple[Records, list[Sums]]:
        """Task by task; `other` are records of the client's, or those of the side before."""
        partners, values = order.partners, order.values
        assert isinstance(partners, Stored), "workers read entries from files"
        assert isinstance(values, Stored)
        folder = folder_of(values)
        assert folder is not None, "whoever fits keeps the files"
        self._check(folder)
        number = next(self._numbers)
        given = other if isinstance(other, Records) else self._written(folder, other, number)
        starts, middles = self._lines(order, folder)
        tasks = []
        for k, cuts in enumerate(parts_of(order)):
            output = str(folder.path / f"records-{number}-{k}")
            tasks.append(
                Task(starts, middles, partners, values, cuts, update, given, output, self._versions, arithmetic())
            )
        found = self._done(tasks, f"{folder.path.name}-{number}")
        records = Records(tuple(task.output for task in tasks), record_size(update.width))
        return records.kept(), [sums for part in found for sums in part]

    def gather(self, records: Any) -> np.ndarray:
        """Read what workers wrote."""
        return records.read() if isinstance(records, Records) else records

    def _written(self, folder: Folder, records: np.ndarray, number: int) -> Records:
        path = str(folder.path / f"records-{number}-given")
        np.ascontiguousarray(records, np.float32).tofile(path)
        return Records((path,), records.shape[1]).kept()

    def _lines(self, order: Order, folder: Folder) -> tuple[Stored, Stored]:
        """Where lines begin, in files; written once for an order."""
        kept = self._kept.get(id(order.starts))
        if kept is None or kept[0] is not order.starts:
            made = folder.new(len(order.starts), np.int64), folder.new(len(order.middles), np.int64)
            made[0][:], made[1][:] = order.starts, order.middles
            kept = self._kept[id(order.starts)] = (order.starts, *made)
        return kept[1], kept[2]

    def _done(self, tasks: Sequence[Task], name: str) -> list[list[Sums]]:
        """The sums of each task, whatever happens to workers on the way."""
        at = sorted(self.client.scheduler_info(n_workers=-1)["workers"])
        futures = []
        for k, task in enumerate(tasks):
            pinned = {"workers": [at[k * len(at) // len(tasks)]], "allow_other_workers": True} if at else {}
            futures.append(self.client.submit(work, task, key=f"rankscape-{name}-{k}", pure=True, **pinned))
        try:
            with self.client.as_current():
                self._pool.watch(lambda timeout: _waited(futures, timeout))
                return self.client.gather(futures)
        except RankscapeError:
            raise
        except Exception as error:
            raise RunFailed(f"A worker failed ({type(error).__name__}: {error}).") from error
        finally:
            for future in futures:
                future.release()

    def _staffed(self, timeout: float) -> bool:
        """Whether there is a worker."""
        if self.client.scheduler_info(n_workers=-1)["workers"]:
            return True
        time.sleep(timeout)
        return False

    def _check(self, folder: Folder) -> None:
        """Refuse workers that cannot do the same work."""
        if self._probed == str(folder.path):
            return
        self._pool.watch(self._staffed)
        answers = self.client.run(probe, str(folder.path), self._versions, on_error="return")
        for worker, answer in answers.items():
            if isinstance(answer, OSError):  # it died in the meantime; who takes its place is asked by its first task
                continue
            if isinstance(answer, ModuleNotFoundError):
                what = f"The worker {worker} lacks the package {answer.name}"
                raise InputError(f"{what}: install rankscape with the same packages on all workers.")
            if isinstance(answer, Exception):
                raise answer
            if not answer:
                raise InputError(
                    f"The worker {worker} does not see {folder.path}: name a folder that all machines see in the "
                    "environment variable TMPDIR."
                )
            check_arithmetic(answer)
        self._probed = str(folder.path)


@contextlib.contextmanager
def open_hands(executor: Any, workers: int) -> Iterator[DaskHands]:
    """The workers of a Dask client, of an address, or of a cluster that is started and ended; so many of the last.

    Raises
    ------
    InputError
        It is none of these, or nobody answers there.
    """
    if type(executor).__module__.partition(".")[0] == "distributed" and hasattr(executor, "submit"):
        yield DaskHands(executor, at_address(executor.scheduler.address))
    elif isinstance(executor, str) and executor in ("dask", *BATCH_SYSTEMS):
        with started(executor, workers, {}) as made, connected(made.target) as client:
            yield DaskHands(client, made)
    elif isinstance(executor, str) and executor.startswith(PROTOCOLS):
        with connected(executor) as client:
            yield DaskHands(client, at_address(executor))
    else:
        known = ("dask", *BATCH_SYSTEMS)
        hint = did_you_mean(executor, known) if isinstance(executor, str) else ""
        raise InputError(
            f"`executor` must be a Dask client, {', '.join(known)}, or the address of a Dask scheduler "
            f"(tcp://host:port), got {shown(executor)}{hint or '.'}"
        )


def parts_of(order: Order) -> Iterator[tuple[int, ...]]:
    """Where the blocks of each task begin, and the last one ends; the entries alone decide."""
    cuts = [0]
    for _, last in order.blocks():
        cuts.append(last)
        if order.starts[last] - order.starts[cuts[0]] >= TASK:
            yield tuple(cuts)
            cuts = [last]
    if len(cuts) > 1:
        yield tuple(cuts)


def _waited(futures: Sequence[Any], timeout: float) -> bool:
    from distributed import wait

    try:
        wait(futures, timeout=timeout)
    except TimeoutError:
        return False
    return True


def _remove(paths: Sequence[str]) -> None:
    for path in paths:
        Path(path).unlink(missing_ok=True)
