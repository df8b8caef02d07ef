"""Whether what a fit leaves over holds another direction, or no more than chance explains.

Parallel analysis (Horn 1965) by random sign flips (Hong, Sheng, Dobriban 2020): signs destroy what is of low rank, and
keep the size of every entry.
"""

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.descent.ridge_minimum import leading_modes
from rankscape.solvers.least_squares.known_rank import Polished

# Random signs that a residual's leading singular value is compared with.
FLIPS = 3

# Factor over the largest of them up to which chance explains it.
CHANCE = 1.05


def unexplained(entries: PreparedEntries, fit: Polished) -> Modes | None:
    """The leading direction of the residual, or None when random signs give one as large.

    Where a few rows and columns hold most of the residual, random signs always do: so it is also tried with the rows
    and columns of the residual scaled to one size, which leaves its rank as it is.
    """
    residual = -entries.residual(fit.modes.U * fit.modes.s, fit.modes.V)
    residual = np.where(fit.inside, entries.weighted(residual), 0.0)
    if not root_mean_square(residual) > 0:
        return None
    share = max(float(np.mean(fit.inside)) * entries.count / (entries.shape[0] * entries.shape[1]), 1e-300)
    found = _beyond_chance(entries, residual)
    if found is not None:
        return found._replace(s=found.s / share)
    by_row = _sizes(entries.rows, residual, entries.shape[0])
    by_column = _sizes(entries.columns, residual / by_row[entries.rows], entries.shape[1])
    found = _beyond_chance(entries, residual / by_row[entries.rows] / by_column[entries.columns])
    if found is None:
        return None
    return modes_of(found.U * found.s * by_row[:, None] / share, found.V * by_column[:, None])


def _sizes(groups: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Root mean square of each group, one where a group is empty or zero."""
    squares = np.bincount(groups, weights=values**2, minlength=count)
    sizes = np.sqrt(squares / np.maximum(np.bincount(groups, minlength=count), 1))
    return np.where(sizes > 0, sizes, 1.0)


def _beyond_chance(entries: PreparedEntries, residual: np.ndarray) -> Modes | None:
    leading = leading_modes(entries, residual, 1)
    flipped = (np.random.default_rng(k).choice([-1.0, 1.0], len(residual)) for k in range(FLIPS))
    chance = max(float(leading_modes(entries, residual * signs, 1).s[0]) for signs in flipped)
    return leading if leading.s[0] > CHANCE * chance else None
