r"""The low-rank plateaus: for each rank an interval of steps in which it provably holds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground import html
from rankscape.ground.checks import nonnegative, positive
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.bounds import ASSUMPTIONS, Passage, Side, passage
from rankscape.theory.climbing.levels import Levels
from rankscape.theory.climbing.rounding import BEYOND
from rankscape.theory.climbing.settled_times import last_settled, level_of
from rankscape.theory.climbing.step_limit import warn_if_too_large
from rankscape.theory.inputs import Start, Tolerance, spectrum_of, start_of, tolerances_of


@dataclass(frozen=True)
class Plateau:
    """Rank L: between `start` and `end` the active modes are learned and the others are still small."""

    rank: int
    """L, the number of active modes."""
    start: int | None
    """First guaranteed step; None when a hypothesis fails. ``start > end`` means: empty."""
    end: int | None
    """Last guaranteed step; None (with a start) when the plateau has no end."""
    effective_rank: float
    """Nuclear over spectral norm of the target restricted to the active modes."""
    deviation: tuple[float, float]
    """Certified least and greatest difference of the product's effective rank from `effective_rank`."""
    active: tuple[int, ...]
    """Positions of the active modes in the given eigenvalues, in the order in which they are learned."""
    levels: tuple[float, float]
    """Absolute tolerances: active modes are that near to the target, inactive ones that near to zero."""
    assumptions: tuple[str, ...]
    failed: str | None = None
    """Why the interval is empty or not available; None when it is neither."""

    def _repr_html_(self) -> str:
        end = "the end" if self.end is None else f"{self.end:,}"
        held = f"steps {self.start:,} to {end}" if self.guaranteed else "at no step"
        low, high = self.deviation
        rows = [("guaranteed", held), ("effective rank", f"{self.effective_rank:.4g}, {low:+.2g} to {high:+.2g}")]
        return html.facts(f"Plateau of rank {self.rank}", rows + ([("why", self.failed)] if self.failed else []))

    @property
    def guaranteed(self) -> bool:
        """Whether there is at least one guaranteed step."""
        return self.start is not None and (self.end is None or self.start <= self.end)

    @property
    def length(self) -> float:
        """Number of guaranteed steps, infinite when the plateau has no end."""
        if self.start is None or not self.guaranteed:
            return 0
        return math.inf if self.end is None else self.end - self.start + 1


@within_floats
def plateaus(
    eigenvalues: ArrayLike,
    depth: int,
    alpha: float,
    learning_rate: float,
    beta: float | None = None,
    tolerance: Tolerance = 0.05,
    target_noise: float = 0.0,
) -> tuple[Plateau, ...]:
    r"""For each rank L the guaranteed interval of steps in which the product is close to rank L.

    With the modes in the order in which they are learned, :math:`\varepsilon` = `tolerance` times
    :math:`\min_{i \le L} |\lambda_i|` and :math:`\varepsilon'` = `tolerance` times :math:`|\lambda_{L+1}|` (after the
    last mode: :math:`\min_i |\lambda_i|` again), for all steps between

    .. math::

        k_{\text{start}} = \max\Big( \max_{i \le L} T^{\text{up}}_i(p_0 \to \lambda_i \pm \varepsilon),\;
        \max_{i > L,\, p_0 > \varepsilon'} T^{\text{up}}_i(p_0 \to \varepsilon') \Big), \qquad
        k_{\text{end}} = \min_{i > L} T^{\text{low}}_i(p_0 \to \pm\varepsilon') - 1

    the active modes obey :math:`|p_i - \lambda_i| \le \varepsilon`, the others :math:`|p_i| \le \varepsilon'`: modes
    may come from below or from above. A mode that starts above :math:`\varepsilon'` and whose limit is not below it
    leaves no plateau of that rank. With :math:`u = \varepsilon` if an active mode comes from above and 0 if none does,

    .. math::

        \frac{\sum_{1 < i \le L} \lambda_i - (L-1)\varepsilon}{\lambda_1 + u} \le r(W) - 1 \le
        \frac{\sum_{1 < i \le L} (\lambda_i + u) + \sum_{i > L} \min(\varepsilon', \max(p_0, |\lambda_i|))}
        {\lambda_1 - \varepsilon}, \qquad r = \|\cdot\|_* / \|\cdot\|

    Parameters
    ----------
    eigenvalues : array_like of shape (n,) or (n, n)
        :math:`\lambda_i` in any order and of any sign, or the symmetric target itself.
    depth, alpha, learning_rate, beta
        :math:`N, \alpha, \eta, \beta`; `beta` is None for the identical start, which learns the positive part only.
    tolerance : float or pair of float
        Relative; a pair gives that of the active and that of the inactive modes.
    target_noise : float
        Spectral norm e of a perturbation of the target. The intervals hold for every target within e of the given one
        (Weyl), the deviations are from the effective rank of the given one. Needs e < eps/2.

    Returns
    -------
    tuple of Plateau
        One for each rank 1, 2, ...; where a guarantee is not available or empty, `failed` says why.

    Raises
    ------
    InputError
        Bad numbers, or a target that is zero.

    Warns
    -----
    RankscapeWarning
        The learning rate is above the monotone limit; names it and what happens there.

    Notes
    -----
    The structure is that of the effective-rank theorem of Chou, Gieshoff, Maly, Rauhut (2024); all constants are
    derived. From the perturbed start the order of learning is not by modulus: a negative mode is later than a
    positive one of smaller modulus.

    Examples
    --------
    >>> for plateau in plateaus([5.0, 3.0, 1.5, 0.5, 0.0], depth=3, alpha=0.1, learning_rate=1e-3):
    ...     print(plateau.rank, plateau.start, plateau.end, round(plateau.effective_rank, 3))
    1 2028 2723 1.0
    2 3386 5125 1.6
    3 6796 13315 1.9
    4 20542 None 2.0
    """
    start, lam = start_of(depth, alpha, beta), spectrum_of(eigenvalues, learnable=True)
    eta, e = positive("learning_rate", learning_rate), nonnegative("target_noise", target_noise)
    # Weyl: every target within e has its eigenvalues between these.
    large = warn_if_too_large(start, np.concatenate([lam - e, lam + e]) if e else lam, eta)
    if start.beta is None and not np.any(lam > 0):
        raise InputError(
            "no eigenvalue is positive: the identical start goes to zero; give `beta` to learn the others."
        )
    return tuple(RankIntervals(start, lam, eta, tolerances_of(tolerance), e, large).records())


