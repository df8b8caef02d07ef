"""What gradient flow has learned of each direction when it is stopped; sizes are in multiples of the threshold."""

from typing import Any

import numpy as np

from rankscape.theory.climbing.flow_time import goal, time_to
from rankscape.theory.climbing.imbalance_leaf import Leaf, angle
from rankscape.theory.inputs import Start, start_of

# Share that is learned of a direction at the edge of the noise when one at the threshold is half learned.
EDGE_SHARE = 0.1

# A direction of less than this part of the threshold is rounding and stays where it starts.
SMALLEST = 1e-12

# Of the interval of logits in which the learned share is sought.
HALVINGS = 48


def tuned_alpha(depth: int, edge: float) -> float:
    r"""The start from which a direction of size 1 is half learned when one of size `edge` is a tenth learned.

    A smaller start separates sizes more sharply and lets less of the noise in, a larger one keeps part of what is
    just below the threshold; this one lies where the error is flat.

    >>> [round(tuned_alpha(depth, 0.866), 3) for depth in (3, 4)]
    [0.095, 0.227]
    """
    from scipy.optimize import brentq

    def late(logarithm: float) -> float:
        half, tenth = time_to(start_of(depth, np.exp(logarithm)), [1.0, edge], [0.5, EDGE_SHARE * edge])
        return float(np.log(half / tenth))

    highest = np.log(0.999 * EDGE_SHARE * edge) / depth  # the start is nearly at the tenth already
    lowest = highest - 60 / depth
    root: Any = brentq(late, lowest, highest) if late(lowest) < 0 else lowest
    return float(np.exp(root))


def stop_time(start: Start) -> float:
    """The flow time at which a direction at the threshold is half learned."""
    return float(time_to(start, 1.0, 0.5))


def learned(start: Start, target: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The product's values at the given times for the given values of the target, shape (times, modes)."""
    out = np.full((len(times), len(target)), start.product)
    moving = np.abs(target) > SMALLEST
    if moving.any() and start.beta is not None and start.depth > 2:
        out[:, moving] = _along_leaf(start, target[moving], times)
    elif moving.any():
        out[:, moving] = _inverted(start, target[moving], times)
    return out


def _inverted(start: Start, lam: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The closed forms of the time, inverted by bisection of the logit of the way that is behind."""
    lam, t = np.broadcast_arrays(lam, times[:, None])
    way = goal(start, lam) - start.product
    low, high = np.full(lam.shape, -36.0), np.full(lam.shape, 36.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        late = time_to(start, lam, start.product + way / (1 + np.exp(-middle))) > t
        low, high = np.where(late, low, middle), np.where(late, middle, high)
    return start.product + np.where(t > 0, way / (1 + np.exp(-low)), 0.0)


def _along_leaf(start: Start, lam: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The perturbed flow from 0: its time at the nodes of a quadrature, interpolated (to about 1e-4 of `lam`)."""
    N, delta = start.depth, np.full(lam.shape, start.imbalance)
    first, last = angle(N, start.product, delta), angle(N, lam, delta)
    leaf = Leaf(N, lam, delta, first, last, distance=1e-12 * np.abs(last - first))
    time = leaf.running(np.ones_like(leaf.jacobian)).reshape(len(lam), -1)
    p = leaf.a ** (N - 1) * np.sqrt(delta)[:, None, None] * np.sinh(leaf.theta)
    logit = np.log(np.maximum(np.abs(p / leaf.rho), 1e-300)).reshape(len(lam), -1)
    with np.errstate(divide="ignore"):
        now, clock = np.log(times), np.log(np.maximum.accumulate(np.maximum(time, 0.0), axis=1))
    share = [1 / (1 + np.exp(-np.interp(now, *mode, left=-np.inf))) for mode in zip(clock, logit, strict=True)]
    return lam * np.array(share).T
