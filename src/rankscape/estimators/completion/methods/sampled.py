"""The mean of many draws from the posterior of two thin factors, for data that are mostly noise."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rankscape.estimators.completion.fit import Fit
from rankscape.estimators.completion.methods.base import Method
from rankscape.estimators.completion.trial import Trial
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.posterior import FLOOR, Posterior
from rankscape.solvers.ridge_minimum import leading_modes

# Directions of the sampler.
WIDTH = 6

# Sweeps of the sampler on all entries, and on training entries; the first ones are forgotten.
DRAWS, BURN = (80, 50), 15

# Share of the power of a mean of draws that its rank has to carry.
AGREED = 0.995

# Draws whose sum is held before it is made thin again.
BATCH = 12

# Rows that the prior of the factors counts for when their centre is drawn towards zero.
PULL = 2.0


class Draws(NamedTuple):
    """How many draws there were, the forgotten ones included."""

    sweeps: int


@final
class Sampled(Method):
    """Bayesian probabilistic matrix factorization by Gibbs sampling, with normal-Wishart priors.

    References
    ----------
    .. [salakhutdinov2008] Salakhutdinov, Mnih, "Bayesian probabilistic matrix factorization using Markov chain
       Monte Carlo", ICML 2008.
    """

    # No row or column counts by its own noise: where noise is all but everything, the variances are no better known
    # than the rest. And scarce entries are no doubt: a mean of draws follows none of them.
    name, richness, phase, share, memory, wary, weighs = "sampled", 3, "sampling", 0.2, Draws, False, False
    how = "The data are mostly noise, so that the model is a mean over random draws of many models."
    references = ("salakhutdinov2008",)

    def wanted(self, trial: Trial) -> bool:
        """Where averaging found more noise than anything else."""
        return trial.mostly_noise is True

    def fit(self, trial: Trial) -> None:
        """One long chain."""
        trial.offer(self._mean(trial))

    def again(self, trial: Trial, fit: Fit) -> Fit:
        """Another chain, longer where no entries are held out: it is the last."""
        del fit
        return self._mean(trial)

    def _mean(self, trial: Trial) -> Fit:
        entries, path, settings = trial.entries, trial.path, trial.settings
        width = trial.affordable(min(WIDTH, settings.most(entries.shape)))
        modes = leading_modes(entries, entries.values, width)
        posterior, offset = trial.posterior(modes, root_mean_square(entries.values))

        def watch() -> None:
            path.step += 1
            if path.records:
                path.report(path.records[-1], 1.0)

        draws = DRAWS[trial.judged]
        modes, biases, noise = average_of_draws(posterior, np.random.default_rng(settings.seed), draws, BURN, watch)
        biased = trial.biased(offset, biases)
        return trial.fit(self, modes, noise**0.5 * trial.scale, biased, memory=Draws(draws))

    def why(self, fit: Fit) -> str:
        """What the number counts."""
        del fit
        return "averaged over random draws, which agree on so many directions"


def average_of_draws(
    posterior: Posterior, random: np.random.Generator, sweeps: int, burn: int, watch: Callable[[], None]
) -> tuple[Modes, tuple[np.ndarray, ...], float]:
    """The mean over `sweeps` Gibbs draws, the first `burn` left out: modes, biases and noise variance.

    Directions that the draws do not agree on shrink in the mean: all but `AGREED` of its power is left out.
    """
    left, right = (side.mean[:, :0] for side in (posterior.left, posterior.right))
    biases, noise = [np.zeros(n) for n in posterior.entries.shape], 0.0
    kept = sweeps - burn
    for sweep in range(sweeps):
        draw(posterior, random)
        if sweep < burn:
            continue
        drawn, given = posterior.factors
        left, right = np.hstack([left, drawn / kept]), np.hstack([right, given])
        if left.shape[1] >= BATCH * posterior.width:  # the sum of thin products, kept thin
            total = modes_of(left, right).head(4 * posterior.width)
            left, right = total.U * total.s, total.V
        biases = [b + new / kept for b, new in zip(biases, posterior.biases, strict=True)]
        noise += posterior.noise / kept
        watch()
    total = modes_of(left, right)
    power = np.cumsum(total.s**2)
    agreed = int(np.searchsorted(power, AGREED * power[-1]) + 1) if power[-1] > 0 else 0
    return total.head(agreed), tuple(biases), noise


def draw(posterior: Posterior, random: np.random.Generator) -> None:
    """One sweep of Gibbs sampling: priors, factors and noise, each drawn given all others."""
    left, right, entries = posterior.left, posterior.right, posterior.entries
    for here, other in ((left, right), (right, left)):
        here.precision, here.centre = _draw_prior(here.mean[:, here.free], random)
        posterior.update(here, other, random.standard_normal((len(here.mean), len(here.free))))
    residual = entries.residual(left.mean, right.mean)
    missed = float(entries.weighted(residual) @ residual)
    posterior.noise = max(missed / random.chisquare(entries.count), FLOOR)


def _draw_prior(x: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Precision and centre of the rows of `x`, from their normal-Wishart posterior with a weak prior."""
    n, k = x.shape
    centre = x.mean(0)
    scatter = (x - centre).T @ (x - centre) + 0.1 * np.eye(k) + np.outer(centre, centre) * n * PULL / (n + PULL)
    # Bartlett: the precision is T T^T with T = L A, A lower triangular of normals and roots of chi squares.
    A = np.tril(random.standard_normal((k, k)), -1)
    A[np.diag_indices(k)] = np.sqrt(random.chisquare(n + k - np.arange(k)))
    T = np.linalg.cholesky(np.linalg.inv(scatter)) @ A
    precision = T @ T.T
    offset = np.linalg.solve(T.T, random.standard_normal(k)) / np.sqrt(n + PULL)
    return precision, centre * n / (n + PULL) + offset
