"""Tables of a few cells: what their entries determine is found whatever a hash holds out, and few judges are said."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.competition.contest import ENOUGH_JUDGES
from rankscape.estimators.completion.ready.split import hold_out
from rankscape.estimators.completion.settings import Settings


def holes(rng: np.random.Generator, shape: tuple[int, int], count: int) -> np.ndarray:
    """So many cells, such that each row and column keeps two entries and cells hang together."""
    while True:
        hidden = np.zeros(shape, bool)
        hidden.flat[rng.choice(hidden.size, count, replace=False)] = True
        if (~hidden).sum(0).min() >= 2 and (~hidden).sum(1).min() >= 2:
            return hidden


@pytest.mark.parametrize(("shape", "count"), [((5, 3), 2), ((6, 3), 3), ((4, 4), 3), ((5, 5), 5), ((8, 3), 4)])
def test_rank_one_of_a_few_cells_is_found_whatever_is_held_out(shape, count):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = np.outer(rng.uniform(0.5, 2, shape[0]), rng.uniform(0.5, 5, shape[1]))
        hidden = holes(rng, shape, count)
        done = rs.complete(np.where(hidden, np.nan, truth), seed=seed)
        np.testing.assert_allclose(done.matrix[hidden], truth[hidden], rtol=1e-6)
        assert done.rank == 1


@pytest.mark.parametrize("seed", range(20))
def test_something_is_held_out_wherever_it_can_be(seed):
    few = Entries.from_array(np.arange(12.0).reshape(4, 3))
    held = hold_out(few, Settings(seed=seed))
    assert 2 <= held.sum() <= 8
    one = Entries.from_array(np.arange(4.0)[None])  # of one row nothing can: each column needs its entry
    assert not hold_out(one, Settings(seed=seed)).any()


def test_an_error_that_few_entries_measured_is_not_trusted():
    doubted, wrong = 0, 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=(5, 2)) @ rng.normal(size=(2, 4))
        hidden = holes(rng, truth.shape, 4)
        done = rs.complete(np.where(hidden, np.nan, truth + 0.1 * rng.normal(size=truth.shape)))
        certificate = done.certificate
        doubted += any("could be held out to judge" in words for words in certificate.warnings)
        error = np.sqrt(np.mean((done.fitted - truth)[hidden] ** 2))
        wrong += certificate.trusted and error > 2 * certificate.expected_error
    assert wrong == 0
    assert doubted >= 4


def test_a_choice_that_stands_is_judged_by_enough_where_there_are_enough():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(12, 1)) @ rng.normal(size=(1, 8))
    done = rs.complete(np.where(holes(rng, truth.shape, 15), np.nan, truth + 0.02 * rng.normal(size=truth.shape)))
    assert done.certificate.judges >= ENOUGH_JUDGES
    assert done.certificate.trusted
