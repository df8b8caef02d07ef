"""Gradient flow: closed forms, scalar equations and factors against SciPy and published values; any way it is cut."""

from dataclasses import replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
import xarray as xr
from catalogue import FITS, Case, identical

import rankscape as rs
from rankscape.errors import DivergenceWarning, InputError

STEPS = 120


def _case(name, fit, depth, start, ridge=0.0, width=None):
    return Case(name, "flow", FITS[fit], depth, start, rs.GradientFlow(0.05, ridge=ridge), width)


ALIGNED = {
    case.name: case
    for case in [
        _case("closed-1", "symmetric", 1, rs.Identical(0.4), 0.01),
        _case("closed-2-identical", "symmetric", 2, rs.Identical(0.4)),
        _case("closed-2-ridge", "symmetric", 2, rs.Identical(0.4), 0.3),
        _case("closed-2-perturbed", "symmetric", 2, rs.PerturbedIdentical(0.4, 0.1)),
        _case("closed-2-beta-is-alpha", "symmetric", 2, rs.PerturbedIdentical(0.4, 0.4, layer=2)),
        _case("closed-2-aligned", "rectangular", 2, rs.Balanced(spectrum=[0.3, 0.0, 0.2]), 0.01, 6),
        _case("modes-2-perturbed-ridge", "symmetric", 2, rs.PerturbedIdentical(0.4, 0.1), 0.01),
        _case("modes-3", "symmetric", 3, rs.Identical(0.4), 0.01),
        _case("modes-5-perturbed", "symmetric", 5, rs.PerturbedIdentical(0.6, 0.2, layer=3)),
        _case("modes-3-aligned", "rectangular", 3, rs.Balanced(spectrum=[0.3, 0.1, 0.2]), 0.01, 6),
    ]
}
GENERAL = {
    case.name: case
    for case in [
        _case("factors-symmetric-1", "symmetric", 1, rs.Gaussian(0.5), 0.02),
        _case("factors-rectangular-2", "rectangular", 2, rs.Gaussian(0.5), 0.02, 2),
        _case("factors-rectangular-5", "rectangular", 5, rs.Orthogonal(0.8), 0.02, [6, 3, 5, 2]),
        _case("factors-sensing-3", "sensing", 3, rs.Gaussian(0.5)),
        _case("factors-completion-3", "completion", 3, rs.Gaussian(0.5), 0.01, 3),
        _case("factors-objective-2", "objective", 2, rs.Gaussian(0.5), 0.02),
    ]
}
CASES = ALIGNED | GENERAL
ONE_OF_EACH = {name: CASES[name] for name in ("closed-2-perturbed", "modes-3", "factors-completion-3")}

# By module: the tests of one case follow one another, and find what was compiled for it.
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys(), scope="module")
every_way = pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())


@every_case
def test_the_flow_of_the_factors_is_that_of_scipy(case):
    start = case.simulate(0).factors
    expected = reference.flow(start, case.fit.gradient, case.dynamics.ridge, 0.05 * STEPS)
    run = case.simulate(STEPS, record=[0, STEPS])
    assert max(np.abs(A - B).max() for A, B in zip(run.factors, expected, strict=True)) < 1e-8
    assert run.dataset.attrs["engine"] == "flow"


@pytest.mark.parametrize("case", ALIGNED.values(), ids=ALIGNED.keys())
def test_modes_alone_are_the_flow_of_the_factors(case):
    alone = case.simulate(STEPS, record=rs.Every(40))
    together = case.simulate(
        STEPS, record=rs.Every(40), width=None, initialization=rs.Factors(case.simulate(0).factors)
    )
    for name in ("loss", "singular_values", "layer_norm", "imbalance", "objective"):
        np.testing.assert_allclose(alone.dataset[name], together.dataset[name], rtol=0, atol=1e-8)


# -- published values ------------------------------------------------------------------------------------

