"""Cells to be filled lie farther from what is seen than those held out in their stead: what that adds to their error.

A gap that a row gets from another one hides only what the row has, and each column keeps half of its entries: where
lines end early the held-out entries lie nearer to what is left than the cells behind the ends. How errors grow with the
distance along an ordered axis can be seen on the held-out entries: a random walk is missed by a mean square that grows
with the distance, a trend by one that grows with its square.
"""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.ready.stretches import Cells, distances

# Powers of the distance with which a mean square error may grow: it never falls, and faster than a trend does not run
# away. Distances beyond this multiple of the largest one that was held out say no more.
POWERS, BEYOND = np.linspace(0.0, 2.0, 41), 2.0

# Held-out entries below which a power is luck.
FEW = 30


def nearest(seen: Entries, cells: Cells, axes: tuple[str, ...]) -> np.ndarray:
    """Places from each cell to the nearest entry along any of these axes; infinite where its lines have none."""
    away = [np.minimum(*distances(seen, cells, axis)) for axis in axes]
    return np.min(away, axis=0) if away else np.full(len(cells[0]), np.inf)


def growth(missed: np.ndarray, away: np.ndarray, missing: np.ndarray) -> float:
    r"""Error of cells that lie `missing` away from what is seen, over that of entries that lie `away`.

    The mean square error is taken for ``a x^p`` at distance x, with the power p in [0, 2] that makes the held-out
    errors most likely if they are normal: the smallest ``log mean(e^2 x^-p) + p mean(log x)``.
    """
    known = np.isfinite(away)
    squares, away, missing = missed[known] ** 2, away[known], missing[np.isfinite(missing)]
    if len(away) < FEW or not len(missing) or not squares.any():
        return 1.0
    unlikely = [np.log(np.mean(squares * away**-power)) + power * np.log(away).mean() for power in POWERS]
    power = POWERS[int(np.argmin(unlikely))]
    missing = np.minimum(missing, BEYOND * away.max())
    # Where they lie nearer the held-out errors stand as they are: nearness in one respect is no promise.
    return max(1.0, float((np.mean(missing**power) / np.mean(away**power)) ** 0.5))
