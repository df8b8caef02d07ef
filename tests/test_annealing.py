"""Annealing: the rank of the data from above, out of the trap, and a loud voice where it will fail."""

import re
import warnings

import numpy as np
import pytest
from catalogue import identical

import rankscape as rs
from rankscape.errors import FallbackWarning, InputError, RankscapeWarning, RunFailed
from rankscape.falling import concerns
from rankscape.solvers.descent.relaxation import relax
from rankscape.theory.landscape import scalar_thresholds

LAB = rs.data.gaussian(n=24, rank=2, oversampling=2.0, seed=1)
QUICK = dict(width=6, epochs=60)
PLANTED = rs.data.planted(seed=0)
OUT_OF_THE_TRAP = dict(
    initialization=rs.Factors(PLANTED.start()), scale=False, ridges=(0.45, 0.1, 0.01, 0.001), learning_rate=0.17
)


def _anneal(problem=LAB.problem, **changes):
    return rs.anneal(problem, **(QUICK | changes))


@pytest.mark.parametrize("method", ["sgd", "gd"])
def test_a_generic_matrix_comes_back_at_its_rank(method):
    end = _anneal(method=method)
    assert end.rank == 2
    assert end.converged
    assert LAB.relative_error(end.matrix) < 0.02
    assert np.sum(rs.singular_values(end.matrix) > 1e-3) == 2
    assert end.concerns == ()


def test_the_path_is_a_row_a_stage_and_one_for_the_last_descent():
    end = _anneal(ridges=(0.3, 0.03))
    assert end.path.ridge_m.values.tolist() == [0.3, 0.03, 0.03]
    assert end.path.learning_rate.isnull().values.tolist() == [False, False, True]
    assert end.path.steps.values[:2].tolist() == [60 * len(LAB.problem.values)] * 2
    assert int(end.path.alive_modes[-1]) == end.rank
    assert float(end.path.loss[-1]) == pytest.approx(LAB.problem.loss(end.matrix), rel=1e-12)
    np.testing.assert_allclose(end.path.singular_values[-1], rs.singular_values(end.matrix), atol=1e-12)
    assert (np.diff(end.jumps.sel(jump_field="step")) >= 0).all()


def test_the_end_is_stationary_at_the_last_ridge():
    end, m = _anneal(scale=False, ridges=(0.3, 0.1)), len(LAB.problem.values)
    G = LAB.problem.gradient(end.matrix)
    W1, W2, W3 = end.factors
    for gradient, W in ((W2.T @ W3.T @ G, W1), (W3.T @ G @ W1.T, W2), (G @ W1.T @ W2.T, W3)):
        np.testing.assert_allclose(gradient, -2 * 0.1 / m * W, atol=1e-8)


def test_units_of_the_data_do_not_matter():
    shouted = rs.Completion(LAB.problem.rows, LAB.problem.columns, 1024.0 * LAB.problem.values, LAB.problem.shape)
    plain, loud = _anneal(), _anneal(shouted)
    assert loud.rank == plain.rank
    np.testing.assert_allclose(loud.matrix, 1024.0 * plain.matrix, rtol=1e-6, atol=1e-3)
    assert identical([loud.jumps.values], [plain.jumps.values])


def test_a_seed_decides_everything():
    assert identical(_anneal(seed=5).factors, _anneal(seed=5).factors)
    assert not identical(_anneal(seed=5).factors, _anneal(seed=6).factors)


def test_noise_leads_out_of_the_trap_and_the_test_error_falls_fifty_times():
    freed = rs.anneal(PLANTED.problem, epochs=300, **OUT_OF_THE_TRAP)
    stuck = rs.anneal(PLANTED.problem, method="gd", **OUT_OF_THE_TRAP)
    assert freed.concerns == stuck.concerns == ()
    assert (freed.rank, stuck.rank) == (2, 3)
    assert [jump[1:] for jump in freed.jumps.values.tolist()] == [[4, 3], [3, 2]]
    assert PLANTED.test_error(freed.matrix) < PLANTED.test_error(stuck.matrix) / 50
    assert float(freed.path.loss[-1]) < 1e-4  # both fit what is seen
    assert float(stuck.path.loss[-1]) < 1e-4


def test_heldout_entries_are_followed_but_not_used():
    split = LAB.problem.split(0.1)
    end = _anneal(split)
    assert float(end.path.heldout_loss[-1]) == pytest.approx(split.heldout.loss(end.matrix))
    assert identical(end.factors, _anneal(split.training).factors)


def test_a_rate_that_blows_up_is_halved():
    end = _anneal(learning_rate=3.0)
    rates = end.path.learning_rate.values[:-1]
    assert (np.log2(3.0 / rates) % 1 == 0).all()
    assert rates[0] < 3.0
    assert (np.diff(rates) <= 0).all()
    assert end.rank == 2


def test_a_rate_that_never_works_is_an_error(monkeypatch):
    monkeypatch.setattr("rankscape.solvers.descent.stable_rate.LEAST", 1.0)
    with pytest.raises(RunFailed, match="SGD blows up"):
        _anneal(learning_rate=8.0)


