"""When to stop: the step for a wanted rank or effective rank, with its certificate."""

import math
from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.plateaus import Plateau, plateaus
from rankscape.theory.climbing.recursion import BLOCK, advance
from rankscape.theory.inputs import Start, Tolerance, spectrum_of, start_of


@dataclass(frozen=True)
class StoppingRule:
    """A step to stop at."""

    step: int | None
    """None when the wish cannot be met."""
    earliest: int | None
    """First step with the same certificate."""
    latest: int | None
    """Last step with the same certificate; None (with a step) when there is none."""
    rank: int | None
    """The rank whose plateau contains the step; None between plateaus."""
    effective_rank: tuple[float, float]
    """Certified least and greatest effective rank of the product at the step."""
    certified: bool
    plateau: Plateau | None
    assumptions: tuple[str, ...]
    failed: str | None = None


def effective_rank_of(p: np.ndarray) -> np.ndarray:
    """Nuclear over spectral norm along the last axis; 0 where the product vanishes."""
    size = np.abs(p)
    top = size.max(axis=-1)
    return np.where(top > 0, size.sum(axis=-1) / np.where(top > 0, top, 1.0), 0.0)


@within_floats
def stopping_rule(
    eigenvalues: ArrayLike,
    depth: int,
    alpha: float,
    learning_rate: float,
    rank: int | None = None,
    effective_rank: float | None = None,
    beta: float | None = None,
    tolerance: Tolerance = 0.05,
    target_noise: float = 0.0,
    max_steps: int = 1_000_000,
) -> StoppingRule:
    r"""The step to stop at for a wanted rank or a wanted effective rank.

    For a rank: the geometric middle of the guaranteed plateau (its start when it has no end). For an effective rank:
    the first step after the initial decrease at which :math:`r(W) = \|W\|_* / \|W\|` has risen to the wish, by the
    exact recursion.

    Parameters
    ----------
    eigenvalues, depth, alpha, learning_rate, beta, tolerance, target_noise
        As in `plateaus`.
    rank : int, optional
        L, in the order of learning.
    effective_rank : float, optional
        Instead of `rank`.
    max_steps : int
        Where the search for an effective rank gives up.

    Returns
    -------
    StoppingRule

    Raises
    ------
    InputError
        Neither or both wishes, or a wish outside of what the target has.

    Notes
    -----
    Early stopping as a choice of rank is the use that Chou, Gieshoff, Maly, Rauhut (2024) propose; derived.

    Examples
    --------
    >>> rule = stopping_rule([5.0, 3.0, 1.5, 0.5], depth=3, alpha=0.1, learning_rate=1e-3, rank=2)
    >>> rule.earliest, rule.step, rule.latest, rule.certified
    (3386, 4165, 5125, True)
    >>> stopping_rule([5.0, 3.0, 1.5, 0.5], depth=3, alpha=0.1, learning_rate=1e-3, effective_rank=1.5).step
    3278
    """
    if (rank is None) == (effective_rank is None):
        raise InputError("give either `rank` or `effective_rank`, and not both.")
    start, lam = start_of(depth, alpha, beta), spectrum_of(eigenvalues, learnable=True)
    eta, most = positive("learning_rate", learning_rate), whole("max_steps", max_steps, least=1)
    found = plateaus(eigenvalues, depth, alpha, learning_rate, beta, tolerance, target_noise)
    if rank is not None:
        return _for_rank(found, whole("rank", rank, least=1, most=len(found)))
    wish = positive("effective_rank", effective_rank)
    if not 1 <= wish <= lam.size:
        raise InputError(f"`effective_rank` must lie within [1, {lam.size}], got {effective_rank!r}.")
    return _for_effective_rank(start, lam, eta, wish, found, most)


def _for_rank(found: tuple[Plateau, ...], rank: int) -> StoppingRule:
    here = found[rank - 1]
    if not here.guaranteed:
        empty = here.start is not None and here.end is not None
        middle = round(math.sqrt(max(here.start, 1) * max(here.end, 1))) if empty else None  # pyright: ignore
        text = f"no certified step for rank {rank}: {here.failed}"
        return StoppingRule(middle, None, None, None, (1.0, math.inf), False, here, here.assumptions, text)
    assert here.start is not None
    # The geometric middle: as many times later than the start as earlier than the end.
    step = here.start if here.end is None else math.floor(math.sqrt(here.start * here.end))
    low, high = (here.effective_rank + deviation for deviation in here.deviation)
    return StoppingRule(
        max(step, here.start), here.start, here.end, rank, (max(low, 1.0), high), True, here, here.assumptions
    )


def _for_effective_rank(
    start: Start, lam: np.ndarray, eta: float, wish: float, found: tuple[Plateau, ...], most: int
) -> StoppingRule:
    step, value = _rise(start, lam, eta, wish, most)
    assumptions = (*start.assumptions, "the recursion in float64")
    if step is None:
        text = f"the effective rank does not rise to {wish:g} within max_steps = {most}; it ends at {value:.6g}"
        return StoppingRule(None, None, None, None, (1.0, math.inf), False, None, assumptions, text)
    for here in found:
        if here.start is not None and here.start <= step and (here.end is None or step <= here.end):
            return StoppingRule(step, step, step, here.rank, (value, value), True, here, assumptions)
    return StoppingRule(step, step, step, None, (value, value), True, None, assumptions)


def _rise(start: Start, lam: np.ndarray, eta: float, wish: float, most: int) -> tuple[int | None, float]:
    """The first step at which r has risen to the wish after having been below it, and r there."""
    a = np.full(lam.shape, start.alpha)
    b = a if start.beta is None else np.full(lam.shape, start.alpha - start.beta)
    k, below, value = 0, False, math.inf
    with np.errstate(over="ignore", invalid="ignore"):
        while k <= most:
            rows = min(max(16, BLOCK // lam.size), most + 1 - k)
            block = np.empty((rows, lam.size))
            a, b = advance(a, b, lam, eta, start.depth, rows, block)
            if not np.all(np.isfinite(block)):
                raise InputError(f"the recursion overflows at learning rate {eta:g}: see `step_limit`.")
            r = effective_rank_of(block)
            # The effective rank falls before it rises: only a rise from below the wish counts.
            under = np.logical_or.accumulate((r > 0) & (r < wish)) | below
            hits = np.flatnonzero(under & (r >= wish))
            if hits.size:
                return k + int(hits[0]), float(r[hits[0]])
            k, below, value = k + rows, bool(under[-1]), float(r[-1])
    return None, value
