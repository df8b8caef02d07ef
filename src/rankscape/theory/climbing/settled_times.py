"""Which of the active modes settles last: for every rank, without bounding every (rank, mode) pair.

A mode settles when it comes within eps of its eigenvalue, and eps falls from rank to rank. Two cheap functions enclose
its bound for every eps; a pair is bounded in full only where they leave open whether it is the last one of its rank.
"""

from collections.abc import Callable

import numpy as np

from rankscape.theory.climbing.bounds import guarded, leaf_constants, passage
from rankscape.theory.climbing.flow import perturbed_time
from rankscape.theory.climbing.imbalance_leaf import sharpness
from rankscape.theory.inputs import Start

# Tolerances at which the bounds of the identical start are tabulated.
CELLS = 24

# (rank, mode) pairs that are compared at once.
BLOCK = 1 << 20

# From ranks to the least and the greatest that the upper bound can be, of shape (rank, mode).
Enclosure = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def last_settled(start: Start, lam: np.ndarray, eps: np.ndarray, ranks: np.ndarray, eta: float) -> np.ndarray:
    """For each rank r the largest upper bound of the steps in which the modes ``0 .. r`` come within ``eps[r]``.

    `lam` and `eps` are in the order of learning, `eps` does not rise. Every mode rises out of the start.
    """
    if not ranks.size:
        return np.empty(0)
    lam, eps = lam[: ranks.max() + 1], eps[: ranks.max() + 1]
    enclosure = (_grid if start.beta is None else _lines)(start, lam, eps, eta)
    out = np.empty(ranks.size)
    for part in np.array_split(np.arange(ranks.size), -(-ranks.size * lam.size // BLOCK)):
        rank = ranks[part]
        least, greatest = enclosure(rank)
        # A mode that is not active at a rank says nothing about it.
        later = np.arange(lam.size) > rank[:, None]
        least[later] = greatest[later] = -np.inf
        last = np.ceil(least.max(axis=1))
        row, mode = np.nonzero(greatest > last[:, None])
        # Of all pairs only those that the enclosure leaves open are bounded in full.
        np.maximum.at(last, row, _upper(start, lam[mode], eps[rank[row]], eta))
        out[part] = last
    return out


def _upper(start: Start, lam: np.ndarray, eps: np.ndarray, eta: float) -> np.ndarray:
    return passage(start, lam, lam - np.sign(lam) * eps, eta, only="upper").upper


def _lines(start: Start, lam: np.ndarray, eps: np.ndarray, eta: float) -> Enclosure:
    """Perturbed start: ``dt / d ln(1/eps) = 1/S(p, delta)`` falls as |p| grows, so t is concave in ``ln(1/eps)``.

    From the mode's own eps on it lies below its tangent there, and above the line with the slope at the limit.
    """
    p = lam - np.sign(lam) * eps
    with np.errstate(all="ignore"):
        _, step, least, ok = leaf_constants(start, lam, eta)
        # Where the bound does not apply nothing is known: infinite, like the bound itself.
        own = np.where(ok, guarded(perturbed_time(start.depth, lam, start.product, p, least) / step, +1), np.inf)
        steep, flat = (np.where(ok, 1 / (sharpness(start.depth, at, least) * step), 0.0) for at in (p, lam))
    logs = np.log(eps)

    def enclosure(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        further = logs - logs[ranks, None]
        return own + flat * further, own + guarded(steep, +1) * further

    return enclosure


def _grid(start: Start, lam: np.ndarray, eps: np.ndarray, eta: float) -> Enclosure:
    """Identical start: the bounds grow as eps falls, so those at the neighbours on a grid enclose them."""
    # The lowest place lies below every eps, so that each has a neighbour on either side.
    grid = np.geomspace(eps.min() * (1 - 1e-9), eps.max(), CELLS)
    cell = np.searchsorted(grid, eps, side="right") - 1
    used, place = np.unique(np.append(cell, np.minimum(cell + 1, CELLS - 1)), return_inverse=True)
    # Only the places of the grid that some eps needs.
    table = np.stack([_upper(start, lam, np.full(lam.shape, grid[g]), eta) for g in used])
    tighter, looser = place[: eps.size], place[eps.size :]
    return lambda ranks: (table[looser[ranks]], table[tighter[ranks]])
