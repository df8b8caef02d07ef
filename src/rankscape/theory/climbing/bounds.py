r"""Two-sided bounds for the step at which gradient descent passes a level, and predictors; vectorised over modes.

B1 (identical, first order): along the flow :math:`d \ln|h| / dt = h'`, so one Euler step of
:math:`h(x) = x^{N-1}(\lambda - x^N)` takes a flow time between :math:`\eta\,\ell(\eta M)` and
:math:`\eta\,\ell(\eta m)`, where m and M bound :math:`h'` and :math:`\ell(w) = \ln(1+w)/w`.

B2 (identical, second order): the same with the trapezoidal rule and its remainder.

B3 (perturbed): the same on the leaves between :math:`\delta_0` and a lower bound :math:`\delta_*` of the imbalance.

All three are derived; they intersect to the guaranteed interval of steps, widened by what `rounding` to float64 can do.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rankscape.theory.climbing.flow_time import identical_time, perturbed_time, reach
from rankscape.theory.climbing.imbalance_leaf import Leaf, angle, sharpness, way_left
from rankscape.theory.climbing.rounding import LOST, kappa, width
from rankscape.theory.inputs import Start

# Relative room for rounding, in the bounds and in the recursion they speak about.
GUARD = 1e-10

ASSUMPTIONS = {
    perturbed: (bound, "steps taken in float64: the bounds leave room for its rounding")
    for perturbed, bound in (
        (False, "bounds B1 and B2 (Euler steps against the balanced flow)"),
        (True, "bound B3 (Euler steps against the flow on the leaves of constant imbalance)"),
    )
}


@dataclass(frozen=True)
class Passage:
    """Arrays over modes: lower <= T <= upper, and the predicted T; infinite when never reached or not asked for."""

    lower: np.ndarray
    upper: np.ndarray
    estimate: np.ndarray
    certified: np.ndarray
    """Where the bounds apply; elsewhere lower = 0 and upper = inf."""
    lost: np.ndarray
    """Where they would apply to real numbers, but rounding to float64 may hold a step back altogether."""


Side = Literal["lower", "upper"]


def passage(start: Start, lam, level, eta: float, *, only: Side | None = None) -> Passage:
    """Bounds and predictor of the first step at which each mode is at its level or past it, or one bound alone."""
    lam, level = np.broadcast_arrays(np.asarray(lam, dtype=np.float64), np.asarray(level, dtype=np.float64))
    past, never = reach(start, lam, level)
    on = ~past & ~never
    lower, upper, estimate = (np.where(past, 0.0, np.inf) for _ in range(3))
    certified, lost = ~on, np.zeros(lam.shape, dtype=bool)
    if np.any(on):
        with np.errstate(all="ignore"):
            if start.beta is None:
                low, up, guess, ok, least = _identical(start, lam[on], level[on], eta)
            else:
                low, up, guess, ok, least = _perturbed(start, lam[on], level[on], eta, only)
            wide, late = held_back(start, lam[on], level[on], eta, least)
            low = np.ceil(guarded(low * (1 - wide) - late, -1))
            up = np.ceil(guarded((up + late) / (1 - wide), +1))
        ok &= np.isfinite(low) & (np.isfinite(up) | (only == "lower"))
        lost[on] = ok & (wide >= LOST)
        ok &= wide < LOST
        # A level that is not passed at the start takes at least one step, whatever rounding says.
        lower[on], upper[on] = np.where(ok, np.maximum(low, 1.0), 0.0), np.where(ok, up, np.inf)
        # Far outside of the bounds the predictor may be no number: then it says never.
        estimate[on] = np.where(np.isfinite(guess), np.maximum(guess, 1.0), np.inf)
        certified[on] = ok
    return Passage(lower, upper, estimate, certified, lost)


def held_back(start: Start, lam, level, eta: float, least):
    """The relative change of every step by rounding, and the steps that the rounding of the product itself may cost."""
    # Twice the slope at the level: a step is shorter than the flow says, and the way to the limit is convex.
    late = 2 * width(start.depth, level) / (eta * sharpness(start.depth, level, least) * np.abs(lam - level))
    return kappa(start, lam, level, eta, least), late


def guarded(x, away: float):
    """A bound with room for the rounding of its own formula: -1 moves it down, +1 up."""
    return x * (1 + away * GUARD) + away * 1e-9


def _ell(w):
    """ln(1 + w) / w."""
    safe = np.where(w == 0, 1.0, w)
    return np.where(w == 0, 1.0, np.log1p(safe) / safe)


def _identical(start: Start, lam, level, eta: float):
    N, p0 = start.depth, start.product
    t = identical_time(N, lam, p0, level)
    d = level ** (1 / N)
    h0, h1 = p0 ** ((N - 1) / N) * (lam - p0), d ** (N - 1) * (lam - level)
    end = d + eta * h1  # the last step cannot go further
    root = np.maximum(lam, 0.0) ** (1 / N)
    # If one more step could jump over the limit, slopes up to there bound nothing.
    fits = np.where(level > p0, end <= root * (1 + 1e-12), end >= root * (1 - 1e-12))
    low_x, high_x = np.minimum(start.alpha, end), np.maximum(start.alpha, end)
    m, M = _slopes(N, lam, low_x, high_x)
    ok = fits & (1 + eta * m > 0)
    lower, upper = t / (eta * _ell(eta * m)), t / (eta * _ell(eta * M))
    # The second order is tighter but holds for small steps only; both bounds together are the bound.
    remainder, holds = _second_order(N, lam, level > p0, start.alpha, m, M, eta)
    E = t + eta / 2 * np.log(np.abs(h1 / h0))
    lower = np.where(holds, np.maximum(lower, E / (eta + remainder)), lower)
    upper = np.where(holds & (remainder < eta), np.minimum(upper, E / (eta - remainder)), upper)
    guess = np.ceil(t / eta + np.log(np.abs(h1 / h0)) / 2)
    return lower, upper, guess, ok, np.zeros(lam.shape)


def _slopes(N: int, lam, low, high):
    """Least and greatest h' between two arguments: at the ends, or where h'' = 0."""

    def slope(x):
        return x ** (N - 2) * ((N - 1) * lam - (2 * N - 1) * x**N)

    ends = slope(low), slope(high)
    top = (np.maximum(lam, 0.0) * ((N - 1) * (N - 2)) / ((2 * N - 1) * (2 * N - 2))) ** (1 / N)
    inside = (lam > 0) & (low < top) & (top < high)
    M = np.maximum(*ends)
    return np.minimum(*ends), np.where(inside, np.maximum(M, slope(top)), M)


