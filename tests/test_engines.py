"""Every engine does the same: the reference step, whatever is recorded, alone or in a batch."""

import functools
from dataclasses import fields, replace
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import xarray as xr
from catalogue import CASES, FITS, ONE_OF_EACH, distance, identical

import rankscape as rs
from rankscape.engine.choose import ENGINES
from rankscape.errors import InputError

# By module: the tests of one case follow one another, and find what was compiled for it.
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys(), scope="module")
every_engine = pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys(), scope="module")
ALIGNED = {name: CASES[f"spectral-{name}"] for name in ("identical-3", "perturbed-2", "perturbed-5", "aligned-3")}


@every_case
def test_an_engine_agrees_with_the_reference_step(case):
    assert distance(case.simulate(record=[0]).factors, case.reference_factors()) < case.tolerance


@every_case
def test_recording_does_not_change_the_trajectory(case):
    often = case.simulate(record=rs.Every(7))
    once = case.simulate(record=[300])
    assert identical(often.factors, once.factors)
    last = often.dataset.isel(step=[-1])
    xr.testing.assert_identical(last.drop_attrs(), once.dataset.drop_attrs())


@every_case
def test_records_describe_the_state(case):
    run = case.simulate(record=[0, 300])
    W, factors, ridge = run.product, run.factors, case.dynamics.ridge
    sigma = np.linalg.svd(W, compute_uv=False)
    norms = [np.sqrt(np.sum(F**2)) for F in factors]
    end = run.dataset.isel(step=-1)
    tolerance = dict(rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(end.singular_values, sigma, **tolerance)
    np.testing.assert_allclose(end.loss, case.fit.problem.loss(W), **tolerance)
    np.testing.assert_allclose(end.ridge_penalty, ridge * np.sum(np.square(norms)), **tolerance)
    np.testing.assert_allclose(end.objective, end.loss + end.ridge_penalty, **tolerance)
    np.testing.assert_allclose(end.layer_norm, norms, **tolerance)
    np.testing.assert_allclose(
        end.imbalance, [np.linalg.norm(B.T @ B - A @ A.T) for A, B in pairwise(factors)], **tolerance
    )
    np.testing.assert_allclose(end.effective_rank, sigma.sum() / sigma[0], **tolerance)
    assert run.step.values.tolist() == [0, 300]


BATCHES = {
    "seeds": {"seed": [5, 0, 7]},
    "dynamics": {"dynamics": [0.01, 0.02, 0.005]},
    "initializations": {"initialization": [0.4, 0.2, 0.3]},
}


def _lists(case, kind):
    """The batch as lists of what `case` is made of, three runs."""
    values = BATCHES[kind][{"seeds": "seed", "dynamics": "dynamics", "initializations": "initialization"}[kind]]
    if kind == "seeds":
        return {"seed": values}
    if kind == "dynamics":
        rate = fields(case.dynamics)[0].name
        follows = isinstance(getattr(case.dynamics, rate), rs.rates.Curvature)
        rates = [rs.rates.Curvature(safety=20 * value) if follows else value for value in values]
        pairs = zip(rates, values, strict=True)
        return {"dynamics": [replace(case.dynamics, **{rate: eta, "ridge": ridge}) for eta, ridge in pairs]}
    start = case.initialization
    if isinstance(start, rs.PerturbedIdentical):
        return {"initialization": [rs.PerturbedIdentical(scale, scale / 3, start.layer) for scale in values]}
    if isinstance(start, rs.Balanced):
        return {"initialization": [rs.Balanced(spectrum=scale) for scale in values]}
    return {"initialization": [type(start)(scale) for scale in values]}


NAMES = ("matrix-rectangular-2-narrow", "matrix-sensing-5", "matrix-rectangular-3-varied-float32")
NAMES += ("entrywise-single-2-narrow", "entrywise-batch-3", "spectral-identical-3-float32", "spectral-perturbed-5")
BATCHED = ONE_OF_EACH | {name: CASES[name] for name in (*NAMES, "spectral-aligned-3")}


@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("case", BATCHED.values(), ids=BATCHED.keys())
def test_a_lane_of_a_batch_is_the_single_run(case, kind):
    lists = _lists(case, kind)
    batch = case.simulate(record=rs.Every(100), **lists)
    assert batch.dataset.sizes["run"] == 3
    for k in range(3):
        alone = case.simulate(record=rs.Every(100), **{key: values[k] for key, values in lists.items()})
        assert identical(batch.all_factors[k], alone.factors)
        lane = batch.select(k)
        assert identical(lane.factors, alone.factors)
        for variable in alone.dataset:
            np.testing.assert_array_equal(lane.dataset[variable], alone.dataset[variable])


@pytest.mark.parametrize("modes", [3, 17, 64])
def test_a_lane_of_a_wide_spectral_batch_is_the_single_run(modes):
    problem = rs.Estimation(eigenvalues=np.linspace(3, -1, modes))
    rates = np.linspace(1e-3, 2e-2, 7).tolist()
    setting = dict(depth=3, initialization=rs.Identical(0.3), steps=333, record=[333], engine="spectral")
    batch = rs.simulate(problem, dynamics=[rs.GradientDescent(rate, ridge=1e-3) for rate in rates], **setting)
    for k, rate in enumerate(rates):
        alone = rs.simulate(problem, dynamics=rs.GradientDescent(rate, ridge=1e-3), **setting)
        assert identical(batch.all_factors[k], alone.factors)


@pytest.mark.parametrize("case", ALIGNED.values(), ids=ALIGNED.keys())
def test_the_spectral_engine_is_the_matrix_engine(case):
    spectral, matrix = case.simulate(), case.simulate(engine="matrix")
    np.testing.assert_allclose(spectral.product, matrix.product, rtol=0, atol=1e-12)
    for variable in ("loss", "singular_values", "layer_norm", "imbalance", "objective"):
        at = matrix.step.values[np.isin(matrix.step, spectral.step)]
        one, other = spectral.dataset[variable].sel(step=at), matrix.dataset[variable].sel(step=at)
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


def test_a_batch_that_only_partly_suits_the_spectral_engine_runs_on_the_matrix_engine():
    problem = FITS["symmetric"].problem
    starts = [rs.Balanced(spectrum=0.1), rs.Balanced(0.1 * np.eye(4))]
    setting = dict(depth=2, dynamics=rs.GradientDescent(0.02), steps=50)
    batch = rs.simulate(problem, initialization=starts, **setting)
    assert batch.dataset.attrs["engine"] == "matrix"
    assert "asked for" not in batch.dataset.attrs["engine_why"]
    for k, start in enumerate(starts):
        alone = rs.simulate(problem, initialization=start, engine="matrix", **setting)
        assert identical(batch.all_factors[k], alone.factors)


# -- user objectives and optimizers ----------------------------------------------------------------------


def test_an_objective_equal_to_a_problem_gives_its_trajectory():
    problem = FITS["rectangular"].problem
    same = rs.Objective(lambda W: 0.5 * jnp.sum((W - problem.target) ** 2), shape=problem.shape)
    setting = dict(depth=3, initialization=rs.Gaussian(0.4), dynamics=rs.GradientDescent(0.02, ridge=0.01), steps=200)
    one, other = rs.simulate(same, **setting), rs.simulate(problem, engine="matrix", **setting)
    assert distance(one.factors, other.factors) < 1e-13
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-12)


