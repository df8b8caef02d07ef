"""Minima of one low ridge as they are, for spectra without an edge: there least squares would follow the noise.

A ridge that falls from a strong one lets directions in one by one, and on a slowly decaying spectrum it ends at few.
The other way round, all directions start at once under a weak ridge, and those that the data do not hold up die. How
large the others stay is a matter of depth: with more factors the penalty of a direction, ``ridge L s^(2/L)``, is more
concave, so that large ones are shrunk less.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.ridge_path import Minimum, RidgePath
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.methods.offset import OFFSET
from rankscape.ground.final import final
from rankscape.ground.labelled import Labelled
from rankscape.solvers.descent.ridge_minimum import killing_ridge, minimise, starting_modes

# Of one ridge to the next larger one.
RATIO = 0.4

# Powers of `RATIO`: the ridge that is tried first, and the lowest, as shares of the one that kills everything.
FIRST, LAST = 3, 12


# Iterations of the quasi-Newton method on all entries, from the minimum of a part of them.
ITERATIONS = 500


class Penalty(NamedTuple):
    """The ridge and the depth of the factorization, on entries scaled to rms 1."""

    ridge: float
    depth: int


@final
class Penalised(Method):
    r"""The minimum at the ridge and the depth that predict best, of

    .. math:: \frac{1}{2m}\sum_{ij\ \mathrm{observed}} (W_{ij}-y_{ij})^2 + \lambda \sum_l \|W_l\|_F^2

    Depth 2 is the nuclear norm.

    References
    ----------
    .. [wang2024] Wang, Jacot, "Implicit bias of SGD in L2-regularized linear DNNs: One-way jumps from high to
       low rank", ICLR 2024.
    .. [mazumder2010] Mazumder, Hastie, Tibshirani, "Spectral regularization algorithms for learning large
       incomplete matrices", Journal of Machine Learning Research 11 (2010).
    """

    name, richness, phase = "penalised", 2, "minima of low ridges ({offset} removed)"
    memory, costly = Penalty, True
    how = (
        "There is no sharp edge between signal and noise here. All directions start at once under a weak "
        "ridge; those that the data do not hold up die, and the others are shrunk a little."
    )
    references = ("wang2024", "mazumder2010")

    def wanted(self, trial: Trial) -> bool:
        """Where averaging found more signal than noise, though no sharp rank; lopsided ones where a depth is given."""
        return trial.mostly_noise is False and not (trial.lopsided and trial.settings.depth == "auto")

    def fit(self, trial: Trial) -> None:
        """The best minima of the falling ridge, and of each depth those where all directions start."""
        for fit in self._minima(trial, trial.width, trial.settings.depths):
            trial.offer(fit)

    def _minima(self, trial: Trial, width: int, depths: tuple[int, ...]) -> list[Fit]:
        find_minima(trial.path, trial.affordable(width), depths)
        return [self._at(trial, found, found.heldout_rmse * trial.scale) for found in trial.path.minima.values()]

    def _at(self, trial: Trial, found: Minimum, noise: float, converged: bool = True) -> Fit:
        """What is left unexplained is measured on entries that were not fitted: those that were are shrunk."""
        memory = Penalty(found.ridge, found.depth)
        return trial.fit(self, found.modes, noise, memory=memory, converged=converged)

    def again(self, trial: Trial, fit: Fit) -> Fit:
        """With held-out entries, the best ridge anew; without, the minimum at the same one, from that of a part."""
        if not fit.rank:
            return OFFSET.again(trial, fit)
        ridge, depth = Penalty(*fit.memory)
        if trial.judged:
            found = self._minima(trial, trial.settings.most(trial.entries.shape), (depth,))
            # Under new weights all directions may die at every ridge.
            return min(found, key=lambda fit: fit.rmse) if found else OFFSET.again(trial, fit)
        modes, taken, converged = minimise(trial.entries, fit.modes_in(trial.scale), ridge, depth, ITERATIONS)
        trial.path.step += taken
        live = modes.head(trial.path.live_rank(modes, ridge, depth))
        return self._at(trial, Minimum(live, ridge, depth, 0.0), fit.noise, converged)

    def needed(self, fit: Fit) -> float:
        """The effective rank: directions are shrunk here, and not fitted."""
        s = fit.modes.s
        return float(s.sum() / s[0]) if len(s) else 0.0

    def depth(self, fit: Fit, default: int) -> int:
        """The one that held-out entries chose."""
        del default
        return Penalty(*fit.memory).depth

    def walked(self, path: Labelled, memory: NamedTuple) -> np.ndarray:
        """Those of its ridge and depth."""
        ridge, depth = Penalty(*memory)
        return (path.ridge == ridge) & (path.depth == depth)

    def why(self, fit: Fit) -> str:
        """Which depth, at the ridge that predicts best."""
        depth = Penalty(*fit.memory).depth
        return f"a factorization of depth {depth} keeps so many alive at the ridge that predicts best"


def find_minima(path: RidgePath, width: int, depths: tuple[int, ...]) -> None:
    """For each depth, follow the held-out error downhill along the ridge; the best minima are kept in `path.minima`."""
    start = starting_modes(path.entries, width)
    power = FIRST
    for depth in depths:
        top = killing_ridge(float(start.s[0]), path.entries.shape, depth)

        def error(power: int, depth=depth, top=top) -> float:
            path.settle(start, top * RATIO**power, "all at once", depth)
            return path.records[-1].heldout_rmse

        power = _downhill(error, power)


def _downhill(error: Callable[[int], float], power: int) -> int:
    """Where a neighbour is no better, from `power` on."""
    best = error(power)
    for direction in (1, -1):
        moved = False
        while 1 <= power + direction <= LAST and (found := error(power + direction)) < best:
            power, best, moved = power + direction, found, True
        if moved:
            break
    return power
