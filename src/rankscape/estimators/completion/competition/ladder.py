"""The ladder of levels and ranks for small tables with hardly any noise, judged by the median of held-out errors.

In such a table the right model is one of few (levels of nothing, of columns or of rows, and a rank), fitted by least
squares without any penalty. Held-out entries know which, but their mean square does not: without a tenth of the entries
a row or two is not determined, and the errors there, a thousand times the noise, would decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes
from rankscape.solvers.descent.ridge_minimum import leading_modes
from rankscape.solvers.least_squares.levels import Levelled, Levels, fit_with_levels

# The levels to try, by the name of their offset. One number for all is a level of columns with a few parameters more;
# both sides at once are a rank more of either.
KINDS = {"none": Levels(), "column": Levels(column=True), "row": Levels(row=True)}

# Parameters of a rung, as a share of the entries, at most.
MOST = 0.95

# Unknowns of the shorter side at most: their equations are solved as a whole. Larger near-exact tables (60 x 30, rank
# 6; 40 x 40, rank 5) gained nothing.
UNKNOWNS = 200

# Steps of one fit, and the decrease at which it ends where it is not exact; a hundredth of it chose the same rungs on
# 12 tables, in up to six times the time.
STEPS, GAIN = 30, 1e-2

# Median errors, in standard deviations of the entries, below this are equal: rounding would choose among exact models.
FLOOR = 1e-9

# Factor of the best median up to which a rung with fewer parameters is taken: medians of 150 errors differ by a tenth
# by chance, and a rung that lacks a direction misses by ten times as much.
NEAR = 1.25

# Ranks that a ladder goes on without a better median.
PATIENCE = 2

# Residual, over the spread of the entries, of an exact fit: no higher rung can be better.
EXACT = 1e-11


class Rung(NamedTuple):
    """A model: an offset that is fitted jointly with so many directions."""

    kind: str
    rank: int

    def parameters(self, shape: tuple[int, int]) -> int:
        """Free parameters of a matrix of this shape."""
        return KINDS[self.kind].parameters(shape, self.rank)


@final
@dataclass(frozen=True, eq=False)
class Ladder:
    """Rungs, judged on held-out entries of several splits.

    Attributes
    ----------
    errors : dict
        Of each rung the errors on the held-out entries, split by split, times the roots of their weights.
    fits : dict
        Of each rung the fits to what is left of each split.
    chosen : Rung
        Of those within `NEAR` of the best median error the one with the fewest parameters.
    """

    errors: dict[Rung, list[np.ndarray]]
    fits: dict[Rung, list[Levelled]]
    chosen: Rung

    def median(self, rung: Rung, split: int | None = None) -> float:
        """Median absolute error, of all splits or of one."""
        errors = self.errors[rung]
        return float(np.median(np.abs(np.concatenate(errors) if split is None else errors[split])))


def ladder(entries: Entries, splits: list[np.ndarray], max_rank: int) -> Ladder | None:
    """Fit every rung to what each split leaves, and choose; None where not even one direction can be fitted.

    Parameters
    ----------
    entries : Entries
        All of them.
    splits : list of ndarray of bool
        Which entries each of them holds out.
    max_rank : int
        The largest rank.

    Examples
    --------
    Affine columns are levels and one direction:

    >>> x = np.linspace(0, 5, 40)[:, None]
    >>> X = np.where(np.random.default_rng(0).random((40, 4)) < 0.2, np.nan, x * [1, 2, -1, 3] + [5, 0, 1, 7])
    >>> table = Entries.from_array(X)
    >>> ladder(table, [np.arange(table.count) % 10 == k for k in range(5)], max_rank=3).chosen
    Rung(kind='column', rank=1)
    """
    errors, fits = {}, {}
    most = dict.fromkeys(KINDS, min(max_rank, min(entries.shape) - 1))
    for k, held in enumerate(splits):
        for kind in KINDS:
            for rung, fit, missed in climb(*entries.split(held), kind, most[kind], patient=k > 0):
                errors.setdefault(rung, []).append(missed)
                fits.setdefault(rung, []).append(fit)
        # Where the first split ends a ladder the others end theirs.
        most = {kind: max((r.rank for r in errors if r.kind == kind), default=0) for kind in KINDS}
    errors = {rung: missed for rung, missed in errors.items() if len(missed) == len(splits)}
    if not errors:
        return None
    return Ladder(errors, fits, _chosen(entries, errors))


def climb(
    training: Entries, heldout: Entries, kind: str, most: int, patient: bool
) -> Iterator[tuple[Rung, Levelled, np.ndarray]]:
    """The rungs of one kind, each from the one below and the leading direction of its residual.

    One that is not patient ends where two ranks in turn did not lower the median error on the held-out entries.
    """
    prepared = PreparedEntries(training, "sparse")
    best, better = np.inf, 0
    for fit in rungs(prepared, kind, most):
        rung = Rung(kind, len(fit.modes.s))
        missed = _predicted(fit, heldout) - heldout.values
        missed *= heldout.root_weights
        yield rung, fit, missed
        median = float(np.median(np.abs(missed))) if len(missed) else 0.0
        if median < best:
            best, better = median, rung.rank
        if not patient and rung.rank - better >= PATIENCE:
            break


def rungs(entries: PreparedEntries, kind: str, most: int) -> Iterator[Levelled]:
    """Fits of rank 1, 2, ..., as long as their parameters are fewer than the entries and something is left over."""
    levels, (n_out, n_in) = KINDS[kind], entries.shape
    row, column = _means(entries, levels)
    modes, left = Modes.none(entries.shape), row[entries.rows] + column[entries.columns] - entries.values
    spread, share = float(np.std(entries.values)), entries.count / (n_out * n_in)
    for rank in range(1, most + 1):
        large = levels.parameters(entries.shape, rank) > MOST * entries.count or min(entries.shape) * rank > UNKNOWNS
        if large or not left.std() > EXACT * spread:
            break
        new = leading_modes(entries, -entries.weighted(left), 1)
        start = modes.join(new._replace(s=new.s / share))
        fit = fit_with_levels(entries, levels, start, column, row, STEPS, GAIN)
        modes, row, column, left = fit.modes, fit.row, fit.column, fit.residual(entries)
        yield fit


def fit_rung(entries: PreparedEntries, rung: Rung) -> Levelled:
    """Its fit to other entries; a lower one where that is exact, or they cannot hold it."""
    *_, fit = rungs(entries, rung.kind, rung.rank)
    return fit


def spread(entries: Entries) -> float:
    """Root mean square of the entries about levels of rows, or of columns, whichever is less.

    Where columns differ by far more than their cells do, the entries as they are would hide any noise.
    """
    prepared = PreparedEntries(entries, "sparse")
    levels = (_means(prepared, kind) for kind in (Levels(row=True), Levels(column=True)))
    left = (entries.values - row[entries.rows] - column[entries.columns] for row, column in levels)
    return min(map(root_mean_square, left))


def _predicted(fit: Levelled, entries: Entries) -> np.ndarray:
    low = ((fit.modes.U * fit.modes.s)[entries.rows] * fit.modes.V[entries.columns]).sum(1)
    return low + fit.row[entries.rows] + fit.column[entries.columns]


def _means(entries: PreparedEntries, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Levels without any direction."""
    found = []
    for has, groups, size in zip(levels, (entries.rows, entries.columns), entries.shape, strict=True):
        weight = np.bincount(groups, entries.weighted(np.ones(entries.count)), size)
        mean = np.bincount(groups, entries.weighted(entries.values), size) / np.maximum(weight, 1e-300)
        found.append(mean if has else np.zeros(size))
    return found[0], found[1]


def _chosen(entries: Entries, errors: dict[Rung, list[np.ndarray]]) -> Rung:
    floor = FLOOR * float(np.std(entries.values))
    medians = {rung: max(float(np.median(np.abs(np.concatenate(m)))), floor) for rung, m in errors.items()}
    near = [rung for rung, median in medians.items() if median <= NEAR * min(medians.values())]
    return min(near, key=lambda rung: (rung.parameters(entries.shape), medians[rung]))
