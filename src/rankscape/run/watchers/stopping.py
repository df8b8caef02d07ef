"""WHEN a run may end early: rules that look at its records.

A rule sees the steps and records so far, the newest last, and answers with the reason to stop, or None. Rules decide
at records only, so a rule may ask for further ones with `every`. Where a run is continued, a rule sees the records of
this call, with steps counted from where it began, as `steps` and `record` do; only `OnPlateau` has to know how long the
whole run is.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, one_of, positive, whole
from rankscape.ground.final import final
from rankscape.run.watchers.base import NO_STEPS, AbstractWatcher, Records
from rankscape.theory.climbing.stopping import StoppingRule

# Part of the initial loss that has to be gone before a flat effective rank counts: at first everything is flat.
MOVED = 0.01

# Records that a plateau must span.
FEWEST = 4


class AbstractRule(AbstractWatcher, ABC):
    """Looks at the records of a run and says when to stop.

    Subclass it as a frozen dataclass with a method `reason`, and give it to `simulate` as ``stop``.
    """

    name: ClassVar[str] = "stop"
    every: int | None = None

    @abstractmethod
    def reason(self, records: Records) -> str | None:
        """Why to stop at the newest record, or None to go on."""

    def asked(self, steps: int) -> np.ndarray:
        """Each step at which the rule wants to look."""
        return np.arange(0, steps + 1, self.every) if self.every else NO_STEPS

    def judge(self, records: Records, first: int) -> str | None:
        """What the rule says; `first` steps came before this call."""
        return self.reason(records)

    def describe(self) -> dict[str, Any]:
        """The kind and the numbers, as JSON."""
        return {"kind": type(self).__name__} | {f.name: getattr(self, f.name) for f in fields(self)}  # pyright: ignore


def as_rule(stop: AbstractRule | StoppingRule) -> AbstractRule:
    """A rule as it is; what theory says about a step (`rankscape.theory.stopping_rule`) as a rule to stop there."""
    if isinstance(stop, AbstractRule):
        return stop
    if not isinstance(stop, StoppingRule):
        raise InputError(f"`stop` must be a stopping rule, got {type(stop).__name__}.")
    if stop.step is None:
        raise InputError(f"The stopping rule has no step to stop at: {stop.failed}")
    if not stop.certified:
        return AtStep(stop.step, f"the best step that theory knows, without a certificate: {stop.failed}")
    until = "on" if stop.latest is None else f"to {stop.latest}"
    return AtStep(stop.step, f"as theory says; the same holds from step {stop.earliest} {until}")


@final
@dataclass(frozen=True)
class AtStep(AbstractRule):
    """Stop at a step that was found beforehand, for instance by theory.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(0.01), steps=3000, stop=rs.AtStep(600, "rank 1 is reached"))
    >>> run.message
    'stopped at step 600: rank 1 is reached'
    """

    step: int
    why: str = "as asked"

    def __post_init__(self):
        object.__setattr__(self, "step", whole("step", self.step, least=0))

    def asked(self, steps: int) -> np.ndarray:
        """The step itself."""
        return np.array([self.step] if self.step <= steps else [], dtype=np.int64)

    def reason(self, records: Records) -> str | None:
        """Once the step is there."""
        return self.why if records[-1][0] >= self.step else None


@final
@dataclass(frozen=True)
class AtEffectiveRank(AbstractRule):
    """Stop when the effective rank reaches a level.

    Gradient descent from a small start first lets the effective rank fall, to about 1, and then rise; so a rising
    rule waits until the level has been undershot.

    Parameters
    ----------
    level : float
        The effective rank to stop at.
    direction : {"rising", "falling"}
        From which side it is reached.
    every : int, optional
        Look at each so many steps; otherwise at the records of the run.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(0.01), steps=3000, stop=rs.AtEffectiveRank(1.4, every=10))
    >>> run.message
    'stopped at step 970: the effective rank is 1.402, rising past 1.4'
    """

    level: float
    direction: str = "rising"
    every: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "level", positive("level", self.level))
        one_of("direction", self.direction, ("rising", "falling"))

    def reason(self, records: Records) -> str | None:
        """At the first record past the level."""
        value = float(records[-1][1]["effective_rank"])
        text = f"the effective rank is {value:.4g}, {self.direction} past {self.level:g}"
        if self.direction == "falling":
            return text if value <= self.level else None
        # Small starts begin above the level, with all modes alike: only what comes back from below has risen. The first
        # that does stands next to one below, so no other record is asked: there may be one a step.
        risen = len(records) > 1 and value >= self.level > float(records[-2][1]["effective_rank"])
        return text if risen else None


@final
@dataclass(frozen=True)
class OnPlateau(AbstractRule):
    r"""Stop on a plateau of the effective rank, without knowing the spectrum.

    A plateau is a stretch of steps :math:`[k/(1+w), k]` over which the effective rank stays within `flat` of itself.
    The window grows with the step because plateaus do: for depth 3 and more their ends scale like their starts.
    Flat stretches before the loss has moved do not count; in a run that is continued from a plateau, the next one does.

    Parameters
    ----------
    number : int
        Stop on the first, second, ... plateau; without noise these are the ranks 1, 2, ...
    flat : float
        Largest variation, relative to the effective rank.
    window : float
        The length w of the stretch, relative to the step where it begins.
    every : int, optional
        Look at each so many steps; otherwise at the records of the run.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientDescent(0.01), steps=3000, stop=rs.OnPlateau(2))
    >>> run.outcome, float(run.effective_rank[-1].round(2))
    (<Outcome.STOPPED: 'stopped'>, 1.5)
    """

    number: int = 1
    flat: float = 0.01
    window: float = 0.2
    every: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "number", whole("number", self.number, least=1))
        object.__setattr__(self, "flat", positive("flat", self.flat))
        object.__setattr__(self, "window", positive("window", self.window))

    def judge(self, records: Records, first: int) -> str | None:
        """Plateaus lengthen with the steps of the whole run: the window has to know those that came before."""
        return self.reason([(first + step, record) for step, record in records])

    def reason(self, records: Records) -> str | None:
        """At the first record at which enough plateaus have been seen."""
        steps = np.array([step for step, _ in records])
        ranks, losses = (np.array([float(r[name]) for _, r in records]) for name in ("effective_rank", "loss"))
        levels: list[float] = []
        for k in range(FEWEST - 1, len(steps)):
            first = int(np.searchsorted(steps, steps[k] / (1 + self.window), side="right")) - 1
            part = ranks[max(first, 0) : k + 1]
            moved = losses[k] < (1 - MOVED) * losses[0]
            # No plateau yet where the window reaches behind the first record, or holds too few of them.
            if first < 0 or len(part) < FEWEST or not moved or np.ptp(part) > self.flat * ranks[k]:
                continue
            # Two stretches of one level differ by up to twice the variation that is allowed within each.
            if not levels or abs(ranks[k] - levels[-1]) > 3 * self.flat * ranks[k]:
                levels.append(float(ranks[k]))  # another level, so another plateau
        if len(levels) < self.number:
            return None
        return f"plateau {self.number} of the effective rank, at {levels[self.number - 1]:.4g}"


@final
@dataclass(frozen=True)
class OnHeldout(AbstractRule):
    """Stop when the held-out loss has clearly passed its minimum.

    Parameters
    ----------
    tolerance : float
        Stop when two records in a row are worse than the best by more than this part of it.
    every : int, optional
        Look at each so many steps; otherwise at the records of the run.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> noise = np.random.default_rng(0).normal(size=(20, 20))
    >>> problem = rs.Completion.from_array(np.diag(np.full(20, 0.1)) + noise).split(0.2, seed=0)
    >>> run = rs.simulate(problem, depth=3, initialization=rs.Gaussian(0.1), steps=20_000, stop=rs.OnHeldout(),
    ...                   dynamics=rs.GradientDescent(1.0))
    >>> run.outcome.value
    'stopped'
    """

    tolerance: float = 0.02
    every: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "tolerance", nonnegative("tolerance", self.tolerance))

    def reason(self, records: Records) -> str | None:
        """At the second record in a row that is clearly worse than the best."""
        if "heldout_loss" not in records[-1][1]:
            raise InputError("OnHeldout needs held-out data: train on `problem.split(...)`.")
        losses = np.array([float(record["heldout_loss"]) for _, record in records])
        best = int(losses.argmin())
        if len(losses) < 3 or losses[-2:].min() <= (1 + self.tolerance) * losses[best]:
            return None
        return f"the held-out loss was smallest, {losses[best]:.4g}, at step {records[best][0]}, and has risen since"
