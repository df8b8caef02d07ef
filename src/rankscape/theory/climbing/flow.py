r"""Gradient flow, the limit of small steps at :math:`t = \eta k`: times and values, for both starts.

.. math:: p' = N p^{2-2/N} (\lambda - p)  \qquad\text{(identical)}

.. math:: p' = S(p, \delta) (\lambda - p), \quad S = a^{2N-2} + (N-1) a^{2N-4} b^2  \qquad\text{(perturbed)}

on the leaf :math:`a^2 - b^2 = \delta`, which the flow conserves.
"""

import math

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import real
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.imbalance_leaf import Leaf, angle, sharpness, way_left
from rankscape.theory.inputs import Start, numbers_of, start_of

# Below this ratio of the eigenvalue to both ends the time is a power series in it.
SERIES = 0.3

# Within this angle of the limit the approach is exponential to rounding: no quadrature is needed.
TAIL = 1e-14

# Eigenvalues below this are zero.
TINY = 1e-280


def goal(start: Start, lam):
    """Where the product's eigenvalue goes: ``max(lam, 0)`` from the identical start, ``lam`` from the perturbed."""
    return np.maximum(lam, 0.0) if start.beta is None else lam


def reach(start: Start, lam, level):
    """(past, never): whether the level lies at or behind the start, or at or beyond the limit."""
    p0, end = start.product, goal(start, lam)
    way = np.sign(end - p0)
    # A start that is its own limit never moves: it has reached its own level and no other.
    past = ((level - p0) * way <= 0) & ((way != 0) | (level == p0))
    return past, ~past & ((end - level) * way <= 0)


def time_to(start: Start, lam, level) -> np.ndarray:
    """Flow time to the level for arrays: 0 when past it, infinite when it is never reached."""
    lam, level = np.broadcast_arrays(np.asarray(lam, dtype=np.float64), np.asarray(level, dtype=np.float64))
    past, never = reach(start, lam, level)
    out = np.where(past, 0.0, np.inf)
    on = ~past & ~never
    if start.beta is None:
        out[on] = identical_time(start.depth, lam[on], start.product, level[on])
    else:
        out[on] = perturbed_time(start.depth, lam[on], start.product, level[on], start.imbalance)
    return out


def identical_time(N: int, lam: np.ndarray, p0: float, p1: np.ndarray, gap: np.ndarray | None = None) -> np.ndarray:
    """Time from p0 to p1 > 0 on the balanced leaf; `gap` = lam - p1 when it is known more exactly."""
    gap = lam - p1 if gap is None else gap
    p0s, t = np.full(lam.shape, p0), np.empty(lam.shape)
    with np.errstate(all="ignore"):
        if N == 2:
            change = lam * (p1 - p0) / (p0 * gap)  # of the odds p / (lam - p), which grow exponentially
            # log1p keeps the digits of a short way, plain logarithms those of a long one.
            logs = np.where(np.abs(change) < 0.5, np.log1p(change), np.log(p1 / p0) - np.log(gap / (lam - p0)))
            return np.where(lam == 0, 1 / (2 * p1) - 1 / (2 * p0), logs / (2 * lam))
        # Around lam = 0 the antiderivative is a difference of huge terms: a power series takes its place.
        small = np.abs(lam) < SERIES * np.minimum(p0s, p1)
        s, o = small, ~small
        t[s] = _series(N, lam[s], p1[s]) - _series(N, lam[s], p0s[s])
        t[o] = _antiderivative(N, lam[o], p1[o], gap[o]) - _antiderivative(N, lam[o], p0s[o], lam[o] - p0s[o])
    return t


