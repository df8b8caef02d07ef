r"""Noise that differs between rows and between columns, ``Var(z_ij) = a_i b_j``: found, and divided out.

Counts, instruments and people are not equally noisy everywhere, and a spectrum of unequal noise hides directions that
stand out of it by far once every entry is divided by its own noise.
"""

from typing import NamedTuple

import numpy as np

from rankscape.estimators.denoising.level import Level, estimated_level
from rankscape.estimators.denoising.noise import chance_misfit
from rankscape.estimators.denoising.spectrum import SignedModes, modes_of

# Alternating means of squares of rows and of columns.
ROUNDS = 4

# Smallest variance of a row or column over their mean.
LEAST = 1e-6

# Values that must be left for their law to say anything, and the least share of all: of a matrix that is mostly
# directions, any scales fit the rest.
LEFT, SHARE_LEFT = 30, 0.6

# The misfit has to fall to this part by whitening: spectra of rank 40, and 1/k, were fitted better by chance as well,
# 0.021 to 0.013 and 0.027 to 0.020, and the error grew by 1 %; unequal noise falls from 0.1 to 0.02.
BETTER = 0.5


class Scales(NamedTuple):
    """Standard deviations of the noise of rows and of columns; entry (i, j) has the product of two."""

    rows: np.ndarray
    columns: np.ndarray

    @property
    def unit(self) -> float:
        """The root mean square of their products."""
        return float(np.sqrt(np.mean(self.rows**2) * np.mean(self.columns**2)))

    @property
    def differ(self) -> bool:
        """Whether there are two of them."""
        return bool(np.ptp(self.rows) or np.ptp(self.columns))

    def divide(self, X: np.ndarray) -> np.ndarray:
        """X in units of its noise."""
        return X / self.rows[:, None] / self.columns

    def multiply(self, X: np.ndarray) -> np.ndarray:
        """The opposite."""
        return X * self.rows[:, None] * self.columns


class White(NamedTuple):
    """A matrix in units of its noise: the scales, its directions, and the level that is left, about one."""

    scales: Scales
    modes: SignedModes
    level: Level

    @property
    def noise(self) -> float:
        """Standard deviation of the noise of the matrix itself, root mean square over its entries."""
        return self.level.noise * self.scales.unit


def equal(shape: tuple[int, int]) -> Scales:
    """The scales of noise that is the same everywhere."""
    return Scales(np.ones(shape[0]), np.ones(shape[1]))


def whitened(X: np.ndarray, modes: SignedModes, level: Level, symmetric: bool) -> White | None:
    """X with its noise made equal, if that explains its spectrum; None if it does not.

    The scales are read off the resolvent, and once more off what is left without the directions that then stand out.

    Parameters
    ----------
    X : ndarray
        The matrix.
    modes, level : SignedModes, Level
        Of it.
    symmetric : bool
        Whether rows and columns have the same scales.
    """
    first = _at(X, equalizing(modes, symmetric), symmetric)
    removed = X - first.modes.with_values(_standing_out(first)) * np.outer(*first.scales)
    second = _at(X, _of_residual(removed, symmetric), symmetric)
    return next((white for white in (second, first) if _explains(white, level, symmetric)), None)


def _explains(white: White, before: Level, symmetric: bool) -> bool:
    """Whether what is left is like noise, as it was not before."""
    left = len(white.modes.values) - white.level.rank
    near = white.level.misfit <= min(chance_misfit(left, symmetric), BETTER * before.misfit)
    return near and not white.level.slow and left >= max(LEFT, SHARE_LEFT * len(white.modes.values))


def equalizing(modes: SignedModes, symmetric: bool = False) -> Scales:
    r"""Scales of rows and columns from the resolvent of the matrix, whatever few directions it holds.

    For noise with variances :math:`a_i b_j` the diagonals :math:`g = \eta\,\mathrm{diag}((XX^T + \eta^2)^{-1})` and
    :math:`h = \eta\,\mathrm{diag}((X^TX + \eta^2)^{-1})` obey, in large matrices,
    :math:`1/g_i = \eta + a_i \sum_j b_j h_j` and :math:`1/h_j = \eta + b_j \sum_i a_i g_i` (the equation of Dyson). Few
    directions do not change them, so with :math:`\eta` the median singular value

    .. math:: a_i b_j = \frac{(1/g_i - \eta)(1/h_j - \eta)}{n_{rows} - \eta \sum_i g_i}.

    References
    ----------
    .. [landa2025] Landa, Kluger, "The Dyson equalizer: adaptive noise stabilization for low-rank signal detection and
       recovery", Information and Inference 14 (2025).
    """
    s, rows = modes.sizes, modes.left.shape[0]
    eta = float(np.median(s))
    weights = eta / (s**2 + eta**2)
    a, b = (1 / _diagonal(vectors, weights, eta) - eta for vectors in (modes.left, modes.right))
    total = rows - eta * float(_diagonal(modes.left, weights, eta).sum())
    return _scales(a / np.sqrt(total), b / np.sqrt(total), symmetric)


def _diagonal(vectors: np.ndarray, weights: np.ndarray, eta: float) -> np.ndarray:
    """Of a function of a matrix with these eigenvectors; along all others its value is one over eta."""
    squares = vectors**2
    return squares @ weights + np.maximum(1 - squares.sum(axis=1), 0) / eta


def _of_residual(removed: np.ndarray, symmetric: bool) -> Scales:
    """Scales that give every row and every column the same mean square."""
    squares = removed**2
    a, b = np.ones(len(squares)), np.ones(squares.shape[1])
    for _ in range(ROUNDS):
        a = (squares / b).mean(axis=1)
        a = np.maximum(a, LEAST * a.mean())
        b = (squares / a[:, None]).mean(axis=0)
        b = np.maximum(b, LEAST * b.mean())
    return _scales(a, b, symmetric)


def _scales(a: np.ndarray, b: np.ndarray, symmetric: bool) -> Scales:
    a, b = np.maximum(a, LEAST * a.mean()), np.maximum(b, LEAST * b.mean())
    if symmetric:
        a = b = np.sqrt(a * b)
    return Scales(np.sqrt(a), np.sqrt(b))


def _at(X: np.ndarray, scales: Scales, symmetric: bool) -> White:
    modes = modes_of(scales.divide(X), symmetric)
    return White(scales, modes, estimated_level(modes.sizes, (X.shape[0], X.shape[1]), symmetric))


def _standing_out(white: White) -> np.ndarray:
    return np.where(np.arange(len(white.modes.values)) < white.level.rank, white.modes.values, 0.0)
