"""Which of two fits predicts held-out entries better, where some of these may be wrong themselves."""

from typing import NamedTuple, TypeAlias

import numpy as np

from rankscape.estimators.choice import standard_errors
from rankscape.estimators.completion.fits.fit import model_of
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.selection import Selection
from rankscape.ground.final import final
from rankscape.solvers.noise.median_polish import robust_size

# Standard deviations beyond which an entry counts linearly, and beyond which one that both fits miss does not count.
NEAR, LOST = 2.5, 5.0

# A choice, and the entries that it was made on.
Choice: TypeAlias = tuple[Split, Selection]


@final
class Gain(NamedTuple):
    """By how many standard errors a fit predicts better than another one.

    Attributes
    ----------
    near : float
        By Huber's loss: squares up to `NEAR` standard deviations, linear beyond.
    squares : float
        By squares.
    """

    near: float
    squares: float


def gain_of(parts: Split, one: Choice, other: Choice) -> Gain:
    """Of the second choice over the first, on the held-out entries of a split that neither has seen.

    An entry that both miss by far, and about equally, says nothing of either: the square of a code for "missing" would
    decide alone. Without held-out entries the gain is infinite.

    References
    ----------
    .. [huber1964] Huber, "Robust estimation of a location parameter", The Annals of Mathematical Statistics 35 (1964).
    """
    if not (one[1].judged and other[1].judged):
        return Gain(np.inf, np.inf)
    a, b = (missed(parts, fitted, model_of(selection.chosen), other[0]) for fitted, selection in (one, other))
    return gain_between(a, b)


def gain_between(a: np.ndarray, b: np.ndarray) -> Gain:
    """Of what misses held-out entries by b over what misses them by a."""
    size = max(min(robust_size(a), robust_size(b)), 1e-12)
    less, more = np.minimum(np.abs(a), np.abs(b)), np.maximum(np.abs(a), np.abs(b))
    lost = (less > LOST * size) & (less > more / 2)
    near = _huber(a / size) - _huber(b / size)
    return Gain(standard_errors(near), standard_errors((a**2 - b**2)[~lost]))


def missed(parts: Split, fitted: Split, model: Model, units: Split) -> np.ndarray:
    """What a model in the units of one split misses of the held-out entries, in the units of another one."""
    held = parts.observed.part(parts.held)
    scale = units.scaling.at(held.rows, held.columns)
    predicted = Scaled(model, fitted.scaling).at(held.rows, held.columns)
    return (predicted - held.values) / scale * parts.heldout.root_weights


def _huber(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    return np.where(size <= NEAR, size**2 / 2, NEAR * (size - NEAR / 2))
