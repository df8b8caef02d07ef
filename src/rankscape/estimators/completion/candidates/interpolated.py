"""Ordered rows or columns: between neighbours first, then a model of what that misses."""

from functools import partial

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.axes import ordered_axes, ways
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.candidates.gaussian import TUNED, Gaussian
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.interpolated import Interpolated
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.stepwise import Stepwise, rest_of
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final

# Held-out error, as a share of the entries' deviation, below which it is worth asking what interpolation misses; and
# the factor by which a model of that has to lower it.
NEAR, WORTH = 0.5, 0.99

# Most entries for a low-rank search of its own: seconds.
MANY = 200_000


@final
class Interpolation(Candidate):
    """Linear interpolation along the ordered axis; and a second model of what each entry differs from its neighbours.

    Where one side is short the second one is a Gaussian, else low rank. It is the right order where no rank is low but
    neighbours are alike: daily prices, elevations.
    """

    name = "interpolation"
    how = "A cell lies between its neighbours along an ordered axis; what that misses is fitted by a second model."

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where an axis is ordered."""
        return bool(ordered_axes(training, settings))

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The axis, or both, and the second model that predict the held-out entries best."""
        tried = [Interpolated(training, axes) for axes in ways(ordered_axes(training, settings))]
        model = min(tried, key=lambda model: _error(model, heldout))
        words = f"interpolation from {' and '.join(f'{axis[:-1]} to {axis[:-1]}' for axis in model.axes)}"
        alone = Trained(self.name, model, partial(Interpolated, axes=model.axes), words)
        close = 0 < _error(model, heldout) < NEAR * float(np.std(training.values))
        if len(model.axes) > 1 or not close:
            return alone
        return _stepwise(alone, training, heldout, settings, search)


def _stepwise(first: Trained, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
    """With a model of what the first one misses, if that is worth it."""
    rests = rest_of(first.model, training), rest_of(first.model, heldout)
    gaussian = Gaussian()
    if min(training.shape) <= TUNED and gaussian.wanted(rests[0], settings):
        second = gaussian.fit(*rests, settings, search)
    elif training.count <= MANY:
        second = search(*rests)
    else:
        return first
    both = Stepwise(first.model, second.model)
    if _error(both, heldout) > WORTH * _error(first.model, heldout):
        return first

    def again(entries: Entries) -> Stepwise:
        model = first.again(entries)
        return Stepwise(model, second.again(rest_of(model, entries)))

    what = "levels" if isinstance(second.model, LowRank) and not len(second.model.modes.s) else second.words
    return Trained(first.name, both, again, f"{first.words} and {what} of what it misses")


def _error(model: Model, heldout: Entries) -> float:
    return float(np.sqrt(np.mean(model.missed(heldout) ** 2)))
