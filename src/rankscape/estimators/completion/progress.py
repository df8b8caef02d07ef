"""What a completion tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from rankscape.estimators.completion.ridge_path import Record
from rankscape.ground.final import final


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
    fraction_done : float
        An estimate between 0 and 1; never falls.
    phase : str
        What is being done, in a few words.
    """

    step: int
    ridge: float
    rank: int
    train_rmse: float
    heldout_rmse: float
    fraction_done: float
    phase: str = ""


class Meter:
    """Turns records into `CompletionProgress`: adds up the shares of phases, and never lets the fraction fall."""

    def __init__(self, call: Callable[[CompletionProgress], None] | None, unit: float):
        self.call, self.unit = call, unit
        self.base, self.share, self.earlier = 0.0, 0.0, 0
        self.state = CompletionProgress(0, 0.0, 0, float("nan"), float("nan"), 0.0)

    def begin(self, phase: str, share: float, fresh: bool = False) -> None:
        """A phase that takes this share of the whole; `fresh` when its steps count from zero again."""
        self.base, self.share = min(self.base + self.share, 1.0), share
        self.earlier = self.state.step if fresh else self.earlier
        self.state = replace(self.state, phase=phase, fraction_done=max(self.base, self.state.fraction_done))
        if self.call is not None and self.state.step:
            self.call(self.state)

    def record(self, record: Record, scale: float, share: float) -> None:
        """Report one record, whose errors are in units of `scale`."""
        unit = scale * self.unit
        errors = record.train_rmse * unit, record.heldout_rmse * unit
        # Estimates of what is left may be wrong; a bar that walks back helps nobody.
        done = max(min(self.base + share * self.share, 1.0), self.state.fraction_done)
        step = max(self.earlier + record.step, self.state.step)
        self.state = CompletionProgress(step, record.ridge, record.rank, *errors, done, self.state.phase)
        if self.call is not None:
            self.call(self.state)

    def end(self) -> None:
        """Report that all is done."""
        self.base, self.share = 1.0, 0.0
        self.begin("done", 0.0)
