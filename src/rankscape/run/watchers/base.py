"""The contract of all that looks at a run on its way; the loop calls watchers in order and knows none of them by name.

A watcher keeps nothing about a run in itself. What it has to remember of one is a dictionary that JSON can hold; it
lies with the run in its `RunState`, so that checkpoints, batches and continued runs take it along without asking.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from rankscape.engine import AbstractEngine, Setting, State
from rankscape.run.outcome import End

if TYPE_CHECKING:
    import xarray as xr

Record = Mapping[str, Any]
Records = Sequence[tuple[int, Record]]
Memory = dict[str, Any]

# Of whole numbers, because an empty list would turn the steps that it is joined with into floats.
NO_STEPS = np.empty(0, dtype=np.int64)


class RunState(NamedTuple):
    """Where a batch of runs stands: of each run the state, the records, the early end, and what watchers remember."""

    states: list[State]
    records: list[list[tuple[int, Record]]]
    ends: list[End | None]
    memories: list[dict[str, Memory]]

    def copied(self) -> "RunState":
        """The same moment, kept while the runs go on: states are replaced and never changed, all else grows."""
        records = [list(records) for records in self.records]
        return RunState(list(self.states), records, list(self.ends), copy.deepcopy(self.memories))


@dataclass(frozen=True, eq=False)
class Look:
    """One run at one moment."""

    engine: AbstractEngine  # of this run alone
    state: State
    first: int  # steps that came before this call of `simulate`

    @property
    def step(self) -> int:
        """The step as the user counts it: from where this call began."""
        return self.state.step - self.first

    @property
    def setting(self) -> Setting:
        """What decides the run."""
        return self.engine.settings[0]

    @cached_property
    def factors(self) -> list[np.ndarray]:
        """``[W_1, ..., W_N]`` in float64, put together once for all watchers."""
        return self.engine.factors(self.state)

    def ahead(self, steps: int) -> "Look":
        """The same run so many steps later: runs repeat bit for bit, so a watcher may look ahead as often as needed."""
        # The state is replaced, never changed: the run itself does not notice.
        return Look(self.engine, self.engine.advance([self.state], self.state.step + steps)[0], self.first)


class AbstractWatcher:
    """Looks at runs on their way; each method does nothing until a watcher has a use for it.

    Subclass it, override what is needed, and give it to `simulate` as ``monitor``. Steps are counted from where the
    call began. ``name`` is the key of the watcher's memory, and of what `describe` says in the configuration.
    """

    name: ClassVar[str]

    def asked(self, steps: int) -> np.ndarray:
        """The steps within ``0 .. steps`` that it wants recorded."""
        return NO_STEPS

    def looks(self, steps: int, engine: AbstractEngine) -> np.ndarray:
        """The steps within ``1 .. steps`` at which the engine has to stop for it, besides those of the records."""
        return NO_STEPS

    def restore(self) -> RunState | None:
        """Where an earlier process left the runs; None to begin."""

    def begin(self, now: Look, kept: Memory | None) -> Memory:
        """What it remembers of a run that begins; `kept` is what it remembered where the run before ended."""
        return {}

    def see(self, before: Look, now: Look, memory: Memory) -> str | None:
        """Look at the way between two states; the reason to stop here, or None to go on."""

    def record(self, now: Look, memory: Memory, end: End | None) -> Record:
        """What it adds to a record; `end` where the run ends with it."""
        return {}

    def judge(self, records: Records, first: int) -> str | None:
        """Look at the records so far, the newest last; the reason to stop there, or None to go on."""

    def pause(self, now: RunState, engine: AbstractEngine, step: int, last: bool) -> None:
        """Between two chunks, and once at the end: the only place where it may change what is there, or save it."""

    def interrupted(self) -> None:
        """The run is broken off, by Ctrl-C or the end of a job: the last moment to save what it will go on from."""

    def label(self, dataset: "xr.Dataset", memories: Sequence[Memory]) -> "xr.Dataset":
        """Put what it found on the way, one memory for each run, into the data set of finished runs."""
        return dataset

    def describe(self) -> Any:
        """The numbers that decide the run, as JSON; None when it decides none."""
