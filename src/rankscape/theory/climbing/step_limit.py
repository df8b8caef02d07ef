"""How large a step may be, and what happens above the limit."""

import warnings
from dataclasses import dataclass

import numpy as np

from rankscape.errors import RankscapeWarning
from rankscape.ground.checks import one_of
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.imbalance_leaf import sharpness
from rankscape.theory.climbing.recursion import advance, product
from rankscape.theory.inputs import Start, spectrum_of, start_of

# Steps of the recursion that tell what happens above the limit.
TRIAL = 20_000


@dataclass(frozen=True, eq=False)
class StepLimit:
    """The largest learning rate of a kind."""

    value: float
    """The smallest of `per_mode`; infinite when no mode sets a limit."""
    per_mode: np.ndarray
    """The limit of each eigenvalue alone."""
    kind: str
    assumptions: tuple[str, ...]
    failed: str | None = None


@within_floats
def step_limit(
    eigenvalues: ArrayLike,
    depth: int,
    alpha: float,
    beta: float | None = None,
    kind: str = "monotone",
) -> StepLimit:
    r"""The largest learning rate with which every eigenvalue converges in the stated way.

    Identical start, monotone (sharp for :math:`\alpha^N < \lambda`; otherwise the exact condition for the map to be
    non-decreasing on the way):

    .. math::

        \eta \le \frac{1}{N \lambda^{2-2/N}} \;(\alpha^N < \lambda), \qquad
        \eta \le \frac{\alpha^{2-N}}{(2N-1)\alpha^N - (N-1)\lambda} \;(\lambda \le \alpha^N)

    Parameters
    ----------
    eigenvalues, depth, alpha, beta
        :math:`\lambda_i, N, \alpha, \beta`; `beta` is None for the identical start.
    kind : {"monotone", "stable", "uniform"}
        "monotone": as above; for the perturbed start a sufficient condition,
        :math:`1 / (3N \max(\alpha^2, \max|\lambda|^{2/N} + \delta_0)^{N-1})`.
        "stable": the minimum attracts its neighbourhood, :math:`\eta < 2/S` with the sharpness S there; for
        :math:`\lambda \le 0` from the identical start: no factor changes sign.
        "uniform": one condition for all modes, :math:`1/(3N \max(\alpha, \|\lambda\|^{1/N})^{2N-2})`.

    Returns
    -------
    StepLimit

    Notes
    -----
    Derived; "uniform" has the form of the condition of Chou, Gieshoff, Maly, Rauhut (2024).

    Examples
    --------
    >>> step_limit([2.0], depth=2, alpha=0.1).value
    0.25
    >>> round(step_limit([-2.0, 0.0], depth=3, alpha=0.5).value, 12)
    0.432432432432
    """
    start, lam = start_of(depth, alpha, beta), spectrum_of(eigenvalues)
    one_of("kind", kind, ("monotone", "stable", "uniform"))
    # An infinite limit is an answer: such a mode sets none.
    with np.errstate(divide="ignore", over="ignore"):
        if kind == "stable":
            per_mode, why = _stable(start, lam), "local: attraction near the minimum only, also from larger starts"
        elif start.beta is not None:
            base = np.maximum(start.alpha**2, np.abs(lam) ** (2 / start.depth) + start.imbalance)
            if kind == "uniform":
                base = np.full(lam.shape, base.max())
            per_mode, why = 1 / (3 * start.depth * base ** (start.depth - 1)), "sufficient, not sharp"
        elif kind == "uniform":
            M = np.maximum(start.alpha, np.max(np.abs(lam)) ** (1 / start.depth))
            per_mode = np.full(lam.shape, 1 / (3 * start.depth * M ** (2 * start.depth - 2)))
            why = "sufficient for every eigenvalue up to the largest modulus"
        else:
            per_mode, why = _monotone(start, lam), "the step map is non-decreasing between start and limit"
    return StepLimit(float(per_mode.min()), per_mode, kind, (*start.assumptions, why))


def _monotone(start: Start, lam: np.ndarray) -> np.ndarray:
    N, x = start.depth, start.alpha
    below = x**N < lam
    # `minimum` keeps the branch that is not used away from a division by zero.
    above = 1 / (x ** (N - 2) * ((2 * N - 1) * x**N - (N - 1) * np.minimum(lam, x**N)))
    return np.where(below, 1 / (N * np.where(below, lam, 1.0) ** (2 - 2 / N)), above)


def _stable(start: Start, lam: np.ndarray) -> np.ndarray:
    N, x = start.depth, start.alpha
    if start.beta is not None:
        return 2 / sharpness(N, lam, start.imbalance)
    no_flip = 1 / (x ** (N - 2) * (np.abs(lam) + x**N))
    return np.where(lam > 0, 2 / (N * np.where(lam > 0, lam, 1.0) ** (2 - 2 / N)), no_flip)


def what_happens(start: Start, lam: float, eta: float) -> str:
    """Run one mode for a while and say in a few words how it behaves."""
    N = start.depth
    root = max(lam, 0.0) ** (1 / N)
    # Begun near the limit, where oscillation shows at once: from a tiny start the trial would end before it.
    a = 0.9 * root if start.beta is None and start.alpha < root else start.alpha
    b = a if start.beta is None else start.alpha - start.beta
    end = max(lam, 0.0) if start.beta is None else lam
    b = a if start.beta is None else b
    path = [0.0] * TRIAL
    side = product(a, b, N) - end
    advance(a, b, lam, eta, N, TRIAL, path)
    if not all(abs(p) < 1e100 for p in path):
        return "divergence"
    # Rounding crosses the limit by parts in 1e-16; only a real overshoot counts.
    crossed, tail = any((p - end) * side < -1e-12 * abs(side) for p in path), path[-4:]
    if start.beta is None and lam < 0 and abs(tail[-1] - lam) < 1e-6 * abs(lam):
        return "a sign flip: for odd depth it converges to the negative eigenvalue"
    scale = max(abs(end), start.alpha**N)
    if abs(tail[3] - end) > 1e-6 * scale and crossed:
        # Every second step the same and neighbours apart: the two-cycle just above the stable rate.
        two = abs(tail[3] - tail[1]) < 1e-6 * scale < abs(tail[3] - tail[2])
        return f"a two-cycle between {tail[2]:.6g} and {tail[3]:.6g}" if two else "no convergence: it keeps oscillating"
    return "oscillation around the limit while it converges" if crossed else "monotone convergence"


def too_large(start: Start, lam: np.ndarray, eta: float) -> str | None:
    """None when the learning rate is within the monotone limit, else the limit and what will happen above it."""
    bound = step_limit(lam, start.depth, start.alpha, start.beta)
    # A rate that was computed from this limit may lie one rounding above it.
    if eta <= bound.value * (1 + 1e-12):
        return None
    worst = lam[int(np.argmin(bound.per_mode))]
    happens = what_happens(start, float(worst), eta)
    if happens == "monotone convergence" and start.beta is not None:
        return None  # the condition is sufficient only
    if happens == "monotone convergence":
        happens = "it still converges monotonically, from this start"
    return (
        f"learning rate {eta:g} exceeds the limit {bound.value:g} for monotone convergence "
        f"(eigenvalue {worst:g}); what happens there: {happens}"
    )


def warn_if_too_large(start: Start, lam: np.ndarray, eta: float) -> str | None:
    """The same, said aloud."""
    text = too_large(start, lam, eta)
    if text is not None:
        # The third frame is the line of the user.
        warnings.warn(text + ".", RankscapeWarning, stacklevel=3)
    return text
