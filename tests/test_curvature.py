"""A learning rate that follows the curvature: a NumPy descent of a few lines agrees, and no cut shows."""

import numpy as np
import pytest
from catalogue import FITS, identical
from reference import curvature, gd_step

import rankscape as rs
from rankscape.errors import InputError

RATE = rs.rates.Curvature(safety=0.4, refresh=7)
PROBLEMS = ("symmetric", "rectangular", "sensing", "rank-one", "pauli", "functions", "completion")


def run(name: str, steps: int, depth: int = 3, rate=RATE, ridge=0.01, **changes) -> rs.Trajectory:
    arguments = dict(depth=depth, initialization=rs.Gaussian(0.4), dynamics=rs.GradientDescent(rate, ridge), seed=2)
    return rs.simulate(FITS[name].problem, steps=steps, **(arguments | changes))


def descent(name: str, factors: list[np.ndarray], steps: int, ridge: float) -> tuple[list[np.ndarray], list[float]]:
    """The factors after so many steps, and the rate of each."""
    fit, rates = FITS[name], []
    for step in range(steps):
        fresh = step % RATE.refresh == 0
        rates.append(RATE.safety / curvature(factors, fit.gradient, fit.problem.shape, ridge) if fresh else rates[-1])
        factors = gd_step(factors, fit.gradient, rates[-1], ridge)
    return factors, rates


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("name", PROBLEMS)
def test_it_is_gradient_descent_at_the_rate_of_the_formula(name, depth):
    start, here = run(name, 0, depth).factors, run(name, 40, depth, record=range(40))
    expected, rates = descent(name, start, 40, 0.01)
    for W, V in zip(here.factors, expected, strict=True):
        np.testing.assert_allclose(W, V, atol=1e-9)
    np.testing.assert_allclose(here.learning_rate, rates, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["rectangular", "functions"])
def test_no_cut_shows(name, dtype, tmp_path):
    """Not of records, not of chunks, nor of continuing in the middle of seven steps, alone or in a batch."""
    ridge = rs.rates.piecewise({0: 0.02, 10: 0.005})
    whole = run(name, 50, dtype=dtype, ridge=ridge, record=[50])
    assert identical(whole.factors, run(name, 50, dtype=dtype, ridge=ridge, record=range(51)).factors)
    half = run(name, 18, dtype=dtype, ridge=ridge)
    half.save(tmp_path / "half")
    for before in (half, rs.Trajectory.load(tmp_path / "half")):
        after = run(name, 32, dtype=dtype, ridge=ridge, depth=None, initialization=before)
        assert identical(whole.factors, after.factors)
    batch = run(name, 50, dtype=dtype, dynamics=[rs.GradientDescent(r, ridge) for r in (RATE, rs.rates.Curvature())])
    assert identical(whole.factors, batch.all_factors[0])
    assert not identical(whole.factors, batch.all_factors[1])


def test_a_small_start_is_left_in_few_steps_and_the_loss_never_rises():
    """At the smallest of its rates, which is safe everywhere, nothing has been learned by the time that all is."""
    arguments = dict(depth=3, initialization=rs.Identical(0.01), steps=800, record=range(801))
    problem = rs.Estimation(eigenvalues=[2.0, 1.0])
    here = rs.simulate(problem, dynamics=rs.GradientDescent(rs.rates.Curvature()), **arguments)
    there = rs.simulate(problem, dynamics=rs.GradientDescent(float(here.learning_rate.min())), **arguments)
    assert (np.diff(here.loss) <= 1e-15).all()
    assert here.loss[50] < 0.5  # that of the smaller eigenvalue alone
    assert here.loss[-1] < 1e-10
    assert there.loss[-1] > 2.49  # the loss of the start is 2.5


def test_where_nothing_moves_the_rate_is_finite():
    problem, zeros = rs.Estimation(np.eye(3)), rs.Factors([np.zeros((3, 3))] * 3)
    still = rs.simulate(problem, initialization=zeros, dynamics=rs.GradientDescent(RATE), steps=10)
    assert identical(still.factors, [np.zeros((3, 3))] * 3)
    assert np.isfinite(still.learning_rate).all()


def test_steps_that_are_too_long_diverge_aloud():
    with pytest.raises(rs.errors.RunFailed, match="a value overflowed"):
        run("symmetric", 2000, rate=rs.rates.Curvature(safety=1e3, refresh=50), throw=True)


def test_it_is_refused_with_a_sentence_where_it_cannot_be():
    for engine in ("matrix", "spectral", "stack"):
        with pytest.raises(InputError, match="its learning rate follows the curvature"):
            run("symmetric", 1, engine=engine)
    with pytest.raises(InputError, match="its learning rate is given"):
        run("symmetric", 1, rate=0.1, engine="curvature")
    with pytest.raises(InputError, match="the smoothness of a loss given as Objective is unknown"):
        run("objective", 1)
    with pytest.raises(InputError, match="`learning_rate` of SGD cannot follow the curvature"):
        rs.SGD(RATE)
    for rates in ([0.1, RATE], [RATE, 0.1]):
        with pytest.raises(InputError, match="must all be given, or all follow the curvature"):
            run("symmetric", 1, dynamics=[rs.GradientDescent(rate) for rate in rates])
    for wrong in (dict(safety=0.0), dict(refresh=0)):
        with pytest.raises(InputError, match=next(iter(wrong))):
            rs.rates.Curvature(**wrong)
