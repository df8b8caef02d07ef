"""Low rank with factors that walk along an ordered axis."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.axes import ordered_axes
from rankscape.estimators.completion.candidates.base import Candidate, Search, Trained
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import modes_of
from rankscape.solvers.neighbours.random_walk import fit_random_walk

# Ranks, and noise as a share of the entries' variance, that held-out entries choose from.
RANKS, NOISES = (2, 4, 8), (0.003, 0.03, 0.1)

# One over the variance of a step, where factors have one of one.
STIFFNESS = 3.0

# Most entries: half a second for all combinations. Panels are small; images and prices do better between neighbours.
MANY = 30_000


@final
@dataclass(frozen=True)
class _Choice:
    """The axis, the rank and the noise."""

    axis: str
    rank: int
    noise: float

    def __call__(self, entries: Entries) -> LowRank:
        return _fitted(entries, self.axis, self.rank, self.noise)


@final
class Walking(Candidate):
    """A common curve and thin factors, those of the ordered axis being random walks along it.

    Made for panels: where the end of many rows is missing, it goes on as the factors do, and does not run away.
    """

    name = "random walk"
    how = "Thin factors change little from place to place along an ordered axis."

    def wanted(self, training: Entries, settings: Settings) -> bool:
        """Where an axis is ordered, and the matrix is not large."""
        return training.count <= MANY and min(training.shape) > 2 and bool(ordered_axes(training, settings))

    def fit(self, training: Entries, heldout: Entries, settings: Settings, search: Search) -> Trained:
        """The axis, the rank and the noise that predict the held-out entries best."""
        del search

        def error(choice: _Choice) -> float:
            return float(np.mean(choice(training).missed(heldout) ** 2))

        best = min(_choices(training, ordered_axes(training, settings)), key=error)
        return Trained(self.name, best(training), best, f"rank {best.rank} walking along the {best.axis}")


def _choices(entries: Entries, axes: tuple[str, ...]) -> Iterator[_Choice]:
    for axis in axes:
        for rank in RANKS:
            if rank < min(entries.shape):
                yield from (_Choice(axis, rank, noise) for noise in NOISES)


def _fitted(entries: Entries, axis: str, rank: int, noise: float) -> LowRank:
    """Thin factors in the units of the entries."""
    upright = entries if axis == "columns" else entries.transposed()
    mean = float(upright.values.mean())
    scale = root_mean_square(upright.values - mean) or 1.0
    standard = upright.with_values((upright.values - mean) / scale).prepared()
    U, V, curve = fit_random_walk(standard, rank, noise, STIFFNESS)
    if axis == "rows":
        U, V = V, U
    nothing = np.zeros(entries.shape[0]), np.zeros(entries.shape[1])
    level = (scale * curve, nothing[1]) if axis == "rows" else (nothing[0], scale * curve)
    offset = Offset("row" if axis == "rows" else "column", mean, *level)
    return LowRank(modes_of(scale * U, V), offset, float(np.sqrt(noise)) * scale)