def _second_order(N: int, lam, below, alpha: float, m, M, eta: float):
    """B2's remainder R and where it applies."""
    A, B = (N - 1) * (N - 2), (2 * N - 1) * (2 * N - 2)
    X = np.maximum(alpha, np.abs(lam) ** (1 / N))
    H_below = np.abs(lam) ** (4 - 4 / N) * max(A, (B - A) ** 2 / (4 * B))
    H = np.where(below, H_below, 2 * X ** (4 * N - 4) * (A + B))
    K = np.maximum(np.abs(m), np.abs(M))
    holds = eta * K < 0.5
    tau = -np.log1p(-eta * np.where(holds, K, 0.0)) / K
    R = tau**3 / 12 * (eta * K**3 / 2 + np.exp(1.5 * K * tau) * (H + K**2))
    return np.where(holds, R, np.inf), holds


def smallest_imbalance(start: Start, lam, yb) -> np.ndarray:
    """delta_*: gradient descent never shrinks the imbalance below it; 0 when the estimate fails."""
    b0, root = start.alpha - (start.beta or 0.0), np.abs(lam) ** (1 / start.depth)
    rate = yb / (1 - yb)
    delta, done = np.full(np.shape(lam), start.imbalance), np.zeros(np.shape(lam), dtype=bool)
    # Iterated from above, so that an unfinished iteration is no bound: it counts as failed below.
    for _ in range(400):
        # The angle that the flow covers on its way, through zero for a negative eigenvalue.
        s = np.sqrt(delta)
        theta = np.arcsinh(np.where(lam > 0, np.maximum(root, b0), b0) / s)
        theta = theta + np.where(lam < 0, np.arcsinh(root / s), 0.0)
        new = start.imbalance * np.exp(-rate * theta)
        done = np.abs(new - delta) <= 1e-14 * delta
        delta = new
        if np.all(done):
            break
    return np.where(done & np.isfinite(delta), delta * (1 - 1e-11), 0.0)


def leaf_constants(start: Start, lam, eta: float):
    """For B3, whatever the level: the longest and the shortest flow time of a step, delta_*, and where B3 applies."""
    N, p0, delta = start.depth, start.product, start.imbalance
    reach_p = np.maximum(np.abs(lam - p0), np.abs(lam))
    ab2 = np.maximum(start.alpha**2, np.abs(lam) ** (2 / N) + delta)
    ab = np.sqrt(ab2) ** (N - 2)
    yb, kap = eta * reach_p * ab, N / (2 * np.sqrt(N - 1))
    grow, shrink = (lam > p0) | (lam < 0), lam < p0
    more = np.where(grow, (1 + yb) ** (N - 2) * (1 + yb * kap), 1.0)
    less = np.where(shrink, (1 - yb) ** (N - 2) * (1 - yb * kap), 1.0)
    Sp = 2 * (N - 1) * ab
    Sb = np.maximum(sharpness(N, lam, delta), sharpness(N, np.full(lam.shape, p0), delta))
    M, m = np.where(grow, reach_p * Sp, 0.0), -Sb - np.where(shrink, reach_p * Sp, 0.0)
    least = smallest_imbalance(start, lam, np.minimum(yb, 0.5))
    # Below 1/2 no step can flip the sign of the imbalance; the rest keeps the logarithms defined.
    ok = (yb < 0.5) & (less > 0) & (1 + eta * more * m > 0) & (least > 0)
    return eta * more * _ell(eta * more * m), eta * less * _ell(eta * less * M), np.where(ok, least, delta), ok


def _perturbed(start: Start, lam, level, eta: float, only: Side | None):
    N, p0, delta = start.depth, start.product, np.full(lam.shape, start.imbalance)
    longest, shortest, least, ok = leaf_constants(start, lam, eta)
    low, up, guess = np.zeros(lam.shape), np.full(lam.shape, np.inf), np.full(lam.shape, np.nan)
    # Each of the integrals costs as much as all the rest: only what is asked for is computed.
    if only != "upper":
        low = perturbed_time(N, lam, p0, level, delta) / longest
    if only != "lower":
        up = perturbed_time(N, lam, p0, level, least) / shortest
    if only is None:
        left = way_left(N, lam, delta, level)
        leaf = Leaf(N, lam, delta, angle(N, p0, delta), angle(N, level, delta), distance=left)
        guess = np.ceil(leaf.time() / eta + leaf.offset())
    return low, up, guess, ok, least
