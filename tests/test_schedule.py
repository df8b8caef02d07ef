"""When a state is recorded, and the numbers of the dynamics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError
from rankscape.run.schedule import FEWEST, MOST, SHARE, UNNOTICED, default_schedule, resolve

totals = st.integers(0, 10**7)


@given(totals, st.integers(1, 400).map(rs.LogSpaced))
def test_a_log_spaced_schedule_is_sorted_and_ends_at_both_ends(total, schedule):
    steps = schedule.steps(total)
    assert steps[0] == 0
    assert steps[-1] == total
    assert np.all(np.diff(steps) > 0)
    assert np.issubdtype(steps.dtype, np.integer)
    assert len(steps) <= max(schedule.count, 3)


@given(st.integers(0, 5000), st.integers(1, 6000))
def test_a_regular_schedule_takes_each_multiple_and_the_end(total, interval):
    assert rs.Every(interval).steps(total).tolist() == sorted({*range(0, total + 1, interval), total})


def test_a_log_spaced_schedule_has_equal_ratios():
    steps = rs.LogSpaced(8).steps(10**6)
    np.testing.assert_allclose(np.diff(np.log10(steps[1:])), 1.0, atol=1e-12)


@given(totals, st.floats(1e-3, 1e4), st.floats(1, 1e6))
def test_the_default_schedule_costs_a_small_share_or_too_little_to_notice(total, step_cost, record_cost):
    steps = default_schedule(total, step_cost, record_cost)
    assert steps[0] == 0
    assert steps[-1] == total
    assert np.all(np.diff(steps) > 0)
    allowed = max(SHARE * total * step_cost, UNNOTICED, FEWEST * record_cost)
    assert len(steps) <= min(allowed / record_cost, MOST) + 2


def test_the_default_schedule_sees_the_start_and_the_plateaus():
    steps = default_schedule(10**6, 100.0, 100.0)
    assert np.sum(steps < 1000) > 50  # where spectra move fast
    assert np.diff(steps).max() <= 10**6 / 140  # no jump between records is long


@pytest.mark.parametrize("given_steps", [[5, 0, 5, 2], (0, 2, 5), range(0, 6), np.array([5, 2, 0]), iter([0, 2, 5])])
def test_explicit_steps_are_sorted_and_unique(given_steps):
    expected = list(range(6)) if isinstance(given_steps, range) else [0, 2, 5]
    assert resolve(given_steps, 10, 1.0, 1.0).tolist() == expected


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ([], "names no step"),
        ([0, 11], r"must lie within 0..10, got 0..11"),
        ([-1, 5], r"must lie within 0..10, got -1..5"),
        ([0.5], "whole steps, got float64"),
        (5, "a list of steps, Every"),
        (["a"], "whole steps"),
    ],
)
def test_steps_that_cannot_be_recorded_are_refused(record, reason):
    with pytest.raises(InputError, match=reason):
        resolve(record, 10, 1.0, 1.0)


@pytest.mark.parametrize("make", [lambda: rs.Every(0), lambda: rs.Every(-3), lambda: rs.Every(2.5)])
def test_an_interval_is_a_positive_whole_number(make):
    with pytest.raises(InputError, match="`interval`"):
        make()


def test_a_run_without_steps_records_its_start():
    run = rs.simulate(
        rs.Estimation(np.eye(2)), 2, initialization=rs.Identical(0.5), dynamics=rs.GradientDescent(0.1), steps=0
    )
    assert run.step.values.tolist() == [0]
    np.testing.assert_array_equal(run.product, 0.25 * np.eye(2))
    assert run.outcome == "finished"


# -- dynamics --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, -1e-3, np.nan, np.inf])
@pytest.mark.parametrize("kind", [rs.GradientDescent, rs.SGD])
def test_a_learning_rate_is_positive_and_finite(kind, rate):
    with pytest.raises(InputError, match=f"`learning_rate` must be positive and finite, got {rate}"):
        kind(rate)


@pytest.mark.parametrize("ridge", [-1e-9, np.nan, np.inf])
@pytest.mark.parametrize(
    "make", [lambda r: rs.GradientDescent(0.1, r), lambda r: rs.SGD(0.1, r), lambda r: rs.Optimizer(_sgd(), r)]
)
def test_a_ridge_is_not_negative_and_finite(make, ridge):
    with pytest.raises(InputError, match=f"`ridge` must be zero or positive and finite, got {ridge}"):
        make(ridge)


def _sgd():
    import optax

    return optax.sgd(0.1)


@pytest.mark.parametrize("size", [0, -1, 1.5])
def test_a_batch_size_is_a_positive_whole_number(size):
    with pytest.raises(InputError, match=f"`batch_size` .* got {size}"):
        rs.SGD(0.1, batch_size=size)


def test_an_optimizer_is_an_optax_transformation():
    with pytest.raises(InputError, match="optax GradientTransformation"):
        rs.Optimizer("adam")


@pytest.mark.parametrize("steps", [-1, 2.5, np.nan])
def test_a_number_of_steps_is_whole(steps):
    with pytest.raises(InputError, match="`steps` must be a whole number"):
        rs.simulate(
            rs.Estimation(np.eye(2)), initialization=rs.Identical(0.5), dynamics=rs.GradientDescent(0.1), steps=steps
        )


ESTIMATION, START, DYNAMICS = rs.Estimation(np.eye(2)), rs.Identical(0.5), rs.GradientDescent(0.1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"problem": np.eye(2)}, r"`problem` must be .*, got ndarray; wrap a matrix as Estimation\(matrix\)"),
        ({"initialization": "zeros"}, "`initialization` must be .*, got str"),
        ({"initialization": [np.eye(2), np.eye(2)]}, r"Factors\(\[W_1, ..., W_N\]\)"),
        ({"dynamics": 0.1}, "`dynamics` must be a rule such as .*, got 0.1"),
        ({"dtype": "float16"}, "'float64' or 'float32', got 'float16'"),
        ({"seed": -1}, r"`seed` must be a whole number within 0 .. 18446744073709551615, got -1"),
        ({"seed": 2**64}, "`seed` must be a whole number within"),
        ({"seed": 1.5}, "`seed`"),
        ({"seed": [1, 2], "dynamics": [DYNAMICS] * 3}, "must have the same length"),
        ({"seed": []}, "at least 1"),
        ({"dynamics": [DYNAMICS, rs.SGD(0.1)]}, "must share"),
        ({"depth": 0}, "`depth` must be a whole number within 1 .. 1000, got 0"),
        ({"depth": 2.5}, "`depth`"),
        ({"width": 2.5}, "`width`"),
        ({"width": 0}, "`width` must be a whole number of at least 1"),
        ({"depth": 3, "width": [2]}, "depth 3 has 2 hidden widths, but `width` names 1"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(changes, reason):
    setting = dict(problem=ESTIMATION, initialization=START, dynamics=DYNAMICS, steps=1) | changes
    with pytest.raises(InputError, match=reason):
        rs.simulate(setting.pop("problem"), **setting)


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"initialization": rs.Identical(np.float32(0.5))},
        lambda: {"initialization": rs.PerturbedIdentical(0.5, 0.1, layer=np.int64(1))},
        lambda: {"dynamics": rs.GradientDescent(np.float32(0.1))},
        lambda: {"dynamics": rs.GradientDescent(np.array(0.1))},
    ],
    ids=["float32", "int64", "float32 rate", "0-d array"],
)
def test_numbers_may_be_numpy_scalars(make):
    run = rs.simulate(ESTIMATION, 2, **dict(initialization=START, dynamics=DYNAMICS, steps=5) | make())
    assert run.outcome == "finished"


def test_a_batch_size_may_be_a_numpy_scalar():
    problem = rs.Completion.from_array(np.eye(2))
    run = rs.simulate(problem, 2, initialization=START, dynamics=rs.SGD(0.1, batch_size=np.int64(2)), steps=5)
    assert run.outcome == "finished"
