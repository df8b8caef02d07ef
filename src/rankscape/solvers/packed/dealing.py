"""The entries of one order, dealt into ranges of lines of the other one: two passes, however many ranges there are."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rankscape.ground import stored
from rankscape.ground.arrays import slices
from rankscape.ground.stored import Folder

if TYPE_CHECKING:
    from rankscape.solvers.packed.orders import Order

RECORD = np.dtype([("line", np.int32), ("partner", np.int32), ("value", np.float32), ("held", np.bool_)])


class Dealt(NamedTuple):
    """The entries of a range, in the order in which they were dealt."""

    lines: np.ndarray
    partners: np.ndarray
    values: np.ndarray
    held: np.ndarray


def deal(order: "Order", cuts: list[int], folder: Folder) -> list[Path]:
    """Write the entries of each range of partners into a file of its own."""
    where = np.repeat(np.arange(len(cuts) - 1, dtype=np.int32), np.diff(cuts))
    paths = [folder.path / f"dealt-{k}" for k in range(len(cuts) - 1)]
    for first, last in _pieces(order):
        block = order.load(first, last)
        counts = np.diff(block.starts)
        lines = np.repeat(np.arange(first, last), counts)
        held = np.arange(len(lines)) >= np.repeat(block.middles, counts)
        stored.deal(RECORD, (lines, block.partners, block.values, held), where[block.partners], paths.__getitem__)
    return paths


def taken(path: Path) -> Dealt:
    """What was dealt into a file, which goes."""
    records = np.fromfile(path, RECORD) if path.exists() else np.empty(0, RECORD)
    path.unlink(missing_ok=True)
    return Dealt(*(np.ascontiguousarray(records[name]) for name in ("line", "partner", "value", "held")))


def _pieces(order: "Order") -> Iterator[tuple[int, int]]:
    ends = [part.stop for part in slices(int(order.starts[-1]))][:-1]
    return pairwise([0, *np.searchsorted(order.starts, ends).tolist(), order.lines])
