"""Levels of rows or columns and directions, fitted jointly by least squares: for tables with hardly any noise."""

from dataclasses import replace

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.methods.exactness import NEGLIGIBLE
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.least_squares.known_rank import fill
from rankscape.solvers.least_squares.levels import Levelled, Levels, fit_with_levels

# Steps of a fit, and the relative decrease at which one that is not exact ends.
STEPS, GAIN = 60, 1e-6


@final
class Joint(Method):
    """``W = row levels + column levels + U V^T``, all by least squares, with nothing damped and nothing shrunk.

    References
    ----------
    .. [golub1973] Golub, Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems
       whose variables separate", SIAM Journal on Numerical Analysis 10 (1973).
    """

    name, richness, phase, sharp, memory = "joint", 1, "levels and directions", True, Levels
    how = (
        "There is hardly any noise here, so that levels and directions are fitted together, as they are: the number "
        "of directions is the one whose held-out entries are met most closely by most of them."
    )
    references = ("golub1973",)

    def wanted(self, trial: Trial) -> bool:
        """Never in the search for one split: several splits choose it together (`near_exact`)."""
        del trial
        return False

    def fit(self, trial: Trial) -> None:
        """It is not asked to."""
        del trial

    def again(self, trial: Trial, fit: Fit) -> Fit:
        """From where it stands, on these entries."""
        levels, seen = Levels(*fit.memory), trial.entries
        values = seen.values * trial.scale + trial.offset.at(seen.rows, seen.columns)
        start, whole = fit.modes_in(1.0), seen.with_values(values)
        found = fit_with_levels(whole, levels, start, fit.offset.column + fit.offset.mean, fit.offset.row, STEPS, GAIN)
        met = (found.squared / seen.count) ** 0.5 < trial.exact * trial.scale
        return replace(as_fit(trial, found, levels, seen.count), exact=fit.exact and met)

    def why(self, fit: Fit) -> str:
        """What is fitted beside the directions."""
        levels = {"none": "no levels", "row": "levels of rows", "column": "levels of columns"}
        beside = levels.get(fit.offset.kind, "levels of rows and columns")
        return f"with {beside} fitted beside them, so many directions meet most held-out entries most closely"


JOINT = Joint()


def as_fit(trial: Trial, found: Levelled, levels: Levels, count: int) -> Fit:
    """A fit with levels to `count` entries, judged on the held-out ones of a trial."""
    kind = "+".join(name for name, has in zip(("row", "column"), levels, strict=True) if has) or "none"
    offset = Offset(kind, 0.0, found.row, found.column, joint=True)
    modes = found.modes._replace(s=found.modes.s / trial.scale)
    noise = noise_of(found, levels, count)
    return trial.fit(JOINT, modes, noise, offset, memory=levels, converged=found.converged)


def noise_of(found: Levelled, levels: Levels, count: int) -> float:
    """Root mean square residual over its degrees of freedom."""
    shape = len(found.modes.U), len(found.modes.V)
    excess = count - levels.parameters(shape, len(found.modes.s))
    return float(np.sqrt(found.squared / max(excess, 0.05 * count, 1.0)))


def with_levels(trial: Trial, fit: Fit) -> Fit | None:
    """The exact fit of one rank less beside levels of columns or rows; None where there is none.

    Ones in the span of a factor are levels of the other side. That is the same matrix with fewer parameters: rows that
    did not have enough entries for the rank may have enough now, and others are left as they are.
    """
    if fit.known is None or fit.offset.kind != "none" or len(fit.modes.s) < 2:
        return None
    (i, j), modes = fit.known, fit.modes_in(trial.scale)
    if (len(i), len(j)) == trial.entries.shape:
        return None
    for side in (1, 0):
        found = _levelled(trial.entries, modes, i, j, side)
        if found is not None and _missed(trial.entries, *found) < trial.exact:
            levels, levelled = found
            row, column = (level * trial.scale for level in levels)
            offset = Offset(("row", "column")[side], 0.0, row, column, joint=True)
            memory = Levels(side == 0, side == 1)
            return trial.fit(JOINT, levelled, fit.noise, offset, memory=memory, exact=True, known=fit.known)
    return None


def _levelled(
    entries: PreparedEntries, modes: Modes, i: np.ndarray, j: np.ndarray, side: int
) -> tuple[tuple[np.ndarray, np.ndarray], Modes] | None:
    """Levels of rows and columns, and the directions beside them, if those of the known part are one fewer."""
    parts = [modes.U[i] * modes.s, modes.V[j]]
    mean = parts[1 - side].mean(0)
    known = parts[side] @ mean
    parts[1 - side] = parts[1 - side] - mean
    rest = modes_of(*parts)
    if rest.s[-1] > NEGLIGIBLE * rest.s[0]:
        return None
    levels = np.zeros(entries.shape[0]), np.zeros(entries.shape[1])
    # A column that is not known has no level either: it keeps the mean of those that are.
    levels[side][:] = known.mean()
    levels[side][(i, j)[side]] = known
    left = entries.with_values(entries.values - levels[0][entries.rows] - levels[1][entries.columns])
    return levels, fill(left, i, j, rest.head(len(rest.s) - 1), 0.0)


def _missed(entries: PreparedEntries, levels: tuple[np.ndarray, np.ndarray], modes: Modes) -> float:
    shift = levels[0][entries.rows] + levels[1][entries.columns]
    return root_mean_square(entries.residual(modes.U * modes.s, modes.V) + shift)
