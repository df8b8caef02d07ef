r"""What a plateau of rank L is, for any start: which modes must be how near to what.

The active modes A are the first L in the order of learning, R are all others.

.. math:: |p_i - \lambda_i| \le \varepsilon = \tau_a \min_A |\lambda| \;(i \in A), \qquad
          |p_i| \le \varepsilon' = \tau_i |\lambda_{L+1}| \;(i \in R)

with :math:`\tau_i \min_A |\lambda|` for :math:`\varepsilon'` after the last mode. Every p is monotone from its start to
its limit, so each condition holds on one interval of times, and the plateau is their intersection. `plateaus` takes
bounds of gradient descent for the times, `critical_alpha` those of the flow; what a plateau is stands here alone.
"""

from collections.abc import Callable

import numpy as np

from rankscape.theory.climbing.flow_time import time_to
from rankscape.theory.inputs import Start, alike

# Times of arrays of modes to their levels, of shape (modes,).
Times = Callable[[np.ndarray, np.ndarray], np.ndarray]


def learning_order(start: Start, lam: np.ndarray) -> np.ndarray:
    """Positions of the modes that are learned, the earliest first, by the flow time to half of their target."""
    if start.beta is None:
        order = np.argsort(-lam, kind="stable")
        return order[lam[order] > 0]
    modes = np.flatnonzero(lam)
    modes = modes[np.argsort(-lam[modes], kind="stable")]
    times, positive = time_to(start, lam[modes], lam[modes] / 2), lam[modes] > 0
    # A larger positive one is never later, also where a start above both halves takes no time for the smaller.
    times[positive] = np.minimum.accumulate(times[positive][::-1])[::-1]
    # From W = 0 both signs take the same time: then the larger modulus comes first.
    return modes[np.lexsort((-np.abs(lam[modes]), times))]


class Levels:
    """The levels of all ranks for one start; arrays are in the order of learning."""

    def __init__(self, start: Start, lam: np.ndarray, tolerance: tuple[float, float], noise: float = 0.0):
        self.start, self.noise = start, noise
        self.order = learning_order(start, lam)
        self.lam, self.dead = lam[self.order], np.delete(lam, self.order)
        self.mu = np.abs(self.lam)
        self.smallest = np.minimum.accumulate(self.mu)
        self.eps = tolerance[0] * self.smallest
        # Not the size of the start: a mode that starts above its level is not small, however it started.
        self.small = tolerance[1] * np.append(self.mu[1:], self.smallest[-1:])
        speed = self.mu if start.product == 0 else self.lam  # from W = 0 both signs are learned at once
        self.apart = np.append(~alike(speed[:-1], speed[1:]), True)

    def begins(self, ranks: np.ndarray, upper: Times) -> np.ndarray:
        """When the last inactive mode that starts above its level has fallen to it; infinite when one never does."""
        out, strongest, small = np.zeros(ranks.size), self._strongest(1.0, ranks), self.small[ranks]
        above = (self.start.product > small) & (strongest > -np.inf)
        # The larger an eigenvalue the later it falls, so the largest decides.
        out[above] = upper(strongest[above], small[above])
        return np.where(above & (np.maximum(strongest, 0.0) >= small) & (strongest > -np.inf), np.inf, out)

    def ends(self, ranks: np.ndarray, lower: Times) -> np.ndarray:
        """When the first inactive mode rises past its level, up or down; infinite when none does."""
        out, small = np.full(ranks.size, np.inf), self.small[ranks]
        for sign in (1.0, -1.0) if self.start.beta is not None else (1.0,):
            # The stronger an eigenvalue the earlier it rises, so the strongest of each sign decides.
            strongest = self._strongest(sign, ranks)
            on = strongest > small
            out[on] = np.minimum(out[on], lower(sign * strongest[on], sign * small[on]))
        return out

    def _strongest(self, sign: float, ranks: np.ndarray) -> np.ndarray:
        """The largest ``sign * lam`` of the inactive modes of each rank, of any target within the noise."""
        left = np.append(sign * self.lam, np.max(sign * self.dead, initial=-np.inf))
        return np.maximum.accumulate(left[::-1])[::-1][ranks + 1] + self.noise

    def effective_ranks(self) -> tuple[list[float], list[tuple[float, float]]]:
        """Of the target's active modes, and how far the product's can lie below and above it."""
        i, top, e = np.arange(self.mu.size), np.maximum.accumulate(self.mu), self.noise
        r = np.cumsum(self.mu) / top
        # How far an active mode can lie above its eigenvalue: one that comes down may be anywhere within the level.
        comes_down = np.logical_or.accumulate(self.start.product > self.lam) & (self.eps > e)
        up = np.where(comes_down, self.eps - e, e)
        low = np.where(i > 0, ((r - 1) * top - i * (self.eps - e)) / (top + up), 0.0)
        high = ((r - 1) * top + i * up + self._inactive()) / np.maximum(top + e - self.eps, 1e-300)
        below, above = np.minimum(low - (r - 1), 0.0), high - (r - 1)
        return r.tolist(), list(zip(below.tolist(), above.tolist(), strict=True))

    def _inactive(self) -> np.ndarray:
        """For each rank the most that the moduli of the inactive modes add up to."""
        goal = np.append(self.mu, np.abs(self.dead) if self.start.beta is not None else np.maximum(self.dead, 0.0))
        most = np.maximum(goal + self.noise, self.start.product)
        return np.array([np.minimum(small, most[k + 1 :]).sum() for k, small in enumerate(self.small.tolist())])
