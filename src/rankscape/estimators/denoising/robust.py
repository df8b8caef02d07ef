r"""Gross errors and heavy tails: every entry replaced by what it says, given how large noise may be.

Singular vectors follow whatever is far away. If p is the density of the noise and :math:`t_{ij}` what is known of an
entry without it, then :math:`x_{ij}` says as much of the signal as

.. math:: z_{ij} = t_{ij} + \psi(x_{ij} - t_{ij}) / I, \qquad \psi = -p'/p, \qquad I = \operatorname E \psi^2

does, with noise of variance 1/I, which no entrywise change makes smaller (Perry et al. 2018). For normal noise z is x;
of an error far beyond the noise next to nothing remains. So the matrix z is denoised in the place of X, t is what comes
out of it, p is read off the residuals as a mixture of normals of many sizes, and all of it is repeated until z stands
still.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import FallbackWarning
from rankscape.estimators.denoising.amounts import Amounts, amounts
from rankscape.estimators.denoising.observed import Observed, observe
from rankscape.estimators.denoising.tails import SPIKE, excess_kurtosis, heavy
from rankscape.estimators.losses import LossChoice
from rankscape.estimators.outliers import FAR, Outliers, heavy_throughout
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.solvers.noise.median_polish import median_residuals, robust_size, robust_sizes
from rankscape.solvers.noise.scale_mixture import ScaleMixture, fit_scale_mixture
from rankscape.solvers.noise.shrinkage import Norm

# Standard deviations from the medians of its row and column to which an entry is cut at first.
CUT = 3.0

# Most rounds, and the movement of z, in standard deviations of its noise, at which they end. Errors, Student's t and
# whatever else is like noise needed 3 to 12 rounds; photographs, genes and other matrices that have no level of noise
# took more and more of themselves for errors, and never stood still.
ROUNDS, STILL = 25, 1e-3

# Part to which the noise beside the strongest directions has to fall for more of them to be looked for.
FALLING = 0.9

# Smallest size of what is left, as a share of the matrix: without noise it would fall for ever.
ROUNDING = 1e-6

# One direction in so many may be kept: of those left, fewer do not show whether they are noise.
KEPT = 3

# Part of the error to expect that a bias may have.
BIAS = 0.5

# Weight, over the largest one, below which an entry counts for nothing.
NO_WEIGHT = 0.02


@final
@dataclass(frozen=True, eq=False)
class Counting:
    """How much residuals count, in units of the noise of their rows and columns.

    Attributes
    ----------
    size : float
        Robust standard deviation of the residuals.
    mixture : ScaleMixture
        Their distribution.
    gain : float
        What psi is multiplied by: one over Fisher's information.
    noise : float
        Standard deviation of the noise of what they say.
    """

    size: float
    mixture: ScaleMixture
    gain: float
    noise: float

    @classmethod
    def of(cls, residual: np.ndarray, least: float) -> "Counting":
        """Read off residuals; their size is at least `least`."""
        size = max(robust_size(residual.ravel()), least)
        mixture = fit_scale_mixture(residual.ravel(), size)
        score = residual * mixture.precision(residual)
        # The information is the mean of psi^2. That of r psi is one for any density, and less where `least` decides.
        power = float(np.mean(score**2))
        gain = float(np.mean(residual * score)) / power if power else 1.0
        return cls(size, mixture, gain, gain * power**0.5)

    def said(self, residual: np.ndarray) -> np.ndarray:
        """What residuals say of the signal."""
        return residual * self.mixture.precision(residual) * self.gain

    def weights(self, residual: np.ndarray) -> np.ndarray:
        """How much they count, from 0 to 1."""
        return self.mixture.precision(residual) / self.mixture.precision(np.zeros(1))


@final
@dataclass(frozen=True, eq=False)
class View:
    """A matrix as it is denoised.

    Attributes
    ----------
    matrix : ndarray
        What is denoised: X, or what its entries say.
    seen, made : Observed, Amounts
        Of this matrix.
    counting : Counting or None
        How its residuals count; None where all do as they are.
    """

    matrix: np.ndarray
    seen: Observed
    made: Amounts
    counting: Counting | None = None

    @classmethod
    def of(cls, matrix: np.ndarray, given: float | None, norm: Norm) -> "View":
        """As it is."""
        seen = observe(matrix, given)
        return cls(matrix, seen, amounts(seen, norm))

    @property
    def result(self) -> np.ndarray:
        """The denoised matrix."""
        return self.seen.scales.multiply(self.seen.modes.with_values(self.made.kept))

    @property
    def removed(self) -> np.ndarray:
        """What was removed of each entry, in units of its noise."""
        return self.seen.scales.divide(self.matrix - self.result)

    @property
    def suspicious(self) -> bool:
        """Whether tails are heavy, or a direction serves a single entry."""
        kurtosis = excess_kurtosis(self.removed, self.seen.noise)
        return heavy(kurtosis, self.matrix.size) or self.seen.modes.peak(self.made.kept != 0) > SPIKE


def look(X: np.ndarray, given: float | None, norm: Norm, loss: LossChoice) -> View:
    """X as it is, or as its entries count where their tails ask for it.

    Warns
    -----
    FallbackWarning
        A robust fit was asked for, and what it leaves is not like noise.
    """
    plain = View.of(X, given, norm)
    if loss == "squares" or not (loss == "robust" or plain.suspicious):
        return plain
    robust = _resisting(X.astype(np.float64), plain.seen.symmetric, norm)
    if robust is None and loss == "robust":
        message = "loss='robust' takes more and more of X for errors, so that squares are used: it is not mostly noise."
        warnings.warn(message, FallbackWarning, stacklevel=3)
    return robust or plain


def _resisting(X: np.ndarray, symmetric: bool, norm: Norm) -> View | None:
    """What the entries say, when that stands still; None if it does not, or if what is left is not like noise."""
    even = (lambda Z: (Z + Z.T) / 2) if symmetric else (lambda Z: Z)
    least = ROUNDING * root_mean_square(X)
    matrix = even(_strongest(X, norm, least))
    for _ in range(ROUNDS):
        view = View.of(matrix, None, norm)
        result, scales = view.result, view.seen.scales
        residual = scales.divide(X - result)
        counting = Counting.of(residual, least / scales.unit)
        after = even(result + scales.multiply(counting.said(residual)))
        moved, matrix = root_mean_square(scales.divide(after - matrix)), after
        if moved < STILL * max(counting.noise, least / scales.unit):
            good = counting.size > least / scales.unit and _like_noise(view) and not _biased(view, residual, counting)
            return View(view.matrix, view.seen, view.made, counting) if good else None
    return None


def _like_noise(view: View) -> bool:
    """Whether what is left is, and enough of it to tell."""
    kept = view.made.kept
    return not view.seen.spectrum.slow and bool(KEPT * np.count_nonzero(kept) <= len(kept))


def _biased(view: View, residual: np.ndarray, counting: Counting) -> bool:
    """Whether noise is skew: then what counts little has a mean, and the result is off by it."""
    mean, n = float(np.mean(residual[np.abs(residual) <= FAR * counting.size])), residual.size
    expected = max(view.made.risk, view.seen.noise**2 * np.sqrt(2 * n)) / n
    return mean**2 > (BIAS**2) * expected


def _strongest(X: np.ndarray, norm: Norm, least: float) -> np.ndarray:
    """What entries say beside the strongest directions, in noise as large as all that these leave.

    In the noise that the spectrum shows, an error stands out as well as a direction does, even when it is cut: the
    first fit would meet it.
    """
    matrix, noise = _cut(X), np.inf
    for _ in range(ROUNDS):
        seen = observe(matrix, None)
        level = max(seen.noise, min(noise, root_mean_square(matrix)) / seen.scales.unit)
        view = View(matrix, seen, amounts(replace(seen, noise=level), norm))
        result, scales = view.result, view.seen.scales
        residual = scales.divide(X - result)
        counting = Counting.of(residual, least / scales.unit)
        matrix, before, noise = result + scales.multiply(counting.said(residual)), noise, counting.noise * scales.unit
        if not least < noise < FALLING * before:
            break
    return matrix


def _cut(X: np.ndarray) -> np.ndarray:
    """X with what is far from the medians of its row and column drawn near."""
    entries = Entries.from_array(X)
    rough = median_residuals(entries)
    most = CUT * robust_sizes(entries, rough)
    return X - (rough - np.clip(rough, -most, most)).reshape(X.shape)


def wrong_entries(view: View, X: np.ndarray) -> Outliers:
    """Entries of X that look wrong.

    Where tails are heavy throughout these are the entries that count for next to nothing: any other may be as far off
    as it is.
    """
    fitted, counting = view.result, view.counting
    residual = view.seen.scales.divide(X - fitted)
    size = view.seen.noise if counting is None else counting.size
    deviations = np.abs(residual) / size
    if counting is not None and heavy_throughout(deviations):
        deviations = np.where(counting.weights(residual) < NO_WEIGHT, deviations, 0.0)
    elif counting is None and view.suspicious:
        deviations = np.zeros(X.shape)
    rows, columns = np.indices(X.shape)
    return Outliers.of(*(part.ravel() for part in (rows, columns, X, fitted, deviations)))
