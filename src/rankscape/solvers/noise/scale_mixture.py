r"""Noise of any symmetric shape without steps: a mixture of centred normals of many sizes.

Gaussian noise, Student's t and a few gross errors are all of this kind, so that nobody has to say which one it is: the
shares of the sizes are read off the residuals.
"""

from typing import NamedTuple

import numpy as np
import scipy

from rankscape.ground.final import final

# Sizes are powers of the root of two, as far below and above the middle one: gross errors may be thousands of times as
# large as the noise, and what lies beyond the largest size has no weight left anyway.
LEAST, MOST = -2, 25

# Steps of expectation-maximisation, and the change of the shares at which they end.
STEPS, STILL = 200, 1e-7

# Residuals are gathered in bins of a sixteenth of an octave; in units of the middle size the lowest is below all sizes.
FINE, LOWEST = 16, 2.0**-6


@final
class ScaleMixture(NamedTuple):
    r"""The density :math:`\sum_k p_k N(r; 0, g_k^2)`.

    Attributes
    ----------
    sizes : ndarray, shape (k,)
        Standard deviations g of the parts.
    shares : ndarray, shape (k,)
        p, with sum one.
    """

    sizes: np.ndarray
    shares: np.ndarray

    def precision(self, residual: np.ndarray) -> np.ndarray:
        """``E[1 / g^2 | r]``: what least squares has to weigh a residual by; it falls with its size."""
        size = np.abs(residual)
        middle = self.sizes[-LEAST]
        # A smooth function of one number: on a fine grid it is known everywhere.
        octaves = np.arange(np.log2(LOWEST), MOST / 2 + 4, 1 / FINE)
        # The floor is for residuals larger than all that were seen, where no part with a share has any density.
        logs = _log_densities(middle * 2.0**octaves, self.sizes) + np.log(np.maximum(self.shares, 1e-300))
        known = np.log(scipy.special.softmax(logs, axis=1) @ self.sizes**-2.0)
        return np.exp(np.interp(np.log2(np.maximum(size / middle, LOWEST)), octaves, known))


def fit_scale_mixture(residual: np.ndarray, size: float) -> ScaleMixture:
    r"""The most probable shares of normals of the sizes :math:`size \cdot 2^{k/2}`, by expectation-maximisation.

    Parameters
    ----------
    residual : ndarray, shape (m,)
        Whose distribution is asked for.
    size : float
        Of the middle one, positive: a robust standard deviation of the residuals.

    Examples
    --------
    >>> r = np.random.default_rng(0).standard_normal(1000)
    >>> r[:20] *= 100
    >>> weights = fit_scale_mixture(r, 1.0).precision(r)
    >>> bool(weights[np.abs(r) < 2].min() > 0.5), bool(weights[np.abs(r) > 10].max() < 0.01)
    (True, True)

    References
    ----------
    .. [stephens2017] Stephens, "False discovery rates: a new deal", Biostatistics 18 (2017).
    """
    sizes = size * 2.0 ** (np.arange(LEAST, MOST + 1) / 2)
    bins = np.floor(FINE * np.log2(np.maximum(np.abs(residual) / size, LOWEST))).astype(np.int64)
    _, place, counts = np.unique(bins, return_inverse=True, return_counts=True)
    # The root mean square of a bin: then its log-density is right to second order in the width.
    middles = np.sqrt(np.bincount(place, weights=(residual / size) ** 2) / counts) * size
    logs = _log_densities(middles, sizes)
    density = np.exp(logs - logs.max(1, keepdims=True))  # as they are, those of far residuals would vanish
    shares = np.full(len(sizes), 1 / len(sizes))
    for _ in range(STEPS):
        parts = shares * density
        after = counts / parts.sum(1) @ parts / len(residual)
        moved, shares = np.abs(after - shares).max(), after
        if moved < STILL:
            break
    return ScaleMixture(sizes, shares)


def _log_densities(residual: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Of each residual under each size, shape (m, k), but for a constant."""
    return -np.log(sizes) - 0.5 * (residual[:, None] / sizes) ** 2