def test_an_objective_may_be_any_callable():
    def squared_distance(to, W):
        return 0.5 * ((W - to) ** 2).sum()

    problem = rs.Objective(functools.partial(squared_distance, 1.0), shape=(2, 2))
    run = rs.simulate(problem, depth=1, initialization=rs.Identical(0.5), dynamics=rs.GradientDescent(0.5), steps=60)
    np.testing.assert_allclose(run.product, np.ones((2, 2)), atol=1e-15)


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_optax_sgd_is_gradient_descent(ridge):
    case = CASES["matrix-sensing-3"]
    plain = case.simulate(dynamics=rs.GradientDescent(0.03, ridge=ridge))
    with_optax = case.simulate(dynamics=rs.Optimizer(optax.sgd(0.03), ridge=ridge))
    assert distance(with_optax.factors, plain.factors) < 1e-13


def _adam_by_hand(case, steps, rate, b1=0.9, b2=0.999, eps=1e-8):
    """Kingma, Ba 2015, algorithm 1, on a product of two factors."""
    factors = case.simulate(steps=0).factors
    m, v = [np.zeros_like(W) for W in factors], [np.zeros_like(W) for W in factors]
    for t in range(1, steps + 1):
        G = case.fit.gradient(factors[1] @ factors[0])
        for l, g in enumerate([factors[1].T @ G, G @ factors[0].T]):
            m[l], v[l] = b1 * m[l] + (1 - b1) * g, b2 * v[l] + (1 - b2) * g * g
        corrected = [(a / (1 - b1**t), b / (1 - b2**t)) for a, b in zip(m, v, strict=True)]
        factors = [W - rate * a / (np.sqrt(b) + eps) for W, (a, b) in zip(factors, corrected, strict=True)]
    return factors


