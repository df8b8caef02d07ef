"""How often ranks fall where jumps are too rare to be waited for: by the law of Arrhenius, from larger rates."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rankscape.dynamics import SGD
from rankscape.errors import DivergenceWarning, InputError
from rankscape.factorization import product
from rankscape.falling.jump_rate import JumpRate, estimate_jump_rate
from rankscape.falling.replicas import as_start
from rankscape.ground.checks import positive, several, share
from rankscape.ground.final import final
from rankscape.initialization import Factors
from rankscape.problem import Completion
from rankscape.run.trajectory import Trajectory
from rankscape.run.watchers.jumps import RankMonitor
from rankscape.theory.escape import holders

# Jumps at each rate below which the law is not trusted, and the logarithm of the factor by which it may extrapolate.
FEWEST, FARTHEST = 20, 1.5


@dataclass(frozen=True)
class JumpPrediction:
    """The mean waiting time for a jump down at a learning rate that was not run.

    Attributes
    ----------
    learning_rate : float
        Of the prediction.
    mean, epochs : float
        In steps, and in passes over the observed entries.
    interval : (float, float)
        Of the mean in steps, from the numbers of jumps behind the law.
    distance : float
        Logarithm of the factor between the prediction and the nearest mean that was measured; 0 between two of them.
    failed : str or None
        Why the prediction is not to be trusted.
    """

    learning_rate: float
    mean: float
    epochs: float
    interval: tuple[float, float]
    distance: float
    failed: str | None = None


@final
@dataclass(frozen=True, eq=False)
class JumpLaw:
    r"""Mean times by learning rate at one ridge: :math:`\ln \bar T = a + b / \eta`.

    Attributes
    ----------
    intercept, slope : float
        a and b, for the time in epochs.
    covariance : array of shape (2, 2)
        Of both.
    rates : tuple of float
        At which jumps were waited for.
    measured : tuple of JumpRate
        What was seen there.
    largest_rate : float
        Above it draws of a single entry are unstable: jumps are kicks then, and the law does not hold.
    epoch : float
        Steps in an epoch.
    assumptions : tuple of str
    failed : str or None
        Why no prediction is to be trusted.
    """

    intercept: float
    slope: float
    covariance: np.ndarray
    rates: tuple[float, ...]
    measured: tuple[JumpRate, ...]
    largest_rate: float
    epoch: float
    assumptions: tuple[str, ...]
    failed: str | None = None

    def predict(self, learning_rate: float, confidence: float = 0.95) -> JumpPrediction:
        """The mean time at another learning rate."""
        from scipy.special import ndtri

        rate, tail = positive("learning_rate", learning_rate), (1 + share("confidence", confidence)) / 2
        x = np.array([1.0, 1 / rate])
        log = self.intercept + self.slope / rate
        error = float(ndtri(tail)) * math.sqrt(float(x @ self.covariance @ x))
        mean, distance = self.epoch * math.exp(log), self._distance(rate, log)
        failed = self.failed
        if failed is None and rate > self.largest_rate:
            failed = f"beyond stability: draws of one entry kick modes out above a rate of {self.largest_rate:.3g}"
        if failed is None and distance > FARTHEST:
            failed = (
                f"{math.exp(distance):.2g} times beyond what was measured, farther than exp({FARTHEST:g}): measure at "
                f"a rate nearer to {rate:g}"
            )
        return JumpPrediction(
            rate, mean, mean / self.epoch, (mean * math.exp(-error), mean * math.exp(error)), distance, failed
        )

    def rate_for(self, epochs: float) -> float:
        """The learning rate at which the mean time is so many epochs."""
        return self.slope / (math.log(positive("epochs", epochs)) - self.intercept)

    def _distance(self, rate: float, log: float) -> float:
        if min(self.rates) <= rate <= max(self.rates):
            return 0.0
        return min(abs(log - math.log(found.epochs)) for found in self.measured)


def jump_law(
    problem: Completion,
    start: Factors | Trajectory | list[np.ndarray],
    ridge: float,
    rates: Sequence[float],
    *,
    steps: int = 10_000_000,
    replicas: int = 64,
    seed: int = 0,
    monitor: RankMonitor | None = None,
    threads: int | None = None,
) -> JumpLaw:
    r"""Measure mean times to a jump down where jumps are cheap, and extrapolate to learning rates where they are not.

    Of modes that several entries hold no model of one entry knows the time (`theory.escape.holders` tells which do).
    What holds for all is the form :math:`\ln \bar T = a + b / \eta` at a fixed ridge: it is fitted by least squares,
    each rate weighted by its number of jumps, whose relative error is one over its root.

    Parameters
    ----------
    problem : Completion
        The observed entries, drawn one at a time with replacement.
    start : list of array, Factors or Trajectory
        A minimum of loss plus ridge.
    ridge : float
        :math:`\lambda`.
    rates : sequence of float
        Two learning rates or more, at which jumps are frequent; near to the ones in question.
    steps, replicas, seed, monitor, threads
        As in `estimate_jump_rate`, at each rate.

    Returns
    -------
    JumpLaw
        ``law.predict(learning_rate)``; `failed` says why it is not to be trusted: too few jumps, replicas that
        diverged, a start that is no minimum.

    Raises
    ------
    InputError
        Fewer than two rates, no jump at one of them, or depth below 3.

    Notes
    -----
    Derived; on `rankscape.data.planted` predictions up to exp(1.5) beyond what was measured were within a factor of 2.

    Examples
    --------
    >>> import rankscape as rs
    >>> from rankscape.solvers.descent.relaxation import relax
    >>> lab = rs.data.planted(seed=0)
    >>> ridge = float(rs.rates.convert(0.45, lab.problem, value="ridge * m"))
    >>> minimum = relax(lab.problem, lab.start(), ridge).factors
    >>> law = rs.jump_law(lab.problem, minimum, ridge, rates=(0.2, 0.17), replicas=24)
    >>> predicted = law.predict(0.15)
    >>> predicted.failed is None, 60 < predicted.epochs < 240     # about 115 are seen
    (True, True)
    """
    etas = tuple(sorted((positive("rates", rate) for rate in several("rates", rates)), reverse=True))
    if len(set(etas)) < 2:
        raise InputError(f"`rates` must hold at least two different learning rates, got {rates!r}.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)  # the law says it, in `failed`
        measured = tuple(
            estimate_jump_rate(problem, start, SGD(rate, ridge), steps=steps, replicas=replicas,
                               seed=seed + k * replicas, monitor=monitor, threads=threads)
            for k, rate in enumerate(etas)
        )  # fmt: skip
    for rate, found in zip(etas, measured, strict=True):
        if not found.jumps:
            raise InputError(f"no jump in {steps} steps at a learning rate of {rate:g}: `rates` must be larger.")
    x, weights = np.stack([np.ones(len(etas)), 1 / np.array(etas)], axis=1), np.array([f.jumps for f in measured])
    covariance = np.linalg.inv(x.T @ (weights[:, None] * x))
    intercept, slope = covariance @ x.T @ (weights * np.log([found.epochs for found in measured]))
    held = _weakest(problem, start, ridge, monitor or RankMonitor())
    assumptions = (
        "single entries drawn with replacement", "ln(mean time) affine in 1 / learning rate at a fixed ridge",
    )  # fmt: skip
    return JumpLaw(float(intercept), float(slope), covariance, etas, measured, held.largest_rate,
                   float(len(problem.values)), assumptions, _doubt(etas, measured, held))  # fmt: skip


def _weakest(problem: Completion, start, ridge: float, monitor: RankMonitor):
    """The holders of the mode that dies first: the smallest that is alive."""
    begun = as_start(start)
    factors = list(begun.matrices) if isinstance(begun, Factors) else begun.factors
    W = product(factors)
    alive = int(np.sum(np.linalg.svd(W, compute_uv=False) > monitor.levels(problem)[1]))
    return holders(factors, problem.rows, problem.columns, problem.values, ridge, alive - 1)


def _doubt(rates: tuple[float, ...], measured: tuple[JumpRate, ...], held) -> str | None:
    """Why no prediction is to be trusted."""
    if abs(held.shares.sum() - 1) > 1e-2:
        return f"the start is no minimum: the shares of its weakest mode add up to {held.shares.sum():.3g}, not to 1"
    for rate, found in zip(rates, measured, strict=True):
        if found.diverged:
            return f"{found.diverged} replica(s) diverged at a learning rate of {rate:g}: jumps there may be kicks"
        if found.jumps < FEWEST:
            return f"{found.jumps} jumps at a learning rate of {rate:g}, fewer than {FEWEST}: more replicas or steps"
    return None
