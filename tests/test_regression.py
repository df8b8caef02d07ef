"""Regression: the loss by its samples, the closed form where covariances commute, SGD beside its definition."""

import itertools
import re

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape import theory
from rankscape.engine import Setting
from rankscape.engine.samples.engine import SamplesEngine
from rankscape.errors import InputError

seeds = st.integers(0, 2**32 - 1)


def samples(seed: int, count: int = 30, n_in: int = 5, n_out: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, n_in)) @ rng.normal(size=(n_in, n_in)), rng.normal(size=(count, n_out))


def commuting(seed: int, shape=(4, 5)) -> rs.Regression:
    """Random common vectors; some curvatures are equal, so that a basis has to be chosen by the outputs."""
    rng, (n_out, n_in) = np.random.default_rng(seed), shape
    V, U = np.linalg.qr(rng.normal(size=(n_in, n_in)))[0], np.linalg.qr(rng.normal(size=(n_out, n_out)))[0]
    sigma, c = rng.choice([0.3, 0.5, 1.0, 2.0], n_in), np.zeros(shape)
    np.fill_diagonal(c, rng.uniform(0.1, 2.0, min(shape)))
    return rs.Regression.from_covariances(V @ np.diag(sigma) @ V.T, U @ c @ V.T)


# -- the problem -------------------------------------------------------------------------------------------


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_loss_and_gradient_are_those_of_the_samples(seed):
    X, Y = samples(seed)
    W = np.random.default_rng(seed).normal(size=(3, 5))
    problem = rs.Regression(X, Y)
    errors = X @ W.T - Y
    np.testing.assert_allclose(problem.loss(W), 0.5 * np.sum(errors**2) / 30, rtol=1e-11)
    np.testing.assert_allclose(problem.gradient(W), errors.T @ X / 30, rtol=1e-10, atol=1e-10)
    fit = np.linalg.lstsq(X, Y, rcond=None)[0].T
    np.testing.assert_allclose(problem.least_squares, fit, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(problem.floor, 0.5 * np.sum((X @ fit.T - Y) ** 2) / 30, rtol=1e-9)


def test_near_the_least_loss_digits_remain():
    X, _ = samples(1)
    truth = np.ones((3, 5))
    problem = rs.Regression(X, X @ truth.T)
    step = 1e-7 * np.eye(3, 5)
    np.testing.assert_allclose(problem.loss(truth + step), 0.5 * np.sum((X @ step.T) ** 2) / 30, rtol=1e-6)


def test_covariances_alone_give_the_same_gradients():
    X, Y = samples(2)
    whole = rs.Regression(X, Y)
    known = rs.Regression.from_covariances(whole.input_covariance, whole.cross_covariance, np.sum(Y**2) / 30)
    W = np.ones((3, 5))
    np.testing.assert_allclose(known.loss(W), whole.loss(W), rtol=1e-10)
    np.testing.assert_array_equal(known.gradient(W), whole.gradient(W))
    dynamics = rs.GradientDescent(0.01)
    runs = [rs.simulate(p, 3, initialization=rs.Gaussian(0.3), dynamics=dynamics, steps=50) for p in (whole, known)]
    np.testing.assert_array_equal(runs[0].product, runs[1].product)


def test_inputs_that_span_less_leave_the_rest_alone():
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 4)), rng.normal(size=(20, 3))
    problem = rs.Regression(X, Y)
    assert problem.input_rank == 2
    assert "input_rank=2" in repr(problem)
    blind = np.linalg.svd(X)[2][2:]
    run = rs.simulate(problem, depth=1, initialization=rs.Gaussian(1.0), dynamics=rs.GradientDescent(0.05), steps=400)
    start = rs.simulate(problem, depth=1, initialization=rs.Gaussian(1.0), dynamics=rs.GradientDescent(0.05), steps=0)
    np.testing.assert_allclose(run.product @ blind.T, start.product @ blind.T, atol=1e-12)
    assert np.isfinite(problem.loss(run.product))
    assert problem.loss(run.product) >= problem.floor


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: rs.Regression(np.ones((3, 2)), np.ones((4, 1))), "3 samples but `outputs` has 4"),
        (lambda: rs.Regression([[1.0, np.nan]], [[1.0]]), "`inputs` holds nan"),
        (lambda: rs.Regression.from_covariances([[1.0, 1.0], [0.0, 1.0]], [[1.0, 1.0]]), "not symmetric"),
        (lambda: rs.Regression.from_covariances([[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0]]), "negative eigenvalue, -1"),
        (lambda: rs.Regression.from_covariances([[1.0, 0.0], [0.0, 0.0]], [[1.0, 1.0]]), "no variance"),
        (lambda: rs.Regression.from_covariances([[1.0]], [[2.0]], output_variance=1.0), "explain 4"),
        (lambda: rs.Regression.from_covariances([[1.0]], [[2.0, 1.0]]), re.escape("(1, 1) and (1, 2)")),
    ],
)
def test_what_are_no_samples_and_no_covariances_is_said(make, text):
    with pytest.raises(InputError, match=text):
        make()