# Times at which the product passes a level: (eigenvalue, alpha, level, {depth: time}).
PASSING_TIMES = [
    (1, 0.1, 0.5, {2: 2.2975599250673, 3: 9.1447473066083, 4: 49.728579845647, 5: 333.281206046, 10: 12500000.264412}),
    (1, 0.1, 0.99, {2: 4.5951198501346, 3: 10.772590413719, 4: 50.989092348757}),
    (2.5, 0.2, 2, {2: 1.1010663071865, 3: 1.9031886446944, 4: 5.0379850093371, 5: 16.735360733761}),
    (1, 2, 1.01, {2: 2.1637192221948, 3: 1.374232292108, 4: 0.99888647410249, 5: 0.78306289011881}),
    (-1, 0.5, 1e-3, {2: 2.6496584334406, 3: 7.8858001553214, 4: 13.704705090277}),
    (0, 0.5, 1e-3, {2: 498, 3: 2496, 4: 5259.7961002806}),
]
IDENTICAL_TIMES = [(depth, *row[:3], time) for row in PASSING_TIMES for depth, time in row[3].items()]


def _at(time, lam, depth, start):
    """The product at `time`, which is step 8 of a run that also looks on the way."""
    problem, dynamics = rs.Estimation(eigenvalues=[lam]), rs.GradientFlow(time / 8)
    run = rs.simulate(problem, depth, initialization=start, dynamics=dynamics, steps=8, record=[0, 3, 8])
    assert run.dataset.attrs["engine"] == "flow"
    return float(run.eigenvalues[-1, 0])


@pytest.mark.parametrize(("depth", "lam", "alpha", "level", "time"), IDENTICAL_TIMES)
def test_the_product_passes_a_level_at_the_known_time(depth, lam, alpha, level, time):
    p = _at(time, lam, depth, rs.Identical(alpha))
    slope = depth * level ** (2 - 2 / depth) * (lam - level)
    assert abs((p - level) / slope) < 1e-9 * time


@pytest.mark.parametrize(
    ("depth", "values"),
    [
        (2, [0.06945315965638, 0.8029571527703, 0.9999997959458]),
        (3, [0.001371206075784, 0.002908965716359, 0.9094265870885]),
    ],
)
def test_the_product_has_the_known_values(depth, values):
    setting = dict(initialization=rs.Identical(0.1), dynamics=rs.GradientFlow(1.0), steps=10, record=[1, 3, 10])
    run = rs.simulate(rs.Estimation(eigenvalues=[1.0]), depth, **setting)
    np.testing.assert_allclose(run.eigenvalues[:, 0], values, rtol=1e-9)


@pytest.mark.parametrize(
    ("depth", "lam", "time"),
    [
        (2, 1, 1.35306181766), (2, -1, 2.96394961941), (3, 1, 2.87440645311), (3, -1, 9.40168376154),
        (4, 1, 6.36160881354), (4, -1, 33.028383658), (5, 1, 15.3045202238), (5, -1, 125.017820234),
    ],
)  # fmt: skip
def test_a_perturbed_start_reaches_half_of_the_eigenvalue_at_the_known_time(depth, lam, time):
    assert _at(time, lam, depth, rs.PerturbedIdentical(0.3, 0.1)) == pytest.approx(lam / 2, rel=2e-9)


@pytest.mark.parametrize("time", [1e-9, 1.0, 1e3, 1e7])
@pytest.mark.parametrize(
    "start", [rs.Identical(0.3), rs.PerturbedIdentical(0.3, 1e-9), rs.PerturbedIdentical(0.3, 0.2)]
)
def test_the_closed_form_has_no_bad_time_or_eigenvalue(start, time):
    eigenvalues = [5.0, 1e-3, 1e-12, 0.0, -1e-12, -1e-3, -5.0]
    dynamics = rs.GradientFlow(time)
    run = rs.simulate(rs.Estimation(eigenvalues=eigenvalues), 2, initialization=start, dynamics=dynamics, steps=1)
    p = run.eigenvalues[-1].values
    assert np.all(np.diff(p) <= 1e-15)
    small = p[np.abs(eigenvalues) <= 1e-12]
    if isinstance(start, rs.Identical):
        np.testing.assert_allclose(small, 0.09 / (1 + 0.18 * time), rtol=2e-4)
        assert np.all(p >= 0)
    if time >= 1e3:
        assert p[0] == pytest.approx(5.0, abs=1e-14)


