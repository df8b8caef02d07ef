"""Rows and columns that a direction of a fit serves for themselves: it meets whatever they hold.

A column of which a third is wrong is worth a direction to least squares. Its entries are then met, so that no residual
calls them wrong, and its missing ones follow from nothing.
"""

from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.noise.least_magnitudes import least_magnitudes
from rankscape.solvers.noise.median_polish import robust_size

# Mean leverage of a line's entries across it, and the factor over that of most entries, from which on a direction is
# its own. On 200 x 150 of rank 4, with a third of one row and of one column wrong, theirs are 0.6 to 1.0, those of all
# others 0.28 or less.
OWN, UNUSUAL = 0.5, 3.0

# A direction that lines share is larger than this multiple of what noise alone would show, and than this share of the
# largest one; what is smaller is left of the directions that were taken away.
CLEAR, SMALL = 2.0, 0.01

# Entries of a line for each direction that remains, below which it cannot be fitted anew.
ENOUGH = 3

# Standard deviations of the noise within which most of a line has to be met without the direction: of a row that is
# large altogether (a country among towns) nothing is, and the direction is not for a few of its entries.
MET = 3.0

# Factor by which the rest, the few others, exceeds that: of what is missed evenly the two are alike.
SPARSE = 3.0


@final
class LoneLines(NamedTuple):
    """Lines of which most entries are met without the direction that serves them alone: it is for the few others.

    Attributes
    ----------
    rows, columns : ndarray of int
        Which they are.
    places : ndarray of int, shape (k,)
        Their entries.
    residual : ndarray, shape (k,)
        Value minus fit without that direction.
    """

    rows: np.ndarray
    columns: np.ndarray
    places: np.ndarray
    residual: np.ndarray


def lone_lines(
    model: LowRank, entries: Entries, seen: Entries, leverages: tuple[np.ndarray, np.ndarray], noise: float
) -> LoneLines:
    """Find them, and fit each of them by least magnitudes to the directions that other lines share.

    Parameters
    ----------
    model : LowRank
        A fit to the entries `seen`.
    entries : Entries
        All, in its units.
    leverages : (ndarray, ndarray)
        Of the entries seen: in their rows, and in their columns.
    noise : float
        Standard deviation of what most entries are missed by.
    """
    usual = max(OWN, UNUSUAL * float(np.median(leverages[0]))), max(OWN, UNUSUAL * float(np.median(leverages[1])))
    # The entries of a column that has a direction decide their values in their rows.
    rows = _above(seen.rows, seen.shape[0], leverages[1], usual[1])
    columns = _above(seen.columns, seen.shape[1], leverages[0], usual[0])
    U, V = model.modes.U.copy(), model.modes.V.copy()
    U[rows], V[columns] = 0.0, 0.0
    shared = modes_of(U * model.modes.s, V) if len(model.modes.s) else Modes.none(model.shape)
    # What a direction of their own has left elsewhere is no direction that others share.
    edge = model.noise * sum(n**0.5 for n in model.shape) / (seen.count / (model.shape[0] * model.shape[1])) ** 0.5
    shared = shared.head(int((shared.s > max(CLEAR * edge, SMALL * shared.s.max(initial=0.0))).sum()))
    wanted = entries.values - model.offset.of(entries)
    of_rows = _fitted(rows, entries.rows, shared.V[entries.columns], wanted, MET * noise)
    of_columns = _fitted(columns, entries.columns, shared.U[entries.rows], wanted, MET * noise)
    places, residual = (np.concatenate([a, b]) for a, b in zip(of_rows[1:], of_columns[1:], strict=True))
    return LoneLines(of_rows[0], of_columns[0], places, residual)


def _above(groups: np.ndarray, number: int, leverage: np.ndarray, limit: float) -> np.ndarray:
    counts = np.bincount(groups, minlength=number)
    return np.flatnonzero(np.bincount(groups, leverage, number) > limit * np.maximum(counts, 1))


def _fitted(
    lines: np.ndarray, groups: np.ndarray, factor: np.ndarray, wanted: np.ndarray, near: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of the lines are met for the most part, their entries, and what is left of these."""
    found, places, residual = [], [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for line in lines:
        mine = np.flatnonzero(groups == line)
        if len(mine) <= ENOUGH * factor.shape[1]:
            continue
        left = wanted[mine] - factor[mine] @ least_magnitudes(factor[mine], wanted[mine])
        if robust_size(left) <= min(near, root_mean_square(left) / SPARSE):
            found.append(line)
            places.append(mine)
            residual.append(left)
    return np.array(found, dtype=np.int64), np.concatenate(places), np.concatenate(residual)
