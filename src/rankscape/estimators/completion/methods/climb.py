"""Falling and climbing: the rank that the entries themselves determine.

A falling ridge leaves few directions; least squares removes its bias; and while the residual still holds a direction
that chance does not explain, that direction is added. Without noise this ends at an exact fit.
"""

from dataclasses import dataclass

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.methods.chance import unexplained
from rankscape.estimators.completion.methods.path import Path, root_mean_square
from rankscape.estimators.completion.methods.polish import SCARCE, Polished, core, polish
from rankscape.estimators.completion.methods.solve import Modes, killing_ridge, starting_modes

# First ridge, as a share of the one that kills even the largest direction.
FIRST = 0.1

# Halvings of the ridge.
STAGES = 14

# First stage after which scarce entries are polished: their basin is narrow, and the ridge leads into it.
LATE = 5

# Stages between two attempts at the same rank.
PATIENCE = 3

# Entries beyond the parameters, as a share of all, that an exact fit must have: then it cannot be chance.
SPARE = 0.01

# Factor by which a step has to lower the held-out error: many small steps are the business of averaging.
GAIN = 0.9

# Factor over the held-out error without any direction beyond which least squares is the wrong tool.
HOPELESS = 1.2

# Factor by which a direction has to lower the noise estimate for the climb to go on though the held-out error does not
# fall: where a few entries are far larger than the others, least squares at too low a rank spoils all others for them.
BLIND = 0.8

# Share of the largest singular value below which an exact fit is tried without a direction.
NEGLIGIBLE = 1e-7

# Factor over the held-out error without any direction below which scarce entries are polished with patience.
USEFUL = 0.8

# Median error on held-out entries, as a share of their rms, that an exact fit may have: rows with few entries are
# guesses, and their errors are large.
MET = 1e-3

# Factor of the noise estimate up to which leaving a direction out costs nothing.
NOTHING = 1.05


@dataclass(frozen=True, eq=False)
class Climbed:
    """Where a climb ended.

    Attributes
    ----------
    fits : list of Polished
        The least squares fits on the way that may be of use; the last one is the best.
    exact : bool
        Whether the last one reproduces the entries.
    more : bool
        Whether its residual holds more than chance explains, as far as is known.
    tried : int
        The rank of the last attempt, also of one that the entries could not determine; 0 without any.
    left : float
        Root mean square residual of its fit; zero when there was none.
    """

    fits: list[Polished]
    exact: bool
    more: bool
    tried: int = 0
    left: float = 0.0


def climb(path: Path, width: int, exact: float) -> Climbed:
    """Follow the falling ridge until a polished fit is exact, or until nothing more can be said.

    Parameters
    ----------
    path : Path
        The entries, and where records go; held-out entries end a climb that does harm.
    width : int
        Most directions.
    exact : float
        Root mean square residual below which a fit is exact.
    """
    entries = path.entries
    start = starting_modes(entries, width)
    top = killing_ridge(float(start.s[0]), entries.shape, path.depth)
    modes, last, attempted = start, -1, {}
    found = Climbed([], False, False)
    for stage in range(STAGES):
        ridge = FIRST * top * 0.5**stage
        modes = path.settle(modes, ridge, "falling", stage / STAGES)
        rank = len(modes.s)
        if not rank:
            modes = start  # all died at once: the next ridge begins anew
        elif rank == last and stage >= attempted.get(rank, _first_attempt(entries, rank)):
            attempted[rank] = stage + PATIENCE
            found = _attempt(path, modes, width, exact)
            again = found.fits and found.fits[-1].scarce and not len(path.heldout[0])
            if found.exact or not again:
                break
        last = rank
    return found


def _first_attempt(entries: PreparedEntries, rank: int) -> int:
    return LATE if _scarce(entries, rank) else 0


def _scarce(entries: PreparedEntries, rank: int) -> bool:
    return entries.count < SCARCE * rank * (sum(entries.shape) - rank)


def _predicts(path: Path) -> bool:
    """Whether the last minimum predicts held-out entries much better than nothing does, as far as any are held out.

    Noise, too, fits at a high rank with a small ridge; but what was fitted then is no use elsewhere.
    """
    return not len(path.heldout[2]) or path.records[-1].heldout_rmse < USEFUL * root_mean_square(path.heldout[2])