# -- properties of the flow ------------------------------------------------------------------------------


def test_the_imbalance_is_conserved():
    run = GENERAL["factors-sensing-3"].simulate(STEPS, record=rs.Every(10))
    before = run.imbalance[0].values
    assert np.all(before > 0.1)
    assert np.abs(run.imbalance.values / before - 1).max() < 1e-10


def test_a_ridge_halves_the_imbalance_at_a_known_rate():
    case = GENERAL["factors-rectangular-2"]
    run = case.simulate(STEPS, record=rs.Every(10))
    decay = np.exp(-4 * case.dynamics.ridge * 0.05 * run.step.values)[:, None]
    np.testing.assert_allclose(run.imbalance, decay * run.imbalance[0].values, rtol=1e-9)


@pytest.mark.parametrize("name", ["closed-2-perturbed", "modes-3", "factors-rectangular-5", "factors-completion-3"])
def test_gradient_descent_tends_to_the_flow_at_first_order(name):
    case = CASES[name]
    flow, errors = case.simulate(20).product, []
    for parts in (50, 100, 200):
        dynamics = rs.GradientDescent(0.05 / parts, ridge=case.dynamics.ridge)
        run = case.simulate(20 * parts, record=[0], dynamics=dynamics, engine="auto")
        errors.append(np.abs(run.product - flow).max())
    assert errors[0] < 1e-2
    for coarse, fine in pairwise(errors):
        assert coarse / fine == pytest.approx(2, rel=0.03)


def test_the_time_step_only_counts_time():
    case = GENERAL["factors-completion-3"]
    fine = case.simulate(1000, dynamics=rs.GradientFlow(0.01))
    coarse = case.simulate(1, dynamics=rs.GradientFlow(10.0))
    np.testing.assert_allclose(fine.product, coarse.product, rtol=0, atol=1e-9)


def test_the_tolerance_decides_the_accuracy():
    case = GENERAL["factors-rectangular-5"]
    exact = case.simulate(STEPS, dynamics=rs.GradientFlow(0.05, rtol=1e-13, atol=1e-14)).product
    errors = [
        np.abs(case.simulate(STEPS, dynamics=rs.GradientFlow(0.05, rtol=rtol, atol=rtol)).product - exact).max()
        for rtol in (1e-4, 1e-7, 1e-10)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] < 1e-2
    assert errors[2] < 1e-8


def test_a_long_flow_rests_at_the_minimum():
    run = GENERAL["factors-rectangular-2"].simulate(200, dynamics=rs.GradientFlow(100.0))
    target = FITS["rectangular"].problem.target
    U, sigma, Vt = np.linalg.svd(target, full_matrices=False)
    np.testing.assert_allclose(run.product, (U[:, :2] * sigma[:2]) @ Vt[:2], atol=1e-8)
    assert np.all(np.diff(run.loss) < 1e-9)


# -- however it is cut -----------------------------------------------------------------------------------


@every_case
def test_recording_does_not_change_the_flow(case):
    often = case.simulate(STEPS, record=rs.Every(7))
    once = case.simulate(STEPS, record=[STEPS])
    assert identical(often.factors, once.factors)
    last = often.dataset.isel(step=[-1])
    xr.testing.assert_identical(last.drop_attrs(), once.dataset.drop_attrs())