def test_sgd_without_samples_is_refused():
    problem = commuting(0)
    with pytest.raises(InputError, match="this Regression has no samples to draw"):
        rs.simulate(problem, initialization=rs.Gaussian(0.1), dynamics=rs.SGD(0.1), steps=1)


def test_weight_decay_is_twice_the_ridge():
    assert rs.SGD(0.1, weight_decay=0.02) == rs.SGD(0.1, ridge=0.01)
    assert rs.GradientFlow(0.1, weight_decay=0.02).ridge == rs.HeavyBall(0.1, 0.5, weight_decay=0.02).ridge == 0.01
    assert rs.rates.convert(0.02, commuting(0), value="weight_decay") == 0.01
    with pytest.raises(InputError, match="`ridge` or `weight_decay`"):
        rs.GradientDescent(0.1, ridge=0.1, weight_decay=0.1)


def test_held_out_samples_are_scored():
    problem = rs.Regression(*samples(4, count=60)).split(0.3)
    run = rs.simulate(problem, initialization=rs.Gaussian(0.3), dynamics=rs.SGD(0.01), steps=100, record=[100])
    held = problem.heldout
    assert held is not None
    np.testing.assert_allclose(run.dataset.heldout_loss.values[-1], held.loss(run.product))


# -- SGD ---------------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 5), st.sampled_from([1, 2, 7, 33]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_steps_over_samples_are_those_of_their_definition(seed, depth, batch, single):
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 20, depth + 1).tolist()
    X, Y = rng.normal(size=(11, widths[0])), rng.normal(size=(11, widths[-1]))
    factors = [rng.normal(size=(b, a)) / max(a, b) ** 0.5 for a, b in itertools.pairwise(widths)]
    dynamics = rs.SGD(0.02, 0.01 * rng.integers(0, 2), batch)
    dtype = "float32" if single else "float64"
    setting = Setting(rs.Regression(X, Y), tuple(widths), rs.Factors(factors), dynamics, 7, dtype)
    engine = SamplesEngine([setting])
    found = engine.factors(engine.advance(engine.start(), 20)[0])
    for drawn in setting.batches(0, 20, 11):
        x, y = X[drawn], Y[drawn]
        slope = lambda W, x=x, y=y: (W @ x.T - y.T) @ x / batch
        factors = reference.gd_step(factors, slope, dynamics.learning_rate, dynamics.ridge)
    for one, other in zip(found, factors, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12 if not single else 3e-5)


# -- the closed form ---------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 4), st.sampled_from([(4, 5), (5, 4), (3, 3)]), st.sampled_from([0.0, 0.01]))
@settings(max_examples=20, deadline=None)
def test_modes_move_as_the_network_does(seed, depth, shape, ridge):
    problem = commuting(seed, shape)
    start = rs.Balanced(spectrum=0.5**depth)
    factors = start.factors(problem, (shape[1], *[6] * (depth - 1), shape[0]), None)
    for _ in range(60):
        factors = reference.gd_step(factors, problem.gradient, 0.05, ridge)
    path = theory.regression_descent(problem.modes, depth, 0.5, 0.05, [60], ridge=ridge)
    np.testing.assert_allclose(reference.product(factors, shape[1]), path.W[0], atol=1e-11)


