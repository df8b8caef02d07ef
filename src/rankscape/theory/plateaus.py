r"""The low-rank plateaus: for each rank an interval of steps in which it provably holds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.checks import nonnegative, positive
from rankscape.errors import InputError
from rankscape.theory.bounds import ASSUMPTIONS, passage, settled
from rankscape.theory.flow import time_to
from rankscape.theory.inputs import Start, spectrum_of, start_of, tolerances_of
from rankscape.theory.limits import warn_if_too_large

ALL_PAIRS = 48
"""Up to so many modes every (mode, rank) pair is bounded; beyond, most are excluded by coarser bounds."""


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


def plateaus(
    eigenvalues: Any,
    depth: int,
    alpha: float,
    learning_rate: float,
    beta: float | None = None,
    tolerance: Any = 0.05,
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
    large = warn_if_too_large(start, np.concatenate([lam - e, lam + e]) if e else lam, eta)
    order = learning_order(start, lam)
    if not order.size:
        raise InputError(
            "no eigenvalue is positive: the identical start goes to zero; give `beta` to learn the others."
        )
    return tuple(_Ladder(start, lam, order, eta, tolerances_of(tolerance), e, large).records())


def learning_order(start: Start, lam: np.ndarray) -> np.ndarray:
    """Positions of the modes that are learned, the earliest first, by the flow time to half of their target."""
    if start.beta is None:
        order = np.argsort(-lam, kind="stable")
        return order[lam[order] > 0]
    modes = np.flatnonzero(lam)
    times = time_to(start, lam[modes], lam[modes] / 2)
    return modes[np.lexsort((-np.abs(lam[modes]), times))]


def plateau(start: Start, lam: np.ndarray, rank: int, eta: float, tolerance: tuple[float, float]) -> Plateau:
    """The plateau of one rank, without warnings."""
    ladder = _Ladder(start, lam, learning_order(start, lam), eta, tolerance, 0.0, None)
    return next(ladder.records(rank))


class _Ladder:
    """All ranks of one setting; arrays are in the order of learning."""

    def __init__(self, start: Start, lam, order, eta: float, tolerance, noise: float, large: str | None):
        self.start, self.order, self.eta, self.noise, self.large = start, order, eta, noise, large
        self.lam = lam[order]
        self.mu, self.sign = np.abs(self.lam), np.sign(self.lam)
        self.dead = np.delete(lam, order)
        self.n, self.floor = lam.size, start.alpha**start.depth
        smallest = np.minimum.accumulate(self.mu)
        self.eps = tolerance[0] * smallest
        following = np.append(tolerance[1] * self.mu[1:], self.floor)
        self.small = np.maximum(following, self.floor)
        self.assumptions = (*start.assumptions, *ASSUMPTIONS[start.beta is not None])
        if noise:
            self.assumptions += (f"every target within {noise:g} in spectral norm (Weyl)",)

    def records(self, only: int | None = None) -> Iterator[Plateau]:
        """The plateaus of rank 1, 2, ..., or of one rank only."""
        first, last = self._starts(only), self._ends()
        total, top = np.cumsum(self.mu), np.maximum.accumulate(self.mu)
        for i in range(len(self.mu)) if only is None else [only - 1]:
            L, r = i + 1, float(total[i] / top[i])
            eps, small, e = float(self.eps[i]), float(self.small[i]), self.noise
            low = ((r - 1) * top[i] - i * (eps - e)) / (top[i] + e) if i else 0.0
            rest = (r - 1) * top[i] + i * e + (self.n - L) * small
            high = rest / max(float(top[i]) + e - eps, 1e-300)
            begin, end, failed = self._judge(i, first[i], last[i])
            yield Plateau(
                L, begin, end, r, (min(float(low) - (r - 1), 0.0), float(high) - (r - 1)),
                tuple(self.order[:L].tolist()), (eps, small), self.assumptions, failed,
            )  # fmt: skip

    def _judge(self, i: int, first: float, last: float) -> tuple[int | None, int | None, str | None]:
        """Start, end, and the hypothesis that fails."""
        wrong = self._hypothesis(i)
        if wrong is None and math.isinf(first):
            wrong = "the step is too large for the bound of an active mode"
        if wrong is not None:
            return None, None, wrong
        begin, end = int(first), None if math.isinf(last) else int(last)
        if end is None or begin <= end:
            return begin, end, None
        if self.small[i] <= self.start.product:
            why = f"the start {self.start.product:g} is already above {self.small[i]:g}, the level of inactive modes"
        else:
            why = f"eigenvalue {self.lam[i + 1]:g} starts before eigenvalue {self.lam[i]:g} has settled"
        return begin, end, f"empty: {why}; a smaller alpha opens it (see critical_alpha)"

    def _hypothesis(self, i: int) -> str | None:
        if self.large is not None:
            return self.large
        if i + 1 < len(self.mu) and self.lam[i] == self.lam[i + 1]:
            many = np.flatnonzero(self.lam == self.lam[i])
            return (
                f"eigenvalue {self.lam[i]:g} occurs {many.size} times and is learned at once: "
                f"see the plateau of the whole cluster, rank {many[-1] + 1}"
            )
        if self.noise and self.noise >= self.eps[i] / 2:
            return (
                f"target_noise {self.noise:g} must be below half of the tolerance {self.eps[i]:g} of the active modes"
            )
        if np.min(self.mu[: i + 1]) - self.eps[i] <= self.start.product:
            return (
                f"eigenvalue {self.lam[i]:g} does not rise out of the start {self.start.product:g}: "
                "it needs |lambda| - eps > alpha^(N-1) (alpha - beta)"
            )
        return None

    def _starts(self, only: int | None) -> np.ndarray:
        """The largest upper bound of the active modes' times, for each rank."""
        m, e = len(self.mu), self.noise
        rows, columns = np.tril_indices(m)  # rank, mode

        def upper(modes, eps):
            lam = self.lam[modes] - self.sign[modes] * e
            return passage(self.start, lam, lam - self.sign[modes] * (eps - 2 * e), self.eta, predict=False).upper

        if only is not None:
            rows, columns = np.full(only, only - 1), np.arange(only)
        elif m > ALL_PAIRS:
            own = upper(np.arange(m), self.eps)
            keep = self._contenders(own, upper)[rows, columns]
            rows, columns = rows[keep], columns[keep]
        out = np.zeros(m)
        np.maximum.at(out, rows, upper(columns, self.eps[rows]))
        return out

    def _contenders(self, own: np.ndarray, upper) -> np.ndarray:
        """Which (rank, mode) pairs can decide a start: a tighter tolerance bounds the time from above."""
        if self.start.beta is not None and self.start.depth > 2:
            lam = self.lam - self.sign * self.noise
            keep = np.tril(settled(self.start, lam, self.eps - 2 * self.noise, self.eta) > own[:, None])
            np.fill_diagonal(keep, True)
            return keep
        grid = np.geomspace(self.eps.min() * (1 - 1e-9), self.eps.max(), 24)
        m = len(self.mu)
        cell = np.maximum(np.searchsorted(grid, self.eps, side="right") - 1, 0)
        used = np.unique(cell)
        table = np.stack([upper(np.arange(m), np.full(m, grid[g])) for g in used])
        coarse = table[np.searchsorted(used, cell)]  # (rank, mode)
        keep = np.tril(coarse > own[:, None])
        np.fill_diagonal(keep, True)
        return keep

    def _ends(self) -> np.ndarray:
        """The smallest lower bound of the inactive modes' times, less one, for each rank."""
        m, e = len(self.mu), self.noise
        out = np.full(m, np.inf)
        if self.start.beta is None:  # p is non-decreasing in lam: the next mode decides
            nexts = np.append(self.lam[1:], np.max(self.dead, initial=-np.inf) if self.dead.size else -np.inf) + e
            on = nexts > self.small
            out[on] = passage(self.start, nexts[on], self.small[on], self.eta, predict=False).lower - 1
            return out
        lam = np.concatenate([self.lam, self.dead])
        sign = np.where(lam < 0, -1.0, 1.0)
        for s in (1.0, -1.0):  # of each sign the mode of largest modulus decides
            strongest = np.array([_strongest(lam[i + 1 :], sign[i + 1 :], s) for i in range(m)]) + e
            on = np.isfinite(strongest) & (strongest > self.small)
            found = passage(self.start, s * strongest[on], s * self.small[on], self.eta, predict=False).lower - 1
            out[on] = np.minimum(out[on], found)
        return out


def _strongest(lam: np.ndarray, sign: np.ndarray, s: float) -> float:
    chosen = np.abs(lam[sign == s])
    return float(chosen.max()) if chosen.size else -math.inf