def test_adam_is_adam():
    case = CASES["matrix-rectangular-2-equal"]
    run = case.simulate(dynamics=rs.Optimizer(optax.adam(0.01)), steps=100)
    assert distance(run.factors, _adam_by_hand(case, 100, 0.01)) < 1e-12


def test_recording_does_not_change_an_optimizer():
    case = CASES["matrix-rectangular-2-equal"]
    adam = rs.Optimizer(optax.adam(0.01), ridge=0.01)
    often, once = (case.simulate(dynamics=adam, record=r, steps=60) for r in (rs.Every(20), [60]))
    assert identical(often.factors, once.factors)


@pytest.mark.parametrize("rule", [optax.adam(0.0123), optax.scale(-0.0123)], ids=["adam", "scale"])
def test_an_optimizer_is_compiled_once(rule, monkeypatch):
    from rankscape.engine import programs

    monkeypatch.setattr(programs, "MOST", 10**6)  # or all are dropped in between, after enough other tests
    case, before = CASES["matrix-rectangular-2-narrow"], programs._made
    case.simulate(dynamics=rs.Optimizer(rule), record=rs.Every(10), steps=50)
    assert programs._made - before == 1


@pytest.mark.parametrize(("dtype", "accuracy"), [("float64", 1e-7), ("float32", 1e-5)])
def test_lbfgs_converges_and_stays(dtype, accuracy):
    case = CASES["matrix-rectangular-2-equal"]
    run = case.simulate(dynamics=rs.Optimizer(optax.lbfgs()), steps=200, record=[0, 200], dtype=dtype)
    assert run.outcome == "finished"
    np.testing.assert_allclose(run.product, case.fit.problem.target, atol=accuracy)


def test_an_optimizer_whose_state_holds_infinity_has_not_diverged():
    case = CASES["matrix-rectangular-2-equal"]
    patient = optax.chain(optax.sgd(0.01), optax.contrib.reduce_on_plateau(accumulation_size=1000))
    run = case.simulate(dynamics=rs.Optimizer(patient), steps=20)
    assert run.outcome == "finished"


def test_an_optimizer_that_has_arrived_has_not_diverged():
    """At the minimum the memory of L-BFGS overflows in float32, while the factors stay as they are."""
    run = rs.simulate(
        rs.Estimation(np.diag([2.0, 1.0])), 2, initialization=rs.Identical(0.3), steps=40, dtype="float32",
        dynamics=rs.Optimizer(optax.lbfgs()),
    )  # fmt: skip
    assert run.outcome == "finished"
    np.testing.assert_allclose(run.product, np.diag([2.0, 1.0]), atol=1e-6)


def test_a_batch_of_optimizers_is_the_single_runs():
    case = CASES["matrix-rectangular-2-equal"]
    rules = [rs.Optimizer(optax.adam(0.01)), rs.Optimizer(optax.adam(0.02), ridge=0.01)]
    batch = case.simulate(dynamics=rules, steps=40)
    for k, rule in enumerate(rules):
        assert identical(batch.all_factors[k], case.simulate(dynamics=rule, steps=40).factors)


def test_optimizers_of_a_batch_may_be_of_different_kinds():
    case = CASES["matrix-rectangular-2-equal"]
    rules = [rs.Optimizer(optax.adam(0.01)), rs.Optimizer(optax.sgd(0.02))]
    batch = case.simulate(dynamics=rules, steps=40)
    for k, rule in enumerate(rules):
        assert identical(batch.all_factors[k], case.simulate(dynamics=rule, steps=40).factors)


# -- the choice of an engine -----------------------------------------------------------------------------

SYMMETRIC, RECTANGULAR, COMPLETION = (FITS[name].problem for name in ("symmetric", "rectangular", "completion"))
GD = rs.GradientDescent(0.01)


