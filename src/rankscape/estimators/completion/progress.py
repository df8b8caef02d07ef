"""What a completion tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan

from rankscape.estimators.completion.fits.ridge_path import Record
from rankscape.ground.final import final
from rankscape.ground.progress import AbstractMeter


@final
@dataclass(frozen=True)
class CompletionProgress:
    """What a progress function receives.

    Attributes
    ----------
    step : int
        Solver iterations so far, over everything that was tried.
    ridge, rank, train_rmse, heldout_rmse
        Of the latest record; errors in the units of the data.
    phase : str
        What is being done, in a few words.
    """

    step: int
    ridge: float
    rank: int
    train_rmse: float
    heldout_rmse: float
    phase: str = ""


def shown_on(meter: AbstractMeter) -> Callable[[CompletionProgress], None]:
    """What tells it to people."""

    def show(now: CompletionProgress) -> None:
        error = {} if isnan(now.heldout_rmse) else {"held-out": now.heldout_rmse}
        meter.update(now.phase, **({"rank": now.rank} | error if now.step else {}))

    return show


class Meter:
    """Turns records into `CompletionProgress`. How much is left nobody knows: what is found decides what is tried."""

    def __init__(self, call: Callable[[CompletionProgress], None] | None, unit: float):
        self.call, self.unit = call, unit
        self.earlier = 0
        self.state = CompletionProgress(0, 0.0, 0, float("nan"), float("nan"))

    def begin(self, phase: str, fresh: bool = False) -> None:
        """Say what is being done; `fresh` when its steps count from zero again."""
        if fresh:
            self.fresh()
        self.state = replace(self.state, phase=phase)
        if self.call is not None:
            self.call(self.state)

    def fresh(self) -> None:
        """From here on steps count from zero again."""
        self.earlier = self.state.step

    def record(self, record: Record, scale: float) -> None:
        """Report one record, whose errors are in units of `scale`."""
        unit = scale * self.unit
        errors = record.train_rmse * unit, record.heldout_rmse * unit
        step = max(self.earlier + record.step, self.state.step)
        self.state = CompletionProgress(step, record.ridge, record.rank, *errors, self.state.phase)
        if self.call is not None:
            self.call(self.state)
