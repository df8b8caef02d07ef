"""Near the information limit: least squares that is stuck on its way to an exact fit starts again elsewhere."""

import itertools
from dataclasses import replace

import numpy as np

from rankscape.estimators.completion.fits.ridge_path import RidgePath
from rankscape.estimators.completion.methods.exactness import is_exact, needed
from rankscape.solvers.least_squares.known_rank import Polished

# Root mean square residual, on entries of rms 1, beyond which noise stands in the way and not a poor minimum: at 1.05
# of the limit those left 1e-3 to 1e-2 (random starts 5e-2), and noise of a tenth 2e-2.
STUCK = 1.5e-2

# Shape of the gamma distribution that weights are drawn from: 4 led to exact fits in 6 of 12 draws, 1 in 5 of 18.
SHAPE = 4.0

# Draws; each costs a path of its own.
DRAWS = 4

# Steps of a fit; those that were exact had taken 6 to 26.
STEPS = 30

# Stages of the falling ridge after which least squares begins: first, end and step. Later ones met nothing more.
STAGES = 2, 5, 2


def stuck(fit: Polished) -> bool:
    """Whether a poor minimum stands in the way of an exact fit, and not noise."""
    return fit.scarce and fit.mean_square < STUCK**2


def shaken(path: RidgePath, before: Polished, width: int, exact: float) -> Polished | None:
    """An exact fit near the limit of the rank that was found `before`; None if there is none.

    Each draw gives the entries other weights, along whose path the ridge leads into another basin. All entries count
    alike in the fit itself.
    """
    entries, random = path.entries, np.random.default_rng(0)
    for _ in range(DRAWS):
        weights = entries.weighted(random.gamma(SHAPE, 1 / SHAPE, entries.count))
        other = replace(path, entries=entries.with_weights(weights / weights.mean()))
        for modes in itertools.islice(other.falling(width), *STAGES):
            path.step = other.step
            if len(modes.s) != len(before.modes.s):
                continue
            fit = path.polish(modes, STEPS)
            if is_exact(path, fit, exact):
                return needed(path, fit, exact)
    return None
