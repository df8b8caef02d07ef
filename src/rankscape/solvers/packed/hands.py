"""Who goes through the blocks of an order: threads of this process, or workers elsewhere; no digit depends on that."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rankscape.ground.final import final
from rankscape.solvers.packed import record_loops
from rankscape.solvers.packed.orders import Block, Order
from rankscape.solvers.packed.records import record_size


class Sums(NamedTuple):
    """Of a block: ``E[x x^T]`` and ``E[x] E[x]^T`` (lower halves), and ``E[b^2]``, ``E[b]^2``, squared residuals."""

    second: np.ndarray
    first: np.ndarray
    rest: np.ndarray


class Update(NamedTuple):
    """Condition the lines of a block on the records of the other side."""

    width: int
    noise: float
    precision: np.ndarray
    biased: bool
    everything: bool

    def __call__(self, block: Block, other: np.ndarray, records: np.ndarray) -> Sums:
        """Write the new records of its lines, and return their sums."""
        k = self.width
        sums = Sums(np.zeros((k, k)), np.zeros((k, k)), np.zeros(3))
        given = other, self.noise, self.precision, k, self.biased, records
        record_loops.update(*block.entries(self.everything), *given, *sums)
        return sums


class AbstractHands(ABC):
    """They update one side after the other; what they hold of a side is theirs until it is gathered."""

    @abstractmethod
    def update(self, order: Order, side: int, update: Update, other: Any) -> tuple[Any, Sequence[Sums]]:
        """Records of all lines of a side, and the sums of its blocks in their order."""

    @abstractmethod
    def gather(self, records: Any) -> np.ndarray:
        """The records of a side, here."""


@final
class Threads(AbstractHands):
    """At most so many of this process."""

    def __init__(self, count: int = 1):
        self.count = count

    def update(self, order: Order, side: int, update: Update, other: np.ndarray) -> tuple[np.ndarray, list[Sums]]:
        """Block by block."""
        records = np.empty((order.lines, record_size(update.width)), np.float32)
        return records, order.each(lambda block: update(block, other, records[block.lines]), self.count)

    def gather(self, records: np.ndarray) -> np.ndarray:
        """They are here."""
        return records