def test_a_network_on_samples_that_are_not_white_follows_the_closed_form():
    problem = commuting(5)
    flow = dict(depth=3, initialization=rs.Balanced(spectrum=0.008), steps=300, record=[100, 300])
    run = rs.simulate(problem, dynamics=rs.GradientFlow(0.05, ridge=0.003), observe={"W": rs.product}, **flow)
    path = theory.regression_flow(problem.modes, 3, 0.2, [5.0, 15.0], ridge=0.003)
    np.testing.assert_allclose(run.dataset.W.values, path.W, atol=1e-8)


@pytest.mark.parametrize(("depth", "ridge"), [(1, 0.0), (1, 0.02), (2, 0.0), (2, 0.02), (3, 0.02), (5, 0.0)])
def test_times_and_ends_are_those_of_the_flow(depth, ridge):
    modes = commuting(6).modes
    times, ends = (f(depth, 0.4, ridge=ridge) for f in (modes.learning_times, modes.ends))
    for k in np.flatnonzero(np.isfinite(times) & (times > 0)):
        p = theory.regression_flow(modes, depth, 0.4, [times[k]], ridge=ridge).modes[0, k]
        assert p == pytest.approx(ends[k] / 2, rel=1e-7)
    far = theory.regression_flow(modes, depth, 0.4, [1e4], ridge=ridge).modes[0]
    np.testing.assert_allclose(far, ends, atol=1e-6)


@given(seeds, st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_steps_settle_below_their_limit_and_not_above(seed, depth):
    modes = commuting(seed, (3, 3)).modes
    limits, ends = modes.step_limits(depth, 0.5), modes.ends(depth, 0.5)
    for k in range(3):
        near = ends ** (1 / depth) * (1 + 1e-6)  # an orbit leaves an unstable end, however near it begins
        for rate, settles in ((0.97 * limits[k], True), (1.03 * limits[k], False)):
            p = near[k] ** depth
            d = near[k]
            for _ in range(300):
                d += rate * d ** (depth - 1) * (modes.strengths[k] - modes.curvatures[k] * d**depth)
                if abs(d**depth - ends[k]) > 0.01 * ends[k]:
                    break
            assert (abs(d**depth - ends[k]) < abs(p - ends[k])) == settles


def test_covariances_that_do_not_commute_say_how_far_and_what_else():
    X, Y = samples(7)
    with pytest.raises(InputError, match=r"\|\| = 0\.\d+ \|\|Sigma_xx\|\|.*`end_to_end_flow.*regression_bound"):
        theory.regression_modes(X.T @ X / 30, Y.T @ X / 30)
    with pytest.raises(InputError, match="do not commute"):
        rs.Balanced(spectrum=0.1).factors(rs.Regression(X, Y), (5, 5, 3), None)


@given(seeds, st.sampled_from([(3, 3), (2, 4), (4, 2)]), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_the_loss_falls_at_least_as_fast_as_certified(seed, shape, depth):
    rng, (n_out, n_in) = np.random.default_rng(seed), shape
    problem = rs.Regression(rng.normal(size=(12, n_in)), rng.normal(size=(12, n_out)))
    W = rng.normal(size=shape)
    bound = theory.regression_bound(problem.input_covariance, problem.cross_covariance, W, depth)
    h = 1e-6
    after = theory.end_to_end_flow(problem.gradient, W, depth, [h]).W[0]
    excess = [float(problem.loss(w) - problem.floor) for w in (W, after)]
    assert (np.log(excess[0]) - np.log(excess[1])) / h >= bound.rate * (1 - 1e-3) - 1e-6


def test_too_long_steps_name_the_limit():
    with pytest.raises(InputError, match="overflows at learning rate 50"):
        theory.regression_descent(commuting(8).modes, 3, 1.0, 50.0, [100])


def test_a_loss_without_a_gradient_ends_a_run_with_its_reason():
    import jax.numpy as jnp

    rough = rs.Objective(lambda W: jnp.sqrt(jnp.abs(W)).sum(), shape=(2, 2))
    start = rs.Factors([np.zeros((2, 2))] * 2)
    with pytest.warns(rs.errors.DivergenceWarning, match="gradient of the loss is not finite"):
        run = rs.simulate(rough, initialization=start, dynamics=rs.GradientDescent(0.1), steps=5)
    assert run.outcome == rs.Outcome.DIVERGED
    assert np.isfinite(run.dataset.loss).all()
