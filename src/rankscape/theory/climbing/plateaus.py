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
from rankscape.theory.climbing.bounds import ASSUMPTIONS, passage
from rankscape.theory.climbing.flow import time_to
from rankscape.theory.climbing.limits import warn_if_too_large
from rankscape.theory.climbing.settled_times import last_settled
from rankscape.theory.inputs import Start, Tolerance, alike, spectrum_of, start_of, tolerances_of


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
    :math:`|\lambda_L|` and :math:`\varepsilon'` = `tolerance` times :math:`|\lambda_{L+1}|`
    (:math:`\alpha^N` after the last mode), for all steps between

    .. math::

        k_{\text{start}} = \max_{i \le L} T^{\text{up}}_i(\lambda_i \to \lambda_i - \varepsilon), \qquad
        k_{\text{end}} = \min_{i > L} T^{\text{low}}_i(\lambda_i \to \varepsilon') - 1

    the active modes obey :math:`|p_i - \lambda_i| \le \varepsilon`, the others :math:`|p_i| \le \varepsilon'`, and

    .. math::

        -\frac{(L-1)\varepsilon}{\lambda_1} \le r(W) - r(W_L) \le
        \frac{\varepsilon (r(W_L) - 1) + (n-L)\varepsilon'}{\lambda_1 - \varepsilon},
        \qquad r = \|\cdot\|_* / \|\cdot\|

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


def learning_order(start: Start, lam: np.ndarray) -> np.ndarray:
    """Positions of the modes that are learned, the earliest first, by the flow time to half of their target."""
    if start.beta is None:
        order = np.argsort(-lam, kind="stable")
        return order[lam[order] > 0]
    modes = np.flatnonzero(lam)
    times = time_to(start, lam[modes], lam[modes] / 2)
    # From W = 0 both signs take the same time: then the larger modulus comes first.
    return modes[np.lexsort((-np.abs(lam[modes]), times))]


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
        self.start, self.eta, self.noise, self.large = start, eta, noise, large
        self.n, self.order = lam.size, learning_order(start, lam)
        self.lam, self.dead = lam[self.order], np.delete(lam, self.order)
        self.mu, self.sign = np.abs(self.lam), np.sign(self.lam)
        self.smallest, floor = np.minimum.accumulate(self.mu), start.alpha**start.depth
        self.eps = tolerance[0] * self.smallest
        # Inactive modes start at about alpha^N: a smaller level would be passed before the first step.
        self.small = np.maximum(np.append(tolerance[1] * self.mu[1:], floor), floor)
        speed = self.mu if start.product == 0 else self.lam  # from W = 0 both signs are learned at once
        self.apart = np.append(~alike(speed[:-1], speed[1:]), True)

    def records(self, only: int | None = None) -> Iterator[Plateau]:
        """The plateaus of rank 1, 2, ..., or of one rank only."""
        wanted = np.arange(self.mu.size) if only is None else np.array([only - 1])
        wrong = {i: self._hypothesis(i) for i in wanted.tolist()}
        ranks = np.array([i for i, text in wrong.items() if text is None], dtype=np.intp)
        # Only ranks whose hypotheses hold, and all of them at once: they share their modes.
        interval = dict(zip(ranks.tolist(), zip(self._starts(ranks), self._ends(ranks), strict=True), strict=True))
        r, deviations = self._effective_rank()
        order, levels = tuple(self.order.tolist()), list(zip(self.eps.tolist(), self.small.tolist(), strict=True))
        assumptions = (*self.start.assumptions, *ASSUMPTIONS[self.start.beta is not None])
        if self.noise:
            assumptions += (f"every target within {self.noise:g} in spectral norm (Weyl)",)
        for i, text in wrong.items():
            begin, end, text = (None, None, text) if text else self._judge(i, *interval[i])
            yield Plateau(i + 1, begin, end, r[i], deviations[i], order[: i + 1], levels[i], assumptions, text)

    def _effective_rank(self) -> tuple[list[float], list[tuple[float, float]]]:
        """Of the target's active modes, and how far the product's can lie below and above it."""
        i, top, e = np.arange(self.mu.size), np.maximum.accumulate(self.mu), self.noise
        r = np.cumsum(self.mu) / top
        low = np.where(i > 0, ((r - 1) * top - i * (self.eps - e)) / (top + e), 0.0)
        rest = (r - 1) * top + i * e + (self.n - i - 1) * self.small
        high = rest / np.maximum(top + e - self.eps, 1e-300)
        below, above = np.minimum(low - (r - 1), 0.0), high - (r - 1)
        return r.tolist(), list(zip(below.tolist(), above.tolist(), strict=True))

    def _hypothesis(self, i: int) -> str | None:
        """The hypothesis that fails, whatever the times are."""
        if self.large is not None:
            return self.large
        if not self.apart[i]:
            # The end of the cluster: the next rank at which the spectrum has a gap.
            last = i + int(np.argmax(self.apart[i:]))
            many = last - int(np.max(np.flatnonzero(self.apart[:i]), initial=-1))
            return (
                f"{many} eigenvalues of modulus {self.mu[i]:g} are learned at once: "
                f"see the plateau of the whole cluster, rank {last + 1}"
            )
        if self.noise >= self.eps[i] / 2:
            return (
                f"target_noise {self.noise:g} must be below half of the tolerance {self.eps[i]:g} of the active modes"
            )
        if self.smallest[i] - self.eps[i] <= self.start.product:
            return (
                f"eigenvalue {self.lam[i]:g} does not rise out of the start {self.start.product:g}: "
                "it needs |lambda| - eps > alpha^(N-1) (alpha - beta)"
            )
        return None

    def _judge(self, i: int, first: float, last: float) -> tuple[int | None, int | None, str | None]:
        """Start, end, and why nothing lies between them."""
        if np.isinf(first):
            return None, None, "the step is too large for the bound of an active mode"
        begin, end = int(first), None if np.isinf(last) else int(last)
        if end is None or begin <= end:
            return begin, end, None
        if i + 1 == self.mu.size:
            return begin, end, f"empty: within target_noise {self.noise:g} another mode may rise"
        if self.small[i] <= self.start.product:
            why = f"the start {self.start.product:g} is already above {self.small[i]:g}, the level of inactive modes"
        else:
            why = f"eigenvalue {self.lam[i + 1]:g} starts before eigenvalue {self.lam[i]:g} has settled"
        return begin, end, f"empty: {why}; a smaller alpha opens it (see critical_alpha)"

    def _starts(self, ranks: np.ndarray) -> np.ndarray:
        """The largest upper bound of the active modes' times."""
        # From the nearest target, lam - e, to the level of the farthest, lam + e - eps: eps - 2e is left.
        nearest = self.lam - self.sign * self.noise
        return last_settled(self.start, nearest, self.eps - 2 * self.noise, ranks, self.eta)

    def _ends(self, ranks: np.ndarray) -> np.ndarray:
        """The smallest lower bound of the inactive modes' times, less one: of each sign the strongest decides."""
        out, small = np.full(ranks.size, np.inf), self.small[ranks]
        for sign in (1.0, -1.0) if self.start.beta is not None else (1.0,):
            left = np.append(sign * self.lam, np.max(sign * self.dead, initial=-np.inf))
            # The larger an eigenvalue the earlier it rises, so the strongest that is left decides for its sign.
            strongest = np.maximum.accumulate(left[::-1])[::-1][ranks + 1] + self.noise
            on = strongest > small
            found = passage(self.start, sign * strongest[on], sign * small[on], self.eta, only="lower").lower - 1
            out[on] = np.minimum(out[on], found)
        return out
