"""The mean of many draws from the posterior of two thin factors: for data that are mostly noise, and slow spectra."""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.fit import NOISY, Fit
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.base import Method
from rankscape.ground.final import final
from rankscape.solvers.gibbs.likelihoods import Gaussian
from rankscape.solvers.gibbs.mean import MeanOfDraws
from rankscape.solvers.gibbs.priors import noise_edge
from rankscape.solvers.gibbs.sampler import Gibbs
from rankscape.solvers.noise.noise_variances import Variances

# Directions that are drawn. Error of MovieLens 100k with 6, 10 and 16 of them: .8736, .8691, .870.
WIDTH = 10

# Multiplications that the draws on all entries should take, and the least and most draws. Error of FilmTrust with 20,
# 50 and 100: .772, .768, .767; of MovieLens 100k .871, .869, .868; of 80 x 60 with much noise, 20, 60 and 200: .77,
# .75, .74.
WORK, LEAST, MOST = 6e8, 50, 300

# Of them, the share that is drawn on training entries, and what is forgotten before. The first draws of ratings shrink
# as they should, but the noise of spectra (215 x 100) takes 50 sweeps to fall to a hundredth of what it was.
SHARE, BURN, LEAST_BURN = 1 / 3, 1 / 4, 15

# Entries, and how often each value occurs among them, from which draws are tried before a sharp rank is looked for.
MANY, REPEATED = 20_000, 10


class Draws(NamedTuple):
    """How many draws there were, without the forgotten ones."""

    draws: int


@final
class Sampled(Method):
    """Bayesian probabilistic matrix factorization by Gibbs sampling, with normal-Wishart priors.

    The prior mean of a row is regressed on how many and which of its cells are seen, and rows and columns have their
    own noise.

    References
    ----------
    .. [salakhutdinov2008] Salakhutdinov, Mnih, "Bayesian probabilistic matrix factorization using Markov chain
       Monte Carlo", ICML 2008.
    """

    # No row or column counts by its own noise: the draws know it already. And scarce entries are no doubt: a mean of
    # draws follows none of them.
    name, richness, phase, memory, wary, weighs = "sampled", 3, "drawing factors", Draws, False, False
    costly = True
    how = (
        "No rank is sharp here, so that the model is a mean over random draws of many models, each as likely as noise "
        "allows."
    )
    references = ("salakhutdinov2008",)

    def wanted(self, trial: Trial) -> bool:
        """Where averaging was, and did not find far more directions than are drawn; of two uncertain factors only."""
        return trial.averaged is not None and trial.averaged <= 2 * WIDTH and not trial.lopsided

    def fit(self, trial: Trial) -> None:
        """One chain."""
        trial.offer(self.again(trial))

    def again(self, trial: Trial, fit: Fit | None = None) -> Fit:
        """A chain, longer where no entries are held out: it is the last."""
        del fit
        chain = _Chain(trial)
        chain.burn()
        return chain.mean(self)

    def choice(self, trial: Trial, fit: Fit) -> Hashable:
        """The kind of offset: a chain begins anew, whatever the last one found."""
        del fit
        return trial.offset.kind

    def suffices(self, trial: Trial) -> bool:
        """Whether the entries are mostly noise, so that no rank is sharp; the mean of draws is offered then.

        The chain itself says so, after the sweeps that are forgotten anyway.
        """
        chain = _Chain(trial)
        chain.burn()
        if not chain.noise.variance > NOISY:
            return False
        fit = chain.mean(self)
        # A last direction that stands out of noise of this size is hardly the last.
        more = (
            fit.rank >= WIDTH
            and fit.modes.s[WIDTH - 1] > noise_edge(trial.entries.shape, trial.entries.count) * fit.noise / fit.scale
        )
        if not more:
            trial.noise_only = True
            trial.offer(fit)
        return not more

    def why(self, fit: Fit) -> str:
        """What the number counts."""
        del fit
        return "averaged over random draws, which agree on so many directions"


SAMPLED = Sampled()


def rounded(entries: Entries) -> bool:
    """Whether there are many entries, of few values: rounded ones are met exactly by no low rank.

    The search for one would take far longer than draws do.
    """
    if entries.count < MANY:
        return False
    # A part that has more values than all may have says enough.
    part = entries.values[:: max(1, entries.count // MANY)]
    few = lambda values: len(np.unique(values)) * REPEATED <= entries.count
    return few(part) and few(entries.values)


class _Chain:
    """Draws for the entries of a trial, and their mean."""

    def __init__(self, trial: Trial):
        self.trial, settings = trial, trial.settings
        entries, self.offset = trial.with_biases()
        width, random = min(WIDTH, settings.most(entries.shape)), np.random.default_rng(settings.seed)
        self.noise = Gaussian(entries)
        self.gibbs = Gibbs.begin(entries, self.noise, width, self.offset.sides, random, threads=settings.threads)
        self.gibbs.start_at((trial.offset.row / trial.scale, trial.offset.column / trial.scale))
        self.draws = int(np.clip(WORK / self.gibbs.work, LEAST, MOST))
        self.noise.alike = self.forgotten = max(LEAST_BURN, int(BURN * self.draws))

    def burn(self) -> None:
        """The sweeps that are forgotten."""
        for _ in range(self.forgotten):
            self._sweep()

    def mean(self, method: Method) -> Fit:
        """The mean of the draws that follow."""
        trial, mean = self.trial, MeanOfDraws(self.gibbs)
        draws = int(self.draws * (SHARE if trial.judged else 1.0))
        precisions = [np.zeros(n) for n in trial.entries.shape]
        for _ in range(draws):
            self._sweep()
            mean.add()
            precisions = [total + new / draws for total, new in zip(precisions, self.noise.precisions, strict=True)]
        facts = dict(memory=Draws(draws), variances=self._relative(*precisions))
        return trial.fit(method, mean.modes, mean.noise * trial.scale, trial.biased(self.offset, mean.biases), **facts)

    def _relative(self, rows: np.ndarray, columns: np.ndarray) -> Variances:
        """Variances of mean one over the entries, from precisions."""
        entries = self.trial.entries
        row = 1 / rows / np.mean(1 / rows[entries.rows])
        return Variances(row, 1 / columns / np.mean(row[entries.rows] / columns[entries.columns]))

    def _sweep(self) -> None:
        path = self.trial.path
        self.gibbs.sweep()
        path.step += 1
        if path.records:
            path.report(path.records[-1])
