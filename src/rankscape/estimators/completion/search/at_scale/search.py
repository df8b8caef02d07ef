"""The offset and the directions that a sample of the entries shows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import ties
from rankscape.estimators.completion.ready.offsets import Offset, fit_offset
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.at_scale.sample import EACH, LARGE, LEAST, fullest
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.solvers.packed.energies import beginning
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import PackedPosterior
from rankscape.solvers.packed.records import State

# Directions that are looked for at first, and those that a posterior begins with beyond what chance does not explain:
# more only fit noise until they die, and where entries are few they take others along.
WIDTH, SPARE = 16, 3

# Change of the noise, as a share of it, at which sweeps end, sweeps at most, and in how many a sample has to be still.
STILL, SWEEPS, PATIENCE = 1e-4, 100, 3


@final
@dataclass(frozen=True, eq=False)
class Found:
    """What a sample shows.

    Attributes
    ----------
    sample : Split
        The lines that were searched.
    chosen : ndarray of bool, optional
        Which lines of the longer side these are; None for all.
    offset : Offset
        The richest that its held-out entries support, fitted to its training entries.
    scale : float
        Root mean square of what that leaves of them.
    posterior : PackedPosterior
        Of the sample's training entries, whose rows are the lines of the longer side.
    """

    sample: Split
    chosen: np.ndarray | None
    offset: Offset
    scale: float
    posterior: PackedPosterior


def longer(split: Split) -> int:
    """The side that has more lines: 0 for rows, 1 for columns."""
    return int(split.whole.shape[0] < split.whole.shape[1])


def oriented(entries: Entries, held: np.ndarray, offset: Offset, scale: float, side: int, threads: int) -> Orders:
    """Entries without the mean of an offset, the lines of a side as rows."""
    orders = Orders.of(entries, held, offset.mean, scale, threads)
    return orders.transposed() if side else orders


def search(split: Split, settings: Settings, threads: int) -> Found:
    """What the first sample shows in which something is found; all entries where nothing is, in any."""
    looks = (_look(*sample, longer(split), settings, threads) for sample in _samples(split, longer(split)))
    found = next(looks)
    while not found.posterior.state.width and (larger := next(looks, None)) is not None:
        found = larger
    return found


def _look(sample: Split, chosen: np.ndarray | None, side: int, settings: Settings, threads: int) -> Found:
    offset = supported(sample, settings)
    scale = root_mean_square(sample.training.values - offset.of(sample.training)) or 1.0
    orders = oriented(sample.whole, sample.held, offset, scale, side, threads)
    turned = offset.transposed() if side else offset
    biases = turned.row / scale, turned.column / scale
    posterior = directions(orders, biases, turned.sides, settings.most(sample.whole.shape), threads)
    return Found(sample, chosen, offset, scale, posterior)


def _samples(split: Split, side: int) -> Iterator[tuple[Split, np.ndarray | None]]:
    """Larger and larger ones, each twice as large as the one before, up to all entries; of very many none so large."""
    least = max(LEAST, EACH * min(split.whole.shape))
    while (chosen := fullest(split.whole, side, least)) is not None:
        yield split.lines(side, chosen), chosen
        if least > LARGE:
            return
        least *= 2
    yield split, None


def supported(sample: Split, settings: Settings) -> Offset:
    """The simplest offset whose held-out errors tie with the best."""
    training, heldout = sample.training, sample.heldout
    offsets = [fit_offset(kind, training) for kind in settings.kinds]
    left = [offset.of(heldout) - heldout.values for offset in offsets]
    best = min(left, key=root_mean_square)
    return next(o for o, residual in zip(offsets, left, strict=True) if ties(residual**2, best**2))


def directions(
    orders: Orders, biases: tuple[np.ndarray, np.ndarray], sides: tuple[bool, bool], most: int, threads: int
) -> PackedPosterior:
    """A posterior with every direction that it keeps, `most` at most; none where chance explains the first one."""
    width, spare = min(WIDTH, most), SPARE
    while (start := beginning(orders, biases, width, threads)).beyond_chance + spare > width < most:
        width = min(2 * width, most)
    while True:
        k = min(start.beyond_chance + spare, width) if start.beyond_chance else 0
        posterior = PackedPosterior(orders, State.begin(start.vectors[:, :k], biases), sides, threads=threads)
        posterior.converge(STILL, SWEEPS, PATIENCE)
        # Where none of the spare ones died there may be more.
        if not k or posterior.state.width < k or k == width:
            return posterior
        spare *= 2
