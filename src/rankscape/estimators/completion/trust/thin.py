"""Rows and columns with few entries: how much of what is missing lies in them, and what held-out entries say of it."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.competition.combine import Combination
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Entries held out in them from which on their error is known: of eight normal ones whose error is as elsewhere one set
# in ten thousand is missed by twice as much, and of eight with three times the error nine in ten are.
ENOUGH_INSIDE = 8


@final
@dataclass(frozen=True)
class Thin:
    """Rows and columns with no more entries than the rank that these have to determine.

    Attributes
    ----------
    rows, columns : int
        How many.
    share : float
        Of the missing cells that lie in them.
    error : float or None
        Root mean square of what is missed of the entries held out in them, in standard units; None where too few were.
    """

    rows: int
    columns: int
    share: float
    error: float | None = None


def thin_lines(entries: Entries, rank: float, combination: Combination | None) -> Thin:
    """Look for them.

    A held-out entry of such a line was predicted from fewer entries still, so that what it is missed by says no less
    than what the missing cells will be.
    """
    rows, columns = (counts <= rank for counts in entries.counts())
    found = Thin(int(rows.sum()), int(columns.sum()), _share(entries, rows, columns))
    if combination is None or not found.rows + found.columns:
        return found
    inside = np.concatenate([rows[r.heldout.rows] | columns[r.heldout.columns] for r in combination.contest.random])
    if inside.sum() < ENOUGH_INSIDE:
        return found
    return Thin(found.rows, found.columns, found.share, root_mean_square(combination.missed[inside]))


def _share(entries: Entries, rows: np.ndarray, columns: np.ndarray) -> float:
    n_out, n_in = entries.shape
    cells = n_out * n_in - int((~rows).sum()) * int((~columns).sum())
    seen = int((rows[entries.rows] | columns[entries.columns]).sum())
    return (cells - seen) / max(n_out * n_in - entries.count, 1)
