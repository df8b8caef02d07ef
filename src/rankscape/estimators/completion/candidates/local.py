"""Ordered rows or columns: a polynomial through the entries around each cell."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.axes import ordered_axes, ways
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.models.local import Local
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.solvers.neighbours.local_regression import steps_of

# Degrees, and entries around a cell, that held-out entries choose from: along one axis, and along both. Few entries and
# a high degree where there is no noise, many where there is. Error over that of linear interpolation: .17 to .98 on
# spectra, populations, ranks of songs, temperatures of the sea; of both axes .5 to .9 on terrain, a slice of a head,
# smooth functions with noise.
ONE = (1, 3), (1, 6), (2, 4), (2, 6), (2, 12), (3, 6)
BOTH = (1, 6), (1, 24), (2, 12), (2, 16), (2, 24), (2, 48), (2, 96)

# Cells of a matrix that it fills in a few seconds.
CELLS = 500_000

# Held-out entries that choose: more tell two of these apart no better.
SOME = 4_000

NAMES = "level", "line", "parabola", "cubic"


@final
class LocalPolynomials(Candidate):
    """Local regression: it bends with what is around a cell, and averages the noise away.

    References
    ----------
    .. [cleveland1988] Cleveland, Devlin, "Locally weighted regression: An approach to regression analysis by local
       fitting", Journal of the American Statistical Association 83 (1988).
    """

    name = "local"
    how = "A cell lies on a polynomial through the entries around it, along ordered rows, columns, or both."
    sparse = False
    references = ("cleveland1988",)

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where an axis is ordered, and cells are not too many."""
        return training.shape[0] * training.shape[1] <= CELLS and bool(ordered_axes(training, settings))

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The axes, the degree and the number of entries around that predict the held-out entries best."""
        del search
        judges = _some(heldout)
        model = min(_tried(training, settings), key=lambda tried: root_mean_square(tried.missed(judges)))
        again = partial(Local, steps=model.steps, count=model.count, degree=model.degree)
        across = " and ".join(
            axis for axis, step in zip(("rows", "columns"), model.steps, strict=True) if step < np.inf
        )
        words = f"local {NAMES[model.degree]}s through the {model.count} nearest entries along the {across}"
        return Trained(self.name, model, again, words)


def _some(heldout: Entries) -> Entries:
    if heldout.count <= SOME:
        return heldout
    chosen = np.zeros(heldout.count, dtype=bool)
    chosen[np.random.default_rng(0).choice(heldout.count, SOME, replace=False)] = True
    return heldout.part(chosen)


def _tried(training: Entries, settings: Settings) -> Iterator[Local]:
    for axes in ways(ordered_axes(training, settings)):
        steps = steps_of(training) if len(axes) > 1 else (np.inf, 1.0) if axes == ("columns",) else (1.0, np.inf)
        for degree, count in BOTH if len(axes) > 1 else ONE:
            yield Local(training, steps, count, degree)