def _series(N: int, lam: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The antiderivative for |lam| << p, term by term; alone its first term when lam = 0."""
    base, ratio = p ** ((2 - 2 * N) / N), lam / p
    return base * sum(ratio**j / (2 * N - 2 + j * N) for j in range(36))  # 0.3^36 is below rounding


def _antiderivative(N: int, lam: np.ndarray, p: np.ndarray, gap: np.ndarray) -> np.ndarray:
    r"""Of :math:`1 / (x^{N-1}(\lambda - x^N))` at :math:`x = p^{1/N}`, by the N-th roots w of sign(lam).

    .. math:: F = \frac1\lambda \left[ -\frac{x^{2-N}}{N-2} + \rho^{2-N} G \right], \quad
              G(y) = \int \frac{y\,dy}{1-y^N} = -\frac1N \sum_w \mathrm{Re}\, w^2 \mathrm{Log}(1 - y \bar w)
    """
    sign, mu = np.sign(lam), np.abs(lam)
    rho = mu ** (1 / N)
    y = (p / mu) ** (1 / N)
    near = np.where(lam > 0, -np.expm1(np.log1p(-gap / lam) / N), 1.0)  # 1 - y without cancellation
    G = -np.log(np.abs(near))  # the root 1 of +1
    for l in range(1, N // 2 + 1):  # conjugate roots together
        phi = np.where(lam > 0, 2 * l, 2 * l - 1) * np.pi / N
        c, s = np.cos(phi), np.sin(phi)
        real_root = np.isclose(phi, np.pi)
        logs = np.cos(2 * phi) * np.log1p(y * (y - 2 * c)) / 2 - np.sin(2 * phi) * np.arctan2(y * s, 1 - y * c)
        G -= np.where(real_root, np.log1p(y), 2 * logs)
    if N % 2:
        G -= np.where(lam < 0, np.log1p(y), 0.0)  # the root -1 of -1
    return (-(p ** ((2 - N) / N)) / (N - 2) + sign * rho ** (2 - N) * G / N) / lam


def perturbed_time(N: int, lam: np.ndarray, p0: float, p1: np.ndarray, delta) -> np.ndarray:
    """Time from p0 to p1 on the leaf delta: the Riccati solution for N = 2, quadrature in the angle for N >= 3."""
    delta = np.broadcast_to(np.asarray(delta, dtype=np.float64), lam.shape)
    if N == 2:
        return _riccati_time(lam, np.full(lam.shape, p0), p1, delta)
    first, left = angle(N, p0, delta), np.maximum(way_left(N, lam, delta, p1), 1e-300)
    # The quadrature ends a hair before the limit; the exponential tail behind it has a closed form.
    until = np.maximum(left, np.minimum(TAIL, np.abs(angle(N, lam, delta) - first)))
    leaf = Leaf(N, lam, delta, first, angle(N, p1, delta), distance=until)
    with np.errstate(all="ignore"):
        tail = np.where(left < until, np.log(until / left) / sharpness(N, lam, delta), 0.0)
    return leaf.time() + tail


def _riccati_time(lam, p0, p1, delta):
    """N = 2: ``(z - z+)/(z - z-)`` decays like ``exp(-w t)``; signs are flipped for lam < 0."""
    sign = np.where(lam < 0, -1.0, 1.0)  # (-lam, -p) obeys the same equation; for lam > 0 nothing cancels
    lam, p0, p1 = sign * lam, sign * p0, sign * p1
    w = np.sqrt(4 * lam**2 + delta**2)

    def log_ratio(p):
        s = np.sqrt(4 * p**2 + delta**2)
        z = np.where(p >= 0, 2 * p + s, delta**2 / np.where(p >= 0, 1.0, s - 2 * p))  # delta times e^(2 theta)
        high = z - (2 * lam + w)  # cancels near the limit: rewritten with p - lam
        high = np.where(p > 0, 2 * (p - lam) * (1 + 2 * (p + lam) / (s + w)), high)
        return np.log(np.abs(high)) - np.log(z + delta**2 / (w + 2 * lam))

    with np.errstate(divide="ignore"):
        return (log_ratio(p0) - log_ratio(p1)) / w


@within_floats
def flow_time(eigenvalue: float, level: float, depth: int, alpha: float, beta: float | None = None) -> float:
    r"""Time that gradient flow takes until the product's eigenvalue reaches a level.

    .. math:: t = \int_{p_0}^{\text{level}} \frac{dp}{S(p)\,(\lambda - p)}

    Parameters
    ----------
    eigenvalue : float
        :math:`\lambda`, of the target.
    level : float
        Of the product's eigenvalue p, on the way from :math:`p_0` to its limit.
    depth, alpha, beta
        :math:`N, \alpha, \beta`; `beta` is None for the identical start.

    Returns
    -------
    float
        In flow time; divide by the learning rate for steps. 0 when the start is at the level or past it,
        infinite when the level lies at the limit or beyond it.

    Notes
    -----
    Identical start: closed forms (N = 2; :math:`\lambda = 0`; roots of unity for N >= 3, the shape of the formula of
    Chou, Gieshoff, Maly, Rauhut 2024). Perturbed start: Riccati for N = 2, quadrature for N >= 3 (derived).

    Examples
    --------
    >>> round(flow_time(1.0, 0.5, depth=3, alpha=0.1), 10)
    9.1447473066
    >>> flow_time(-1.0, -0.5, depth=3, alpha=0.1)
    inf
    >>> round(flow_time(-1.0, -0.5, depth=3, alpha=0.3, beta=0.1), 6)
    9.401684
    """
    start = start_of(depth, alpha, beta)
    return float(time_to(start, real("eigenvalue", eigenvalue), real("level", level)))


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
