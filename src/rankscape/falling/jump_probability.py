r"""WITH WHICH PROBABILITY a rank falls within so many steps, and between which bounds that is certain."""

import os
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from rankscape.dynamics import SGD
from rankscape.engine import choose
from rankscape.errors import InputError
from rankscape.factorization import chain_widths, check_factors
from rankscape.falling.replicas import Waited, as_start, live_modes, watched
from rankscape.falling.splitting import Branch, Point, Walker, estimates, levels_by_pilot
from rankscape.ground.checks import one_of, positive, share, whole
from rankscape.initialization import Factors
from rankscape.observe import spectrum_of_factors
from rankscape.problem import AbstractProblem
from rankscape.run.batch import OVERFLOW
from rankscape.run.watchers.jumps import RankMonitor

# Jumps among the replicas from which on their share says enough.
ENOUGH = 5

# Independent repeats of the splitting: fewer would not show how far they spread.
REPEATS = 16

# Levels that a way down has, for an estimate of what it costs.
TYPICAL_LEVELS = 5

# Where a repeat comes to nothing all are run again with so many times the trajectories, and so often in all.
MORE, ROUNDS = 4, 2

# Steps between two looks at a trajectory of the splitting, at the least: a look costs as much as 500 steps.
FINEST = 128


@dataclass(frozen=True)
class JumpProbability:
    """The probability of a first jump down within a number of steps.

    Attributes
    ----------
    value : float
        The estimate.
    interval : (float, float)
        Confidence interval.
    confidence : float
        Of the interval.
    method : {"direct", "splitting", "bound"}
        Counted among replicas, by multilevel splitting, or only bounded from above, because nothing was seen.
    jumps, replicas, diverged : int
        Replicas that jumped, of how many, and how many blew up before: these are counted both ways in the interval.
    levels : tuple of float
        Of the splitting: singular values on the way to the jump.
    said : str
        How the numbers came about, in a sentence, and what is missing.
    """

    value: float
    interval: tuple[float, float]
    confidence: float
    method: Literal["direct", "splitting", "bound"]
    jumps: int
    replicas: int
    diverged: int
    levels: tuple[float, ...]
    said: str


def jump_probability(
    problem: AbstractProblem,
    start: Any,
    dynamics: SGD,
    steps: int,
    *,
    replicas: int = 200,
    method: Literal["auto", "direct", "splitting"] = "auto",
    effort: int = 200,
    budget: float = 3e9,
    seed: int = 0,
    confidence: float = 0.95,
    monitor: RankMonitor | None = None,
    threads: int | None = None,
) -> JumpProbability:
    r"""The probability that SGD loses a mode of a minimum within `steps`.

    Replicas run in parallel, each to its first jump down or to the end. Where enough of them jump, k of n, the answer
    is their share with the interval of Clopper and Pearson. Where hardly any does, the way down is split into levels of
    the smallest singular value (`rankscape.falling.splitting`), and the interval comes from independent repeats,
    :math:`\bar p\, e^{\pm t\, s / \bar p}` with t of Student's law and s the standard error of the mean.

    Parameters
    ----------
    problem : Completion, Sensing, Regression or Classification
        What SGD draws from.
    start : list of array, Factors or Trajectory
        Where it starts: a minimum, as `relax` or `minima` find it.
    dynamics : SGD
        How it moves.
    steps : int
        The time it has.
    replicas : int
        Runs of the direct count; their seeds are ``seed, seed + 1, ...``
    method : {"auto", "direct", "splitting"}
        "auto" counts first, and splits where fewer than 5 replicas jump.
    effort : int
        Trajectories a level and repeat of the splitting, of which there are 16 repeats; four times as many where some
        repeat comes to nothing.
    budget : float
        Steps that the splitting may take, in all; where it would take more, the count and what can be said instead.
    seed : int
        Decides every random number.
    confidence : float
        Of the interval.
    monitor : RankMonitor, optional
        Decides what counts as alive and dead.
    threads : int, optional
        Replicas at a time; as many as the machine has processors if left out. The result does not depend on it.

    Returns
    -------
    JumpProbability

    Raises
    ------
    InputError
        Other dynamics, no live mode to begin with, or splitting where it does not apply: reshuffled samples, whose past
        decides what comes, and rates that change.
    RunFailed
        Every replica diverged.

    Warns
    -----
    DivergenceWarning
        Some replicas diverged.

    Examples
    --------
    >>> import rankscape as rs
    >>> lab = rs.data.planted(seed=0)
    >>> ridge = rs.rates.convert(0.45, lab.problem, value="ridge * m")
    >>> trap = rs.relax(lab.problem, lab.start(), ridge).factors
    >>> found = rs.jump_probability(lab.problem, trap, rs.SGD(0.17, ridge), steps=20_000, replicas=20)
    >>> found.method, found.interval[0] < 0.36 < found.interval[1]     # 72 of 200 other replicas jumped
    ('direct', True)

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """
    if not isinstance(dynamics, SGD):
        raise InputError(
            f"`jump_probability` is about SGD, got {type(dynamics).__name__}: nothing else jumps by chance."
        )
    one_of("method", method, ("auto", "direct", "splitting"))
    start, watch = as_start(start), replace(monitor or RankMonitor(), stop="down")
    steps, count = whole("steps", steps, least=1), whole("replicas", replicas, least=1)
    effort, confidence = whole("effort", effort, least=10), share("confidence", confidence)
    alive = live_modes(problem, start, dynamics, watch)
    why_not = _no_splitting(start, dynamics)
    if method == "splitting":
        if why_not:
            raise InputError(f"Splitting does not apply: {why_not}. Use method='direct'.")
        waited = Waited([], 0, 0)
    else:
        waited = watched(problem, start, dynamics, steps, range(seed, seed + count), watch, threads)
        if method == "direct" or why_not or sum(step is not None for step in waited.first) >= ENOUGH:
            return _counted(waited, confidence, why_not if method == "auto" else "")
    needed = float(REPEATS * effort * TYPICAL_LEVELS * steps)
    if needed > positive("budget", budget):
        said = (
            f"splitting would take about {needed:.1g} steps, above `budget` = {budget:g}: ask for fewer steps, because "
            "waiting at a minimum has no memory (k times as long: 1 - (1 - p)^k), or raise it"
        )
        return _bounded(waited, confidence, said)
    walker, first = _walker(problem, start, dynamics, alive, steps)
    levels = levels_by_pilot(walker, first, watch.levels(problem)[0], effort, seed)
    if levels is None:
        return _bounded(waited, confidence, "the way down could not be split: trajectories stay near their minimum")
    found, number, workers = np.zeros(1), effort, threads or os.cpu_count() or 1
    for round_ in range(ROUNDS):
        number = effort * MORE**round_
        found = estimates(walker, first, levels, number, REPEATS, seed + round_, workers)
        if found.all():
            break
    return _split(found, levels, waited, confidence, number)


