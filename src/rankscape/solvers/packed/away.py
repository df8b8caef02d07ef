"""Blocks of an order that another process updates: what it is told, what it does, and whether it may.

Workers import this file, and little else: what a worker loads before its first block is paid by each of them.
"""

import weakref
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_arrays
from rankscape.ground.stored import Folder, Stored
from rankscape.ground.versions import check_versions
from rankscape.solvers.packed.hands import Sums, Update
from rankscape.solvers.packed.orders import Block, Order
from rankscape.solvers.packed.records import record_size


@final
class Records:
    """Records of all lines of a side, in one file that everybody sees."""

    def __init__(self, stored: Stored, size: int):
        self.stored, self.size = stored, size

    @classmethod
    def new(cls, folder: Folder, lines: int, size: int) -> "Records":
        """Room for some; the file goes with this object."""
        made = cls(folder.new(lines * size, np.float32), size)
        weakref.finalize(made, Path(made.stored.path).unlink, missing_ok=True)
        return made

    @property
    def lent(self) -> "Records":
        """The same for a task, which does not keep the file."""
        stored = self.stored
        return Records(Stored(stored.path, stored.dtype, stored.count), self.size)

    def read(self) -> np.ndarray:
        """All of them, in memory."""
        return self.stored[:].reshape(-1, self.size)

    def mapped(self) -> np.ndarray:
        """All of them: those that are looked at are read, once for all workers of a machine."""
        if not len(self.stored):
            return np.zeros((0, self.size), np.float32)
        # Nobody writes: but compiled loops take arrays that may not be written for another type.
        whole = np.memmap(self.stored.path, np.float32, "r+", shape=(len(self.stored) // self.size, self.size))
        return whole.view(np.ndarray)

    def write(self, first: int, records: np.ndarray) -> None:
        """Those of the lines from the `first` on."""
        begin = first * self.size
        self.stored[begin : begin + records.size] = records.ravel()


class Task(NamedTuple):
    """Some blocks of a side, which begin at these lines, the last one being the end."""

    starts: Stored
    middles: Stored
    partners: Stored
    values: Stored
    cuts: tuple[int, ...]
    update: Update
    other: Records
    output: Records
    versions: dict[str, str]
    arithmetic: str


def work(task: Task) -> list[Sums]:
    """Update the blocks of a task, write their records, and return their sums; done twice it writes the same bytes."""
    _same(tuple(task.versions.items()), task.arithmetic)
    first, last = task.cuts[0], task.cuts[-1]
    order = Order(task.starts[first : last + 1], task.middles[first:last], task.partners, task.values)
    records = np.empty((last - first, record_size(task.update.width)), np.float32)
    other, sums = task.other.mapped(), []
    for begin, end in zip(task.cuts, task.cuts[1:], strict=False):
        block = order.load(begin - first, end - first)
        sums.append(task.update(block, other, records[block.lines]))
    task.output.write(first, records)
    return sums


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
