"""Counts and yes-or-no answers, as Gaussian observations: Polya-Gamma augmentation."""

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.final import final
from rankscape.solvers.gibbs.likelihoods import Likelihood

# Gamma variables of a draw; the mean of all further ones is added.
TERMS = 12


def polya_gamma_mean(shape: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    r"""Mean of :math:`PG(b, c)`: :math:`b \tanh(c/2) / (2c)`, with the limit :math:`b/4`.

    >>> polya_gamma_mean(np.array([1.0, 1.0]), np.array([0.0, 2.0])).round(4)
    array([0.25  , 0.1904])
    """
    half = np.abs(tilt) / 2
    return shape / 4 * np.where(half > 1e-6, np.tanh(half) / np.maximum(half, 1e-6), 1.0)


def draw_polya_gamma(shape: np.ndarray, tilt: np.ndarray, random: np.random.Generator) -> np.ndarray:
    r"""Draw from :math:`PG(b, c)`, nearly.

    .. math:: \frac{1}{2\pi^2} \sum_{k \ge 1} \frac{g_k}{(k - 1/2)^2 + c^2 / 4\pi^2}, \qquad g_k \sim \Gamma(b, 1)

    The first `TERMS` terms are drawn, of the others the mean is taken: they have 0.02 % of the variance.

    References
    ----------
    .. [polson2013] Polson, Scott, Windle, "Bayesian inference for logistic models using Polya-Gamma latent variables",
       Journal of the American Statistical Association 108 (2013).
    """
    square = (tilt / (2 * np.pi)) ** 2
    total, mean = np.zeros(len(tilt)), np.zeros(len(tilt))
    for k in range(TERMS):
        term = 1 / (2 * np.pi**2 * ((k + 0.5) ** 2 + square))
        total += random.standard_gamma(shape) * term
        mean += shape * term
    return total + (polya_gamma_mean(shape, tilt) - mean)


@final
class Binary(Likelihood):
    """Entries that are one with probability ``1 / (1 + exp(-level - fitted))``, else zero.

    Parameters
    ----------
    entries : PreparedEntries
        Zeros and ones; an entry of weight two counts as two.
    level : float
        What is added to the fitted values.
    """

    def __init__(self, entries: PreparedEntries, level: float):
        self.level, self._trials = level, entries.weighted(np.ones(entries.count))
        self._kappa = self._trials * (entries.values - 0.5)

    @property
    def variance(self) -> float:
        """One: there is no noise beside that of the values themselves."""
        return 1.0

    def augment(self, fitted: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the precisions: their mean alone lets all directions die where hardly any entry is seen."""
        precision = draw_polya_gamma(self._trials, self.level + fitted, random)
        return self._kappa / precision - self.level, precision


@final
class Counts(Likelihood):
    r"""Whole numbers of mean :math:`\mu = r \exp(\psi)`, with ``psi = level + fitted``, and variance ``mu + mu^2 / r``.

    A negative binomial of size r: Poisson where r is far above the mean.

    Parameters
    ----------
    entries : PreparedEntries
        Counts; an entry of weight two counts as two.
    size : float
        r.
    level : float
        What is added to the fitted values.
    """

    def __init__(self, entries: PreparedEntries, size: float, level: float):
        self.level, trials = level, entries.weighted(np.ones(entries.count))
        self._shape, self._kappa = trials * (entries.values + size), trials * (entries.values - size) / 2

    @property
    def variance(self) -> float:
        """One: there is no noise beside that of the values themselves."""
        return 1.0

    def augment(self, fitted: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The mean of the precisions: they are sums of many terms, and drawing those takes long and gains nothing."""
        del random
        precision = polya_gamma_mean(self._shape, self.level + fitted)
        return self._kappa / precision - self.level, precision
