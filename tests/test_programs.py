"""What JAX compiles for the engines is kept while it is few, and let go where it is many."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rankscape as rs
from rankscape.engine import programs


@pytest.fixture
def few(monkeypatch):
    """At most three programs."""
    monkeypatch.setattr(programs, "MOST", 3)
    monkeypatch.setattr(programs, "_made", 3)  # the first call of a test drops what other tests have made


def run_of(size: int) -> rs.Trajectory:
    target = np.random.default_rng(size).normal(size=(size, 3))
    usual = {"depth": 2, "initialization": rs.Gaussian(0.3), "dynamics": rs.GradientDescent(0.01), "steps": 30}
    return rs.simulate(rs.Estimation(target), record=[30], **usual)


def double(W):
    return 2 * W


@programs.program("function")
def applied(function, W):
    return function(W)


def test_a_program_is_made_once_for_each_shape_and_each_function(few):
    for W, made in [(np.ones(2), 1), (np.zeros(2), 1), (np.ones(3), 2), (np.ones(2), 2)]:
        assert np.array_equal(applied(double, W), 2 * W)
        assert programs._made == made
    assert np.array_equal(applied(jnp.negative, np.ones(2)), -np.ones(2))
    assert programs._made == 3


def test_what_a_run_computes_does_not_depend_on_what_was_dropped(few):
    sizes = [4, 5, 6, 7]
    first = [run_of(size).product for size in sizes]  # 4 is dropped before it comes again
    assert all(np.array_equal(run_of(size).product, W) for size, W in zip(sizes, first, strict=True))


def test_what_a_program_was_made_for_is_let_go(few):
    kept = []
    for size in range(4, 8):
        weights = np.full((size, 2), 2.0)
        problem = rs.Objective(lambda W, weights=weights: (weights * W).sum() + (W * W).sum(), shape=(size, 2))
        dynamics = rs.GradientDescent(0.01)
        rs.simulate(problem, depth=2, initialization=rs.Gaussian(0.3), dynamics=dynamics, steps=5, record=[5])
        kept.append(weakref.ref(problem.function))
        del problem
    gc.collect()
    assert sum(function() is not None for function in kept) <= 3


def test_what_the_caller_compiled_still_runs(few):
    mine = jax.jit(lambda x: x * x)
    assert mine(3.0) == 9.0
    for size in range(4, 9):
        run_of(size)
    assert mine(3.0) == 9.0


def test_threads_may_drop_what_others_run(monkeypatch):
    sizes = [4, 5, 6] * 4
    alone = {size: run_of(size).product for size in set(sizes)}
    monkeypatch.setattr(programs, "MOST", 1)  # every call drops all others
    with ThreadPoolExecutor(4) as pool:
        for size, run in zip(sizes, pool.map(run_of, sizes), strict=True):
            assert np.array_equal(run.product, alone[size])
