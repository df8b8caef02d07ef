"""Choose one of the candidates, or combine them where that predicts better.

Held-out entries decide: one model where a rank is sharp or nothing else helps; else a weighted mean of few.
"""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.choice import ties
from rankscape.estimators.completion.candidates.base import Trained
from rankscape.estimators.completion.competition.contest import Contest
from rankscape.estimators.completion.competition.rounds import Round
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.models.combined import Combined
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final

# Held-out entries from which on least squares finds the weights; with fewer it follows their luck.
MANY = 800

# Weights below which a model is left out of a combination.
LITTLE = 0.02

# Entries held out in the pattern of the gaps up to which those held out at random count as much for the choice; beside
# more they soon count for nothing. Of 43 panels and outages the small ones have errors of 0.985 of those without.
LUCK = 100

# Factor of the best held-out error up to which a candidate takes part where few are held out, and how many do.
NEAR, BEST = 1.25, 3

# Factor by which a combination has to lower the held-out error of the low-rank fit.
WORTH = 0.99

# Share of the range of the entries by which a model may leave it before it is averaged.
BEYOND = 0.2


@final
@dataclass(frozen=True, eq=False)
class Combination:
    """Candidates with their weights.

    Attributes
    ----------
    contest : Contest
        Whose candidates they are.
    weights : dict
        Of those that take part, the heaviest first; their sum is one.
    together : bool
        Whether all splits have made one choice together, and not each its own.
    """

    contest: Contest
    weights: dict[str, float]
    together: bool = False

    @property
    def alone(self) -> bool:
        """Whether it is the low-rank fit only, from one split: any other candidate is not what was searched for."""
        rounds = self.contest.random
        return list(self.weights) == [rounds[0].names[0]] and (self.together or len(rounds) == 1)

    @property
    def missed(self) -> np.ndarray:
        """What the weighted mean misses of the entries held out at random, times the root of their weights."""
        return np.concatenate(self.misses)

    @property
    def misses(self) -> list[np.ndarray]:
        """The same, split by split."""
        return _misses(self.contest.random, self.weights)

    @property
    def imposed(self) -> np.ndarray:
        """The same of the entries held out in the pattern of the gaps."""
        return np.concatenate(self.imposed_misses)

    @property
    def imposed_misses(self) -> list[np.ndarray]:
        """The same, draw by draw."""
        return _misses(self.contest.imposed, self.weights)

    def predicted(self, judged: Round) -> np.ndarray:
        """Of the entries that were held out in a round."""
        return _weights_of(judged, self.weights) @ judged.predicted

    @property
    def kinds(self) -> set[str]:
        """For which values its candidates are that are not for all."""
        trained = (_named(self.contest.random[0], name) for name in self.weights)
        return {fit.values for fit in trained} - {"real"}

    def model(self, whole: Entries) -> Model:
        """Fitted once more, to all entries: each candidate as each split chose it."""
        rounds, weights = self.contest.random, {}
        for name, weight in self.weights.items():
            for again in (_named(judged, name).again for judged in rounds):  # equal choices are fitted once
                weights[again] = weights.get(again, 0.0) + weight / len(rounds)
        models = tuple(again(whole) for again in weights)
        if len(models) == 1:
            return models[0]
        low, high = float(whole.values.min()), float(whole.values.max())
        margin = BEYOND * (high - low)
        return Combined(models, tuple(weights.values()), low - margin, high + margin)

    @property
    def words(self) -> str:
        """What predicts: "63 % the mean of 5 near rows, 37 % rank 3; a mean of the choices of 5 splits"."""
        rounds = self.contest.random
        first = {name: _named(rounds[0], name).words for name in self.weights}
        if len(first) == 1:
            said = next(iter(first.values()))
        else:
            said = ", ".join(f"{100 * self.weights[name]:.0f} % {words}" for name, words in first.items())
        return said + (f"; a mean of the choices of {len(rounds)} splits" if len(rounds) > 1 else "")


