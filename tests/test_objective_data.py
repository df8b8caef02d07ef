"""What an objective does with the arrays of its function: no digit is lost, and the function stays the user's."""

import subprocess
import sys
import textwrap

import jax.numpy as jnp
import numpy as np
import pytest

import rankscape as rs
from rankscape.errors import InputError

X, Y = np.random.default_rng(3).normal(size=(4, 30)), np.random.default_rng(4).normal(size=(3, 30))
START = [0.3 * np.random.default_rng(5).normal(size=(5, 4)), 0.3 * np.random.default_rng(6).normal(size=(3, 5))]


def _descended(steps=200, rate=0.05):
    A, B = START
    for _ in range(steps):
        G = (B @ A @ X - Y) @ X.T / 30
        A, B = A - rate * B.T @ G, B - rate * G @ A.T
    return B @ A


def _run(function, **options):
    return rs.simulate(rs.Objective(function, shape=(3, 4)), initialization=rs.Factors(START), steps=200,
                       dynamics=rs.GradientDescent(0.05), record=[0, 200], **options)  # fmt: skip


def test_numpy_data_keep_their_digits_and_the_function_stays_usable():
    def f(W):
        return 0.5 * jnp.sum((W @ X - Y) ** 2) / 30

    run = _run(f)
    np.testing.assert_allclose(run.product, _descended(), rtol=1e-12)
    expected = 0.5 * np.sum((np.ones((3, 4)) @ X - Y) ** 2) / 30
    assert float(f(jnp.ones((3, 4)))) == pytest.approx(expected, rel=1e-5)
    problem = rs.Objective(f, shape=(3, 4))
    assert problem.loss(np.ones((3, 4))) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(problem.gradient(np.ones((3, 4))), (np.ones((3, 4)) @ X - Y) @ X.T / 30, rtol=1e-12)
    assert float(f(jnp.ones((3, 4)))) == pytest.approx(expected, rel=1e-5)


def test_the_users_function_runs_after_rankscape_in_a_fresh_process():
    code = """
        import jax.numpy as jnp, numpy as np, rankscape as rs
        X = np.arange(12.0).reshape(4, 3)
        f = lambda W: jnp.sum((W @ X) ** 2)
        rs.simulate(rs.Objective(f, shape=(2, 4)), initialization=rs.Factors([np.ones((2, 4)) / 99, np.eye(2)]),
                    dynamics=rs.GradientDescent(1e-4), steps=3)
        print(float(f(jnp.ones((2, 4)))))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=120
    )
    assert float(done.stdout) == 2 * (18**2 + 22**2 + 26**2)


def test_data_that_have_lost_digits_already_are_refused():
    coarse = jnp.asarray(X)
    with pytest.raises(InputError, match=r"an array of float32 \(shape \(4, 30\)\)"):
        _run(lambda W: jnp.sum((W @ coarse - Y) ** 2))


def test_a_float32_run_takes_float32_data():
    coarse = jnp.asarray(X)
    run = _run(lambda W: 0.5 * jnp.sum((W @ coarse - Y) ** 2) / 30, dtype="float32")
    np.testing.assert_allclose(run.product, _descended(), rtol=1e-3)


def test_a_function_of_several_values_is_refused():
    with pytest.raises(InputError, match="must return one number"):
        _run(lambda W: jnp.sum(W @ X, axis=0))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda factors: "x", r"observe\['seen'\]` must return real numbers of one shape, got 'x' at step 0"),
        (lambda factors: 1j, r"observe\['seen'\]` must return real numbers"),
        (lambda factors: [[1.0], [1.0, 2.0]], r"observe\['seen'\]` must return real numbers"),
        (lambda factors: np.zeros(1 + int(factors[0][0, 0] * 1e3) % 3), r"observe\['seen'\]` returned shape"),
    ],
)
def test_a_bad_observer_is_named_at_once(function, words):
    with pytest.raises(InputError, match=words):
        rs.simulate(
            rs.Estimation(eigenvalues=[5.0, 3.0]), depth=3, initialization=rs.Identical(0.1), steps=200,
            dynamics=rs.GradientDescent(0.01), observe={"seen": function},
        )  # fmt: skip


def test_an_observer_that_fails_says_which_and_when():
    def broken(factors):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine") as caught:
        rs.simulate(
            rs.Estimation(eigenvalues=[5.0, 3.0]), depth=3, initialization=rs.Identical(0.1), steps=10,
            dynamics=rs.GradientDescent(0.01), observe={"broken": broken},
        )  # fmt: skip
    assert caught.value.__notes__ == ["in `observe['broken']`, at step 0"]
