"""Which candidates are combined, by what is held out in the pattern of the gaps and at random."""

from typing import Any

import numpy as np
import pytest

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.base import Trained
from rankscape.estimators.completion.competition.combine import LUCK, combine
from rankscape.estimators.completion.competition.contest import Contest
from rankscape.estimators.completion.competition.rounds import Round
from rankscape.estimators.completion.trust.expectation import _typical

NAMES = "low rank", "steady", "lucky"


def judged(misses: np.ndarray) -> Round:
    """A round in which the candidates miss entries, all zero, by these."""
    count = misses.shape[1]
    heldout = Entries.from_array(np.zeros((count, 1)))
    nothing: Any = None  # no model is asked here
    trained = tuple(Trained(name, nothing, nothing, name) for name in NAMES[: len(misses)])
    return Round(heldout, trained, misses, np.ones(count), np.ones(count))


def contest(random: list[np.ndarray], imposed: list[np.ndarray]) -> Contest:
    cells = np.zeros(1, dtype=int), np.zeros(1, dtype=int)
    return Contest(tuple(map(judged, random)), tuple(map(judged, imposed)), 1.0, cells)


def misses(sizes: tuple[float, ...], count: int, seed: int = 0) -> np.ndarray:
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (len(sizes), count))
    return np.array(sizes)[:, None] * signs


@pytest.mark.parametrize(("imposed", "heavy"), [(10, "steady"), (40 * LUCK, "lucky")])
def test_few_imposed_entries_do_not_choose_alone(imposed, heavy):
    """A candidate that is far off elsewhere wins by many imposed entries, and not by ten."""
    found = combine(contest([misses((1.0, 0.5, 3.0), 200)], [misses((1.0, 0.8, 0.5), imposed, 1)]))
    assert next(iter(found.weights)) == heavy


def test_a_round_in_which_all_are_far_off_decides_no_more_than_others():
    """Errors count over those of the low-rank fit in the same round, as they do when one unit is another's thousand."""
    rounds = [misses((1.0, 0.5, 0.9), 200), misses((1.0, 0.9, 0.5), 200, 1)]
    weights = combine(contest(rounds[:1], rounds)).weights
    assert combine(contest(rounds[:1], [1000 * rounds[0], rounds[1]])).weights == pytest.approx(weights)


def test_the_best_of_a_draw_and_the_low_rank_fit_go_on():
    one = judged(misses((3.0, 2.0, 1.0), 50))
    assert one.best(1) == {"low rank", "lucky"}
    left = one.only(one.best(1))
    assert left.names == ("low rank", "lucky")
    np.testing.assert_array_equal(left.predicted, one.predicted[[0, 2]])


def test_one_draw_that_runs_away_is_one_of_several():
    """The error told is the geometric mean, and what it is worth the spread of the draws says."""
    error, std = _typical([np.full(100, 1.0), np.full(100, 1.0), np.full(100, 64.0)])
    assert error == pytest.approx(4.0)
    assert std == pytest.approx(np.std(np.log([1, 1, 64]), ddof=1) * 4 / 3**0.5)
