"""From the fitted value of a draw to what is observed: rates of counts, chances, classes that have an order."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import scipy

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.final import final
from rankscape.solvers.gibbs.bounded import Bounded
from rankscape.solvers.gibbs.likelihoods import Likelihood
from rankscape.solvers.gibbs.polya_gamma import Binary, Counts

# Rates go this far beyond the largest count.
BEYOND = 1.2

# Rates below this share of the mean one, and chances below half of it, are not told apart by their noise.
RARE = 0.05

# Entries by which the noise of ordered classes is held at that of standard normal values: tables of a few cells would
# not hold it at all.
BELIEVED = 4.0


class Link(ABC):
    """The mean of an entry given its fitted value, and the likelihood of entries."""

    @abstractmethod
    def mean(self, fitted: np.ndarray, noise: float) -> np.ndarray:
        """Of entries with these fitted values, `noise` being the variance of a draw."""

    def noise_of(self, mean: np.ndarray) -> np.ndarray:
        """Standard deviations of entries of these means, up to a factor; ones where they are all alike."""
        return np.ones(len(mean))

    @abstractmethod
    def likelihood(self, entries: PreparedEntries, noise: float | None = None) -> Likelihood:
        """Of these entries; with the variance of the noise, where that is known."""


@final
@dataclass(frozen=True)
class Rate(Link):
    r""":math:`r \exp(l + \psi)`: the mean of a negative binomial of size r.

    Attributes
    ----------
    size, level : float
        r and l.
    most : float
        No rate is larger.
    """

    size: float
    level: float
    most: float

    @classmethod
    def of(cls, entries: PreparedEntries, size: float) -> "Rate":
        """The level of these counts."""
        mean = float(np.average(entries.values, weights=entries.weighted(np.ones(entries.count))))
        level = np.log(max(mean, 1 / entries.count) / size)
        return cls(size, float(level), BEYOND * float(entries.values.max()) + 1)

    def mean(self, fitted: np.ndarray, noise: float) -> np.ndarray:
        """The rate."""
        del noise
        return self.size * np.exp(np.minimum(self.level + fitted, np.log(self.most / self.size)))

    def noise_of(self, mean: np.ndarray) -> np.ndarray:
        """Of counts; hardly ever seen ones are not believed to have no noise."""
        mean = np.maximum(mean, RARE * self.size * np.exp(self.level))
        return np.sqrt(mean + mean**2 / self.size)

    def likelihood(self, entries: PreparedEntries, noise: float | None = None) -> Likelihood:
        """Of counts."""
        del noise
        return Counts(entries, self.size, self.level)


@final
@dataclass(frozen=True)
class Chance(Link):
    r"""``low + (high - low) / (1 + exp(-l - psi))``: the mean of what is either of two values.

    Attributes
    ----------
    low, high : float
        The two values.
    level : float
        l.
    """

    low: float
    high: float
    level: float

    @classmethod
    def of(cls, entries: PreparedEntries, low: float, high: float) -> "Chance":
        """How often the larger of two values is seen; half an entry more of each, so that it is never certain."""
        weights = entries.weighted(np.ones(entries.count))
        yes = weights @ (entries.values > (low + high) / 2)
        return cls(low, high, float(np.log((yes + 0.5) / (weights.sum() - yes + 0.5))))

    def mean(self, fitted: np.ndarray, noise: float) -> np.ndarray:
        """Between both values, as their chances say."""
        del noise
        return self.low + (self.high - self.low) * scipy.special.expit(self.level + fitted)

    def noise_of(self, mean: np.ndarray) -> np.ndarray:
        """Of answers; none is believed to be certain."""
        chance = np.clip((mean - self.low) / (self.high - self.low), RARE / 2, 1 - RARE / 2)
        return np.sqrt(chance * (1 - chance))

    def likelihood(self, entries: PreparedEntries, noise: float | None = None) -> Likelihood:
        """Of answers."""
        del noise
        return Binary(entries.with_values(1.0 * (entries.values > (self.low + self.high) / 2)), self.level)


@final
@dataclass(frozen=True, eq=False)
class Classes(Link):
    r"""Class k where ``cut_(k-1) < psi + noise < cut_k``; the mean of the classes' values.

    Attributes
    ----------
    values : ndarray, shape (k,)
        Of the classes, ascending.
    cuts : ndarray, shape (k - 1,)
        Between them, ascending.
    """

    values: np.ndarray
    cuts: np.ndarray

    @classmethod
    def of(cls, entries: PreparedEntries, levels: tuple[float, ...]) -> "Classes":
        """Cuts by which standard normal values fall into the classes as entries do; half an entry more in each."""
        values = np.array(levels)
        counts = np.bincount(_nearest(entries.values, values), minlength=len(values)) + 0.5
        return cls(values, scipy.special.ndtri(np.cumsum(counts)[:-1] / counts.sum()))

    def mean(self, fitted: np.ndarray, noise: float) -> np.ndarray:
        """Each step between neighbouring values, times the chance to be beyond its cut."""
        steps = zip(self.cuts, np.diff(self.values), strict=True)
        return self.values[0] + sum(step * scipy.special.ndtr((fitted - cut) / noise**0.5) for cut, step in steps)

    def likelihood(self, entries: PreparedEntries, noise: float | None = None) -> Likelihood:
        """Of classes: an entry belongs to that of the nearest value."""
        ends, at = np.concatenate([[-np.inf], self.cuts, [np.inf]]), _nearest(entries.values, self.values)
        below = scipy.special.ndtr(ends)
        start = scipy.special.ndtri((below[1:] + below[:-1]) / 2)[at]
        return Bounded(entries.with_values(start), ends[at], ends[at + 1], noise, BELIEVED)


@final
@dataclass(frozen=True)
class Below(Link):
    """``centre + size psi`` with noise, of which nothing is seen that lies below a limit.

    Attributes
    ----------
    limit, centre, size : float
        In the units of the entries.
    """

    limit: float
    centre: float
    size: float

    @classmethod
    def of(cls, entries: PreparedEntries, limit: float) -> "Below":
        """The centre and the size of these entries."""
        return cls(limit, float(entries.values.mean()), float(entries.values.std()) or 1.0)

    def mean(self, fitted: np.ndarray, noise: float) -> np.ndarray:
        """Of what lies below the limit."""
        return self.centre + self.size * (fitted - noise**0.5 * self._tail(fitted, noise)[1])

    def variance(self, fitted: np.ndarray, noise: float) -> np.ndarray:
        """Of what lies below the limit."""
        z, ratio = self._tail(fitted, noise)
        return self.size**2 * noise * np.maximum(1 - z * ratio - ratio**2, 0.0)

    def likelihood(self, entries: PreparedEntries, noise: float | None = None) -> Likelihood:
        """Of entries: what does not exceed the limit is known to lie below it, and no more."""
        values, limit = ((y - self.centre) / self.size for y in (entries.values, self.limit))
        hidden = values <= limit
        low = np.where(hidden, -np.inf, values)
        start = entries.with_values(np.where(hidden, limit - 0.5, values))
        return Bounded(start, low, np.where(hidden, limit, values), noise)

    def _tail(self, fitted: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
        """The limit in standard deviations, and the density there over the probability below (Mills' ratio)."""
        z = ((self.limit - self.centre) / self.size - fitted) / noise**0.5
        return z, np.exp(-(z**2) / 2 - np.log(2 * np.pi) / 2 - scipy.special.log_ndtr(z))


def _nearest(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
