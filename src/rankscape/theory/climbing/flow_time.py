r"""Gradient flow, the limit of small steps at :math:`t = \eta k`: its times, for both starts.

.. math:: p' = N p^{2-2/N} (\lambda - p)  \qquad\text{(identical)}

.. math:: p' = S(p, \delta) (\lambda - p), \quad S = a^{2N-2} + (N-1) a^{2N-4} b^2  \qquad\text{(perturbed)}

on the leaf :math:`a^2 - b^2 = \delta`, which the flow conserves.
"""

import numpy as np

from rankscape.ground.checks import real
from rankscape.ground.range import within_floats
from rankscape.theory.climbing.imbalance_leaf import Leaf, angle, sharpness, way_left
from rankscape.theory.inputs import Start, start_of

# Below this ratio of the eigenvalue to both ends the time is a power series in it.
SERIES = 0.3

# Within this angle of the limit the approach is exponential to rounding: no quadrature is needed.
TAIL = 1e-14


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
