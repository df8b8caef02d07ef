"""Rates that change with the step: what a path says, what engines make of it, and in which units people think."""

import json
from dataclasses import replace

import numpy as np
import optax
import pytest
import reference
from catalogue import CASES, FITS, ONE_OF_EACH, distance, identical
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError
from rankscape.rates import Path, convert, geometric, periodic, piecewise, pulse

STEPS = 120
RIDGE = piecewise({0: 0.05, 37: 0.01, 80: 0.03})
# Where a rate is a number it may be a path: not a flow's, and not one that follows the curvature.
ON_PATHS = {name: c for name, c in ONE_OF_EACH.items() if isinstance(getattr(c.dynamics, "learning_rate", None), float)}
# By module: the tests of one case follow one another, and find what was compiled for it.
every_engine = pytest.mark.parametrize("case", ON_PATHS.values(), ids=ON_PATHS.keys(), scope="module")


def _rate(case):
    """To and fro between the rate of the case and half of it."""
    return periodic([case.dynamics.learning_rate, case.dynamics.learning_rate / 2], [30, 10])


def _moving(case):
    return replace(case.dynamics, learning_rate=_rate(case), ridge=RIDGE)


# -- what a path says ------------------------------------------------------------------------------------


def test_each_constructor_says_its_values():
    assert [piecewise({5: 2.0, 0: 1.0}).at(k) for k in (0, 4, 5, 10**12)] == [1.0, 1.0, 2.0, 2.0]
    annealed = geometric(1.0, 1e-4, stages=5, length=10)
    np.testing.assert_allclose([annealed.at(10 * k) for k in range(6)], [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-4], rtol=1e-14)
    assert geometric(0.5, 0.1, stages=1, length=10).values == (0.5,)
    assert [pulse(1.0, 9.0, 0, 3).at(k) for k in range(5)] == [9.0, 9.0, 9.0, 1.0, 1.0]
    assert [periodic([1.0, 2.0, 3.0], [1, 2, 1]).at(k) for k in range(9)] == [1, 2, 2, 3, 1, 2, 2, 3, 1]


@given(
    values=st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, max_size=4),
    lengths=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    repeats=st.booleans(),
    steps=st.integers(0, 60),
)
def test_breaks_are_the_steps_at_which_the_value_changes(values, lengths, repeats, steps):
    starts = np.cumsum([0, *lengths])[: len(values)].tolist()
    path = periodic(values, lengths[: len(values)]) if repeats else Path(tuple(starts), tuple(values))
    changed = [k for k in range(1, steps) if path.at(k) != path.at(k - 1)]
    assert path.breaks(steps).tolist() == changed


def test_dynamics_at_a_step_hold_plain_numbers():
    moving = rs.SGD(periodic([0.1, 0.2], [5, 5]), geometric(1e-2, 1e-3, 2, 8), batch_size=3, replacement=False)
    assert moving.at(7) == rs.SGD(0.2, 1e-2, batch_size=3, replacement=False)
    assert moving.breaks(20).tolist() == [5, 8, 10, 15]
    assert set(moving.paths) == {"learning_rate", "ridge"}
    constant = rs.GradientDescent(0.1)
    assert constant.at(7) is constant
    assert constant.breaks(20).size == 0


def test_a_description_is_json_and_tells_paths_apart():
    texts = {json.dumps(rs.SGD(0.1, ridge).describe()) for ridge in (0.1, RIDGE, pulse(0.1, 0.2, 3, 4), 0.2)}
    assert len(texts) == 4
    assert json.loads(json.dumps(rs.SGD(0.1, RIDGE).describe()))["ridge"]["starts"] == [0, 37, 80]


# -- what engines make of it -----------------------------------------------------------------------------


@every_engine
def test_every_engine_follows_the_reference_with_the_rates_in_force(case):
    case = replace(case, dynamics=_moving(case))
    assert distance(case.simulate(STEPS).factors, case.reference_factors(STEPS)) < 1e-12


@every_engine
def test_a_run_on_a_path_does_not_depend_on_how_it_is_cut(case):
    often = case.simulate(STEPS, dynamics=_moving(case), record=rs.Every(7))
    assert identical(case.simulate(STEPS, dynamics=_moving(case), record=[STEPS]).factors, often.factors)


@every_engine
def test_lanes_with_different_paths_equal_single_runs(case):
    pulsed = replace(_moving(case), ridge=pulse(0.01, 0.1, 50, 9))
    lanes = [_moving(case), replace(case.dynamics, ridge=0.02), pulsed]
    batch = case.simulate(STEPS, dynamics=lanes, record=[0, 60, STEPS])
    for k, lane in enumerate(lanes):
        single = case.simulate(STEPS, dynamics=lane, record=[0, 60, STEPS])
        assert identical(batch.all_factors[k], single.factors)
        np.testing.assert_array_equal(batch.objective[k], single.objective)


def test_stages_one_after_the_other_are_the_same_run():
    case, stages = CASES["matrix-completion-3-equal"], {0: 0.2, 50: 0.1, 90: 0.05}
    whole = case.simulate(STEPS, dynamics=rs.GradientDescent(piecewise(stages), 0.01))
    now = case.simulate(steps=0)
    for rate, steps in ((0.2, 50), (0.1, 40), (0.05, 30)):
        now = rs.simulate(case.fit.problem, initialization=now, dynamics=rs.GradientDescent(rate, 0.01), steps=steps)
    assert identical(now.factors, whole.factors)


