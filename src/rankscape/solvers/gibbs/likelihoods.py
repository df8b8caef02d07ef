"""What was observed, given the product of the factors: as Gaussian observations, which the rows are drawn from."""

from abc import ABC, abstractmethod

import numpy as np
import scipy

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.final import final

# Least noise variance of an entry, for entries of rms 1. Rows that are met exactly drive it towards zero; at 1e-12, and
# rows fifty times as precise as that, sums of a hundred weighted squares swamp the prior by more than 1e16, and from
# there rounding alone decides: a chain on a matrix of rank 4 grew without bound.
FLOOR = 1e-10

# Degrees of freedom that the noise of rows is drawn from; infinite: the same noise for all.
DEGREES = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, np.inf])


class Likelihood(ABC):
    """How entries come from the fitted values: augmented so that given all else they are Gaussian."""

    @abstractmethod
    def augment(self, fitted: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw what else there is, given the fitted value of each entry; returns targets and precisions, shape (m,)."""

    @property
    @abstractmethod
    def variance(self) -> float:
        """Of the noise in the last draw."""


@final
class Gaussian(Likelihood):
    r"""``y_ij = fitted_ij + noise`` of precision ``w_ij alpha_i beta_j / tau``: rows and columns have their own noise.

    ``alpha_i ~ Gamma(nu/2, nu/2)``, of mean one, and the same for beta with a nu of its own; the prior of tau is flat
    in its logarithm.

    Parameters
    ----------
    entries : PreparedEntries
        With weights w, if any.
    alike : float
        In how many sweeps, the first ones, all noise is alike. What the factors do not fit yet is far from alike, and
        rows that count little because of it would hold the factors up.
    known : float, optional
        tau, where it is not drawn.
    believed : float
        Entries of noise one that the prior of tau counts for.
    """

    def __init__(
        self, entries: PreparedEntries, alike: float = np.inf, known: float | None = None, believed: float = 0.0
    ):
        self.entries, self.alike, self.known, self.believed = entries, alike, known, believed
        self.sweeps, self.tau = 0, known or 1.0
        n_out, n_in = entries.shape
        self.scales = _Scales(entries.rows, n_out), _Scales(entries.columns, n_in)

    def augment(self, fitted: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the noise; the targets are the values themselves."""
        entries, (rows, columns) = self.entries, self.scales
        squares = entries.weighted((entries.values - fitted) ** 2)
        self.sweeps += 1
        if self.sweeps > self.alike:
            rows.draw(squares * columns.of_entries() / self.tau, random)
            columns.draw(squares * rows.of_entries() / self.tau, random)
        each = rows.of_entries() * columns.of_entries()
        if self.known is None:
            missed, count = float(squares @ each) + self.believed, entries.count + self.believed
            self.tau = max(missed / 2 / random.gamma(count / 2), FLOOR)
        return entries.values, entries.weighted(np.minimum(each / self.tau, 1 / FLOOR))

    @property
    def variance(self) -> float:
        """The mean over the entries."""
        return self.tau * float(np.mean(1 / (self.scales[0].of_entries() * self.scales[1].of_entries())))

    @property
    def precisions(self) -> tuple[np.ndarray, np.ndarray]:
        """Relative precisions of rows and of columns, of mean one a priori."""
        return self.scales[0].alpha, self.scales[1].alpha


class _Scales:
    r"""Precisions ``alpha_i ~ Gamma(nu/2, nu/2)`` of the rows (or columns) of squared residuals, and nu.

    nu is drawn from `DEGREES` with the alphas integrated out: given them it hardly moves, and a finite one costs 2 to
    3 % of the error where all noise is alike.

    References
    ----------
    .. [vandyk2008] van Dyk, Park, "Partially collapsed Gibbs samplers: Theory and methods", Journal of the American
       Statistical Association 103 (2008).
    """

    def __init__(self, at: np.ndarray, size: int):
        self.at, self.counts = at, np.bincount(at, minlength=size)
        self.alpha, self.degrees = np.ones(size), np.inf
        nu = DEGREES[:-1]
        # The part of the log likelihood of each nu that does not change.
        self._known = scipy.special.gammaln((nu[:, None] + self.counts) / 2).sum(1) + size * (
            nu / 2 * np.log(nu / 2) - scipy.special.gammaln(nu / 2)
        )

    def draw(self, squares: np.ndarray, random: np.random.Generator) -> None:
        """Given the squared residuals of unit variance, but for alpha."""
        missed = np.bincount(self.at, squares, minlength=len(self.alpha))
        nu = DEGREES[:-1, None]
        parts = (nu + self.counts) * np.log((nu + missed) / 2)  # the rows' multivariate t densities
        logs = np.append(self._known - parts.sum(1) / 2, -missed.sum() / 2)
        odds = np.exp(logs - logs.max()).cumsum()
        nu = self.degrees = float(DEGREES[np.searchsorted(odds, odds[-1] * random.random())])
        self.alpha = np.ones(len(missed))
        if np.isfinite(nu):
            self.alpha = random.gamma((nu + self.counts) / 2) / ((nu + missed) / 2)

    def of_entries(self) -> np.ndarray:
        return self.alpha[self.at]
