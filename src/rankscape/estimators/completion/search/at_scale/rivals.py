"""Whether a sample calls for something else than a low rank with noise: then the usual search goes on."""

import numpy as np

from rankscape.estimators.choice import ties
from rankscape.estimators.completion.candidates import CANDIDATES
from rankscape.estimators.completion.fits.left_over import excess_kurtosis
from rankscape.estimators.completion.fits.trial import Trial
from rankscape.estimators.completion.methods.averaged import QUIET_ENOUGH
from rankscape.estimators.completion.methods.sampled import SAMPLED, rounded
from rankscape.estimators.completion.search.at_scale.search import Found
from rankscape.estimators.completion.search.tails import HEAVY
from rankscape.estimators.completion.settings import Settings

# Factor by which draws have to predict the held-out entries of the sample better.
BETTER = 0.99


def something_else(found: Found, trial: Trial, missed: np.ndarray, settings: Settings) -> bool:
    """Whether entries are rounded or nearly exact, have heavy tails, or are better predicted by other means.

    `trial` is that of the sample, whose held-out entries are `missed` by so much, in units of the posterior.
    """
    sample, noise = found.sample, found.posterior.state.noise
    if rounded(sample.observed) or noise < QUIET_ENOUGH**2 or excess_kurtosis(missed) >= HEAVY:
        return True
    kinds = settings.kind.candidates
    if any(c.sparse and c.values in kinds and c.wanted(sample.training, settings) for c in CANDIDATES):
        return True
    drawn = SAMPLED.again(trial).residual / found.scale
    return bool(np.mean(drawn**2) < BETTER**2 * np.mean(missed**2)) and not ties(missed**2, drawn**2)
