"""Inverse questions: which alpha, and which learning rate, give a plateau that is long enough."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.checks import nonnegative, whole
from rankscape.errors import InputError
from rankscape.theory.flow import time_to
from rankscape.theory.inputs import Start, spectrum_of, start_of, tolerances_of
from rankscape.theory.limits import step_limit
from rankscape.theory.plateaus import Plateau, learning_order, plateau

SMALLEST = 1e-60
"""Scales below this are not proposed."""


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


@dataclass(frozen=True)
class Design:
    """A start and a learning rate, with the plateau that they guarantee."""

    alpha: float | None
    """None when the wish cannot be met."""
    beta: float | None
    learning_rate: float | None
    plateau: Plateau | None
    """The certified interval of steps."""
    steps: int
    """Guaranteed steps of the rank within the budget; when the wish cannot be met, about the most that is possible."""
    assumptions: tuple[str, ...]
    failed: str | None = None

    @property
    def achievable(self) -> bool:
        """Whether the wish is met."""
        return self.alpha is not None


def _ratio(beta_ratio: Any) -> float | None:
    if beta_ratio is None:
        return None
    if not 0 < float(beta_ratio) <= 1:
        raise InputError(f"`beta_ratio` = beta / alpha must lie within (0, 1], got {beta_ratio!r}.")
    return float(beta_ratio)


def _start(depth: int, alpha: float, ratio: float | None) -> Start:
    return start_of(depth, alpha, None if ratio is None else ratio * alpha)


def window(start: Start, lam: np.ndarray, rank: int, tolerance: tuple[float, float]) -> tuple[float, float] | None:
    """Flow times at which the plateau of a rank begins and ends; None when the modes do not rise out of the start."""
    order = learning_order(start, lam)
    active, rest = order[:rank], np.delete(lam, order[:rank])
    mu, floor = np.abs(lam[active]), start.alpha**start.depth
    eps = tolerance[0] * mu.min()
    if mu.min() - eps <= start.product:
        return None
    first = time_to(start, lam[active], lam[active] - np.sign(lam[active]) * eps).max()
    if rank == order.size:
        return float(first), math.inf
    small = max(tolerance[1] * abs(lam[order[rank]]), floor)
    if start.beta is None:
        rest = np.maximum(rest, 0.0)
    rest = rest[np.abs(rest) > small]
    last = time_to(start, rest, np.sign(rest) * small).min(initial=math.inf) if small > floor else 0.0
    return float(first), float(last)


def _wish(eigenvalues: Any, rank: Any, depth: int, ratio: float | None) -> tuple[np.ndarray, int, str | None]:
    """The spectrum, the rank, and what makes the wish impossible at any scale."""
    lam = spectrum_of(eigenvalues, learnable=True)
    learnable = lam[lam > 0] if ratio is None else lam[lam != 0]
    if not learnable.size:
        raise InputError("no eigenvalue is positive: the identical start goes to zero; give `beta_ratio`.")
    rank = whole("rank", rank, least=1, most=learnable.size)
    ordered = np.sort(learnable)[::-1]
    if ratio is None and rank < ordered.size and ordered[rank - 1] == ordered[rank]:
        cluster = int(np.flatnonzero(ordered == ordered[rank])[-1]) + 1
        return lam, rank, (
            f"eigenvalue {ordered[rank]:g} is degenerate: its modes are learned at once; ask for rank {cluster}"
        )  # fmt: skip
    return lam, rank, None


def critical_alpha(
    eigenvalues: Any, rank: int, depth: int, tolerance: Any = 0.05, length: float = 0.0, beta_ratio: float | None = None
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
    ratio = _ratio(beta_ratio)
    lam, rank, wrong = _wish(eigenvalues, rank, depth, ratio)
    assumptions = ("gradient flow", "symmetric, fully observed target; no ridge")
    alpha = None if wrong else _critical(lam, rank, depth, tol, length, ratio)
    if alpha is None and wrong is None:
        wrong = f"no alpha above {SMALLEST:g} gives the plateau: the gap is too small for depth {depth}"
    return CriticalAlpha(alpha, rank, length, assumptions, wrong)


def _critical(lam, rank: int, N: int, tol, length: float, ratio: float | None) -> float | None:
    from scipy.optimize import root_scalar

    def surplus(x: float) -> float:
        found = window(_start(N, math.exp(x), ratio), lam, rank, tol)
        if found is None or math.isinf(found[0]):
            return -1.0 - length
        return min(found[1] - found[0], 1e300) - length

    top = math.log(float(np.max(np.abs(lam)))) / N
    low, high, move = top, top, 0.01
    while surplus(low) <= 0:
        high, low = low, low - move
        move *= 1.2
        if low < math.log(SMALLEST):
            return None
    if high > low:
        low = root_scalar(surplus, bracket=(low, high), method="brentq", xtol=1e-14, rtol=1e-14).root
    return math.exp(low)


def design(
    eigenvalues: Any,
    rank: int,
    depth: int,
    steps: int,
    budget: int,
    tolerance: Any = 0.05,
    beta_ratio: float | None = None,
) -> Design:
    r"""Choose alpha and the learning rate so that a rank holds for at least X of the first K steps.

    On the level of the flow, :math:`\eta` must satisfy

    .. math::

        \frac{t_{\text{start}}(\alpha)}{K - X} \le \eta \le
        \min\left(\eta_{\max}(\alpha), \frac{t_{\text{end}}(\alpha) - t_{\text{start}}(\alpha)}{X}\right);

    alphas from the critical one downwards are tried until the guaranteed interval of `plateaus` confirms the wish.

    Parameters
    ----------
    eigenvalues, rank, depth, tolerance, beta_ratio
        As in `critical_alpha`.
    steps : int
        X, the least number of guaranteed steps.
    budget : int
        K, the number of steps that may be taken.

    Returns
    -------
    Design
        With ``alpha = None`` and the reason in `failed` when the wish cannot be met; `steps` is then about the most
        that the budget allows.

    Notes
    -----
    Derived.

    Examples
    --------
    >>> plan = design([5.0, 3.0, 1.5, 0.5], rank=2, depth=3, steps=2000, budget=6000)
    >>> plan.achievable, plan.steps >= 2000, plan.plateau.start + 2000 <= 6001
    (True, True, True)
    >>> design([5.0, 3.0, 1.5, 0.5], rank=2, depth=3, steps=5900, budget=6000).achievable
    False
    """
    N, X, K = whole("depth", depth, least=2), whole("steps", steps, least=1), whole("budget", budget, least=1)
    tol, ratio = tolerances_of(tolerance), _ratio(beta_ratio)
    lam, rank, wrong = _wish(eigenvalues, rank, N, ratio)
    if wrong is None and X > K:
        wrong = f"{X} steps do not fit into a budget of {K}"
    top = None if wrong else _critical(lam, rank, N, tol, 0.0, ratio)
    if top is None:
        assumptions = ("symmetric, fully observed target; no ridge",)
        return Design(None, None, None, None, 0, assumptions, wrong or f"no alpha above {SMALLEST:g} gives the plateau")
    best, move, x = 0.0, 0.02, math.log(top) - 0.005
    while x > math.log(SMALLEST):
        start = _start(N, math.exp(x), ratio)
        fastest = 0.9 * step_limit(lam, N, start.alpha, start.beta).value
        found = window(start, lam, rank, tol)
        if found is not None and found[1] > found[0]:
            first, last = found
            best = max(best, K - first / min(fastest, last / K))
            if first / fastest > K:
                break
            for eta in _rates(first, last, X, K, fastest):
                record = plateau(start, lam, rank, eta, tol)
                held = _held(record, K)
                if held >= X:
                    return Design(start.alpha, start.beta, eta, record, held, record.assumptions)
        x, move = x - move, move * 1.08
    most = max(0, math.floor(best))
    text = f"rank {rank} cannot hold for {X} of {K} steps at depth {N}: about {most} steps are the most"
    return Design(None, None, None, None, most, ("symmetric, fully observed target; no ridge", "gradient flow"), text)


def _rates(first: float, last: float, X: int, K: int, fastest: float) -> list[float]:
    """Learning rates worth certifying: the largest, and the middle of what the flow allows."""
    low, high = first / max(K - X, 1e-9), min(fastest, (last - first) / X)
    if high < low:
        return []
    return [0.998 * high, math.sqrt(low * high), 0.5 * high] if high > 1.01 * low else [math.sqrt(low * high)]


def _held(record: Plateau, budget: int) -> int:
    """Guaranteed steps within the budget."""
    if record.start is None:
        return 0
    end = budget if record.end is None else min(record.end, budget)
    return max(0, end - record.start + 1)