# -- a loud voice ----------------------------------------------------------------------------------------


def _caught(**changes):
    """An annealing and the warnings that it issued."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RankscapeWarning)
        end = _anneal(**changes)
    return end, [str(w.message) for w in caught if issubclass(w.category, RankscapeWarning)]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (dict(depth=2), "At depth 2 the ridge is a convex penalty"),
        (dict(replacement=False), "expect no jumps"),
        (dict(ridges=(0.05, 0.01)), r"learning_rate \* ridge \* m was 0.005 at most"),
        (dict(ridges=(3.0, 0.1)), "The first ridge may kill 2 true mode"),
        (dict(width=2), "fills the hidden width"),
    ],
)
def test_what_will_fail_is_said_aloud(changes, text):
    end, said = _caught(**changes)
    assert any(re.search(text, sentence) for sentence in said)
    assert said == list(end.concerns)


def test_a_ridge_that_kills_everything_is_named():
    end, said = _caught(ridges=(30.0, 0.1), method="gd")
    assert end.rank == 0
    assert any("Every mode died" in sentence for sentence in said)


@pytest.mark.parametrize(("scale", "margin"), [(0.1, concerns.GROWS), (1.0, concerns.HOLDS)])
def test_the_threshold_of_the_first_ridge_is_that_of_the_scalar_problem(scale, margin):
    """Fully observed, every mode is its own scalar problem with weight 1 / n^2: the warning names what dies."""
    safe = margin * scalar_thresholds(3, 2 * 0.2 * 4).a_local
    for factor in (1.01, 0.99):
        problem = rs.Completion.from_array(np.diag([2 * safe, factor * safe]))
        found = concerns.before(problem, [scale * np.eye(2)] * 3, "sgd", True, 0.2 * 4)
        assert bool(found) == (factor < 1)


def _first_ridge(lab, ridge_m, start):
    """What is said about a first ridge, for the entries as they are."""
    return [text for text in concerns.before(lab.problem, start, "sgd", True, ridge_m) if "first ridge" in text]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_on_the_planted_problem_the_warning_comes_with_a_ridge_that_kills_and_not_with_the_usual_one(seed):
    """The two true modes are warned about; those of the trap, one entry each, are there to be killed."""
    lab = rs.data.planted(seed=seed)
    m = len(lab.problem.values)
    assert _first_ridge(lab, 0.45, lab.start()) == []
    assert relax(lab.problem, lab.start(), 0.45 / m).rank >= 2
    for ridge_m in (2.5, 4.0):
        assert relax(lab.problem, lab.start(), ridge_m / m).rank < 2
        assert "may kill 2 true mode" in _first_ridge(lab, ridge_m, lab.start())[0]


@pytest.mark.slow
def test_the_defaults_do_not_warn_about_the_first_ridge_of_the_planted_problem():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RankscapeWarning)
        end = rs.anneal(PLANTED.problem, epochs=5)
    assert not any("first ridge" in str(w.message) for w in caught)
    assert int(end.path.alive_modes[-1]) >= 2


def test_parts_that_nothing_connects_are_counted():
    blocks = np.full((8, 8), np.nan)
    blocks[:4, :4] = blocks[4:, 4:] = np.outer([1, 2, 1, 2], [1, 1, 2, 2])
    with pytest.warns(RankscapeWarning, match="2 unconnected parts"):
        end = _anneal(rs.Completion.from_array(blocks), method="gd")
    assert end.components == 2
    assert _anneal().components == 1


def test_a_row_without_entries_goes_to_zero_and_is_named():
    holes = np.where(LAB.unseen, np.nan, LAB.matrix)
    holes[3] = np.nan
    with pytest.warns(FallbackWarning, match="No entry is observed in 1 row"):
        problem = rs.Completion.from_array(holes)
    with pytest.warns(RankscapeWarning, match=r"1 row\(s\) and 0 column\(s\) have no entry"):
        end = _anneal(problem)
    assert np.abs(end.matrix[3]).max() < 1e-3
    assert end.components == 1


# -- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "changes", "text"),
    [
        (rs.Estimation(np.eye(3)), {}, "needs a Completion, got Estimation"),
        (rs.Completion.from_array(np.zeros((3, 3))), {}, "Every observed entry is 0"),
        (LAB.problem, dict(depth=1, width=None), "annealing needs depth 3"),
        (LAB.problem, dict(method="adamw"), "AdamW or isotropic noise"),
        (LAB.problem, dict(ridges=(0.1, 0.3)), "positive and falling"),
        (LAB.problem, dict(ridges=()), "positive and falling"),
        (LAB.problem, dict(ridges=(0.3, 0.0)), "`ridges` must be positive"),
        (LAB.problem, dict(learning_rate=0.0), "`learning_rate` must be positive"),
        (LAB.problem, dict(epochs=-1), "`epochs` must be positive"),
        (LAB.problem, dict(width=0), "`width` must be"),
    ],
)
def test_what_cannot_be_annealed_is_refused(problem, changes, text):
    with pytest.raises(InputError, match=text):
        _anneal(problem, **changes)
