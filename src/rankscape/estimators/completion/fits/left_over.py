"""What one fit leaves of all entries given, also of those that it did not see: how large, how heavy the tails."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.fit import Fit, model_of
from rankscape.estimators.completion.fits.lone_lines import lone_lines
from rankscape.estimators.completion.models.uncertainty import leverages_of, weights_of
from rankscape.estimators.completion.ready.split import Split
from rankscape.ground.final import final
from rankscape.solvers.noise.median_polish import medians, robust_size, robust_sizes
from rankscape.solvers.noise.scale_mixture import fit_scale_mixture

# Smallest size of what is left, as a share of the spread of the fit: an exact fit leaves rounding, and one that is
# about to be exact, while single errors are still in, a little of everything.
ROUNDING = 1e-6

# Share of its own residual that an entry is thought to leave at least, however much of its fitted value it decides.
LEAST_LEFT = 0.1

# Weight, over the largest one, below which an entry looks wrong.
NO_WEIGHT = 0.02

# Leverage in both its row and its column from which on an entry has a direction for itself, and standard deviations of
# those of entries drawn at random that it must exceed as well: at the ranks 4 and 5 of 200 x 150 the largest is 0.22,
# and three errors of one column that share a direction have 0.37 to 0.42.
ALONE, BEYOND = 0.3, 6.0

# Shares of the values, by which the tail is measured, and the number of values below which none is.
TAIL, TELL = (0.005, 0.01, 0.02, 0.05), 10


@final
@dataclass(frozen=True, eq=False)
class LeftOver:
    """Residuals of one fit, value by value of the entries given.

    Attributes
    ----------
    given : Entries
        In the units of the data.
    values : ndarray, shape (m,)
        Value minus fit, over the share of its noise that a fit to it leaves; in standard units.
    magnitudes : ndarray, shape (m,)
        Roots of the squares to expect, with the uncertainty of the fit.
    sizes : ndarray, shape (m,)
        Robust standard deviations, by row and column.
    fitted : ndarray, shape (m,)
        What the fit says.
    alone : ndarray of bool, shape (m,)
        Entries that a direction serves for themselves.
    lone : (ndarray, ndarray)
        Rows and columns that a direction serves for themselves.
    """

    given: Entries
    values: np.ndarray
    magnitudes: np.ndarray
    sizes: np.ndarray
    fitted: np.ndarray
    alone: np.ndarray
    lone: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, given: Entries, parts: Split, fit: Fit, seen: Entries, fitted_to: np.ndarray) -> "LeftOver":
        """Of a fit in the units of a split to the entries `seen`, which a mask marks among those given."""
        model, standard = model_of(fit), parts.scaling.divide(given)
        fitted = model.at(given.rows, given.columns)
        own = np.ones(given.count) if given.weights is None else np.sqrt(given.weights / given.weights.mean())
        values = (standard.values - fitted) * own
        weights = weights_of(model, seen)
        weights = np.ones(seen.count) if weights is None else weights
        across = leverages_of(model, seen, seen.rows, seen.columns)
        in_row, in_column = (weights * leverage for leverage in across)
        squares = values**2
        squares[fitted_to] += (own[fitted_to] * model.noise) ** 2 * (across[0] + across[1])
        # A fit to an entry takes a part of its noise along.
        values[fitted_to] /= np.sqrt(np.maximum(1 - in_row - in_column, LEAST_LEFT))
        least = ROUNDING * fitted.std() + 1e-300
        lone = lone_lines(model, standard, seen, (in_row, in_column), max(robust_size(values), least))
        values[lone.places] = lone.residual * own[lone.places]
        squares[lone.places] = values[lone.places] ** 2
        alone = np.zeros(given.count, dtype=bool)
        alone[fitted_to] = np.minimum(in_row, in_column) > _limit(seen, fit.rank)
        sizes = np.maximum(robust_sizes(given, values), least)
        return cls(given, values, np.sqrt(squares), sizes, fitted, alone, (lone.rows, lone.columns))

    @property
    def lonely(self) -> bool:
        """Whether a direction of the fit serves a single entry, row or column."""
        return bool(self.alone.any()) or any(map(len, self.lone))

    @property
    def scaled(self) -> np.ndarray:
        """In standard deviations of the noise in its row and column."""
        return self.values / self.sizes

    @property
    def kurtosis(self) -> float:
        """Excess kurtosis, 0 for normal ones: as they are or over the sizes of row and column, whichever is less."""
        return min(excess_kurtosis(self.values), excess_kurtosis(self.scaled))

    @property
    def precision(self) -> np.ndarray:
        """What noise of this shape says that an entry weighs, beside the size of its row and column; one at most."""
        magnitudes = self.magnitudes / self.sizes
        found = fit_scale_mixture(magnitudes, 1.0).precision(magnitudes)
        found = found / found.max()
        # Where most of a row looks wrong it is the fit that is: its entries are then judged by one another.
        for groups, number in zip((self.given.rows, self.given.columns), self.given.shape, strict=True):
            usual = medians(groups, found, number)[groups]
            found = np.where(usual < NO_WEIGHT, np.minimum(found / np.maximum(usual, 1e-300), 1.0), found)
        return found


def _limit(seen: Entries, rank: int) -> np.ndarray:
    """Of entries whose row, or column, is drawn at random, leverages are Beta distributed: far beyond their mean."""
    by_row, by_column = seen.counts()
    few = np.minimum(by_row[seen.rows], by_column[seen.columns])
    share = np.minimum(rank / few, 1.0)
    return np.maximum(ALONE, share + BEYOND * np.sqrt(2 * share * (1 - share) / (few + 2)))


def tail_index(values: np.ndarray) -> float:
    """The largest power of which values this heavy have a mean (Hill 1975): below 2 no mean square settles.

    Of so many of the largest as make the tail the lightest, with a standard error added: of single gross errors among
    normal ones the tail begins where these do. Infinite where too few tell.

    >>> rng = np.random.default_rng(0)
    >>> tail_index(rng.standard_normal(10_000)) > 4, tail_index(rng.standard_cauchy(10_000)) < 1.5
    (True, True)
    """
    largest = np.sort(np.abs(values))[::-1]
    counts = [k for share in TAIL if (k := int(share * len(values))) >= TELL and largest[k] > 0]
    indices = [(1 + k**-0.5) / max(np.mean(np.log(largest[:k] / largest[k])), 1e-300) for k in counts]
    return float(max(indices, default=np.inf))


def excess_kurtosis(values: np.ndarray) -> float:
    """Mean fourth power over the squared mean square, minus 3.

    >>> abs(excess_kurtosis(np.random.default_rng(0).standard_normal(100_000))) < 0.1
    True
    """
    largest = float(np.abs(values).max(initial=0.0))
    if not largest > 0:
        return 0.0
    squares = (values / largest) ** 2
    return float(np.mean(squares**2) / np.mean(squares) ** 2) - 3