def _no_splitting(start: Any, dynamics: SGD) -> str:
    """Why the way cannot be split; empty where it can."""
    if not dynamics.replacement:
        return "reshuffled draws depend on those before, so a state does not decide what comes"
    if dynamics.paths:
        return "the rates change with the step"
    return "" if isinstance(start, Factors) else "the start is a run that is continued; give its factors"


def _walker(problem: AbstractProblem, start: Factors, dynamics: SGD, alive: int, steps: int) -> tuple[Walker, Point]:
    """What moves the trajectories, and the point where all of them begin."""
    factors = check_factors(start.matrices, problem.shape)
    setting = Branch(problem, chain_widths(problem.shape, start.depth, start.hidden_widths), start, dynamics)
    kind, _ = choose(setting)
    samples = getattr(problem, "values", None) if problem.samples is None else problem.samples.numbers
    epoch = (1 if samples is None else len(samples)) / dynamics.batch_size
    every = max(FINEST, round(epoch))
    limit = OVERFLOW[setting.dtype] ** (1 / setting.depth)
    walker = Walker(kind, setting, alive, min(every, steps), steps, limit)
    return walker, Point(kind([setting]).start()[0], float(spectrum_of_factors(factors)[alive - 1]))


def clopper_pearson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """The interval that covers a probability at least this often, whatever it is.

    Examples
    --------
    >>> low, high = clopper_pearson(0, 100, 0.95)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    from scipy.special import betaincinv

    tail, k, n = (1 - confidence) / 2, successes, trials
    low = float(betaincinv(k, n - k + 1, tail)) if k else 0.0
    return low, float(betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0


def _counted(waited: Waited, confidence: float, why: str) -> JumpProbability:
    """The share of the replicas that jumped; those that diverged may have, or not."""
    k, n, lost = sum(step is not None for step in waited.first), len(waited.first), waited.diverged
    low, high = clopper_pearson(k, n + lost, confidence)[0], clopper_pearson(k + lost, n + lost, confidence)[1]
    said = f"{k} of {n} replicas jumped" + (f", {lost} diverged and are counted both ways" if lost else "")
    if k == 0:
        missing = f"more replicas, or splitting, which does not apply: {why}" if why else "more replicas, or splitting"
        said += f": all that can be said is a bound; for more it takes {missing}"
        return JumpProbability(0.0, (0.0, high), confidence, "bound", 0, n, lost, (), said)
    return JumpProbability(k / n, (low, high), confidence, "direct", k, n, lost, (), said)


def _bounded(waited: Waited, confidence: float, why: str) -> JumpProbability:
    """Nothing but what the replicas say; without any of them nothing at all."""
    if not waited.first:
        said = f"{why}, and no replicas were run: nothing can be said; use method='auto'"
        return JumpProbability(0.0, (0.0, 1.0), confidence, "bound", 0, 0, 0, (), said)
    counted = _counted(waited, confidence, "")
    return replace(counted, said=f"{counted.said}; {why}")


def _split(found: np.ndarray, levels: list[float], waited: Waited, confidence: float, effort: int) -> JumpProbability:
    """The mean of the repeats; where some of them are zero, their spread is no guide and the interval only a bound."""
    from scipy.special import stdtrit

    mean, repeats = float(found.mean()), len(found)
    jumps, n = sum(step is not None for step in waited.first), len(waited.first)
    named = (jumps, n, waited.diverged, tuple(levels))
    if mean == 0:
        return _bounded(waited, confidence, f"no repeat of the splitting came through {len(levels)} levels")
    error = float(found.std(ddof=1)) / repeats**0.5
    spread = float(stdtrit(repeats - 1, (1 + confidence) / 2)) * error / mean
    said = f"{repeats} repeats of {effort} trajectories through {len(levels)} levels"
    low, high = mean * np.exp(-spread), min(1.0, mean * np.exp(spread))
    if np.any(found == 0):
        low = 0.0
        said += f"; {int(np.sum(found == 0))} of them came to nothing, so the lower bound is 0: raise `effort`"
    return JumpProbability(mean, (low, float(high)), confidence, "splitting", *named, said)
