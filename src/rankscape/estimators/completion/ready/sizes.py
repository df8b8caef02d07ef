"""How large the entries of a row or column are: their standard deviation, with care where entries say little of it."""

from typing import NamedTuple

import numpy as np

from rankscape.ground.final import final
from rankscape.ground.groups import runs_of

# Entries from which on the standard deviation of a group is believed as it is; with fewer it is drawn towards the
# middle of the others, as far as chance explains the difference.
ENOUGH = 10

# A group counts as if at least this share of its entries differed from the most frequent value. Pixels of which a
# handful is not black would be blown up to spikes of 40 standard deviations otherwise, one direction each.
RARE = 0.05

# Standard deviation, as a share of the largest entry, below which a group is constant.
CONSTANT = 1e-12

# Most entries that spreads are measured on.
MOST = 1_000_000


@final
class Sizes(NamedTuple):
    """Sizes of groups of entries.

    Attributes
    ----------
    size : ndarray, shape (groups,)
        Positive.
    varied : ndarray of bool
        Whether the entries of a group tell its size: not where all, or all but a few, are equal.
    counts : ndarray of int
        Entries of each.
    """

    size: np.ndarray
    varied: np.ndarray
    counts: np.ndarray

    @property
    def spread(self) -> float:
        """The 95 % quantile over the 5 % quantile, of what chance does not explain.

        >>> groups, values = np.repeat([0, 1, 2], 200), np.random.default_rng(0).standard_normal(600)
        >>> sizes_of(groups, values, 3).spread < 1.3
        True
        >>> 60 < sizes_of(groups, values * np.repeat([1.0, 10.0, 100.0], 200), 3).spread < 100
        True
        """
        return between(self._beyond_chance())

    @property
    def gap(self) -> float:
        """The largest ratio of a size and the next smaller one in the upper half, of what chance does not explain.

        A few that are larger than all others lead a fit; a few that are smaller may be quiet.

        >>> groups, values = np.repeat(np.arange(30), 200), np.random.default_rng(0).standard_normal(6000)
        >>> 7 < sizes_of(groups, values * np.where(groups == 3, 9.0, 1.0), 30).gap < 10
        True
        """
        logs = np.sort(self._beyond_chance())
        return gap(logs[(len(logs) - 1) // 2 :])

    def _beyond_chance(self) -> np.ndarray:
        """Logarithms of known sizes, drawn together as far as chance explains how they differ."""
        known = self.varied & (self.counts > 2)
        return _shrunk(np.log(self.size[known]), self.counts[known])[0] if known.sum() > 1 else np.zeros(0)

    @property
    def smooth(self) -> float:
        """By how many standard errors sizes differ less from those beside them than from all others (von Neumann).

        >>> groups, values = np.repeat(np.arange(60), 50), np.random.default_rng(0).standard_normal(3000)
        >>> size = np.linspace(1, 9, 60)
        >>> sizes_of(groups, values * size[groups], 60).smooth > 6
        True
        >>> sizes_of(groups, values * np.random.default_rng(1).permutation(size)[groups], 60).smooth < 3
        True
        """
        logs = np.log(self.size[self.varied & (self.counts > 2)])
        if len(logs) < 3 or not logs.var() > 0:
            return 0.0
        return float((1 - np.mean(np.diff(logs) ** 2) / (2 * logs.var())) * len(logs) ** 0.5)


def between(logs: np.ndarray) -> float:
    """The 95 % quantile over the 5 % quantile, of logarithms."""
    low, high = np.quantile(logs, [0.05, 0.95]) if len(logs) else (0.0, 0.0)
    return float(np.exp(min(high - low, 700.0)))


def gap(logs: np.ndarray) -> float:
    """The largest ratio of one size and the next: one that is unlike all others is no quantile of many."""
    return float(np.exp(min(np.diff(np.sort(logs)).max(initial=0.0), 700.0)))


def sizes_of(
    groups: np.ndarray,
    values: np.ndarray,
    number: int,
    weights: np.ndarray | None = None,
    like: np.ndarray | None = None,
) -> Sizes:
    """Standard deviation of the values of each of `number` groups about their mean.

    Groups with fewer than `ENOUGH` values are drawn towards the middle of the others (of `like`, where sizes of the
    same kind are given). One whose values are all equal gets the size at which its level is as large as those of the
    others; the size in the middle where it is all zeros, or empty.

    Examples
    --------
    >>> sizes = sizes_of(np.repeat([0, 1], 20), np.r_[np.tile([-1.0, 1.0], 10), np.tile([2e8, 4e8], 10)], 2).size
    >>> round(float(sizes[1] / sizes[0] / 1e8))
    1
    """
    w = np.ones(len(values)) if weights is None else weights
    counts = np.bincount(groups, minlength=number)
    # Powers of two, so that no digit is lost and groups in other units of this kind have the same digits.
    largest = np.zeros(number)
    np.maximum.at(largest, groups, np.abs(values))
    unit = np.ldexp(1.0, np.frexp(largest)[1] - 1)
    x, total = values / unit[groups], np.maximum(np.bincount(groups, w, number), 1e-300)
    mean = np.bincount(groups, w * x, number) / total
    square = np.bincount(groups, w * (x - mean[groups]) ** 2, number) / total
    deviation = np.sqrt(square * counts / np.maximum(counts - 1, 1))
    deviation = np.where(deviation > CONSTANT, deviation, 0.0)
    differs = np.maximum(_differing(groups, x, counts), 1 / np.maximum(counts, 1))
    deviation *= np.sqrt(RARE / np.minimum(differs, RARE))
    size = _filled(deviation, np.sqrt(mean**2 + square), unit, counts, like)
    return Sizes(size, (deviation > 0) & (differs >= RARE), counts)


def _differing(groups: np.ndarray, values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Of each group the share of entries that differ from its most frequent value."""
    group, often = runs_of(groups, values, len(counts))
    most = np.zeros(len(counts))
    np.maximum.at(most, group, often)
    return 1 - most / np.maximum(counts, 1)


def _filled(
    deviation: np.ndarray, level: np.ndarray, unit: np.ndarray, counts: np.ndarray, like: np.ndarray | None
) -> np.ndarray:
    """Sizes of all groups, where few entries, or equal ones, do not tell them."""
    known, ample = deviation > 0, (deviation > 0) & (counts >= ENOUGH)
    others = ample if ample.sum() > 2 else known
    if like is None and not known.any():
        return np.where(level > 0, level * unit, float((level * unit).max(initial=0.0)) or 1.0)
    logs = np.log(np.where(known, deviation, 1.0)) + np.log(unit)
    first = logs[others] if like is None else np.log(like)
    ratio = np.median(np.log(level[others] / deviation[others])) if others.any() else 0.0
    size = deviation * unit
    few = known & ~ample
    if few.any():
        middle, prior = _prior(first, counts[others] if like is None else np.full(len(first), ENOUGH))
        trust = prior / (prior + _chance(counts[few]))
        size[few] = np.exp(middle + trust * (logs[few] - middle))
    rest = ~known
    size[rest] = np.where(level[rest] > 0, level[rest] * unit[rest] * np.exp(-ratio), np.exp(np.median(first)))
    return size


def _chance(counts: np.ndarray) -> np.ndarray:
    """Variance of the logarithm of a standard deviation of so many normal numbers."""
    return 1 / (2 * np.maximum(counts - 1.0, 1.0))


def _prior(logs: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """The middle of logarithms of sizes, and their variance beyond chance."""
    return float(np.median(logs)), max(float(np.var(logs) - _chance(counts).mean()), 0.0)


def _shrunk(logs: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    middle, prior = _prior(logs, counts)
    return (logs - middle) * prior / (prior + _chance(counts)), middle
