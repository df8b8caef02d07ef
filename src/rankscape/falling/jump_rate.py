r"""HOW OFTEN ranks fall: the mean time until SGD loses a mode, from replicas that were watched for a limited time."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rankscape.dynamics import SGD
from rankscape.errors import InputError
from rankscape.falling.replicas import Waited, as_start, live_modes, watched
from rankscape.ground.checks import of_kind, share, whole
from rankscape.problem import Completion
from rankscape.run.watchers.jumps import RankMonitor


@dataclass(frozen=True)
class JumpRate:
    """The mean waiting time for a first jump down, as the replicas tell it.

    Attributes
    ----------
    mean : float
        Steps: all steps before a jump, over the number of jumps; infinite where none was seen.
    interval : (float, float)
        Confidence interval of the mean, in steps.
    confidence : float
        Of the interval.
    epochs : float
        `mean` in passes over the observed entries.
    jumps, censored : int
        Replicas that jumped, and those that did not in the time they had.
    diverged : int
        Replicas that blew up before they jumped: left out of everything else.
    up_jumps : int
        Modes that came alive in any replica before its jump down.
    total : int
        Steps before a jump, over all replicas.
    times : tuple of int
        The step of each jump, ascending.
    """

    mean: float
    interval: tuple[float, float]
    confidence: float
    epochs: float
    jumps: int
    censored: int
    diverged: int
    up_jumps: int
    total: int
    times: tuple[int, ...]


def estimate_jump_rate(
    problem: Completion,
    start: Any,
    dynamics: SGD,
    *,
    steps: int,
    replicas: int = 24,
    seed: int = 0,
    confidence: float = 0.95,
    monitor: RankMonitor | None = None,
    threads: int | None = None,
) -> JumpRate:
    r"""Let replicas of SGD leave a minimum, and estimate the mean time that it takes.

    Each replica has its own seed and stops at its first jump down, or after `steps`. Waiting for a rare event has no
    memory, so the times are taken as exponential: with total time T before r jumps the mean is T / r, and

    .. math:: \Big[ \frac{2T}{\chi^2_{2r+2,\,1-a/2}},\; \frac{2T}{\chi^2_{2r,\,a/2}} \Big]

    covers it with confidence 1 - a, up to what the limit on the time changes.

    Parameters
    ----------
    problem : Completion
        The observed entries.
    start : list of array, Factors or Trajectory
        The minimum to leave.
    dynamics : SGD
        How it is left.
    steps : int
        The longest time that a replica waits.
    replicas : int
        Their seeds are ``seed, seed + 1, ...``
    seed : int
        Of the first replica.
    confidence : float
        Of the interval.
    monitor : RankMonitor, optional
        Decides what counts as alive.
    threads : int, optional
        Replicas at a time, one thread each; as many as the machine has processors if left out. The result does not
        depend on it.

    Raises
    ------
    InputError
        Other dynamics, or no live mode to begin with.
    RunFailed
        Every replica diverged.

    Warns
    -----
    DivergenceWarning
        Some replicas diverged: the estimate is about the others, and the learning rate is likely too large.

    Examples
    --------
    >>> import rankscape as rs
    >>> lab = rs.data.planted(seed=0)
    >>> dynamics = rs.SGD(0.17, rs.rates.convert(0.45, lab.problem, value="ridge * m"))
    >>> rate = rs.estimate_jump_rate(lab.problem, lab.start(), dynamics, steps=100_000, replicas=4)
    >>> rate.jumps, rate.up_jumps, rate.interval[0] < rate.mean < rate.interval[1]
    (4, 0, True)

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to low
       rank", ICLR 2024.
    """
    if not isinstance(dynamics, SGD) or not isinstance(problem, Completion):
        raise InputError("`estimate_jump_rate` is about SGD on a Completion: nothing else draws entries.")
    if monitor is not None:
        of_kind("monitor", monitor, RankMonitor)
    start, watch = as_start(start), replace(RankMonitor() if monitor is None else monitor, stop="down")
    seed, confidence = whole("seed", seed, 0, 2**63), share("confidence", confidence)
    threads = None if threads is None else whole("threads", threads, 1, 1024)
    count, steps = whole("replicas", replicas, least=1), whole("steps", steps, least=1)
    live_modes(problem, start, dynamics, watch)
    waited = watched(problem, start, dynamics, steps, range(seed, seed + count), watch, threads)
    return _fit(waited, steps, len(problem.values) / dynamics.batch_size, confidence)


def exponential_interval(total: float, events: int, confidence: float) -> tuple[float, float]:
    """Confidence interval of the mean of an exponential law, from the total time watched and the events seen.

    Examples
    --------
    >>> low, high = exponential_interval(1000.0, events=10, confidence=0.95)
    >>> round(low, 1), round(high, 1)
    (54.4, 208.5)
    """
    from scipy.special import gammaincinv

    tail = (1 - share("confidence", confidence)) / 2
    low = total / gammaincinv(events + 1, 1 - tail)  # half of a chi-square quantile with 2(r + 1) degrees of freedom
    return float(low), float(total / gammaincinv(events, tail)) if events else np.inf


def _fit(waited: Waited, steps: int, epoch: float, confidence: float) -> JumpRate:
    """The estimate from what the replicas tell."""
    times = sorted(step for step in waited.first if step is not None)
    count, r = len(waited.first), len(times)
    # Those that waited in vain count with all of their time: without them jumps would look more frequent than they are.
    total = sum(times) + steps * (count - r)
    mean = total / r if r else float("inf")
    interval = exponential_interval(total, r, confidence)
    return JumpRate(
        mean, interval, confidence, mean / epoch, r, count - r, waited.diverged, waited.up, total, tuple(times)
    )
