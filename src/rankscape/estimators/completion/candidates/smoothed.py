"""Low rank first; what it leaves is interpolated along an ordered axis."""

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.axes import ordered_axes, ways
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.models.interpolated import Interpolated
from rankscape.estimators.completion.models.stepwise import Stepwise, rest_of
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.final import final


@final
class Smoothed(Candidate):
    """The low-rank fit, and its residual between neighbours along the ordered axis.

    It is the right order where a rank describes most, and what it leaves still changes slowly: populations, fertility.
    """

    name = "smoothed"
    how = "What the low-rank fit leaves is interpolated along an ordered axis."

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where an axis is ordered."""
        return bool(ordered_axes(training, settings))

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The axis, or both, whose residuals predict those of held-out entries best."""
        first = search(training, heldout)
        rest, held = rest_of(first.model, training), rest_of(first.model, heldout)

        def error(model: Interpolated) -> float:
            return float(np.mean(model.missed(held) ** 2))

        second = min((Interpolated(rest, axes) for axes in ways(ordered_axes(training, settings))), key=error)

        def again(entries: Entries) -> Stepwise:
            model = first.again(entries)
            return Stepwise(model, Interpolated(rest_of(model, entries), second.axes))

        words = f"{first.words} with its residual smoothed along the {' and '.join(second.axes)}"
        return Trained(self.name, Stepwise(first.model, second), again, words)