def combine(contest: Contest, named: bool = False) -> Combination:
    """The low-rank fit (the first) alone, unless a weighted mean of all is clearly better on held-out entries.

    Where the kind of the values was `named`, its candidate alone, unless the low-rank fit is clearly better.
    """
    rounds: tuple[Round, ...] = contest.imposed or contest.random
    first = next(iter(contest.random))
    # A candidate that one split did not want cannot be compared on all of them.
    everywhere = (*contest.random, *contest.imposed)
    names = [name for name in first.names if all(name in r.names for r in everywhere)]
    alone = Combination(contest, {names[0]: 1.0})
    missed = _relative(contest, names) if contest.imposed else _each(rounds, names)
    if len(names) == 1:
        return alone
    if named:
        return Combination(contest, {names[int(ties(missed[1] ** 2, missed[0] ** 2))]: 1.0})
    if contest.imposed:
        weights = _best_few(missed)
    elif (over_noise := _over_their_noise(rounds, names, missed)) is not None:
        return Combination(contest, _heavy(names, _least_squares(over_noise)))
    else:
        weights = _least_squares(missed) if missed.shape[1] >= MANY else _by_error(missed)
    best = weights @ missed
    worth = root_mean_square(best) < WORTH * root_mean_square(missed[0]) and not ties(missed[0] ** 2, best**2)
    return Combination(contest, _heavy(names, weights)) if worth else alone


def _misses(rounds: tuple[Round, ...], weights: dict[str, float]) -> list[np.ndarray]:
    return [_weights_of(r, weights) @ r.missed for r in rounds]


def _each(rounds: tuple[Round, ...], names: list[str]) -> np.ndarray:
    return np.array([np.concatenate(_misses(rounds, {name: 1.0})) for name in names])


def _over_their_noise(rounds: tuple[Round, ...], names: list[str], missed: np.ndarray) -> np.ndarray | None:
    """What each candidate misses, over the noise that the model of counts, answers or classes foresees for an entry.

    None where such a model is not the best of all by itself, as it is and by this measure. Where it is, the means of
    these entries differ by far less than their noise: a measure that follows the noisiest ones, and prefers plain
    numbers on a tie, mixed true rates with others and had 1.2 times its error.
    """
    best = int(np.argmin((missed**2).sum(1)))
    if _named(rounds[0], names[best]).values == "real":
        return None
    models = [(_named(judged, names[best]).model, judged.heldout) for judged in rounds]
    over_noise = missed / np.concatenate([model.noise_at(held.rows, held.columns) for model, held in models])
    return over_noise if int(np.argmin((over_noise**2).sum(1))) == best else None


def _relative(contest: Contest, names: list[str]) -> np.ndarray:
    """What each candidate misses, over the error of the first in each round: a single line decides none of several.

    A few imposed entries choose by luck: then those held out at random speak as well.
    """
    imposed, random = (_each(rounds, names) / _levels(rounds, names[0]) for rounds in (contest.imposed, contest.random))
    return np.hstack([imposed, random * min(1.0, LUCK / imposed.shape[1])])


def _levels(rounds: tuple[Round, ...], name: str) -> np.ndarray:
    """The error of one candidate in each round, at the entries of that round."""
    misses = _misses(rounds, {name: 1.0})
    return np.concatenate([np.full(len(missed), root_mean_square(missed) or 1.0) for missed in misses])


def _weights_of(judged: Round, weights: dict[str, float]) -> np.ndarray:
    return np.array([weights.get(name, 0.0) for name in judged.names])


def _named(judged: Round, name: str) -> Trained:
    return judged.trained[judged.names.index(name)]


def _heavy(names: list[str], weights: np.ndarray) -> dict[str, float]:
    weights = np.where(weights >= LITTLE, weights, 0.0)
    weights = weights / weights.sum()
    order = [k for k in np.argsort(-weights, kind="stable") if weights[k] > 0]
    return {names[k]: float(weights[k]) for k in order}


def _least_squares(missed: np.ndarray) -> np.ndarray:
    """Non-negative weights with sum one that predict the held-out entries best (Breiman 1996)."""
    from scipy.optimize import nnls

    stiff = 1e3 * max(np.abs(missed).max(), 1e-300) * np.sqrt(missed.shape[1])
    # With sum one, the miss of the mean is the mean of the misses: the values themselves drop out.
    equations = np.vstack([missed.T, np.full(len(missed), stiff)])
    return nnls(equations, np.append(np.zeros(missed.shape[1]), stiff))[0]


def _by_error(missed: np.ndarray) -> np.ndarray:
    """Inverse fourth powers of the held-out errors, of the candidates near the best one."""
    errors = np.maximum([root_mean_square(miss) for miss in missed], 1e-300)
    weights = np.where(errors <= NEAR * errors.min(), (errors.min() / errors) ** 4, 0.0)
    return weights / weights.sum()


def _best_few(missed: np.ndarray) -> np.ndarray:
    """Inverse fourth powers of the errors of the best few: which of them is best a few rows have decided."""
    errors = np.maximum([root_mean_square(miss) for miss in missed], 1e-300)
    best = np.argsort(errors, kind="stable")[:BEST]
    weights = np.zeros(len(errors))
    weights[best] = (errors[best[0]] / errors[best]) ** 4
    return weights / weights.sum()
