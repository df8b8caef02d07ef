"""How a run ended, in sentences: the step, the reason and the remedy."""

import warnings
from collections.abc import Sequence

import numpy as np

from rankscape.dynamics import SGD, GradientFlow
from rankscape.engine import Setting
from rankscape.errors import DivergenceWarning, RunFailed
from rankscape.factorization import product
from rankscape.problem import AbstractProblem, Completion
from rankscape.run.outcome import End, Outcome
from rankscape.run.watchers.curvature import largest_curvature


def message(setting: Setting, early: End | None, steps: int, first: int) -> str:
    """How a run ended, in a sentence; `first` steps came before this call."""
    if early is None:
        return f"finished: all {steps} steps were taken{_in_all(steps, first)}"
    at = f"at step {early.step}{_in_all(early.step, first)}"
    if early.outcome == Outcome.STOPPED:
        return f"stopped {at}: {early.reason}"
    if early.step == 0:
        return f"diverged {at}: the initial factors overflow. Start from a smaller initialization."
    if early.reason:
        return f"diverged {at}: {early.reason}"
    if isinstance(setting.dynamics, GradientFlow):
        return f"diverged {at}: the flow has no solution beyond; look at an earlier time."
    dynamics = setting.dynamics.at(first + early.step - 1)  # the rate of the step that overflowed
    given = getattr(dynamics, "learning_rate", None)
    safe, rate = setting.safe_learning_rate(), given if isinstance(given, float) else None
    advice = Outcome.DIVERGED.remedy
    if safe is not None and rate is not None and safe < rate:
        advice = f"Lower the learning rate: {rate:g} was used, about {safe:.2g} is safe here."
    return f"diverged {at}: a value overflowed. {_overshoot(setting, rate)}{advice}"


def no_gradient(problem: AbstractProblem, factors: Sequence[np.ndarray]) -> str:
    """What to say where it was not the step that was too long, but the loss that has no gradient; else nothing."""
    with np.errstate(all="ignore"):
        W = product(factors)
        if not np.isfinite(W).all() or np.isfinite(np.asarray(problem.gradient(W))).all():
            return ""
    return (
        "the gradient of the loss is not finite where the factors then were. Use a loss that is differentiable there, "
        "or start elsewhere."
    )


def _in_all(step: int, first: int) -> str:
    """The same step as the whole run counts it, where it was continued."""
    return f" ({first + step} in all)" if first else ""


def _overshoot(setting: Setting, rate: float | None) -> str:
    """The stability limit of SGD on single entries, where the run began beyond it."""
    if not isinstance(setting.dynamics, SGD) or not isinstance(setting.problem, Completion) or rate is None:
        return ""
    limit = 2 / largest_curvature(setting.problem, setting.initial_factors())
    return f"At the start single entries allowed a learning rate of at most {limit:.2g}. " if limit < rate else ""


def say_divergence(ends: Sequence[End | None], text: str, throw: bool) -> None:
    """Say aloud that a run diverged: nobody has to look for it in the data set."""
    if any(early is not None and early.outcome == Outcome.DIVERGED for early in ends):
        if throw:
            raise RunFailed(text)
        warnings.warn(text, DivergenceWarning, stacklevel=3)
