"""The level of the noise in a matrix, read off its singular values: off their middle, or off their lower edge."""

from typing import NamedTuple

import numpy as np

from rankscape.estimators.denoising.noise import chance_misfit, hard_threshold, misfit, noise_law

# Most times that the level and the number of directions above it are found from each other.
ROUNDS = 20

# Part of what is left, from the smallest on, whose root mean square gives the level: it varies by 0.023 at 40 x 40 and
# 0.0041 at 200 x 150, the median by 0.034 and 0.0077; the largest are the first that weak signals inflate.
MOST = 0.75

# Quantiles of what is left at which its size is compared with that of noise.
QUANTILES = np.linspace(0.05, 0.5, 10)

# A quantile counts where the law puts the next value at most so far away, relative to itself. Near zero, where square
# noise has values, the smallest say nothing: with all quantiles the level of 40 x 40 came out at 0.74.
APART = 0.1

# The level at the median may exceed that at the lower edge by so much before the two contradict each other: noise
# alone, of 8 x 8 to 300 x 300, does so once in a hundred at 1.18 at most; symmetric noise at 1.28.
AGREEING, AGREEING_SYMMETRIC = 1.3, 1.4

# Where sizes rise over those of noise by more than this from the lower edge to the median, the edge is signal as well;
# its level is lowered by the cube of the excess. Thirty real matrices of slowly decaying spectra with noise of 0.1
# and 0.5 of their spread: over-estimated by 1.13 in the middle (1.20 at the edge itself, 1.5 at the median).
STRAIGHT = 1.05


class Level(NamedTuple):
    """A level of noise, and what speaks for it."""

    noise: float
    """Standard deviation of an entry."""
    rank: int
    """Directions that the median takes for more than noise."""
    misfit: float
    """How far the others are from the law of noise at the median's level (`noise.misfit`)."""
    rise: float
    """Their size over that of noise: at the median, over that at the lower edge."""
    slow: float
    """How far the level is that of the lower edge, from 0 to 1: more than 0 where the spectrum is not that of noise."""


def estimated_level(singular_values: np.ndarray, shape: tuple[int, int], symmetric: bool = False) -> Level:
    r"""The level of noise in a matrix with these singular values (or moduli of eigenvalues), descending.

    If the values left beyond the directions that stand out are distributed like those of noise, most of them give the
    level. If not, the small ones are the least inflated by signal: the level is the smallest ratio of their quantiles
    to those of noise, lowered where the ratio still rises.
    """
    rough = median_level(singular_values, shape)
    rank = int(np.count_nonzero(singular_values > hard_threshold(rough, shape)))
    level = _level_of_most(np.sort(singular_values[rank:]), (shape[0] - rank, shape[1] - rank))
    off = misfit(singular_values, rank, level, shape)
    if not level:
        return Level(0.0, rank, off, 1.0, 0.0)
    low, rise = _lower_edge(singular_values, shape)
    edge = low * min(1.0, (STRAIGHT / rise) ** 3)
    apart = level > (AGREEING_SYMMETRIC if symmetric else AGREEING) * low
    excess = off / chance_misfit(len(singular_values) - rank, symmetric) - 1
    # From the one level to the other without a step: spectra that chance hardly shows may be of noise.
    toward = 1.0 if apart else float(np.clip(excess, 0, 1))
    return Level(level * (edge / level) ** toward, rank, off, rise, toward)


def median_level(singular_values: np.ndarray, shape: tuple[int, int]) -> float:
    r"""The median singular value over that of noise with :math:`\sigma = 1`.

    The r directions above the threshold are no noise: without them, what is left is like noise of shape
    ``(m - r, n - r)``. Level and r are found from each other, so a rank that is not small against the shape does not
    raise the level.
    """
    rank, level = 0, 0.0
    for _ in range(ROUNDS):
        s, share = noise_law((shape[0] - rank, shape[1] - rank))
        level = float(np.median(singular_values[rank:]) / np.interp(0.5, share, s))
        above = int(np.count_nonzero(singular_values > hard_threshold(level, shape)))
        if above <= rank:  # the level falls from round to round
            break
        rank = min(above, min(shape) - 1)  # one direction has to be left: of none there is no median
    return level


def _level_of_most(left: np.ndarray, shape: tuple[int, int]) -> float:
    """Root mean square of the smaller of the values that are left, over that of noise."""
    s, share = noise_law(shape)
    at = (np.arange(len(left)) + 0.5) / len(left)
    expected = np.interp(at, share, s)
    small = at <= max(MOST, at[0])
    return float(np.sqrt(np.sum(left[small] ** 2) / np.sum(expected[small] ** 2)))


def _lower_edge(singular_values: np.ndarray, shape: tuple[int, int]) -> tuple[float, float]:
    """The smallest ratio of the quantiles to those of noise, and the ratio at the median over it."""
    rank, low, middle = 0, 0.0, 0.0
    for _ in range(ROUNDS):
        ratio, counts = _ratios(np.sort(singular_values[rank:]), (shape[0] - rank, shape[1] - rank))
        low, middle = float(ratio[counts].min()), float(ratio[-1])
        above = int(np.count_nonzero(singular_values > hard_threshold(low, shape)))
        if above <= rank:
            break
        rank = min(above, min(shape) - 1)
    return low, max(middle / low, 1.0) if low else 1.0


def _ratios(left: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of what is left over those of noise, and which of them count."""
    s, share = noise_law(shape)
    k = len(left)
    expected = np.interp(QUANTILES, share, s)
    apart = (np.interp(QUANTILES + 0.5 / k, share, s) - np.interp(QUANTILES - 0.5 / k, share, s)) / expected
    seen = np.interp(QUANTILES, (np.arange(k) + 0.5) / k, left)
    return seen / expected, apart <= max(APART, float(apart.min()))
