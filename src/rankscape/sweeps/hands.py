"""Posteriors of very many entries, updated by the workers of a Dask cluster: the same blocks, and the same bits.

Entries lie in files that all workers see, and so do the records of a side while the other one is updated. A task is a
range of blocks: it reads, updates, writes the records of its lines in their place, and returns its sums. No task needs
another one's result in a worker's memory, so that a worker may die at any time: its tasks are done again, and write the
same bytes. Sums are added here, block by block, in the order that one process has.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.errors import InputError, RankscapeError, RunFailed, did_you_mean
from rankscape.files.in_parts.base import Share
from rankscape.ground.checks import shown
from rankscape.ground.final import final
from rankscape.ground.stored import Folder, Stored, folder_of
from rankscape.ground.versions import versions
from rankscape.solvers.packed.away import Records, Task, arithmetic, check_arithmetic, probe, work
from rankscape.solvers.packed.hands import AbstractHands, Sums, Update
from rankscape.solvers.packed.orders import Order
from rankscape.solvers.packed.records import record_size
from rankscape.sweeps.clusters import BATCH_SYSTEMS, PROTOCOLS, Workers, at_address, connected, dask_pool, started

# Entries of a task: enough that its bookkeeping is a hundredth of its work.
TASK = 2_000_000


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
        self._probed, self._name = "", secrets.token_hex(4)

    def update(self, order: Order, side: int, update: Update, other: Any) -> tuple[Records, list[Sums]]:
        """Task by task; `other` are records of the client's, or those of the side before."""
        partners, values = order.partners, order.values
        assert isinstance(partners, Stored), "workers read entries from files"
        assert isinstance(values, Stored)
        folder = folder_of(values)
        assert folder is not None, "whoever fits keeps the files"
        self._check(folder.path)
        given = other if isinstance(other, Records) else _written(folder, other)
        records = Records.new(folder, order.lines, record_size(update.width))
        blocks, how = (*self._lines(order, folder), partners, values), (self._versions, arithmetic())
        tasks = [Task(*blocks, cuts, update, given.lent, records.lent, *how) for cuts in parts_of(order)]
        found = self._done(self._submitted(work, [(task,) for task in tasks]))
        return records, [sums for part in found for sums in part]

    def gather(self, records: Any) -> np.ndarray:
        """Read what workers wrote."""
        return records.read() if isinstance(records, Records) else records

    def _lines(self, order: Order, folder: Folder) -> tuple[Stored, Stored]:
        """Where lines begin, in files; written once for an order."""
        kept = self._kept.get(id(order.starts))
        if kept is None or kept[0] is not order.starts:
            made = folder.new(len(order.starts), np.int64), folder.new(len(order.middles), np.int64)
            made[0][:], made[1][:] = order.starts, order.middles
            kept = self._kept[id(order.starts)] = (order.starts, *made)
        return kept[1], kept[2]

    def each(self, function: Callable[..., Any], given: Sequence[tuple], folder: Path) -> list[Any]:
        """A function of each of some arguments; where a partition comes first, it is called where that one is."""
        self._check(folder)
        return self._done(self._submitted(function, given))

    def _submitted(self, function: Callable[..., Any], given: Sequence[tuple]) -> list[Any]:
        """Each call by the worker that holds its partition, or that always gets it, as long as it lives."""
        at, futures = sorted(self.client.scheduler_info(n_workers=-1)["workers"]), []
        for k, (first, *rest) in enumerate(given):
            if isinstance(first, Share) and first.lazy is not None:
                futures.append(self._beside(first, function, rest))
                continue
            pinned = {"workers": [at[k * len(at) // len(given)]], "allow_other_workers": True} if at else {}
            key = f"rankscape-{self._name}-{next(self._numbers)}"
            futures.append(self.client.submit(function, first, *rest, key=key, **pinned))
        return futures

    def _beside(self, share: Share, function: Callable[..., Any], rest: Sequence[Any]) -> Any:
        from dask.delayed import delayed

        call: Any = delayed(_brought, pure=False)
        return self.client.compute(call(share.lazy, function, share.holding(None), *rest))

    def _done(self, futures: Sequence[Any]) -> list[Any]:
        """What each task returns, whatever happens to workers on the way."""
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

    def _check(self, folder: Path) -> None:
        """Refuse workers that cannot do the same work."""
        if self._probed == str(folder):
            return
        self._pool.watch(self._staffed)
        for worker, answer in self._answers(folder).items():
            if isinstance(answer, OSError):  # it died in the meantime; who takes its place is asked by its first task
                continue
            if isinstance(answer, RankscapeError):
                raise answer
            if isinstance(answer, Exception):
                raise _lacking(f"The worker {worker}", answer)
            if not answer:
                raise InputError(
                    f"The worker {worker} does not see {folder}: name a folder that all machines see in the "
                    "environment variable TMPDIR."
                )
            check_arithmetic(answer)
        self._probed = str(folder)

    def _answers(self, folder: Path) -> dict[str, Any]:
        try:
            return self.client.run(probe, str(folder), self._versions, on_error="return")
        except Exception as error:  # a worker without the package cannot even read what it is asked
            raise _lacking("A worker", error) from error


def _lacking(who: str, error: Exception) -> InputError:
    said = f"lacks the package {error.name}" if isinstance(error, ModuleNotFoundError) else f"cannot begin ({error})"
    return InputError(f"{who} {said}: install rankscape with the same packages on all workers.")


@contextlib.contextmanager
def open_hands(executor: Any, workers: int) -> Iterator[DaskHands]:
    """The workers of a Dask client, of an address, or of a cluster that is started and ended; so many of the last.

    Raises
    ------
    InputError
        It is none of these, or nobody answers there.
    """
    if isinstance(executor, DaskHands):  # somebody else opened them
        yield executor
    elif type(executor).__module__.partition(".")[0] == "distributed" and hasattr(executor, "submit"):
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


def _brought(partition: Any, function: Callable[..., Any], share: Share, *rest: Any) -> Any:
    return function(share.holding(partition), *rest)


def _written(folder: Folder, records: np.ndarray) -> Records:
    """Records of the client's, where all workers see them."""
    made = Records.new(folder, *records.shape)
    made.write(0, records)
    return made
