"""The largest scale of the start with which a plateau exists."""

import math
from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, real, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.flow import time_to
from rankscape.theory.climbing.plateaus import learning_order
from rankscape.theory.inputs import RANGE, Start, Tolerance, alike, spectrum_of, start_of, tolerances_of

# Scales below this are not proposed, even where their powers are still in range.
SMALLEST = 1e-60


@dataclass(frozen=True)
class CriticalAlpha:
    """The largest scale of the start with which a plateau exists."""

    alpha: float | None
    """None when no scale down to 1e-60 gives the plateau."""
    rank: int
    length: float
    """The wanted length in flow time; 0 asks for existence only."""
    assumptions: tuple[str, ...]
    failed: str | None = None


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


def window(start: Start, lam: np.ndarray, rank: int, tolerance: tuple[float, float]) -> tuple[float, float] | None:
    """Flow times at which the plateau of a rank begins and ends; None when the modes do not rise out of the start."""
    order = learning_order(start, lam)
    active, rest = order[:rank], np.delete(lam, order[:rank])
    mu, floor = np.abs(lam[active]), start.alpha**start.depth
    eps = tolerance[0] * mu.min()
    if mu.min() - eps <= start.product:
        return None
    first = time_to(start, lam[active], lam[active] - np.sign(lam[active]) * eps).max()
    # After the last mode nothing else rises.
    if rank == order.size:
        return float(first), math.inf
    small = max(tolerance[1] * abs(lam[order[rank]]), floor)
    if start.beta is None:
        rest = np.maximum(rest, 0.0)
    rest = rest[np.abs(rest) > small]
    # A level at or below the start is passed at time 0.
    last = time_to(start, rest, np.sign(rest) * small).min(initial=math.inf) if small > floor else 0.0
    return float(first), float(last)


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

    Solves :math:`t_{\text{end}}(\alpha) - t_{\text{start}}(\alpha) = \text{length}` for gradient flow. From the
    identical start the left side falls strictly with :math:`\alpha`, so the solution is unique; it exists for every gap
    :math:`\lambda_L > \lambda_{L+1}`, but for N = 2 it is exponentially small in the inverse gap.

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
    """
    depth, tol, length = whole("depth", depth, least=2), tolerances_of(tolerance), nonnegative("length", length)
    ratio = ratio_of(beta_ratio)
    lam, rank, wrong = wish_of(eigenvalues, rank, depth, ratio)
    assumptions = ("gradient flow", "symmetric, fully observed target; no ridge")
    alpha = None if wrong else largest_scale(lam, rank, depth, tol, length, ratio)
    if alpha is None and wrong is None:
        wrong = no_scale(depth)
    return CriticalAlpha(alpha, rank, length, assumptions, wrong)


def largest_scale(lam, rank: int, N: int, tol, length: float, ratio: float | None) -> float | None:
    """The largest alpha with a plateau of more than `length` in flow time; None when there is none."""
    from scipy.optimize import root_scalar

    def surplus(x: float) -> float:
        found = window(scaled_start(N, math.exp(x), ratio), lam, rank, tol)
        if found is None or math.isinf(found[0]):
            # As bad as no plateau, and a number, which the bracketing needs.
            return -1.0 - length
        return min(found[1] - found[0], 1e300) - length

    bottom, top = scales(N)
    # Begin where alpha^N is the largest eigenvalue: no larger start can have a plateau.
    low = high = min(top, math.log(float(np.max(np.abs(lam)))) / N)
    move = 0.01
    while surplus(low) <= 0:
        high, low = low, low - move
        # Longer and longer moves: at depth 2 the scale may lie a hundred decades further down.
        move *= 1.2
        if low <= bottom:
            return None
    if high > low:
        low = root_scalar(surplus, bracket=(low, high), method="brentq", xtol=1e-14, rtol=1e-14).root
    return math.exp(low)
