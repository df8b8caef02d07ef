"""Exact trajectories against each other, against the equations they solve, and against the simulator."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import rankscape as rs
from rankscape.errors import InputError
from rankscape.ground.modes import Modes, balanced_factors
from rankscape.theory.exact import aligned_descent, aligned_flow, end_to_end_flow, two_layer_flow

TIMES = np.array([0.0, 0.3, 1.0, 4.0])


def _balanced(rng, shape, depth, width, scale=1.0):
    """Balanced factors of a random product."""
    U, sigma, Vt = np.linalg.svd(scale * rng.normal(size=shape), full_matrices=False)
    sigma[width:] = 0.0
    return balanced_factors(Modes(U, sigma, Vt.T), [width] * (depth - 1))


def _two_factors_by_scipy(target, W_1, W_2, times):
    """The product of two factors, which are integrated themselves."""

    def slope(_, flat):
        A, B = flat[: W_1.size].reshape(W_1.shape), flat[W_1.size :].reshape(W_2.shape)
        G = B @ A - target
        return -np.concatenate([(B.T @ G).ravel(), (G @ A.T).ravel()])

    start = np.concatenate([W_1.ravel(), W_2.ravel()])
    tolerances = dict(method="DOP853", rtol=1e-13, atol=1e-14)
    ends = [solve_ivp(slope, (0, t), start, **tolerances).y[:, -1] if t else start for t in times]
    return np.array([y[W_1.size :].reshape(W_2.shape) @ y[: W_1.size].reshape(W_1.shape) for y in ends])


# -- two layers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "width"), [((4, 4), 4), ((3, 5), 2), ((5, 3), 6), ((1, 4), 1)])
def test_the_riccati_flow_is_the_flow_of_two_factors(shape, width, rng):
    target, (W_1, W_2) = rng.normal(size=shape), _balanced(rng, shape, 2, width, scale=0.3)
    path = two_layer_flow(target, (W_1, W_2), TIMES)
    np.testing.assert_allclose(path.W, _two_factors_by_scipy(target, W_1, W_2, TIMES), rtol=0, atol=1e-11)
    np.testing.assert_allclose(path.W[0], W_2 @ W_1, atol=1e-15)
    assert "balanced start" in path.assumptions


@pytest.mark.parametrize("angle", [90, 179])
def test_a_rotation_is_learned_from_the_identity(angle):
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    rotation, start = np.array([[c, -s], [s, c]]), (0.1 * np.eye(2), 0.1 * np.eye(2))
    path = two_layer_flow(rotation, start, [3000.0 if angle == 179 else 40.0])
    np.testing.assert_allclose(path.W[-1], rotation, atol=1e-9)


def test_half_a_turn_is_not_learned_from_the_identity():
    path = two_layer_flow(-np.eye(2), (0.1 * np.eye(2), 0.1 * np.eye(2)), [1.0, 20.0])
    np.testing.assert_allclose(path.W[0], 0.01 / (1.01 * np.e**2 - 0.01) * np.eye(2), rtol=1e-13)
    np.testing.assert_allclose(path.W[-1], np.zeros((2, 2)), atol=1e-12)


def test_a_long_riccati_flow_loses_no_mode():
    target = np.diag([10.0, 1.0, 0.1])
    path = two_layer_flow(target, (1e-3 * np.eye(3), 1e-3 * np.eye(3)), [300.0])
    np.testing.assert_allclose(path.W[-1], target, atol=1e-10)


def test_a_target_of_zeros_and_a_start_of_zeros_are_allowed():
    zero = np.zeros((2, 2))
    np.testing.assert_allclose(two_layer_flow(zero, (np.eye(2), np.eye(2)), [2.0]).W[0], np.eye(2) / 5, atol=1e-14)
    np.testing.assert_array_equal(two_layer_flow(zero, (zero, zero), [2.0]).W[0], zero)


def test_the_simulator_flows_as_the_riccati_equation_says(rng):
    target, start = rng.normal(size=(4, 3)), _balanced(rng, (4, 3), 2, 3, scale=0.3)
    setting = dict(initialization=rs.Factors(start), dynamics=rs.GradientFlow(0.1), steps=40, record=rs.Every(10))
    run = rs.simulate(rs.Estimation(target), **setting)
    path = two_layer_flow(target, start, 0.1 * run.step.values)
    np.testing.assert_allclose(run.singular_values, path.singular_values, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.product, path.W[-1], rtol=0, atol=1e-9)


# -- aligned starts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (6, 2)])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_aligned_descent_is_the_spectral_engine(depth, shape, ridge, rng):
    target, alpha = rng.normal(size=shape), np.linspace(0.2, 0.6, min(shape))
    path = aligned_descent(target, depth, alpha, 0.02, [0, 1, 50, 400], ridge=ridge)
    dynamics, start = rs.GradientDescent(0.02, ridge=ridge), rs.Balanced(spectrum=alpha**depth)
    setting = dict(initialization=start, dynamics=dynamics, steps=400, record=[0, 1, 50, 400])
    run = rs.simulate(rs.Estimation(target), depth, engine="spectral", **setting)
    sigma = -np.sort(-path.modes, axis=1)
    np.testing.assert_allclose(run.singular_values, sigma, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run.product, path.W[-1], rtol=0, atol=1e-13)


def test_aligned_descent_has_the_known_values():
    known = {  # (depth, eigenvalue): products after 1, 10, 100 steps from 0.5^depth with learning rate 0.01
        2: [0.2588265625, 0.3507171606622105, 1.777026122019794],
        3: [0.12854868698120112, 0.1669626858500359, 1.8559439133538758],
        4: [0.06371976416308883, 0.0764540002221684, 1.4913840273030319],
    }
    for depth, values in known.items():
        path = aligned_descent([[2.0]], depth, 0.5, 0.01, [1, 10, 100])
        np.testing.assert_allclose(path.modes[:, 0], values, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_the_simulator_flows_along_the_aligned_path(depth, ridge, rng):
    target = rng.normal(size=(3, 5))
    path = aligned_flow(target, depth, 0.5, 0.1 * np.arange(0, 81, 20), ridge=ridge)
    dynamics, start = rs.GradientFlow(0.1, ridge=ridge), rs.Balanced(spectrum=0.5**depth)
    run = rs.simulate(
        rs.Estimation(target), depth, initialization=start, dynamics=dynamics, steps=80, record=rs.Every(20)
    )
    np.testing.assert_allclose(run.singular_values, path.modes, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.product, path.W[-1], rtol=0, atol=1e-9)


def test_the_aligned_flow_has_the_known_values():
    path = aligned_flow([[1.0]], 3, 0.1, [1.0, 3.0, 10.0])
    np.testing.assert_allclose(path.modes[:, 0], [0.001371206075784, 0.002908965716359, 0.9094265870885], rtol=1e-9)
    for depth, time in [(2, 2.2975599250673), (3, 9.1447473066083), (4, 49.728579845647), (5, 333.281206046)]:
        path = aligned_flow([[1.0]], depth, 0.1, [time])
        slope = depth * 0.5 ** (2 - 2 / depth) * 0.5
        assert abs(path.modes[0, 0] - 0.5) / slope < 1e-9 * time


def test_an_aligned_flow_of_two_layers_is_the_riccati_flow(rng):
    target = rng.normal(size=(3, 5))
    U, _, Vt = np.linalg.svd(target, full_matrices=False)
    riccati, aligned = two_layer_flow(target, (0.3 * Vt, 0.3 * U), TIMES), aligned_flow(target, 2, 0.3, TIMES)
    np.testing.assert_allclose(aligned.W, riccati.W, rtol=0, atol=1e-9)


# -- the product alone -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "width"), [((4, 4), 4), ((3, 5), 3)])
def test_the_end_to_end_flow_of_two_layers_is_the_riccati_flow(shape, width, rng):
    target, start = rng.normal(size=shape), _balanced(rng, shape, 2, width, scale=0.3)
    path = end_to_end_flow(lambda W: W - target, start[1] @ start[0], 2, TIMES)
    np.testing.assert_allclose(path.W, two_layer_flow(target, start, TIMES).W, rtol=0, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_the_product_of_balanced_factors_flows_end_to_end(depth, ridge, rng):
    A, y = rng.normal(size=(7, 4, 3)) / 3, rng.normal(size=7)
    problem, W_0 = rs.Sensing(A, y), 0.4 * rng.normal(size=(4, 3))
    dynamics = rs.GradientFlow(0.1, ridge=ridge)
    run = rs.simulate(problem, depth, initialization=rs.Balanced(W_0), dynamics=dynamics, steps=60, record=rs.Every(20))
    path = end_to_end_flow(problem.gradient, W_0, depth, 0.1 * run.step.values, ridge=ridge)
    np.testing.assert_allclose(run.singular_values, path.singular_values, rtol=0, atol=1e-8)
    np.testing.assert_allclose(run.product, path.W[-1], rtol=0, atol=1e-8)


def test_a_singular_value_moves_by_its_own_slope(rng):
    W, G, depth, dt = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 3, 1e-6
    U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    path = end_to_end_flow(lambda _: G, W, depth, [dt])
    expected = -depth * sigma ** (2 - 2 / depth) * np.einsum("ir,ij,rj->r", U, G, Vt)
    np.testing.assert_allclose((path.singular_values[0] - sigma) / dt, expected, rtol=1e-4)


# -- bad input -------------------------------------------------------------------------------------------

I = np.eye(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_layer_flow(I, (I, 2 * I), [1.0]), r"`start` is not balanced: .* = 4\.2"),
        (lambda: two_layer_flow(I, (I, I, I), [1.0]), r"two factors \(W_1, W_2\), got 3"),
        (lambda: two_layer_flow(np.eye(3), (I, I), [1.0]), r"multiplies to shape \(2, 2\)"),
        (lambda: two_layer_flow(I, (I, np.eye(3)), [1.0]), "widths do not chain"),
        (lambda: two_layer_flow([1.0], (I, I), [1.0]), "`target` must be a non-empty matrix"),
        (lambda: two_layer_flow([[np.nan]], (I, I), [1.0]), "`target` holds a NaN"),
        (lambda: two_layer_flow([["a"]], (I, I), [1.0]), "`target` must hold real numbers"),
        (lambda: two_layer_flow(I, (I, I), [1.0, 0.5]), "not negative and do not decrease"),
        (lambda: two_layer_flow(I, (I, I), [-1.0]), "not negative and do not decrease"),
        (lambda: aligned_flow(I, 0, 0.1, [1.0]), "`depth` must be a whole number within 1 .. 1000"),
        (lambda: aligned_flow(I, 2, [0.1] * 3, [1.0]), "`alpha` must be one number or 2"),
        (lambda: aligned_flow(I, 2, -0.1, [1.0]), "`alpha` must not be negative"),
        (lambda: aligned_flow(I, 2, 0.1, [1.0], ridge=-1), "`ridge` must be zero or positive"),
        (lambda: aligned_flow(I, 2, 0.1, [1.0], rtol=-1e-9), "`rtol` must be positive"),
        (lambda: aligned_descent(I, 2, 0.1, 0.0, [1]), "`learning_rate` must be positive"),
        (lambda: aligned_descent(I, 2, 0.1, 0.1, [1.5]), "`steps` must be a whole number"),
        (lambda: end_to_end_flow(lambda W: W[0], I, 2, [1.0]), r"returns shape \(2,\) for a matrix of shape \(2, 2\)"),
        (lambda: aligned_descent(I, 2, 0.1, 10.0, [100]), "the recursion overflows at learning rate 10"),
        (lambda: end_to_end_flow(lambda W: np.nan * W, I, 2, [1.0]), "`gradient` holds a NaN"),
        (lambda: end_to_end_flow(lambda W: W, I, 2, [1.0], atol=-1.0), "`atol` must be positive"),
        (lambda: end_to_end_flow(lambda W: -(W**3), I, 1, [1.0]), "could not be followed to time 1"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