@pytest.mark.parametrize(
    ("engine", "problem", "start", "dynamics", "width", "obstacle"),
    [
        ("matrix", COMPLETION, rs.Gaussian(0.1), rs.SGD(0.1), None, "its dynamics are SGD"),
        ("entrywise", COMPLETION, rs.Gaussian(0.1), GD, None, "its dynamics are GradientDescent"),
        ("entrywise", RECTANGULAR, rs.Gaussian(0.1), rs.SGD(0.1), None, "Completion.from_array"),
        ("spectral", COMPLETION, rs.Identical(0.1), rs.SGD(0.1), None, "its dynamics are SGD"),
        ("spectral", COMPLETION, rs.Identical(0.1), GD, None, "only a fully observed target decouples"),
        ("spectral", SYMMETRIC, rs.Gaussian(0.1), GD, None, "a Gaussian start does not share the target's vectors"),
        ("spectral", SYMMETRIC, rs.Balanced(np.eye(4)), GD, None, "a Balanced start does not share"),
        ("spectral", RECTANGULAR, rs.Identical(0.1), GD, None, "the target of shape .* is not square"),
        ("spectral", SYMMETRIC, rs.Identical(0.1), GD, 6, "not every width equals the size of the target"),
        ("spectral", RECTANGULAR, rs.Balanced(spectrum=0.1), GD, 2, "narrower than the target"),
    ],
)
def test_an_engine_that_cannot_names_the_obstacle(engine, problem, start, dynamics, width, obstacle):
    with pytest.raises(InputError, match=obstacle):
        rs.simulate(problem, 3, width, initialization=start, dynamics=dynamics, steps=1, engine=engine)


def test_an_unknown_engine_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"no engine 'quantum'.*entrywise, spectral, .*matrix"):
        rs.simulate(SYMMETRIC, initialization=rs.Identical(0.1), dynamics=GD, steps=1, engine="quantum")


@pytest.mark.parametrize(
    ("problem", "start", "dynamics", "engine", "reason"),
    [
        (COMPLETION, rs.Gaussian(0.1), rs.SGD(0.1), "entrywise", "SGD over observed entries"),
        (SYMMETRIC, rs.Identical(0.1), GD, "spectral", "scalar recursion"),
        (RECTANGULAR, rs.Balanced(spectrum=0.1), GD, "spectral", "scalar recursion"),
        (COMPLETION, rs.Identical(0.1), GD, "matrix", "not spectral: the problem is a Completion"),
        (SYMMETRIC, rs.Gaussian(0.1), GD, "matrix", "not spectral: a Gaussian start"),
    ],
)
def test_the_engine_and_the_reason_for_it_are_recorded(problem, start, dynamics, engine, reason):
    run = rs.simulate(problem, 2, initialization=start, dynamics=dynamics, steps=3)
    assert run.dataset.attrs["engine"] == engine
    assert run.dataset.attrs["engine_why"].startswith(f"{engine}: ")
    assert reason in run.dataset.attrs["engine_why"]


def test_sgd_on_a_problem_without_entries_names_every_obstacle():
    with pytest.raises(InputError, match=r"not entrywise: .*; not spectral: .*; not matrix: "):
        rs.simulate(RECTANGULAR, 2, initialization=rs.Gaussian(0.1), dynamics=rs.SGD(0.1), steps=1)


# -- what is left alone ----------------------------------------------------------------------------------


@every_engine
@pytest.mark.parametrize("flag", [False, True])
def test_the_callers_precision_flag_is_unchanged(case, flag):
    before = jax.config.jax_enable_x64
    try:
        jax.config.update("jax_enable_x64", flag)
        run = case.simulate(steps=20)
        assert jax.config.jax_enable_x64 is flag
        assert jnp.ones(1).dtype == ("float64" if flag else "float32")
    finally:
        jax.config.update("jax_enable_x64", before)
    assert distance(run.factors, case.reference_factors(20)) < case.tolerance


@pytest.mark.parametrize("dynamics", [GD, rs.SGD(0.1), rs.Optimizer(optax.sgd(0.1))], ids=["gd", "sgd", "optax"])
def test_the_callers_factors_are_unchanged(dynamics, rng):
    given = [rng.normal(size=(3, 4)), rng.normal(size=(5, 3))]
    before = [W.copy() for W in given]
    run = rs.simulate(COMPLETION, initialization=rs.Factors(given), dynamics=dynamics, steps=20)
    assert identical(given, before)
    assert not identical(run.factors, before)
    run.factors[0][:] = 0
    assert identical(given, before)


def test_the_catalogue_holds_every_engine():
    assert {case.engine for case in CASES.values()} == set(ENGINES)