@every_way
def test_the_length_of_a_run_does_not_change_its_flow(case):
    long, short = case.simulate(STEPS, record=rs.Every(10)), case.simulate(50, record=[50])
    for name in short.dataset:
        np.testing.assert_array_equal(long.dataset[name].sel(step=50), short.dataset[name][0])


class Interrupted(Exception):
    pass


@every_way
@pytest.mark.usefixtures("short_chunks")
def test_an_interrupted_flow_ends_like_an_undisturbed_one(case, tmp_path):
    undisturbed = case.simulate(STEPS, record=rs.Every(30))
    for stop in (16, 17, 64):

        def interrupt(step, *_, stop=stop):
            if step >= stop:
                raise Interrupted

        with pytest.raises(Interrupted):
            case.simulate(STEPS, record=rs.Every(30), checkpoint=tmp_path / "run.npz", progress=interrupt)
    resumed = case.simulate(STEPS, record=rs.Every(30), checkpoint=tmp_path / "run.npz")
    assert identical(resumed.factors, undisturbed.factors)
    xr.testing.assert_identical(resumed.dataset.drop_attrs(), undisturbed.dataset.drop_attrs())


BATCHES = {
    "closed-2-perturbed": {"initialization": [rs.PerturbedIdentical(a, a / 3) for a in (0.4, 0.2, 0.3)]},
    "modes-3": {"dynamics": [rs.GradientFlow(t, ridge=t / 9) for t in (0.02, 0.05, 0.1)]},
    "factors-completion-3": {"seed": [5, 0, 7]},
    "closed-2-aligned": {"initialization": [rs.Balanced(spectrum=0.1), rs.Balanced(0.1 * np.eye(3, 5))]},
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_lane_of_a_batch_is_the_single_flow(name):
    case, lists = CASES[name], BATCHES[name]
    batch = case.simulate(STEPS, record=rs.Every(50), **lists)
    for k in range(batch.dataset.sizes["run"]):
        alone = case.simulate(STEPS, record=rs.Every(50), **{key: values[k] for key, values in lists.items()})
        assert identical(batch.all_factors[k], alone.factors)
        for variable in alone.dataset:
            np.testing.assert_array_equal(batch.select(k).dataset[variable], alone.dataset[variable])


def test_a_finished_flow_is_continued():
    case = GENERAL["factors-completion-3"]
    half = case.simulate(60)
    rest = rs.simulate(case.fit.problem, initialization=half, dynamics=case.dynamics, steps=60)
    np.testing.assert_allclose(rest.product, case.simulate(120).product, rtol=0, atol=1e-9)


# -- the house around it ---------------------------------------------------------------------------------


def test_symmetric_runs_record_signed_eigenvalues():
    run = ALIGNED["closed-2-perturbed"].simulate(4000, record=[0, 4000])
    np.testing.assert_allclose(run.eigenvalues[-1], run.dataset.target_eigenvalue, atol=1e-9)
    assert float(run.dataset.target_eigenvalue.min()) < 0


@pytest.mark.parametrize("flag", [False, True])
@every_way
def test_the_callers_precision_flag_is_unchanged(case, flag):
    before = jax.config.jax_enable_x64
    try:
        jax.config.update("jax_enable_x64", flag)
        run = case.simulate(20)
        assert jax.config.jax_enable_x64 is flag
    finally:
        jax.config.update("jax_enable_x64", before)
    assert identical(run.factors, case.simulate(20).factors)


def test_the_callers_factors_are_unchanged(rng):
    given = [rng.normal(size=(3, 4)), rng.normal(size=(5, 3))]
    before = [W.copy() for W in given]
    run = GENERAL["factors-completion-3"].simulate(20, depth=2, width=None, initialization=rs.Factors(given))
    assert identical(given, before)
    assert not identical(run.factors, before)


@pytest.mark.usefixtures("short_chunks")
def test_widths_are_compressed_while_it_flows():
    target = np.zeros((6, 7))
    target[0, 0], target[1, 1] = 6.0, 4.0
    setting = dict(initialization=rs.Orthogonal(0.9), dynamics=rs.GradientFlow(0.5, ridge=0.5), steps=120, record=[120])
    wide = rs.simulate(rs.Estimation(target), 3, **setting)
    narrow = rs.simulate(rs.Estimation(target), 3, compress_width=True, **setting)
    assert [W.shape for W in narrow.factors] == [(2, 7), (2, 2), (6, 2)]
    np.testing.assert_allclose(narrow.product, wide.product, rtol=0, atol=1e-9)


@pytest.mark.usefixtures("short_chunks")
def test_modes_that_evolve_alone_have_no_width_to_compress():
    problem, dynamics = rs.Estimation(eigenvalues=[6.0, 4.0, 0.0]), rs.GradientFlow(0.5, ridge=0.5)
    with pytest.raises(InputError, match="`compress_width` is not for a flow whose modes evolve alone"):
        rs.simulate(problem, 3, initialization=rs.Identical(0.9), dynamics=dynamics, steps=STEPS, compress_width=True)


def _blow_up(steps, record):
    problem = rs.Objective(lambda W: -(W**4).sum(), shape=(1, 1))  # W = W_1: W' = 4 W^3 ends at t = 1 / (8 W_0^2)
    setting = dict(initialization=rs.Identical(0.5), dynamics=rs.GradientFlow(0.0101), steps=steps, record=record)
    with pytest.warns(DivergenceWarning, match="diverged at step 50"):
        return rs.simulate(problem, 1, **setting)


def test_a_flow_that_ends_in_finite_time_is_said_to_diverge():
    often, once = _blow_up(80, rs.Every(1)), _blow_up(80, [80])
    assert often.outcome == once.outcome == "diverged"
    assert identical(often.factors, once.factors)
    np.testing.assert_allclose(once.product, 1 / np.sqrt(4 - 8 * 0.0101 * 49), rtol=1e-7)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"time_step": 0}, "`time_step` must be positive"),
        ({"time_step": -1}, "`time_step` must be positive"),
        ({"time_step": 1, "ridge": -1}, "`ridge` must be zero or positive"),
        ({"time_step": 1, "rtol": -1e-6}, "`rtol` must be positive"),
        ({"time_step": 1, "atol": -1e-6}, "`atol` must be positive"),
        ({"time_step": 1, "atol": 0}, "`atol` must be positive"),
        ({"time_step": 1, "rtol": 1e-16}, "`rtol` must be at least 1e-13"),
        ({"time_step": np.nan}, "`time_step` must be positive"),
    ],
)
def test_bad_numbers_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        rs.GradientFlow(**numbers)


def test_a_flow_needs_float64():
    with pytest.raises(InputError, match="not flow: a flow is solved in float64, float32 has no room"):
        replace(GENERAL["factors-sensing-3"], engine="auto").simulate(5, dtype="float32")


@pytest.mark.parametrize("engine", ["matrix", "spectral", "entrywise"])
def test_other_engines_leave_a_flow_to_its_own(engine):
    with pytest.raises(InputError, match="its dynamics are GradientFlow"):
        ALIGNED["modes-3"].simulate(5, engine=engine)


def test_the_flow_engine_leaves_gradient_descent_to_the_others():
    with pytest.raises(InputError, match="its dynamics are GradientDescent"):
        ALIGNED["modes-3"].simulate(5, dynamics=rs.GradientDescent(0.1))


def test_an_objective_without_smoothness_flows():
    problem = rs.Objective(lambda W: jnp.sum(jnp.cosh(W - 1.0)), shape=(2, 2))
    run = rs.simulate(problem, 2, initialization=rs.Gaussian(0.3), dynamics=rs.GradientFlow(10.0), steps=1000)
    np.testing.assert_allclose(run.product, np.ones((2, 2)), atol=1e-8)
