"""What is seen of a noisy matrix before anything is removed: its directions, and the noise they stand in."""

import warnings
from dataclasses import dataclass

import numpy as np

from rankscape.errors import FallbackWarning
from rankscape.estimators.denoising.level import Level, estimated_level
from rankscape.estimators.denoising.noise import chance_misfit, noise_edge
from rankscape.estimators.denoising.spectrum import SignedModes, is_symmetric, modes_of
from rankscape.estimators.denoising.whitening import Scales, equal, whitened

# Standard deviations of chance by which a given noise may exceed the data.
TOO_LARGE = 5

# A given noise is taken to be unequal if that of equal noise in the spectrum is smaller by this part (signal makes it
# larger, nothing smaller), and that of unequal noise is not.
AGREEING = 0.1


@dataclass(frozen=True)
class Observed:
    """A noisy matrix in units of the noise of its rows and columns.

    Attributes
    ----------
    shape : (int, int)
        Of the matrix.
    symmetric : bool
        Whether it is.
    scales : Scales
        Relative noise of rows and columns, ones where it is equal.
    modes : SignedModes
        Directions of the matrix divided by its scales.
    noise : float
        Level of the noise that is worked with, in the same units; positive, for it is at least that of rounding.
    spectrum : Level
        The level that the spectrum shows, in the same units.
    given : bool
        Whether the noise was given.
    """

    shape: tuple[int, int]
    symmetric: bool
    scales: Scales
    modes: SignedModes
    noise: float
    spectrum: Level
    given: bool


def observe(X: np.ndarray, given: float | None) -> Observed:
    """Look at X, whose noise is `given` if that is known.

    Warns
    -----
    FallbackWarning
        The noise was given as zero, or as larger than the data.
    """
    shape, symmetric = (X.shape[0], X.shape[1]), is_symmetric(X)
    eps, X = float(np.finfo(X.dtype).eps), X.astype(np.float64)
    if given is not None:
        _warn_of(given, X)
    modes, scales = modes_of(X, symmetric), equal(shape)
    rounding = eps * max(shape) * float(modes.sizes[0]) / noise_edge(1.0, shape)
    spectrum = estimated_level(modes.sizes, shape, symmetric)
    if spectrum.noise <= rounding:
        spectrum = Level(spectrum.noise, spectrum.rank, 0.0, 1.0, 0.0)  # rounding has no law
    elif spectrum.misfit > chance_misfit(len(modes.values) - spectrum.rank, symmetric):
        white = None if given and spectrum.noise > (1 - AGREEING) * given else whitened(X, modes, spectrum, symmetric)
        if white is not None and (not given or abs(white.noise / given - 1) < AGREEING):
            scales, modes, spectrum = white
    level = spectrum.noise if given is None else given / scales.unit
    return Observed(shape, symmetric, scales, modes, max(level, rounding) or 1.0, spectrum, given is not None)


def _warn_of(given: float, X: np.ndarray) -> None:
    """Of a noise that the data cannot hold."""
    size = float(np.sqrt(np.mean(X**2)))
    if not given:
        text = "`noise` is 0, so nothing is removed; leave it out to have it estimated."
    elif given > size * np.sqrt(1 + TOO_LARGE * np.sqrt(2 / X.size)):
        text = (
            f"`noise` is {given:.4g}, but the data are smaller, {size:.4g} at root mean square, so all of them are "
            "removed; it is the standard deviation of an entry's noise, in the units of X."
        )
    else:
        return
    warnings.warn(text, FallbackWarning, stacklevel=4)
