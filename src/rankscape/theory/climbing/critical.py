"""The scales of the start with which a plateau exists."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, real, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.flow_time import time_to
from rankscape.theory.climbing.levels import Levels
from rankscape.theory.climbing.settled_times import level_of
from rankscape.theory.inputs import RANGE, TINY, Start, Tolerance, alike, spectrum_of, start_of, tolerances_of

# Scales below this are not proposed, even where their powers are still in range.
SMALLEST = 1e-60


# Scales that are tried: so far apart around the natural one, further and further apart below; as logarithms.
STEP, LARGEST, GROWTH = 0.1, math.log(1e3), 1.1


@dataclass(frozen=True)
class CriticalAlpha:
    """The scales of the start with which a plateau exists."""

    alpha: float | None
    """The largest one; infinite when none is too large, None when no scale down to 1e-60 gives the plateau."""
    rank: int
    length: float
    """The wanted length in flow time; 0 asks for existence only."""
    assumptions: tuple[str, ...]
    failed: str | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    """All scales with the plateau, ascending; from a perturbed start they may be several intervals."""


def ratio_of(beta_ratio: object) -> float | None:
    """The perturbation in units of alpha; None for the identical start."""
    if beta_ratio is None:
        return None
    ratio = real("beta_ratio", beta_ratio)
    if not 0 < ratio <= 1:
        raise InputError(f"`beta_ratio` = beta / alpha must lie within (0, 1], got {beta_ratio!r}.")
    return ratio


def scales(depth: int) -> tuple[float, float]:
    """Logarithms of the smallest and the greatest alpha that may be proposed."""
    # alpha^N must stay a number; upwards with room for its square.
    decade = math.log(10) * (RANGE - 1) / depth
    return max(math.log(SMALLEST), -decade), decade / 2


def scaled_start(depth: int, alpha: float, ratio: float | None) -> Start:
    """The start of a scale."""
    return start_of(depth, alpha, None if ratio is None else ratio * alpha)


def no_scale(depth: int) -> str:
    """Why there is no scale."""
    return f"no alpha above {math.exp(scales(depth)[0]):.2g} gives the plateau: the gap is too small for depth {depth}"


def window(start: Start, lam: np.ndarray, rank: int, tolerance: tuple[float, float]) -> tuple[float, float]:
    """Flow times at which the plateau of a rank begins and ends; both may be infinite."""
    levels, ranks = Levels(start, lam, tolerance), np.array([rank - 1])
    active, eps = levels.lam[:rank], levels.eps[rank - 1]

    def times(modes: np.ndarray, level: np.ndarray) -> np.ndarray:
        return time_to(start, modes, level)

    settled = times(active, level_of(start, active, eps)).max()
    return float(max(settled, levels.begins(ranks, times)[0])), float(levels.ends(ranks, times)[0])


def wish_of(eigenvalues: ArrayLike, rank: int, depth: int, ratio: float | None) -> tuple[np.ndarray, int, str | None]:
    """The spectrum, the rank, and what makes the wish impossible at any scale."""
    lam = spectrum_of(eigenvalues, learnable=True)
    learnable = lam[lam > 0] if ratio is None else lam[lam != 0]
    if not learnable.size:
        raise InputError("no eigenvalue is positive: the identical start goes to zero; give `beta_ratio`.")
    rank = whole("rank", rank, least=1, most=learnable.size)
    ordered = np.sort(learnable)[::-1]
    if ratio is None and rank < ordered.size and alike(ordered[rank - 1], ordered[rank]):
        cluster = int(np.flatnonzero(alike(ordered, ordered[rank]))[-1]) + 1
        text = f"eigenvalue {ordered[rank]:g} is degenerate: its modes are learned at once; ask for rank {cluster}"
        return lam, rank, text
    return lam, rank, None


@within_floats
def critical_alpha(
    eigenvalues: ArrayLike,
    rank: int,
    depth: int,
    tolerance: Tolerance = 0.05,
    length: float = 0.0,
    beta_ratio: float | None = None,
) -> CriticalAlpha:
    r"""The largest alpha with which the plateau of a rank exists (and lasts a given flow time).

    Solves :math:`t_{\text{end}}(\alpha) - t_{\text{start}}(\alpha) = \text{length}` for gradient flow, with the
    plateaus of `plateaus`. From the identical start the left side falls strictly with :math:`\alpha` as long as a
    positive eigenvalue is left to be learned, so the solution is unique; it exists for every gap
    :math:`\lambda_L > \lambda_{L+1}`, but for N = 2 it is exponentially small in the inverse gap. Nothing ends the
    plateau of the last rank: every alpha has it, and the largest is infinite. From the perturbed start the scales may
    be several intervals: they are found on a grid of `STEP` in the logarithm, and their ends by bisection.

    Parameters
    ----------
    eigenvalues : array_like
        :math:`\lambda_i`.
    rank : int
        L, in the order of learning.
    depth : int
        N.
    tolerance : float or pair of float
        As in `plateaus`.
    length : float
        In flow time: steps times learning rate.
    beta_ratio : float, optional
        beta / alpha for the perturbed start.

    Returns
    -------
    CriticalAlpha

    Notes
    -----
    Derived, on the level of the flow; `design` certifies steps of gradient descent.

    Examples
    --------
    >>> round(critical_alpha([5.0, 3.0, 1.5, 0.5], rank=1, depth=2).alpha, 10)
    0.0032708876
    >>> round(critical_alpha([5.0, 3.0, 1.5, 0.5], rank=1, depth=3).alpha, 10)
    0.2086770132
    >>> critical_alpha([5.0, 3.0, 1.5, 0.5], rank=4, depth=3).alpha
    inf
    >>> round(critical_alpha([5.0, 1.0], rank=1, depth=3, beta_ratio=0.9).alpha, 6)
    0.469072
    """
    depth, tol, length = whole("depth", depth, least=2), tolerances_of(tolerance), nonnegative("length", length)
    ratio = ratio_of(beta_ratio)
    lam, rank, wrong = wish_of(eigenvalues, rank, depth, ratio)
    assumptions = ["gradient flow", "symmetric, fully observed target; no ridge"]
    found = () if wrong else intervals(lam, rank, depth, tol, length, ratio)
    if not found and wrong is None:
        wrong = no_scale(depth)
    if ratio is not None:
        assumptions.append(f"scales on a grid of {STEP:g} in the logarithm of alpha, their ends by bisection")
    return CriticalAlpha(found[-1][1] if found else None, rank, length, tuple(assumptions), wrong, found)


def intervals(lam, rank: int, N: int, tol, length: float, ratio: float | None) -> tuple[tuple[float, float], ...]:
    """The intervals of alpha with a plateau of more than `length` in flow time, ascending."""

    def surplus(x: float) -> float:
        first, last = window(scaled_start(N, math.exp(x), ratio), lam, rank, tol)
        # As bad as no plateau, and a number, which the bracketing needs.
        return -1.0 - length if math.isinf(first) else min(last - first, 1e300) - length

    natural = math.log(float(np.max(np.abs(lam)))) / N
    if ratio is None:
        return _below(surplus, lam, rank, N, tol, natural)
    bottom, top = scales(N)
    grid, move = [min(natural + LARGEST, top)], STEP
    while grid[-1] - move > bottom:
        grid.append(grid[-1] - move)
        # Longer and longer moves: at depth 2 the scale may lie a hundred decades further down.
        move *= GROWTH if grid[-1] < natural - LARGEST else 1.0
    grid, values = grid[::-1], [surplus(x) for x in grid[::-1]]
    out, low = [], 0.0 if values[0] > 0 else None
    for here, there, before, after in zip(grid, grid[1:], values, values[1:], strict=False):
        if before > 0 >= after and low is not None:
            out.append((low, math.exp(_edge(surplus, here, there))))
            low = None
        elif before <= 0 < after:
            low = math.exp(_edge(surplus, there, here))
    return (*out, (low, math.inf)) if low is not None else tuple(out)


def _below(surplus: Callable[[float], float], lam, rank: int, N: int, tol, natural: float):
    """Identical start: every scale, or every one below a limit."""
    from scipy.optimize import root_scalar

    levels = Levels(scaled_start(N, math.exp(natural), None), lam, tol)
    if rank == levels.mu.size:
        return ((0.0, math.inf),)
    if levels.small[rank - 1] < TINY:  # no start of floating-point numbers is below such a level
        return ()
    # A larger start is above the level of the next mode, which stays there.
    high = min(scales(N)[1], math.log(float(levels.small[rank - 1])) / N)
    low, move = high - 1e-12, 0.01
    while surplus(low) <= 0:
        high, low = low, low - move
        move *= 1.2
        if low <= scales(N)[0]:
            return ()
    if surplus(high) <= 0:
        low = root_scalar(surplus, bracket=(low, high), method="brentq", xtol=1e-14, rtol=1e-14).root
    return ((0.0, math.exp(low)),)


def _edge(surplus: Callable[[float], float], inside: float, outside: float) -> float:
    """The last place with a plateau on the way to one without, by bisection: the surplus may jump there."""
    while abs(outside - inside) > 1e-11:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if surplus(middle) > 0 else (inside, middle)
    return inside
