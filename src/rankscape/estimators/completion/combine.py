"""Choose one of the candidates, or combine them where that predicts better.

Held-out entries decide: one model where a rank is sharp or nothing else helps; else a weighted mean of few.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from rankscape.entries import Entries
from rankscape.estimators.choice import ties
from rankscape.estimators.completion.candidates.base import Trained
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.combined import Combined
from rankscape.estimators.completion.rounds import Round
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Held-out entries from which on least squares finds the weights; with fewer it follows their luck.
MANY = 800

# Weights below which a model is left out of a combination.
LITTLE = 0.02

# Factor of the best held-out error up to which a candidate takes part where few are held out.
NEAR = 1.25

# Factor by which a combination has to lower the held-out error of the low-rank fit.
WORTH = 0.99


@final
@dataclass(frozen=True, eq=False)
class Combination:
    """Candidates with their weights.

    Attributes
    ----------
    parts : tuple of Trained
        The heaviest first.
    weights : tuple of float
        Positive, with sum one.
    missed : ndarray
        What their weighted mean misses of the held-out entries, times the root of their weights.
    """

    parts: tuple[Trained, ...]
    weights: tuple[float, ...]
    missed: np.ndarray

    @property
    def alone(self) -> bool:
        """Whether it is one candidate only."""
        return len(self.parts) == 1

    @property
    def rmse(self) -> float:
        """Held-out error."""
        return root_mean_square(self.missed)

    def model(self, entries: Entries) -> Model:
        """Fitted once more, to these entries."""
        models = tuple(part.again(entries) for part in self.parts)
        return models[0] if self.alone else Combined(models, self.weights)

    @property
    def words(self) -> str:
        """Which parts, with their shares: "63 % the mean of 5 near rows, 37 % rank 3"."""
        shares = (f"{100 * w:.0f} % {part.words}" for part, w in zip(self.parts, self.weights, strict=True))
        return ", ".join(shares)


def combine(judged: Round) -> Combination:
    """The low-rank fit (the first) alone, unless a weighted mean of all is clearly better on held-out entries."""
    first = _combination(judged, np.eye(len(judged.trained))[0])
    if len(judged.trained) == 1:
        return first
    weights = _least_squares(judged) if judged.heldout.count >= MANY else _by_error(judged)
    best = _combination(judged, weights)
    worth = best.rmse < WORTH * first.rmse and not ties(first.missed**2, best.missed**2)
    return best if worth else first


def _combination(judged: Round, weights: np.ndarray) -> Combination:
    weights = np.where(weights >= LITTLE, weights, 0.0)
    weights /= weights.sum()
    order = [k for k in np.argsort(-weights, kind="stable") if weights[k] > 0]
    parts = tuple(judged.trained[k] for k in order)
    return Combination(parts, tuple(float(weights[k]) for k in order), weights @ judged.missed)


def _least_squares(judged: Round) -> np.ndarray:
    """Non-negative weights with sum one that predict the held-out entries best (Breiman 1996)."""
    missed = judged.missed
    stiff = 1e3 * max(np.abs(missed).max(), 1e-300) * np.sqrt(missed.shape[1])
    # With sum one, the miss of the mean is the mean of the misses: the values themselves drop out.
    equations = np.vstack([missed.T, np.full(len(missed), stiff)])
    return nnls(equations, np.append(np.zeros(missed.shape[1]), stiff))[0]


def _by_error(judged: Round) -> np.ndarray:
    """Inverse fourth powers of the held-out errors, of the candidates near the best one."""
    errors = np.maximum(judged.errors, 1e-300)
    best = errors.min()
    return np.where(errors <= NEAR * best, (best / errors) ** 4, 0.0)
