"""Rows and columns by their medians: a rough fit that no minority of wild entries can move, and sizes of residuals.

Where single entries may be wrong, a mean says little of the others; a median does.
"""

import numpy as np

from rankscape.entries import Entries
from rankscape.ground.groups import sorted_groups

# Alternating medians of rows and columns, and of the magnitudes that they leave.
ROUNDS, SIZE_ROUNDS = 6, 3

# From the median magnitude of normal numbers to their standard deviation.
NORMAL = 1.4826

# Variance of the logarithm of that of n normal numbers, times n.
CHANCE = 1.36

# Smallest and largest size of a row or column, over that of all: one that is fitted all but exactly must not decide
# alone, and one that is missed altogether must not be given up.
SMALLEST, LARGEST = 0.2, 10.0


def median_residuals(entries: Entries) -> np.ndarray:
    r"""What alternating row and column medians leave of the entries, shape (m,).

    Examples
    --------
    >>> table = np.add.outer([0.0, 1.0, 5.0, 2.0], [0.0, 10.0, 20.0])
    >>> table[1, 1] += 100
    >>> median_residuals(Entries.from_array(table)).round(6).tolist()
    [0.0, 0.0, 0.0, 0.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]

    References
    ----------
    .. [tukey1977] Tukey, "Exploratory Data Analysis", Addison-Wesley 1977.
    """
    residual = entries.values - np.median(entries.values)
    for _ in range(ROUNDS):
        for groups, number in _sides(entries):
            residual = residual - medians(groups, residual, number)[groups]
    return residual


def robust_size(residual: np.ndarray) -> float:
    """Standard deviation of most of the residuals, taken for normal: from the median of their magnitudes.

    >>> robust_size(np.r_[np.random.default_rng(0).standard_normal(900), np.full(20, 1e6)]) < 1.1
    True
    """
    return NORMAL * float(np.median(np.abs(residual)))


def robust_sizes(entries: Entries, residual: np.ndarray) -> np.ndarray:
    """The same for each entry: one size for all, times one for its row and one for its column; shape (m,).

    Sizes of rows and columns are medians as well, drawn towards one as far as chance explains that they differ. All
    are zero where more than half of the residuals are.
    """
    size = np.full(entries.count, robust_size(residual))
    if not size[0] > 0:
        return size
    left = np.abs(residual) / size
    for _ in range(SIZE_ROUNDS):
        for groups, number in _sides(entries):
            factor = _factors(groups, left, number)[groups]
            left, size = left / factor, size * factor
    return size


def _factors(groups: np.ndarray, left: np.ndarray, number: int) -> np.ndarray:
    """Size of each group over that of all."""
    found, count = NORMAL * medians(groups, left, number), np.bincount(groups, minlength=number)
    known = found > 0  # a row that is met exactly says nothing of the size of its errors
    logs = np.log(np.clip(np.where(known, found, 1.0), SMALLEST, LARGEST))
    chance = CHANCE / np.maximum(count, 1)
    excess = float(np.average(logs**2 - chance, weights=count * known))
    return np.exp(logs * max(excess, 0.0) / (max(excess, 0.0) + chance))


def medians(groups: np.ndarray, values: np.ndarray, number: int) -> np.ndarray:
    """The median of the values of each of `number` groups; zero for an empty one."""
    starts, ordered = sorted_groups(groups, values, number)
    count, last = np.diff(starts), len(ordered) - 1
    low, high = starts[:-1] + np.maximum(count - 1, 0) // 2, starts[:-1] + count // 2
    # An empty group at the end begins behind the last value.
    middle = (ordered[np.minimum(low, last)] + ordered[np.minimum(high, last)]) / 2
    return np.where(count > 0, middle, 0.0)


def _sides(entries: Entries) -> tuple[tuple[np.ndarray, int], ...]:
    return (entries.rows, entries.shape[0]), (entries.columns, entries.shape[1])
