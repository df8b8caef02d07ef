"""Falling and climbing: the rank that the entries themselves determine.

A falling ridge leaves few directions; least squares removes its bias; and while the residual still holds a direction
that chance does not explain, that direction is added. Without noise this ends at an exact fit.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.ridge_path import RidgePath
from rankscape.estimators.completion.fits.trial import Climb, Trial
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.methods.exactness import determined, is_exact, lowered, needed
from rankscape.estimators.completion.methods.offset import OFFSET
from rankscape.estimators.completion.methods.shaken import shaken, stuck
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.least_squares.known_rank import NARROW, PATIENT, Polished, fill
from rankscape.solvers.noise.sign_flips import unexplained
from rankscape.solvers.posterior import Posterior

# First stage after which scarce entries are polished: their basin is narrow, and the ridge leads into it. Without
# held-out entries that would say when a path goes astray, the first attempt comes early: of 11 matrices at 1.05 of the
# limit that failed later, two were met only after the third stage.
LATE, EARLY = 5, 2

# Share of the smaller side above which the rank of a minimum that predicts nothing is that of noise: there it was 0.3
# to 0.7, at 1.05 of the limit of low ranks 0.02 to 0.1.
LOW = 0.25

# Stages between two attempts at the same rank.
PATIENCE = 3

# Factor by which a step has to lower the held-out error: many small steps are the business of averaging.
GAIN = 0.9

# Factor over the held-out error without any direction beyond which least squares is the wrong tool.
HOPELESS = 1.2

# Factor by which a direction has to lower the noise estimate for the climb to go on though the held-out error does not
# fall: where a few entries are far larger than the others, least squares at too low a rank spoils all others for them.
BLIND = 0.8

# Factor over the held-out error without any direction below which scarce entries are polished with patience.
USEFUL = 0.8

# Factor of the noise estimate up to which leaving a direction out costs nothing.
NOTHING = 1.05


# Sweeps that turn a least squares fit into the most probable one under its noise.
SHRINKING = 8

# Factor by which a last direction lowers the residual where a fit heads for exactness, though it may be stuck on its
# way. Spectra that merely decay fall by less: near infrared ones by 0.5 from each rank to the next, down to 1e-5.
ALMOST_MET = 0.1

# The same, of an exact fit that is refitted: the rank is known.
EXACT_AGAIN = 1e-4


@final
class Climbed(Method):
    r"""One best pair of factors: a falling ridge, least squares, and directions that chance does not explain.

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to
       low rank", ICLR 2024.
    .. [hong2020] Hong, Sheng, Dobriban, "Selecting the number of components in PCA via random signflips", arXiv
       2020.
    .. [golub1973] Golub, Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems
       whose variables separate", SIAM Journal on Numerical Analysis 10 (1973).
    """

    name, richness, phase, sharp = "climbed", 1, "climbing in rank ({offset} removed)", True
    how = (
        "The ridge falls along the path: a strong one leaves few directions alive, a weak one more. After it, "
        "least squares adds directions as long as what is left over holds one that chance does not explain."
    )
    references = ("wang2024", "hong2020", "golub1973")

    def wanted(self, trial: Trial) -> bool:
        """Unless noise is known to hide any rank: nothing else meets a sharp one, and it says what else to try."""
        return not trial.noise_only

    def fit(self, trial: Trial) -> None:
        """Find the rank that the entries determine; offer what was found on the way."""
        trial.climb = climb(trial.path, trial.width, trial.exact)
        for fit in trial.climb.fits:
            trial.offer(shrink(trial, fit, trial.climb.exact))

    def may_be_exact(self, trial: Trial, count: int) -> bool:
        """Only where ranks are sharp: at depth 2 the minima of a ridge have many small directions."""
        if trial.climb is None or trial.path.depth == 2:
            return False
        tried = trial.climb.tried
        parameters = tried * (sum(trial.entries.shape) - tried)
        scarce = trial.entries.count < NARROW * parameters and count > parameters
        return scarce and trial.climb.left < ALMOST_MET

    def again(self, trial: Trial, fit: Fit) -> Fit:
        """Least squares at the rank that was found."""
        if not fit.rank:
            return OFFSET.again(trial, fit)
        modes = fit.modes_in(trial.scale)
        if fit.exact and fit.known is not None:  # a guess would lead the solver astray where nothing else does
            i, j = fit.known
            modes = fill(trial.entries, i, j, modes_of(modes.U[i] * modes.s, modes.V[j]), 0.0)
        found = trial.path.polish(modes)
        return shrink(trial, found, bool(fit.exact and np.sqrt(found.mean_square) < EXACT_AGAIN))

    def why(self, fit: Fit) -> str:
        """Why there are no more directions."""
        del fit
        return "the residual holds no further direction that chance does not explain"


CLIMBED = Climbed()


def shrink(trial: Trial, fit: Polished, exact: bool) -> Fit:
    """A least squares fit, under the ridge that its noise asks for; as it is where it is exact."""
    facts: dict[str, Any] = dict(exact=exact, converged=fit.converged, known=(fit.rows, fit.columns))
    if exact:
        return trial.fit(CLIMBED, fit.modes, fit.noise * trial.scale, **facts)
    posterior = Posterior(trial.entries, fit.modes, fit.noise)
    for _ in range(SHRINKING):
        posterior.average()
    return trial.fit(CLIMBED, posterior.live, posterior.noise**0.5 * trial.scale, **facts)


def climb(path: RidgePath, width: int, exact: float) -> Climb:
    """Follow the falling ridge until a polished fit is exact, or until nothing more can be said.

    Parameters
    ----------
    path : RidgePath
        The entries, and where records go; held-out entries end a climb that does harm.
    width : int
        Most directions.
    exact : float
        Root mean square residual below which a fit is exact.
    """
    last, attempted = -1, {}
    found = Climb([], False, False)
    for stage, modes in enumerate(path.falling(width)):
        rank = len(modes.s)
        if rank and rank == last and stage >= attempted.get(rank, _first_attempt(path, rank)):
            attempted[rank] = stage + PATIENCE
            found = _attempt(path, modes, width, exact)
            near = not path.heldout.count and bool(found.fits) and stuck(found.fits[-1])
            if not near or found.exact:
                return found
            if stage >= LATE:
                other = shaken(path, found.fits[-1], width, exact)
                return found if other is None else Climb([other], True, False, found.tried)
        last = rank
    # Without an attempt, because the rank changed at each stage, the last one is what all entries may be tried with.
    return found if found.tried else replace(found, tried=_low(path, max(last, 0)))


def _first_attempt(path: RidgePath, rank: int) -> int:
    if not _scarce(path.entries, rank):
        return 0
    return LATE if path.heldout.count else EARLY


def _low(path: RidgePath, rank: int) -> int:
    """A rank that all entries may be tried with though some of them led nowhere; zero for one that noise leaves alive.

    Near the limit a tenth of the entries is what the others lack.
    """
    return rank if rank <= LOW * min(path.entries.shape) else 0


def _scarce(entries: PreparedEntries, rank: int) -> bool:
    return entries.count < NARROW * rank * (sum(entries.shape) - rank)


def _predicts(path: RidgePath) -> bool:
    """Whether the last minimum predicts held-out entries much better than nothing does, as far as any are held out.

    Noise, too, fits at a high rank with a small ridge; but what was fitted then is no use elsewhere.
    """
    return not path.heldout.count or path.records[-1].heldout_rmse < USEFUL * root_mean_square(path.heldout.values)


def _attempt(path: RidgePath, modes: Modes, width: int, exact: float) -> Climb:
    """Polish, and climb while the residual holds another direction; or step down when one was too many."""
    fits: list[Polished] = []
    if _scarce(path.entries, len(modes.s)) and not _predicts(path):
        return Climb(fits, False, True, _low(path, len(modes.s)))
    best, alone = np.inf, root_mean_square(path.heldout.values) if path.heldout.count else np.inf
    noise, left, begun = np.inf, 1.0, len(modes.s)
    while True:
        rank = len(modes.s)
        if not determined(path.entries, rank):
            return Climb(fits, False, True, rank)
        fit = path.polish(modes, patience=PATIENT if rank == begun else 0)
        before, left = left, float(np.sqrt(fit.mean_square))
        if rank > begun and left < ALMOST_MET * before:
            fit = path.polish(fit.modes)
        held = path.record(fit.modes, 0.0, "climbing").heldout_rmse
        held = held if np.isfinite(held) else fit.noise
        if is_exact(path, fit, exact):
            found = needed(path, fit, exact)
            if rank > begun:  # a lower rank was left for a poor minimum of it, perhaps
                found = lowered(path, found, exact)
            return Climb([found], True, False, rank)
        helps = held <= min(GAIN * best, HOPELESS * alone)
        if helps:
            fits, best = [*fits, fit], held
        elif fit.noise > BLIND * noise or (fit.scarce and rank > begun):
            return Climb(fits, False, True, rank, left / before)
        direction = unexplained(path.entries, fit)
        if direction is None and helps:
            return Climb(fits if fit.scarce else _descend(path, fits), False, False, rank)
        if direction is None or rank >= width:
            return Climb(fits, False, True, rank, left / before)
        noise, modes = fit.noise, fit.modes.join(direction)


def _descend(path: RidgePath, fits: list[Polished]) -> list[Polished]:
    """Leave out the smallest directions as long as chance explains what they fitted."""
    while len(fits) == 1 and len(fits[0].modes.s) > 1:
        smaller = path.polish(fits[0].modes.head(len(fits[0].modes.s) - 1))
        if smaller.noise > NOTHING * fits[0].noise or unexplained(path.entries, smaller) is not None:
            break
        path.record(smaller.modes, 0.0, "descending")
        fits = [smaller]
    return fits
