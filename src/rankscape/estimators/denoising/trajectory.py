"""Gradient descent on a noisy matrix, from its start to the stop that the shrinkage of its directions asks for."""

from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.estimators.denoising.early_stop import learned, stop_time, tuned_alpha
from rankscape.estimators.denoising.noise import hard_threshold, noise_edge
from rankscape.estimators.denoising.observed import Observed
from rankscape.ground.labelled import Labelled
from rankscape.ground.numbers import EXACT
from rankscape.theory import Plateau, plateaus, step_limit
from rankscape.theory.inputs import Start

# Learning rate over the monotone limit.
SHARE = 0.05

# Steps of the path that are kept.
RECORDS = 24

# The size from which something is kept, over that of which half is kept: nearer ones ask for a start of no size, more
# distant ones for one that has learned everything already.
SPAN = (0.05, 0.95)


@dataclass(frozen=True)
class Trajectory:
    """Descent on a matrix, in the units of that matrix.

    Attributes
    ----------
    start : {"identical", "perturbed", "singular vectors"}
        Where it starts.
    alpha, learning_rate : float
        Scale of the start, step size.
    stop : int
        Step of the stop.
    threshold : float
        Size of a direction that is half learned at the stop.
    plateau : Plateau or None
        What theory guarantees for the rank that is kept; None for rank 0.
    path : Labelled
        What is learned of every direction, by step.
    """

    start: str
    alpha: float
    learning_rate: float
    stop: int
    threshold: float
    plateau: Plateau | None
    path: Labelled


def descend(seen: Observed, kept: np.ndarray, depth: int, alpha: float | None) -> Trajectory:
    """The trajectory that learns what is kept and stops before it learns the rest.

    It is stopped where it has learned half of a direction of which the shrinkage keeps half; by default it starts such
    that it has learned a tenth by then of one of which the shrinkage keeps nothing. Where theory guarantees a plateau
    of the rank that is kept, the stop lies in it.

    Parameters
    ----------
    seen : Observed
        The matrix that is descended on, divided by its scales.
    kept : ndarray
        What is kept of its directions.
    depth, alpha
        Number of factors; scale of the start in multiples of ``threshold^(1/depth)``.
    """
    values = seen.modes.values
    threshold, edge = _sizes(seen, np.abs(kept))
    target = values / threshold
    start, name = _start(target, kept, seen.symmetric, depth, alpha or tuned_alpha(depth, edge / threshold))
    rate = SHARE * step_limit(target, depth, start.alpha, start.beta).value
    stop = int(np.ceil(stop_time(start) / rate))
    plateau = _plateau(target, int(np.count_nonzero(kept)), start, rate)
    if plateau is not None and plateau.guaranteed:
        assert plateau.start is not None
        stop = max(plateau.start, stop if plateau.end is None else min(stop, plateau.end))
    # Without noise the threshold is rounding, and the number of steps may exceed any integer type.
    steps = np.unique(np.append(np.geomspace(1.0, float(stop), RECORDS).round(), [0.0, float(stop)]))
    path = _path(steps, threshold * learned(start, target, steps * rate), values, kept)
    step_size = rate * threshold ** (2 / depth - 2)
    return Trajectory(name, start.alpha * threshold ** (1 / depth), step_size, stop, threshold, plateau, path)


def _sizes(seen: Observed, kept: np.ndarray) -> tuple[float, float]:
    """Of a direction of which half is kept, and of one of which nothing is kept any more.

    For few directions these are the hard threshold and the edge of the noise. Where the whole spectrum decides they
    move into the gap between the last direction of which enough is kept and the first of which it is not.
    """
    sizes = seen.modes.sizes

    def between(size: float, enough: np.ndarray) -> float:
        return float(np.clip(size, sizes[~enough].max(initial=0.0), sizes[enough].min(initial=np.inf)))

    threshold = between(hard_threshold(seen.noise, seen.shape), (kept > 0) & (kept >= sizes / 2))
    edge = between(noise_edge(seen.noise, seen.shape), kept > 0)
    return threshold, float(np.clip(edge, SPAN[0] * threshold, SPAN[1] * threshold))


def _start(target: np.ndarray, kept: np.ndarray, symmetric: bool, depth: int, alpha: float) -> tuple[Start, str]:
    """Multiples of the identity learn the positive part alone; the perturbed identity learns both signs alike."""
    mixed = symmetric and bool((target[kept != 0] < 0).any())
    start = Start(depth, alpha, alpha if mixed else None)
    if start.alpha >= 1 or start.alpha**depth >= 0.5:
        raise InputError(f"`alpha` must be below 0.5^(1/depth) = {0.5 ** (1 / depth):.3g}, got {alpha:g}.")
    return start, "perturbed" if mixed else "identical" if symmetric else "singular vectors"


def _plateau(target: np.ndarray, rank: int, start: Start, rate: float) -> Plateau | None:
    return plateaus(target, start.depth, start.alpha, rate, start.beta)[rank - 1] if rank else None


def _path(steps: np.ndarray, path: np.ndarray, values: np.ndarray, kept: np.ndarray) -> Labelled:
    moduli = np.abs(path)
    ranks = moduli.sum(axis=1) / np.maximum(moduli.max(axis=1), 1e-300)
    whole = steps.astype(np.int64) if steps[-1] < EXACT else steps
    by_step, by_mode = ("step",), ("mode",)
    variables = {
        "learned": ((*by_step, *by_mode), path),
        "effective_rank": (by_step, ranks),
        "target": (by_mode, values),
        "kept": (by_mode, kept),
    }
    return Labelled(variables, {"step": whole, "mode": np.arange(len(values))})