def _attempt(path: Path, modes: Modes, width: int, exact: float) -> Climbed:
    """Polish, and climb while the residual holds another direction; or step down when one was too many."""
    fits: list[Polished] = []
    if _scarce(path.entries, len(modes.s)) and not _predicts(path):
        return Climbed(fits, False, True)
    best, alone = np.inf, root_mean_square(path.heldout[2]) if len(path.heldout[2]) else np.inf
    noise, begun = np.inf, len(modes.s)
    while True:
        rank = len(modes.s)
        if not _determined(path.entries, rank):
            return Climbed(fits, False, True, rank)
        fit = polish(path.entries, modes)
        path.step += fit.steps
        held = path.record(fit.modes, 0.0, "climbing").heldout_rmse
        held = held if np.isfinite(held) else fit.noise
        if _is_exact(path, fit, exact):
            found = _needed(path.entries, fit, exact)
            if rank > begun:  # a lower rank was left for a poor minimum of it, perhaps
                found = _lowered(path.entries, found, exact)
            return Climbed([found], True, False, rank)
        helps = held <= min(GAIN * best, HOPELESS * alone)
        if helps:
            fits, best = [*fits, fit], held
        elif fit.noise > BLIND * noise:
            return Climbed(fits, False, True, rank, float(np.sqrt(fit.mean_square)))
        direction = unexplained(path.entries, fit)
        if direction is None and helps:
            return Climbed(fits if fit.scarce else _descend(path, fits), False, False, rank)
        if direction is None or rank >= width:
            return Climbed(fits, False, True, rank, float(np.sqrt(fit.mean_square)))
        noise, modes = fit.noise, fit.modes.join(direction)


def exact_fit(path: Path, modes: Modes, exact: float) -> Polished | None:
    """Least squares from `modes`, at the smallest rank that it shows; None unless that reproduces the entries."""
    if not _determined(path.entries, len(modes.s)):
        return None
    fit = polish(path.entries, modes)
    path.step += fit.steps
    return _needed(path.entries, fit, exact) if _is_exact(path, fit, exact) else None


def _is_exact(path: Path, fit: Polished, exact: float) -> bool:
    """Whether the entries are met, and most held-out ones too: near the limit other matrices may fit as well."""
    if not np.sqrt(fit.mean_square) < exact:
        return False
    missed = np.abs(path.heldout_residual(fit.modes.U * fit.modes.s, fit.modes.V))
    return not len(missed) or bool(np.median(missed) < MET * root_mean_square(path.heldout[2]))


def _needed(entries: PreparedEntries, fit: Polished, exact: float) -> Polished:
    """An exact fit without the directions that it does not need."""
    needed = int((fit.modes.s > NEGLIGIBLE * fit.modes.s[0]).sum())
    if needed == len(fit.modes.s):
        return fit
    smaller = polish(entries, fit.modes.head(needed))
    return smaller if np.sqrt(smaller.mean_square) < exact else fit


def _lowered(entries: PreparedEntries, fit: Polished, exact: float) -> Polished:
    """The exact fit of the lowest rank that its leading directions lead to."""
    while len(fit.modes.s) > 1:
        smaller = polish(entries, fit.modes.head(len(fit.modes.s) - 1))
        if not np.sqrt(smaller.mean_square) < exact:
            break
        fit = smaller
    return fit


def _determined(entries: PreparedEntries, rank: int) -> bool:
    """Whether most entries lie in the core of this rank, and more of them than it has parameters."""
    inside = core(entries.rows, entries.columns, entries.shape, rank)
    i, j = np.unique(entries.rows[inside]), np.unique(entries.columns[inside])
    excess = inside.sum() - rank * (len(i) + len(j) - rank)
    return bool(inside.mean() > 0.5 and rank < min(len(i), len(j)) and excess > max(1.0, SPARE * entries.count))


def _descend(path: Path, fits: list[Polished]) -> list[Polished]:
    """Leave out the smallest directions as long as chance explains what they fitted."""
    while len(fits) == 1 and len(fits[0].modes.s) > 1:
        smaller = polish(path.entries, fits[0].modes.head(len(fits[0].modes.s) - 1))
        path.step += smaller.steps
        if smaller.noise > NOTHING * fits[0].noise or unexplained(path.entries, smaller) is not None:
            break
        path.record(smaller.modes, 0.0, "descending")
        fits = [smaller]
    return fits
