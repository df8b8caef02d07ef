"""Entries of which only bounds are known: classes of answers that have an order, and what lies below a limit."""

import numpy as np
import scipy

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.final import final
from rankscape.solvers.gibbs.likelihoods import Gaussian, Likelihood

# Standard deviations beyond which a normal is not followed: what lies farther out counts as lying there.
FAR = 8.0


@final
class Bounded(Likelihood):
    r"""``low_ij < fitted_ij + noise < high_ij``; where both bounds are equal the value itself is known.

    What lies between the bounds is drawn from the truncated normal, and the noise (`Gaussian`) given that. Answers
    that have an order are bounded by thresholds; what was not seen because it is small has a limit above, none below.

    Parameters
    ----------
    entries : PreparedEntries
        Their values are where the draws start; between the bounds.
    low, high : ndarray, shape (m,)
        In row order; infinite where there is none.
    known : float, optional
        Variance of the noise, where it is not drawn.
    believed : float
        Entries of noise one that its prior counts for: bounds alone may leave its size open.

    References
    ----------
    .. [albert1993] Albert, Chib, "Bayesian analysis of binary and polychotomous response data", Journal of the American
       Statistical Association 88 (1993).
    .. [tobin1958] Tobin, "Estimation of relationships for limited dependent variables", Econometrica 26 (1958).
    """

    def __init__(
        self,
        entries: PreparedEntries,
        low: np.ndarray,
        high: np.ndarray,
        known: float | None = None,
        believed: float = 0.0,
    ):
        self.noise = Gaussian(entries, known=known, believed=believed)
        self._precision = np.full(entries.count, 1 / (known or 1.0))
        self._hidden = np.flatnonzero(low < high)
        self._low, self._high = low[self._hidden], high[self._hidden]

    def augment(self, fitted: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw what is hidden, then the noise."""
        at, entries = self._hidden, self.noise.entries
        values, sigma = entries.values.copy(), self._precision[at] ** -0.5
        values[at] = draw_between(fitted[at], sigma, self._low, self._high, random)
        self.noise.entries = entries.with_values(values)
        target, precision = self.noise.augment(fitted, random)
        self._precision = precision / entries.weighted(np.ones(entries.count))
        return target, precision

    @property
    def variance(self) -> float:
        """Of the noise about what is hidden."""
        return self.noise.variance


def draw_between(
    mean: np.ndarray, sigma: np.ndarray, low: np.ndarray, high: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Normal draws that lie between bounds, by inverting the distribution function on the side of the nearer tail."""
    a, b = (np.clip((bound - mean) / sigma, -FAR, FAR) for bound in (low, high))
    upper = a + b > 0  # there the complement has the digits
    a, b = np.where(upper, -b, a), np.where(upper, -a, b)
    below, above = scipy.special.ndtr(a), scipy.special.ndtr(b)
    z = scipy.special.ndtri(below + random.random(len(mean)) * (above - below))
    z = np.clip(z, a, b)
    return np.clip(mean + sigma * np.where(upper, -z, z), low, high)
