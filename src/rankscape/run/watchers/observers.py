"""What is recorded beside the usual measurements: functions of the user, rates in force, and how far the run is."""

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from rankscape.engine import AbstractEngine, Setting
from rankscape.errors import InputError
from rankscape.ground.checks import shown
from rankscape.ground.final import final
from rankscape.ground.progress import AbstractMeter
from rankscape.run.arguments import Observer, Progress
from rankscape.run.outcome import End
from rankscape.run.watchers.base import NO_STEPS, AbstractWatcher, Look, Memory, Record, RunState


@final
class Observers(AbstractWatcher):
    """Functions of the factors, by name; `taken` are the names that the usual records have."""

    name: ClassVar[str] = "observe"

    def __init__(self, functions: Mapping[str, Observer], taken: set[str]):
        if not isinstance(functions, Mapping) or not all(map(callable, functions.values())):
            raise InputError(f"`observe` must be functions of the factors by name, got {shown(functions)}.")
        for name in functions:
            if name in taken:
                raise InputError(f"`observe` cannot record {name!r}: the name is taken; choose another.")
        self.functions = functions
        self.shapes: dict[str, tuple[int, ...]] = {}

    def record(self, now: Look, memory: Memory, end: End | None) -> Record:
        """The value of each function."""
        return {name: self._value(name, now) for name in self.functions}

    def _value(self, name: str, now: Look) -> np.ndarray:
        where = f"`observe[{name!r}]`"
        try:
            found = self.functions[name](now.factors)
        except Exception as error:
            # The user's own error stays what it is, and says whose it is.
            error.add_note(f"in {where}, at step {now.step}")
            raise
        try:
            if np.iscomplexobj(found):
                raise TypeError("complex")
            # float64 at once: what a function returns, perhaps of JAX, has to lie in checkpoints and stores.
            value = np.asarray(found, float)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{where} must return real numbers of one shape, got {reprlib.repr(found)} at step {now.step}."
            ) from error
        shape = self.shapes.setdefault(name, value.shape)
        if value.shape != shape:
            raise InputError(
                f"{where} returned shape {value.shape} at step {now.step} and {shape} before: a record has one shape."
            )
        return value

    def describe(self) -> list[str]:
        """The names: what a function computes changes nothing on the way."""
        return sorted(self.functions)


@final
class ChangingRates(AbstractWatcher):
    """The rates in force, where any run of the batch follows a path of them."""

    name: ClassVar[str] = "rates"

    def __init__(self, settings: Sequence[Setting], firsts: Sequence[int]):
        self.lanes = list(zip(settings, firsts, strict=True))
        self.changing = sorted({name for setting in settings for name in setting.dynamics.paths})

    def looks(self, steps: int, engine: AbstractEngine) -> np.ndarray:
        """The steps at which a rate changes: engines take one rate for a whole call of `advance`."""
        breaks = [setting.dynamics.breaks(first + steps) - first for setting, first in self.lanes]
        there = np.concatenate([NO_STEPS, *breaks])
        return there[there > 0]  # what changed before this call began is in force already

    def record(self, now: Look, memory: Memory, end: End | None) -> Record:
        """The rates of the step that begins here."""
        dynamics = now.setting.dynamics.at(now.state.step)
        return {name: np.float64(getattr(dynamics, name)) for name in self.changing}


def shown_on(meter: AbstractMeter) -> Progress:
    """What tells the steps to people."""
    meter.update("starting the engine")

    def show(step: int, steps: int, last: Mapping[str, Any]) -> None:
        names = {"effective_rank": "effective rank", "loss": "loss"}
        facts = {text: float(last[name]) for name, text in names.items() if name in last}
        meter.update("training", step / max(steps, 1), step=step, **facts)

    return show


@final
class Meter(AbstractWatcher):
    """Tells the user how far the runs are, with the latest record of the first."""

    name: ClassVar[str] = "progress"

    def __init__(self, tell: Progress, steps: int):
        self.tell, self.steps = tell, steps

    def pause(self, now: RunState, engine: AbstractEngine, step: int, last: bool) -> None:
        """After each chunk."""
        self.tell(step, self.steps, now.records[0][-1][1] if now.records[0] else {})
