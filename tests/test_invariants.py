"""What must hold on every trajectory: conserved quantities, monotone loss, agreement of precisions, compression."""

from itertools import pairwise

import numpy as np
import pytest
from catalogue import FITS, distance, identical
from hypothesis import example, given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError
from rankscape.ground.modes import Modes, balanced_factors

# Few shapes, so that few kernels are compiled.
shapes = st.sampled_from([(3, 4), (4, 2)])
depths = st.sampled_from([2, 3, 4])
seeds = st.integers(0, 2**32)


def _target(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def _imbalance(factors):
    return [B.T @ B - A @ A.T for A, B in pairwise(factors)]


def _gap(one, other):
    return max(np.abs(A - B).max() for A, B in zip(one, other, strict=True))


@given(shapes, depths, seeds)
def test_the_imbalance_is_conserved_up_to_the_step_size(shape, depth, seed):
    """Over a fixed time the drift is of first order: a tenth of the step, about a tenth of the drift."""
    problem = rs.Estimation(_target(shape, seed))

    def drift(rate):
        start, end = (
            rs.simulate(
                problem, depth, 4, initialization=rs.Gaussian(0.4), seed=seed, steps=steps, record=[0],
                dynamics=rs.GradientDescent(rate),
            ).factors
            for steps in (0, round(0.5 / rate))
        )  # fmt: skip
        return _gap(_imbalance(start), _imbalance(end))

    coarse, fine = drift(1e-3), drift(1e-4)
    assert 8 < coarse / fine < 12


@given(
    st.sampled_from(["rectangular", "completion", "objective"]),
    st.sampled_from([2, 4]),
    seeds,
    st.sampled_from([0.0, 0.1]),
)
def test_one_step_changes_the_imbalance_by_an_exact_identity(name, depth, seed, ridge):
    """D_l+ = rho^2 D_l + eta^2 (g_{l+1}^T g_{l+1} - g_l g_l^T), rho = 1 - 2 eta ridge, g without the ridge."""
    eta, fit = 0.1, FITS[name]
    setting = dict(depth=depth, width=3, initialization=rs.Gaussian(0.6), seed=seed, record=[0], engine="matrix")
    before = rs.simulate(fit.problem, dynamics=rs.GradientDescent(eta), steps=0, **setting).factors
    after = rs.simulate(fit.problem, dynamics=rs.GradientDescent(eta, ridge), steps=1, **setting).factors
    rho = 1 - 2 * eta * ridge
    g = [(rho * W - moved) / eta for W, moved in zip(before, after, strict=True)]
    expected = [
        rho**2 * D + eta**2 * (upper.T @ upper - lower @ lower.T)
        for D, lower, upper in zip(_imbalance(before), g[:-1], g[1:], strict=True)
    ]
    assert _gap(_imbalance(after), expected) < 1e-13 * max(1, max(np.abs(D).max() for D in expected))


@given(shapes, depths, seeds, st.sampled_from([0.0, 0.01]))
def test_small_steps_never_raise_the_objective(shape, depth, seed, ridge):
    target = _target(shape, seed)
    M = max(1.5, np.linalg.norm(target, 2) ** (1 / depth))
    run = rs.simulate(
        rs.Estimation(target), depth, 4, initialization=rs.Orthogonal(0.7), seed=seed, steps=200, record=rs.Every(5),
        dynamics=rs.GradientDescent(1 / (6 * depth * M ** (2 * depth - 2)), ridge),
    )  # fmt: skip
    assert np.all(np.diff(run.objective.values) < 0)


@given(shapes, depths, seeds)
def test_single_precision_follows_double_precision(shape, depth, seed):
    setting = dict(
        depth=depth, width=4, initialization=rs.Gaussian(0.4), seed=seed, dynamics=rs.GradientDescent(5e-3, 0.01),
        steps=200, record=[0, 200],
    )  # fmt: skip
    problem = rs.Estimation(_target(shape, seed))
    double, single = (rs.simulate(problem, dtype=dtype, **setting) for dtype in ("float64", "float32"))
    assert 1e-10 < distance(single.factors, double.factors) < 2e-5
    np.testing.assert_allclose(single.loss, double.loss, rtol=1e-4)


@given(shapes, seeds)
def test_single_precision_sgd_follows_double_precision(shape, seed):
    problem = rs.Completion.from_array(_target(shape, seed))
    setting = dict(
        depth=3, width=4, initialization=rs.Gaussian(0.4), seed=seed, dynamics=rs.SGD(0.02, 0.01),
        steps=500, record=[0, 500],
    )  # fmt: skip
    double, single = (rs.simulate(problem, dtype=dtype, **setting) for dtype in ("float64", "float32"))
    assert 1e-10 < distance(single.factors, double.factors) < 5e-5


@given(shapes, depths, seeds)
def test_a_run_is_decided_by_its_seed(shape, depth, seed):
    problem = rs.Completion.from_array(_target(shape, 1))

    def factors(seed):
        setting = dict(initialization=rs.Gaussian(0.4), dynamics=rs.SGD(0.02, 0.01), steps=100, record=[100])
        return rs.simulate(problem, depth, 4, seed=seed, **setting).factors

    assert identical(factors(seed), factors(seed))
    assert not identical(factors(seed), factors(seed + 1))


@given(shapes, depths, seeds)
@example((3, 4), 2, 0)
def test_balanced_factors_stay_nearly_balanced_and_minimal(shape, depth, seed):
    """They are balanced, multiply to W and have the least sum of squares, N sum sigma^(2/N)."""
    W = _target(shape, seed)
    U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    factors = balanced_factors(Modes(U, sigma, Vt.T), [5] * (depth - 1))
    assert _gap(_imbalance(factors), [np.zeros_like(D) for D in _imbalance(factors)]) < 1e-12
    np.testing.assert_allclose(rs.product(factors), W, rtol=0, atol=1e-12)
    assert sum(np.sum(F**2) for F in factors) == pytest.approx(depth * np.sum(sigma ** (2 / depth)), rel=1e-12)


# -- compression -----------------------------------------------------------------------------------------


def _with_dead_directions(rng, widths, alive):
    """Random factors whose hidden spaces have only `alive` live directions, in random bases."""
    bases = [np.linalg.qr(rng.normal(size=(d, d)))[0][:, :alive] for d in widths[1:-1]]
    inner = [rng.normal(size=(alive, alive)) / 2 for _ in bases[1:]]
    first = bases[0] @ rng.normal(size=(alive, widths[0])) / 2
    last = rng.normal(size=(widths[-1], alive)) @ bases[-1].T / 2
    return [first, *(b @ C @ a.T for a, b, C in zip(bases[:-1], bases[1:], inner, strict=True)), last]


@pytest.mark.parametrize("widths", [(5, 6, 7, 4), (6, 8, 8, 8, 6), (3, 9, 9, 2)], ids=str)
@pytest.mark.parametrize("alive", [1, 2])
def test_compression_changes_neither_the_product_nor_the_steps_to_come(widths, alive, rng):
    wide = _with_dead_directions(rng, widths, alive)
    narrow, discarded = rs.compress(wide)
    assert [W.shape[0] for W in narrow[:-1]] == [alive] * (len(widths) - 2)
    assert discarded < 1e-14
    np.testing.assert_allclose(rs.product(narrow), rs.product(wide), rtol=0, atol=1e-12)
    problem = rs.Estimation(rng.normal(size=(widths[-1], widths[0])))
    setting = dict(dynamics=rs.GradientDescent(0.01, ridge=0.05), steps=200, record=[0, 200])
    one = rs.simulate(problem, initialization=rs.Factors(wide), **setting)
    other = rs.simulate(problem, initialization=rs.Factors(narrow), **setting)
    np.testing.assert_allclose(other.product, one.product, rtol=0, atol=1e-12)
    np.testing.assert_allclose(other.objective, one.objective, rtol=1e-12)


def test_compression_keeps_factors_that_are_alive(rng):
    wide = [rng.normal(size=(4, 3)), rng.normal(size=(5, 4)), rng.normal(size=(6, 5))]
    narrow, discarded = rs.compress(wide)
    assert [W.shape for W in narrow] == [W.shape for W in wide]
    assert discarded == 0
    np.testing.assert_allclose(rs.product(narrow), rs.product(wide), atol=1e-13)


def test_compression_reports_the_largest_direction_that_it_dropped():
    narrow, discarded = rs.compress([np.diag([4.0, 1.0, 4e-5])] * 3, tolerance=1e-3)
    assert [W.shape for W in narrow] == [(2, 3), (2, 2), (3, 2)]
    assert discarded == pytest.approx(1e-5)


def test_compression_of_zero_keeps_one_direction():
    narrow, _ = rs.compress([np.zeros((4, 3)), np.zeros((4, 4)), np.zeros((2, 4))])
    assert rs.product(narrow).shape == (2, 3)
    assert not rs.product(narrow).any()


@pytest.mark.parametrize(
    ("factors", "reason"),
    [([np.eye(2)] * 2, "depth >= 3"), ([np.eye(2, dtype=np.float32)] * 3, "needs float64")],
    ids=["depth 2", "float32"],
)
def test_compression_is_refused_where_dead_directions_come_back(factors, reason):
    with pytest.raises(InputError, match=reason):
        rs.compress(factors)


@pytest.mark.parametrize(
    ("changes", "reason"), [({"depth": 2}, "depth"), ({"dtype": "float32"}, "float32")], ids=["depth 2", "float32"]
)
def test_a_run_that_cannot_be_compressed_is_refused_before_it_starts(changes, reason):
    setting = {"depth": 3} | changes
    with pytest.raises(InputError, match=reason):
        rs.simulate(
            FITS["rectangular"].problem, initialization=rs.Gaussian(0.1), dynamics=rs.GradientDescent(0.01, 0.1),
            steps=5, compress_width=True, **setting,
        )  # fmt: skip
