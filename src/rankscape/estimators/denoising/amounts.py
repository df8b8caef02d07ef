"""How much of each direction is kept: each by itself or all by their spectrum, whichever Stein's estimate prefers."""

from typing import NamedTuple

import numpy as np

from rankscape.estimators.denoising.noise import noise_top
from rankscape.estimators.denoising.observed import Observed
from rankscape.solvers.noise.shrinkage import Norm, Shrunk, optimal, rotation_invariant
from rankscape.solvers.noise.stein import stein_risk

# The whole spectrum has to be better than the few directions by the first times the root of the entries, and by the
# third, in variances of the noise: estimates of risk differ by chance. The second holds where the level was read off
# directions that look like noise, and may be off itself. Of matrices of rank 1 and 2 with known noise one in a hundred
# had a difference over the root of 0.97 at 8 x 20, 0.67 at 12 x 40, 0.25 at 12 x 140, 0.52 at 40 x 40, 0.2 at 60 x 100;
# with estimated noise one in fifty of 0.8 at 40 x 40, 0.5 at 60 x 100. Rank 40 of 150 had 1.1 and 1.3, spectra 1/k 0.7
# and 3, photographs 2 to 80. A symmetric matrix has half of the entries, and twice the variance.
KNOWN, FROM_NOISE, ANYWAY = 0.2, 0.6, 16.0

# Directions that together hold less than this part of the expected squared error are not kept: they cost 0.05 % of
# the error at most, and a rank that counts them says nothing.
NEGLIGIBLE = 1e-3


class Amounts(NamedTuple):
    """What is kept of each direction, with its sign; and the squared error to expect of it in all."""

    kept: np.ndarray
    risk: float
    by_spectrum: bool


def amounts(seen: Observed, norm: Norm) -> Amounts:
    """What to keep of the directions of a matrix.

    Parameters
    ----------
    seen : Observed
        The matrix in its noise.
    norm : {"frobenius", "operator", "nuclear"}
        The norm of the error that is to be small; for the first alone the whole spectrum is considered.
    """
    y, shape, symmetric = seen.modes.values / seen.noise, seen.shape, seen.symmetric
    few = _few(y, shape, symmetric, norm)
    risk = stein_risk(y, few, shape, symmetric)
    if norm == "frobenius":
        every = rotation_invariant(y, shape, symmetric)
        other = stein_risk(y, every, shape, symmetric)
        sure = 1.0 if seen.given else seen.spectrum.slow
        share = FROM_NOISE + sure * (KNOWN - FROM_NOISE)
        margin = (share * np.sqrt(shape[0] * shape[1]) + ANYWAY) * np.sqrt(1 + symmetric)
        # An error below zero says that the noise is not as it was assumed to be; then nothing rests on it.
        if 0 <= other < risk - margin:
            return Amounts(seen.noise * _without_crumbs(every.kept, other), seen.noise**2 * other, True)
    return Amounts(seen.noise * few.kept, seen.noise**2 * risk, False)


def _few(y: np.ndarray, shape: tuple[int, int], symmetric: bool, norm: Norm) -> Shrunk:
    """The optimum for few directions, of those that noise alone hardly shows."""
    sizes = np.abs(y)
    kept, slopes = optimal(sizes, shape, norm)
    seen = sizes > noise_top(1.0, shape, symmetric)
    return Shrunk(np.where(seen, np.copysign(kept, y), 0.0), np.where(seen, slopes, 0.0))


def _without_crumbs(kept: np.ndarray, risk: float) -> np.ndarray:
    """The same without the smallest."""
    order = np.argsort(np.abs(kept), kind="stable")
    small = np.cumsum(kept[order] ** 2) <= NEGLIGIBLE * risk
    kept = kept.copy()
    kept[order[small]] = 0.0
    return kept
