"""A start and a learning rate for a plateau that lasts long enough within a budget of steps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rankscape.ground.checks import whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.critical import intervals, no_scale, ratio_of, scaled_start, scales, window, wish_of
from rankscape.theory.climbing.plateaus import Plateau, RankIntervals
from rankscape.theory.climbing.step_limit import step_limit
from rankscape.theory.inputs import Tolerance, tolerances_of


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


@within_floats
def design(
    eigenvalues: ArrayLike,
    rank: int,
    depth: int,
    steps: int,
    budget: int,
    tolerance: Tolerance = 0.05,
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
    tol, ratio = tolerances_of(tolerance), ratio_of(beta_ratio)
    lam, rank, wrong = wish_of(eigenvalues, rank, N, ratio)
    if wrong is None and X > K:
        wrong = f"{X} steps do not fit into a budget of {K}"
    found = () if wrong else intervals(lam, rank, N, tol, 0.0, ratio)
    if not found:
        assumptions = ("symmetric, fully observed target; no ridge",)
        return Design(None, None, None, None, 0, assumptions, wrong or no_scale(N))
    best = 0.0
    for alpha in _downwards(found, lam, N):
        start = scaled_start(N, alpha, ratio)
        # At the limit itself the bounds have no room left.
        fastest = 0.9 * step_limit(lam, N, start.alpha, start.beta).value
        first, last = window(start, lam, rank, tol)
        if first >= last:
            continue
        best = max(best, min(K, K - first / min(fastest, last / K)))
        # Smaller starts are later still.
        if first / fastest > K and alpha < _natural(lam, N):
            break
        for eta in _rates(first, last, X, K, fastest):
            record = next(RankIntervals(start, lam, eta, tol).records(rank))
            held = _held(record, K)
            if held >= X:
                return Design(start.alpha, start.beta, eta, record, held, record.assumptions)
    most = max(0, math.floor(best))
    text = f"rank {rank} cannot hold for {X} of {K} steps at depth {N}: about {most} steps are the most"
    return Design(None, None, None, None, most, ("symmetric, fully observed target; no ridge", "gradient flow"), text)


def _natural(lam: np.ndarray, depth: int) -> float:
    """The scale of the limit's largest factor."""
    return float(np.max(np.abs(lam))) ** (1 / depth)


def _downwards(found: tuple[tuple[float, float], ...], lam: np.ndarray, depth: int) -> Iterator[float]:
    """Scales from the largest start downwards: larger ones learn faster, so the first that holds is the quickest."""
    for low, high in reversed(found):
        # Beyond twice the natural scale only the step limit falls.
        x, move = math.log(min(high, 2 * _natural(lam, depth))) - 0.005, 0.02
        while x > scales(depth)[0] and math.exp(x) > low:
            yield math.exp(x)
            x, move = x - move, move * 1.08


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
