"""What makes the runs of a sweep: one contract, two kinds (simulations by name, or any function)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.sweeps.grid import Grid, Point
from rankscape.sweeps.layout import RunLayout


class Batch(NamedTuple):
    """What a batch of runs leaves behind: an array by name, and of each run the outcome, a message, or an error."""

    blocks: dict[str, np.ndarray]
    outcomes: list[str]
    messages: list[str]
    errors: list[str]


class Plan(NamedTuple):
    """Found out before any work starts: the grid in its order, the layout, and how many runs are one batch."""

    grid: Grid
    layout: RunLayout
    batch: int
    facts: dict[str, Any]


class AbstractExperiment(ABC):
    """Makes runs from settings. Sent to workers, so it holds numbers and names, not open files."""

    @abstractmethod
    def names(self) -> list[str] | None:
        """The hyperparameters that can be swept; None when any name is welcome."""

    @abstractmethod
    def check(self, grid: Grid) -> Grid:
        """The grid with every value checked and in its own type."""

    @abstractmethod
    def plan(self, grid: Grid, call: Callable[..., Any]) -> Plan:
        """Look before the leap; `call(function, *arguments)` runs a function where the batches will run."""

    @abstractmethod
    def run(self, points: Sequence[Point], layout: RunLayout) -> Batch:
        """Make a batch of runs. What goes wrong with a run is an entry of the batch, not an exception."""

    @abstractmethod
    def shared(self) -> Point:
        """Every hyperparameter by name, numbers or text, as it is where the grid does not set it."""

    @abstractmethod
    def prepare(self) -> None:
        """Load what the first run needs, in a worker that has nothing to do yet."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Everything beside the grid that decides the numbers, as JSON."""


def batch_size(runs: int, affordable: float) -> int:
    """About `affordable` runs a batch, at least one; all batches as equal as can be, and a multiple of four of them.

    So two or four workers end together. The number of workers must not count: the store would depend on it.
    """
    most = int(min(max(affordable, 1), runs))
    count = -(-runs // most)
    return -(-runs // (count if count == 1 else 4 * -(-count // 4)))


def as_text(error: BaseException) -> str:
    """The error of one run, in a line."""
    text = str(error).splitlines()[0] if str(error) else ""
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}".rstrip(": ")
