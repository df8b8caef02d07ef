"""Gradient flow, the limit of small steps: its values at a time, the inverse of `flow_time`, for both starts."""

import math

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import real
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.flow_time import goal, identical_time
from rankscape.theory.climbing.imbalance_leaf import Leaf, angle
from rankscape.theory.inputs import Start, numbers_of, start_of

# Eigenvalues below this are zero.
TINY = 1e-280


@within_floats
def flow_value(
    eigenvalue: float, time: ArrayLike, depth: int, alpha: float, beta: float | None = None
) -> float | np.ndarray:
    r"""The product's eigenvalue after a flow time: the inverse of `flow_time`.

    Parameters
    ----------
    eigenvalue : float
        :math:`\lambda`, of the target.
    time : float or array_like
        Flow times :math:`t = \eta k`, not negative.
    depth, alpha, beta
        :math:`N, \alpha, \beta`; `beta` is None for the identical start.

    Returns
    -------
    float or ndarray
        In the shape of `time`.

    Examples
    --------
    >>> round(flow_value(1.0, 3.0, depth=2, alpha=0.1), 10)
    0.8029571528
    >>> flow_value(1.0, [1.0, 10.0], depth=3, alpha=0.1).round(6).tolist()
    [0.001371, 0.909427]
    """
    start, lam = start_of(depth, alpha, beta), real("eigenvalue", eigenvalue)
    times = numbers_of("time", time)
    if np.any(times < 0):
        raise InputError(f"`time` must not be negative, got {time!r}.")
    values = np.array([_value(start, lam, t) for t in times.ravel().tolist()]).reshape(times.shape)
    return values if times.ndim else float(values)


def _value(start: Start, lam: float, t: float) -> float:
    N, p0 = start.depth, start.product
    if t == 0 or p0 == goal(start, lam):
        return p0
    if start.beta is not None:
        return _riccati_value(lam, t, p0, start.imbalance) if N == 2 else _invert_leaf(start, lam, t)
    if abs(lam) < TINY:
        k = (2 * N - 2) / N  # the power law itself: bracketing would divide by zero
        return (p0**-k + (2 * N - 2) * t) ** (-1 / k)
    if N == 2:
        decay, passed = math.exp(-2 * abs(lam) * t), -math.expm1(-2 * abs(lam) * t)
        return lam * p0 / (lam * decay + p0 * passed) if lam > 0 else lam * p0 * decay / (lam - p0 * passed)
    return _invert_identical(N, lam, p0, t)


def _riccati_value(lam: float, t: float, p0: float, delta: float) -> float:
    """Perturbed start, N = 2."""
    if lam < 0:
        return -_riccati_value(-lam, t, -p0, delta)
    w = math.hypot(2 * lam, delta)
    high, low = (2 * lam + w) / delta, -delta / (2 * lam + w)
    s = math.hypot(2 * p0, delta)
    z0 = (2 * p0 + s) / delta if p0 >= 0 else delta / (s - 2 * p0)
    decay = (z0 - high) / (z0 - low) * math.exp(-w * t)
    z = (high - decay * low) / (1 - decay)
    return delta / 4 * (z - 1 / z)


def _solve(excess) -> float:
    """The zero of an increasing function of u <= 0 that is negative at 0 (u is the log of what is left, falling)."""
    from scipy.optimize import root_scalar

    far = 1.0
    while excess(-far) < 0 and far < 700:  # exp(-700) is about the smallest float: nothing is left beyond it
        far *= 2
    far = min(far, 700.0)
    if excess(-far) < 0:
        return -far
    return float(root_scalar(excess, bracket=(-far, 0.0), method="brentq", xtol=1e-14, rtol=1e-14, maxiter=300).root)


def _invert_identical(N: int, lam: float, p0: float, t: float) -> float:
    """N >= 3, lam != 0: bracketing in the logarithm of the distance to the limit."""
    at = np.array([lam])

    def excess(u: float) -> float:
        if u == 0:
            return -t
        if lam > 0:
            # The gap is handed on as it is: computed again as lam - p it would be all rounding.
            gap = np.array([(lam - p0) * math.exp(u)])
            return float(identical_time(N, at, p0, lam - gap, gap)[0]) - t
        return float(identical_time(N, at, p0, np.array([p0 * math.exp(u)]))[0]) - t

    u = _solve(excess)
    return lam - (lam - p0) * math.exp(u) if lam > 0 else p0 * math.exp(u)


def _invert_leaf(start: Start, lam: float, t: float) -> float:
    """Perturbed start, N >= 3: bracketing in the logarithm of the distance of the angles."""
    N, delta = start.depth, np.array([start.imbalance])
    at = np.array([lam])
    first, last = angle(N, start.product, delta), angle(N, at, delta)

    def leaf(u: float) -> Leaf:
        return Leaf(N, at, delta, first, last, distance=np.abs(last - first) * math.exp(u))

    u = _solve(lambda u: -t if u == 0 else float(leaf(u).time()[0]) - t)
    # From the limit backwards: the distance keeps its digits where the angle has lost them.
    theta = last - (last - first) * math.exp(u)
    a, b = np.sqrt(delta) * np.cosh(theta), np.sqrt(delta) * np.sinh(theta)
    return float((a ** (N - 1) * b)[0])
