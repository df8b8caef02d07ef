"""Classification: margins in the logarithm, layers that align, labels of two classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape import theory
from rankscape.errors import InputError
from rankscape.problem.classification import alignment, top_share

X = np.random.default_rng(0).normal(size=(20, 3)) + np.where(np.arange(20) < 10, 2.0, -2.0)[:, None]
Y = np.where(np.arange(20) < 10, 1, 0)


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_loss_and_gradient_are_those_of_the_definition(loss):
    problem = rs.Classification(X, Y, loss)
    W, t = np.array([[0.3, -0.2, 0.5]]), np.where(Y == 1, 1.0, -1.0)
    value = {"logistic": lambda m: np.log(1 + np.exp(-m)), "exponential": lambda m: np.exp(-m)}[loss]
    f = lambda W: value(t * (X @ W[0])).mean()
    slope = [(f(W + 1e-6 * e) - f(W - 1e-6 * e)) / 2e-6 for e in np.eye(3)[:, None]]
    assert problem.loss(W) == pytest.approx(f(W), rel=1e-13)
    np.testing.assert_allclose(problem.gradient(W)[0], slope, rtol=1e-7)
    assert problem.log_loss(W) == pytest.approx(np.log(f(W)), rel=1e-12)


@given(st.floats(-300, 1e5), st.sampled_from(["logistic", "exponential"]))
@settings(max_examples=60, deadline=None)
def test_the_logarithm_of_the_loss_knows_no_range(margin, loss):
    problem = rs.Classification([[1.0], [-1.0]], [1, 0], loss)
    found = problem.log_loss([[margin]])
    if loss == "exponential" or margin > 40:
        assert found == pytest.approx(-margin, rel=1e-12)
    else:
        assert found == pytest.approx(np.log(np.log1p(np.exp(-margin))), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (np.arange(20) % 3, "two values, one for each class, got 3: 0, 1, 2"),
        (np.zeros(20), "got 1: 0.0"),
        (np.zeros(19), r"one for each of the 20 samples, got shape \(19,\)"),
        (np.where(Y == 1, np.nan, 0.0), "two values"),
    ],
)
def test_other_labels_are_refused(labels, text):
    with pytest.raises(InputError, match=text):
        rs.Classification(X, labels)
    with pytest.raises(InputError, match="`loss` must be"):
        rs.Classification(X, Y, "hinge")  # pyright: ignore[reportArgumentType]


def test_alignment_and_top_share_see_one_shared_direction():
    rng = np.random.default_rng(1)
    u = [v / np.linalg.norm(v) for v in (rng.normal(size=n) for n in (3, 4, 5))]
    chain = [2 * np.outer(u[1], u[0]), 3 * np.outer(u[2], u[1]), np.array([[1.0, 0, 0, 0, 0]])]
    np.testing.assert_allclose(alignment(chain), [1.0, abs(u[2][0])], atol=1e-12)
    np.testing.assert_allclose(top_share([np.diag([3.0, 1.0, 0.0])]), [0.9])


def test_a_network_comes_to_the_largest_margin_and_its_layers_align():
    problem, best = rs.Classification(X, Y), theory.max_margin(X, Y)
    run = rs.simulate(
        problem, depth=3, width=4, initialization=rs.Gaussian(0.1), dynamics=rs.GradientDescent(0.1), steps=5_000,
        observe=problem.quantities,
    )  # fmt: skip
    assert run.dataset.normalized_margin[-1] == pytest.approx(best.margin, rel=0.03)
    assert run.dataset.normalized_margin.max() <= best.margin * (1 + 1e-9)
    assert (run.dataset.alignment[-1] > 0.999).all()
    assert (run.dataset.top_share[-1] > 0.97).all()
    assert run.dataset.log_loss[-1] < -5 < 0 < run.dataset.smallest_margin[-1]


@pytest.mark.parametrize("inputs", [[[1, 0.2], [-2, 1]], [[1, 0], [-1, -3]], [[1, 2], [-1, 1]]])
def test_the_direction_comes_like_one_over_log_t(inputs):
    inputs = np.array(inputs, float)
    problem, best = rs.Classification(inputs, [1, 0]), theory.max_margin(inputs, [1, 0])
    run = rs.simulate(
        problem, depth=1, initialization=rs.Factors([np.zeros((1, 2))]), dynamics=rs.GradientDescent(0.2),
        steps=2**17, record=[2**k for k in range(8, 18)], observe=problem.quantities,
    )  # fmt: skip
    path = run.dataset.step.values, run.dataset.direction.values
    assert theory.direction_rate(*path, best.direction).linearity > 0.998
    assert theory.direction_rate(*path, run.dataset.direction.values[-1] + 1e-9).linearity < 0.9  # of another limit


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_the_largest_margin_is_that_of_an_independent_solver(seed, n):
    from scipy.optimize import linprog, minimize

    rng = np.random.default_rng(seed)
    inputs, labels = rng.normal(size=(6, n)), rng.permutation([0, 0, 0, 1, 1, 1])
    A = np.where(labels == 1, 1.0, -1.0)[:, None] * inputs
    program = linprog(np.zeros(n), A_ub=-A, b_ub=-np.ones(6), bounds=[(None, None)] * n)
    if program.status != 0:
        with pytest.raises(InputError, match="not separable"):
            theory.max_margin(inputs, labels)
        return
    best = theory.max_margin(inputs, labels)
    assert (A @ best.direction).min() == pytest.approx(best.margin, rel=1e-6)
    constraint = {"type": "ineq", "fun": lambda w: A @ w - 1, "jac": lambda w: A}
    other = minimize(lambda w: w @ w / 2, program.x, jac=lambda w: w, constraints=constraint, method="SLSQP")
    if other.success:
        assert best.margin >= (1 / np.linalg.norm(other.x)) * (1 - 1e-5)