@every_engine
def test_records_show_the_rates_in_force_and_the_objective_with_them(case):
    run = case.simulate(STEPS, dynamics=_moving(case), record=[0, 36, 37, 79, 80, STEPS])
    assert run.ridge.values.tolist() == [0.05, 0.05, 0.01, 0.01, 0.03, 0.03]
    assert run.learning_rate.values.tolist() == [_rate(case).at(k) for k in run.dataset.step.values.tolist()]
    penalty = run.ridge * (run.layer_norm**2).sum("layer")
    np.testing.assert_allclose(run.objective, run.loss + penalty, rtol=1e-13)


@pytest.mark.usefixtures("short_chunks")
@every_engine
def test_an_interrupted_run_on_a_path_ends_like_an_undisturbed_one(case, tmp_path):
    def interrupt(step, steps, record):
        if step >= 64:
            raise KeyboardInterrupt

    setting = dict(dynamics=_moving(case), record=rs.Every(40))
    with pytest.raises(KeyboardInterrupt):
        case.simulate(STEPS, **setting, checkpoint=tmp_path / "run.npz", progress=interrupt)
    assert (tmp_path / "run.npz").exists()
    resumed = case.simulate(STEPS, **setting, checkpoint=tmp_path / "run.npz")
    assert identical(resumed.factors, case.simulate(STEPS, **setting).factors)


# -- units -----------------------------------------------------------------------------------------------


PROBLEM = FITS["completion"].problem
M = len(PROBLEM.values)


def test_units_are_those_of_the_mean_over_entries():
    assert convert(0.3, PROBLEM, value="ridge * m") == 0.3 / M
    assert convert(0.05, PROBLEM, value="learning_rate / batch_size", batch_size=4) == 0.2
    assert convert(0.05, PROBLEM) == 0.05
    path = convert(geometric(0.4, 0.1, 3, length=10), PROBLEM, value="ridge * m", time="epochs", batch_size=4)
    assert path.starts == (0, round(10 * M / 4), round(20 * M / 4))
    np.testing.assert_allclose(path.values, np.array([0.4, 0.2, 0.1]) / M, rtol=1e-14)
    assert convert(periodic([1.0, 2.0], [0.5, 1.5]), PROBLEM, time="epochs").period == 2 * M


def test_epochs_of_sensing_count_measurements():
    path = convert(geometric(0.1, 0.01, 2, length=3), FITS["sensing"].problem, time="epochs")
    assert path.starts == (0, 3 * 7)


def test_linear_scaling_keeps_the_drift_of_an_epoch_and_its_noise():
    """Over one step of b entries the scaled rate moves the factors like b steps of one entry, to first order."""
    factors = CASES["entrywise-single-3-equal"].simulate(steps=0).factors
    entries, rate = (PROBLEM.rows[:4], PROBLEM.columns[:4], PROBLEM.values[:4]), 1e-6
    scaled = convert(rate, PROBLEM, value="learning_rate / batch_size", batch_size=4)
    together, one_by_one = reference.sgd_step(factors, *entries, scaled, 0.0), factors
    for k in range(4):
        one_by_one = reference.sgd_step(one_by_one, *(part[[k]] for part in entries), rate, 0.0)
    for new, stepwise, old in zip(together, one_by_one, factors, strict=True):
        np.testing.assert_allclose(new - old, stepwise - old, rtol=1e-3, atol=1e-10)


# -- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: convert(0.1, PROBLEM, value="ridge*m"), "did you mean 'ridge \\* m'"),
        (lambda: convert(0.1, PROBLEM, time="hours"), "`time` must be one of 'steps', 'epochs', got 'hours'"),
        (lambda: convert(0.1, FITS["symmetric"].problem, value="ridge * m"), "an Estimation has no|Estimation has no"),
        (lambda: convert(-1.0, PROBLEM), "zero or positive"),
        (lambda: rs.SGD(0.1, geometric(0.1, 0.01, 3, length=2.5)), r"changes at 2.5, which is no whole step; convert"),
        (lambda: rs.SGD(pulse(0.1, 0.0, 5, 5)), "`learning_rate` must be positive"),
        (lambda: rs.GradientDescent(0.1, Path((0,), (-1.0,))), "`ridge` must be zero or positive"),
        (lambda: rs.GradientFlow(0.1, ridge=RIDGE), "`ridge` of GradientFlow must be one number"),
        (lambda: rs.Optimizer(optax.adam(0.1), ridge=RIDGE), "`ridge` of Optimizer must be one number"),
        (lambda: Path((0, 5, 5), (1.0, 2.0, 3.0)), "increasing steps"),
        (lambda: Path((1,), (1.0,)), "starts at 0"),
        (lambda: Path((0, 5), (1.0, 2.0), period=5), "increasing steps"),
        (lambda: Path((0,), (np.nan,)), "finite"),
        (lambda: piecewise({}), "must map steps to values"),
        (lambda: periodic([1.0], [1, 2]), "same length"),
        (lambda: geometric(0.1, 0.0, 3, 10), "`last` must be positive"),
        (lambda: geometric(0.1, 0.2, 0, 10), "`stages` must be"),
    ],
)
def test_what_is_no_path_is_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()
