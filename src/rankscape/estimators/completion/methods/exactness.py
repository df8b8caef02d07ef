"""Exact fits: whether one is there, and the lowest rank that it needs."""

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.fits.ridge_path import RidgePath
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.modes import Modes
from rankscape.solvers.least_squares.known_rank import Polished, core

# Entries beyond the parameters, as a share of all, that an exact fit must have: then it cannot be chance.
SPARE = 0.01

# Share of the largest singular value below which an exact fit is tried without a direction.
NEGLIGIBLE = 1e-7

# Median error on held-out entries, as a share of their rms or of how far entries vary, that an exact fit may have: rows
# with few entries are guesses, and their errors are large.
MET = 1e-3


def exact_fit(path: RidgePath, modes: Modes, exact: float) -> Polished | None:
    """Least squares from `modes`, at the smallest rank that it shows; None unless that reproduces the entries."""
    if not determined(path.entries, len(modes.s)):
        return None
    fit = path.polish(modes)
    return needed(path, fit, exact) if is_exact(path, fit, exact) else None


def is_exact(path: RidgePath, fit: Polished, exact: float) -> bool:
    """Whether the entries are met, and most held-out ones too: near the limit other matrices may fit as well."""
    if not np.sqrt(fit.mean_square) < exact:
        return False
    missed = np.abs(path.heldout_residual(fit.modes.U * fit.modes.s, fit.modes.V))
    size = min(root_mean_square(path.heldout.values), float(path.entries.values.std()))
    return not len(missed) or bool(np.median(missed) < MET * size)


def needed(path: RidgePath, fit: Polished, exact: float) -> Polished:
    """An exact fit without the directions that it does not need."""
    needed = int((fit.modes.s > NEGLIGIBLE * fit.modes.s[0]).sum())
    if needed == len(fit.modes.s):
        return fit
    smaller = path.polish(fit.modes.head(needed))
    return smaller if np.sqrt(smaller.mean_square) < exact else fit


def lowered(path: RidgePath, fit: Polished, exact: float) -> Polished:
    """The exact fit of the lowest rank that its leading directions lead to."""
    while len(fit.modes.s) > 1:
        smaller = path.polish(fit.modes.head(len(fit.modes.s) - 1))
        if not np.sqrt(smaller.mean_square) < exact:
            break
        fit = smaller
    return fit


def determined(entries: PreparedEntries, rank: int) -> bool:
    """Whether most entries lie in the core of this rank, and more of them than it has parameters."""
    inside = core(entries.rows, entries.columns, entries.shape, rank)
    i, j = np.unique(entries.rows[inside]), np.unique(entries.columns[inside])
    excess = inside.sum() - rank * (len(i) + len(j) - rank)
    return bool(inside.mean() > 0.5 and rank < min(len(i), len(j)) and excess > max(1.0, SPARE * entries.count))
