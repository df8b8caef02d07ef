"""The mean of many directions, each weighted by how certain it is: for spectra without an edge."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.methods.climbed import shrink
from rankscape.estimators.completion.methods.exactness import exact_fit
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.solvers.descent.ridge_minimum import leading_modes

# Directions that averaging starts with: ratings keep a few, photographs and gene expression about 30.
WIDTHS = 16, 40, 60

# Share of the directions of an average that may be alive at its end; if more are, it starts again with more.
ROOM_TO_DIE = 0.8

# Sweeps at most; held-out entries stop them earlier, and are first asked after a few.
SWEEPS, FIRST_LOOK = 12, 4

# Factor by which the last sweep lowers the held-out error when averaging has not converged.
STILL = 0.97

# First noises, as a share of the entries' rms: a low one keeps more directions alive. Both are tried.
QUIET = 0.2, 0.45

# Noise of an average, as a share of the entries' rms, below which its directions may lead to an exact fit.
QUIET_ENOUGH = 0.1

# Directions beyond twice the rank found with which all entries are averaged: the others died.
FEW = 4


class Averaging(NamedTuple):
    """The directions and the share of noise that averaging started with, and the sweeps it took (0: not known yet)."""

    width: int
    quiet: float
    sweeps: int = 0


@final
class Averaged(Method):
    """Variational Bayes of two thin Gaussian factors, with priors read off the data (`solvers.posterior`).

    References
    ----------
    .. [lim2007] Lim, Teh, "Variational Bayesian approach to movie rating prediction", KDD Cup and Workshop
       2007.
    .. [ilin2010] Ilin, Raiko, "Practical approaches to principal component analysis in the presence of missing
       values", Journal of Machine Learning Research 11 (2010).
    """

    name, richness, phase, memory = "averaged", 2, "averaging ({offset} removed)", Averaging
    how = (
        "There is no sharp edge between signal and noise here, so that the model is a mean over many "
        "directions, each weighted by how certain it is."
    )
    references = ("lim2007", "ilin2010")

    def wanted(self, trial: Trial) -> bool:
        """Where the climb left more than a few directions, on the richest offset: it takes time."""
        return trial.richest and trial.climb is not None and trial.climb.more

    def fit(self, trial: Trial) -> None:
        """From more and more directions until some die, then once more from a louder start."""
        found = self._wide_enough(trial)
        trial.mostly_noise = found.mostly_noise
        if not trial.mostly_noise:
            louder = trial.offer(self._average(trial, Averaging(found.memory[0], QUIET[1])))
            found = min(found, louder, key=lambda fit: fit.rmse)
        trial.averaged = found.rank

    def _wide_enough(self, trial: Trial) -> Fit:
        """The first average that some of its directions died in; if hardly any do there may be more, but those cost."""
        most = trial.settings.most(trial.entries.shape)
        width = min(WIDTHS[0], most)
        found = trial.offer(self._average(trial, Averaging(width, QUIET[0])))
        for wider in WIDTHS[1:]:
            some_died = found.rank <= ROOM_TO_DIE * width
            if some_died or found.mostly_noise or width == most:
                break
            width = min(wider, most)
            found = trial.offer(self._average(trial, Averaging(width, QUIET[0])))
        return found

    def _average(self, trial: Trial, start: Averaging) -> Fit:
        """Sweeps from the leading directions; held-out entries say when to stop, unless their number is known."""
        entries, path = trial.entries, trial.path
        modes = leading_modes(entries, entries.values, trial.affordable(start.width))
        posterior, offset = trial.posterior(modes, start.quiet * root_mean_square(entries.values))
        best, before, worse, sweeps = None, np.inf, 0, 0
        for sweep in range(1, (start.sweeps or SWEEPS) + 1):
            posterior.average()
            path.step += 1
            if sweep < (start.sweeps or FIRST_LOOK):
                continue
            biased, memory = trial.biased(offset, posterior.biases), start._replace(sweeps=sweep)
            found = trial.fit(self, posterior.live, posterior.noise**0.5 * trial.scale, biased, memory=memory)
            trial.note(found, "averaging")
            if best is None or found.rmse < best.rmse:
                best, before, sweeps = found, np.inf if best is None else best.rmse, sweep
                continue
            worse += 1
            if worse > 1:  # one bad sweep may be a step across a ridge, two are a decline
                break
        assert best is not None
        return replace(best, converged=sweeps < SWEEPS or best.rmse > STILL * before)

    def again(self, trial: Trial, fit: Fit) -> Fit:
        """With held-out entries, from the same start; without, as many sweeps as they asked for before."""
        start = Averaging(*fit.memory)
        if trial.judged:
            return self._average(trial, start._replace(sweeps=0))
        width = min(start.width, 2 * fit.rank + FEW)
        return replace(self._average(trial, start._replace(width=width)), converged=fit.converged)

    def settle(self, trial: Trial) -> Fit | None:
        """Least squares from the directions found, if their noise is small enough to hope for an exact fit."""
        if trial.mostly_noise is not False:
            return None
        found = min([fit for fit in trial.fits if fit.method is self][-2:], key=lambda fit: fit.rmse)
        if not found.rank or found.noise > QUIET_ENOUGH * found.scale:
            return None
        fit = exact_fit(trial.path, found.modes, trial.exact)
        if fit is None:
            return None
        trial.path.record(fit.modes, 0.0, "climbing")
        return shrink(trial, fit, exact=True)

    def why(self, fit: Fit) -> str:
        """What the number counts."""
        del fit
        return "averaged over many directions, of which so many are larger than their uncertainty"
