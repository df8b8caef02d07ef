"""Which of the active modes settles last: for every rank, without bounding every (rank, mode) pair.

A mode settles when it comes within eps of its eigenvalue, from below or from above, and eps falls from rank to rank.
Two cheap functions enclose its bound for every eps; a pair is bounded in full only where they leave open whether it is
the last one of its rank.
"""

from collections.abc import Callable

import numpy as np

from rankscape.theory.climbing.bounds import guarded, leaf_constants, passage
from rankscape.theory.climbing.flow_time import perturbed_time
from rankscape.theory.climbing.imbalance_leaf import lower_factor, sharpness
from rankscape.theory.climbing.rounding import LOST, UNIT, kappa, width
from rankscape.theory.inputs import Start

# Tolerances at which bounds are tabulated.
CELLS = 24

# (rank, mode) pairs that are compared at once.
BLOCK = 1 << 20

# From ranks to the least and the greatest that the upper bound can be, of shape (rank, mode).
Enclosure = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def last_settled(start: Start, lam: np.ndarray, eps: np.ndarray, ranks: np.ndarray, eta: float) -> np.ndarray:
    """For each rank r the largest upper bound of the steps in which the modes ``0 .. r`` come within ``eps[r]``.

    `lam` and `eps` are in the order of learning, `eps` does not rise.
    """
    if not ranks.size:
        return np.empty(0)
    lam, eps = lam[: ranks.max() + 1], eps[: ranks.max() + 1]
    enclosure = _enclosure(start, lam, eps, eta)
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


def level_of(start: Start, lam, eps):
    """Where a mode is within eps of its eigenvalue, on the way there from the start."""
    return lam + np.sign(start.product - lam) * eps


def _upper(start: Start, lam: np.ndarray, eps: np.ndarray, eta: float) -> np.ndarray:
    return passage(start, lam, level_of(start, lam, eps), eta, only="upper").upper


def _enclosure(start: Start, lam: np.ndarray, eps: np.ndarray, eta: float) -> Enclosure:
    """Lines for the modes that they hold for, and a table for the others."""
    if start.beta is None:
        return _grid(start, lam, eps, eta)
    # Concave in ln(1/eps) only where the modulus grows, and only from a level that lies ahead of the start.
    lines = ((lam - eps > start.product) & (lam > 0)) | (lam < 0)
    parts = []
    if lines.any():
        parts.append((lines, _lines(start, lam[lines], eps[lines], eps, eta)))
    if not lines.all():
        parts.append((~lines, _grid(start, lam[~lines], eps, eta)))

    def enclosure(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        least, greatest = np.empty((2, ranks.size, lam.size))
        for where, part in parts:
            least[:, where], greatest[:, where] = part(ranks)
        return least, greatest

    return enclosure


def _lines(start: Start, lam: np.ndarray, own: np.ndarray, eps: np.ndarray, eta: float) -> Enclosure:
    """Perturbed start: ``dt / d ln(1/eps) = 1/S(p, delta)`` falls as |p| grows, so t is concave in ``ln(1/eps)``.

    From the mode's `own` eps on it lies below its tangent there, and above the line with the slope at the limit.
    """
    N, p = start.depth, lam - np.sign(lam) * own
    with np.errstate(all="ignore"):
        _, step, least, ok = leaf_constants(start, lam, eta)
        # Where the bound does not apply nothing is known: infinite, like the bound itself.
        raw = np.where(ok, perturbed_time(N, lam, start.product, p, least) / step, np.inf)
        S = sharpness(N, p, least)
        steep, flat = (np.where(ok, 1 / (sharp * step), 0.0) for sharp in (S, sharpness(N, lam, least)))
        # Rounding holds back at most this much over eps: its numerators at their largest between p and lam.
        b, a = lower_factor(N, lam, least), np.sqrt(lower_factor(N, p, least) ** 2 + least)
        lost = UNIT * (np.abs(b) / (eta * a ** (N - 1)) + (2 * N + 2) * np.abs(lam))
        late, early = 2 * width(N, lam) / (eta * S), kappa(start, lam, p, eta, least)
    logs, nearest = np.log(own), np.log(eps)

    def enclosure(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        further = logs - nearest[ranks, None]
        wide = np.maximum(early, lost / eps[ranks, None])
        with np.errstate(all="ignore"):
            most = (raw + steep * further + late / eps[ranks, None]) / (1 - wide)
        return raw + flat * further, np.where(wide < LOST, guarded(most, +1), np.inf)

    return enclosure


def _grid(start: Start, lam: np.ndarray, eps: np.ndarray, eta: float) -> Enclosure:
    """The bounds grow as eps falls, so those at the neighbours on a grid enclose them."""
    # The lowest place lies below every eps, so that each has a neighbour on either side.
    grid = np.geomspace(eps.min() * (1 - 1e-9), eps.max(), CELLS)
    cell = np.searchsorted(grid, eps, side="right") - 1
    used, place = np.unique(np.append(cell, np.minimum(cell + 1, CELLS - 1)), return_inverse=True)
    # Only the places of the grid that some eps needs.
    table = np.stack([_upper(start, lam, np.full(lam.shape, grid[g]), eta) for g in used])
    tighter, looser = place[: eps.size], place[eps.size :]
    return lambda ranks: (table[looser[ranks]], table[tighter[ranks]])