class RankIntervals:
    """The intervals of all ranks for one start and learning rate; arrays are in the order of learning."""

    def __init__(
        self,
        start: Start,
        lam: np.ndarray,
        eta: float,
        tolerance: tuple[float, float],
        noise: float = 0.0,
        large: str | None = None,
    ):
        self.start, self.eta, self.large = start, eta, large
        self.levels = Levels(start, lam, tolerance, noise)

    def records(self, only: int | None = None) -> Iterator[Plateau]:
        """The plateaus of rank 1, 2, ..., or of one rank only."""
        levels = self.levels
        wanted = np.arange(levels.mu.size) if only is None else np.array([only - 1])
        wrong = {i: self._hypothesis(i) for i in wanted.tolist()}
        ranks = np.array([i for i, text in wrong.items() if text is None], dtype=np.intp)
        # Only ranks whose hypotheses hold, and all of them at once: they share their modes.
        interval = dict(zip(ranks.tolist(), zip(*self._intervals(ranks), strict=True), strict=True))
        r, deviations = levels.effective_ranks()
        order, pairs = tuple(levels.order.tolist()), list(zip(levels.eps.tolist(), levels.small.tolist(), strict=True))
        assumptions = (*self.start.assumptions, *ASSUMPTIONS[self.start.beta is not None])
        if levels.noise:
            assumptions += (f"every target within {levels.noise:g} in spectral norm (Weyl)",)
        for i, text in wrong.items():
            begin, end, text = (None, None, text) if text else self._judge(i, *interval[i])
            yield Plateau(i + 1, begin, end, r[i], deviations[i], order[: i + 1], pairs[i], assumptions, text)

    def _hypothesis(self, i: int) -> str | None:
        """The hypothesis that fails, whatever the times are."""
        levels = self.levels
        if self.large is not None:
            return self.large
        if not levels.apart[i]:
            # The end of the cluster: the next rank at which the spectrum has a gap.
            last = i + int(np.argmax(levels.apart[i:]))
            many = last - int(np.max(np.flatnonzero(levels.apart[:i]), initial=-1))
            return (
                f"{many} eigenvalues of modulus {levels.mu[i]:g} are learned at once: "
                f"see the plateau of the whole cluster, rank {last + 1}"
            )
        if levels.noise >= levels.eps[i] / 2:
            return (
                f"target_noise {levels.noise:g} must be below half of the tolerance {levels.eps[i]:g} "
                "of the active modes"
            )
        return None

    def _intervals(self, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each rank when its active modes have settled, when its inactive ones have fallen, and when one rises."""
        levels = self.levels
        # From the nearest target to the level of the farthest, on either side: eps - 2e is left.
        nearest = levels.lam + np.sign(self.start.product - levels.lam) * levels.noise
        settled = last_settled(self.start, nearest, levels.eps - 2 * levels.noise, ranks, self.eta)
        fallen = levels.begins(ranks, lambda lam, level: self._passage(lam, level, "upper").upper)
        risen = levels.ends(ranks, lambda lam, level: self._passage(lam, level, "lower").lower - 1)
        return settled, fallen, risen

    def _passage(self, lam: np.ndarray, level: np.ndarray, only: Side) -> Passage:
        return passage(self.start, lam, level, self.eta, only=only)

    def _judge(self, i: int, settled: float, fallen: float, risen: float) -> tuple[int | None, int | None, str | None]:
        """Start, end, and why nothing lies between them."""
        if np.isinf(settled):
            return None, None, self._no_bound(i)
        first = max(settled, fallen)
        last = None if np.isinf(risen) else int(risen)
        begin = None if np.isinf(first) else int(first)
        if begin is not None and (last is None or begin <= last):
            return begin, last, None
        return begin, last if begin is not None else None, f"empty: {self._empty(i, begin is None)}"

    def _empty(self, i: int, never: bool) -> str:
        levels, p0 = self.levels, self.start.product
        advice = "a smaller alpha opens it (see critical_alpha)"
        if p0 > levels.small[i]:
            stays = "and another mode stays above it" if never else "and another mode falls to it too late"
            return (
                f"the start {p0:g} is already above {levels.small[i]:g}, the level of inactive modes, {stays}; {advice}"
            )
        if i + 1 == levels.mu.size:
            return f"within target_noise {levels.noise:g} another mode may rise"
        return f"eigenvalue {levels.lam[i + 1]:g} starts before eigenvalue {levels.lam[i]:g} has settled; {advice}"

    def _no_bound(self, i: int) -> str:
        """Why an active mode of a rank has no bound."""
        lam, eps = self.levels.lam[: i + 1], self.levels.eps[i]
        lost = self._passage(lam, level_of(self.start, lam, eps), "upper").lost
        return BEYOND if lost.any() else "the step is too large for the bound of an active mode"
