"""Where a run starts."""

import numpy as np
import pytest
from catalogue import identical
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError
from rankscape.factorization import chain_widths
from rankscape.ground.stream import Stream

widths_of_chains = st.lists(st.integers(1, 6), min_size=2, max_size=5)
seeds = st.integers(0, 2**32)


def _problem(widths):
    return rs.Estimation(np.ones((widths[-1], widths[0])))


def _factors(start, widths, seed=0, problem=None):
    return start.factors(problem or _problem(widths), tuple(widths), Stream(seed))


EVERY = [rs.Identical(0.3), rs.PerturbedIdentical(0.3, 0.1), rs.Gaussian(0.3), rs.Orthogonal(0.3)]


@given(st.sampled_from(EVERY), widths_of_chains)
def test_factors_have_the_shapes_of_the_chain(start, widths):
    factors = _factors(start, widths)
    assert [W.shape for W in factors] == list(zip(widths[1:], widths[:-1], strict=True))
    assert all(W.dtype == np.float64 for W in factors)


@pytest.mark.parametrize("start", EVERY, ids=repr)
def test_the_same_seed_gives_the_same_factors(start):
    widths = (5, 4, 3)
    assert identical(_factors(start, widths, 7), _factors(start, widths, 7))
    random = isinstance(start, rs.Gaussian | rs.Orthogonal)
    assert identical(_factors(start, widths, 7), _factors(start, widths, 8)) is not random


def test_identical_factors_are_multiples_of_the_identity():
    for W in _factors(rs.Identical(0.3), (3, 3, 3)):
        np.testing.assert_array_equal(W, 0.3 * np.eye(3))


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_one_factor_is_perturbed(layer):
    factors = _factors(rs.PerturbedIdentical(0.5, 0.2, layer), (2, 2, 2, 2))
    for l, W in enumerate(factors, start=1):
        np.testing.assert_allclose(W, (0.5 - 0.2 * (l == layer)) * np.eye(2), rtol=1e-15)


def test_gaussian_factors_have_the_moments_and_are_independent():
    first, second = _factors(rs.Gaussian(0.3), (200, 200, 200))
    for W in (first, second):
        z = W.ravel() / 0.3
        assert abs(z.mean()) < 5 / 200
        assert abs(np.mean(z**2) - 1) < 5 * np.sqrt(2) / 200
        assert abs(np.mean(z**4) - 3) < 5 * np.sqrt(96) / 200
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 5 / 200
    assert abs(np.corrcoef(first.ravel(), first.T.ravel())[0, 1]) < 5 / 140


@given(widths_of_chains, seeds)
def test_orthogonal_factors_have_equal_singular_values(widths, seed):
    for W in _factors(rs.Orthogonal(0.7), widths, seed):
        np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), 0.7, rtol=1e-12)


def test_orthogonal_factors_do_not_prefer_a_direction():
    """Of a Haar matrix every entry has mean 0 and mean square 1/n."""
    draws = np.array([_factors(rs.Orthogonal(1.0), (3, 3), seed)[0] for seed in range(2000)])
    assert np.abs(draws.mean(0)).max() < 5 * np.sqrt(1 / 3 / 2000)
    np.testing.assert_allclose((draws**2).mean(0), 1 / 3, atol=5 * np.sqrt(0.09 / 2000))


@given(widths_of_chains, seeds)
def test_balanced_factors_are_balanced_and_multiply_to_the_matrix(widths, seed):
    n_in, *hidden, n_out = widths
    rank = min(widths)
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(n_out, rank)) @ rng.normal(size=(rank, n_in))
    factors = _factors(rs.Balanced(W), widths)
    scale = max(1, np.abs(W).max())
    np.testing.assert_allclose(rs.product(factors), W, rtol=0, atol=1e-12 * scale)
    assert len(rs.imbalance(factors)) == len(hidden)
    for D in rs.imbalance(factors):
        np.testing.assert_allclose(D, 0, atol=1e-12 * scale)


def test_balanced_factors_of_zero_are_zero():
    assert not any(W.any() for W in _factors(rs.Balanced(np.zeros((2, 3))), (3, 4, 2)))


def test_a_balanced_start_along_the_target_has_the_spectrum_asked_for(rng):
    problem = rs.Estimation(rng.normal(size=(4, 3)))
    W = rs.product(_factors(rs.Balanced(spectrum=[0.1, 0.5, 0.2]), (3, 5, 4), problem=problem))
    U, _, Vt = np.linalg.svd(problem.target, full_matrices=False)
    np.testing.assert_allclose(U.T @ W @ Vt.T, np.diag([0.1, 0.5, 0.2]), atol=1e-13)
    W = rs.product(_factors(rs.Balanced(spectrum=0.3), (3, 5, 4), problem=problem))
    np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), 0.3, rtol=1e-12)


def test_given_factors_are_copied(rng):
    mine = [rng.normal(size=(2, 3)), rng.normal(size=(4, 2))]
    start = rs.Factors(mine)
    before = _factors(start, (3, 2, 4))
    mine[0][:] = 0
    assert identical(_factors(start, (3, 2, 4)), before)
    before[0][:] = 0
    assert _factors(start, (3, 2, 4))[0].any()


A, B = np.ones((2, 3)), np.ones((4, 2))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: rs.Identical(0.0), "`alpha` must be positive and finite, got 0.0"),
        (lambda: rs.Identical(np.nan), "`alpha` must be positive and finite, got nan"),
        (lambda: rs.PerturbedIdentical(0.3, 0.4), "0 < beta <= alpha = 0.3, got 0.4"),
        (lambda: rs.PerturbedIdentical(0.3, 0.0), "0 < beta <= alpha"),
        (lambda: rs.PerturbedIdentical(0.3, np.nan), "`beta` must be a finite number, got nan"),
        (lambda: _factors(rs.PerturbedIdentical(0.3, 0.1, layer=3), (2, 2, 2)), "`layer` must lie in 1..2 for depth 2"),
        (lambda: _factors(rs.PerturbedIdentical(0.3, 0.1, layer=1.5), (2, 2, 2)), "`layer`"),
        (lambda: rs.Gaussian(-1.0), "`scale` must be positive"),
        (lambda: rs.Orthogonal(np.inf), "`scale` must be positive"),
        (lambda: rs.Balanced(), "either `W` or `spectrum`"),
        (lambda: rs.Balanced(A, spectrum=1.0), "and not both"),
        (lambda: rs.Balanced(spectrum=[1.0, -1.0]), "finite and not negative"),
        (lambda: rs.Balanced(spectrum=np.nan), "finite and not negative"),
        (lambda: rs.Balanced([[np.nan]]), r"`W` holds nan at position \(0, 0\)"),
        (lambda: _factors(rs.Balanced(A), (3, 3)), r"`W` has shape \(2, 3\), but the problem has shape \(3, 3\)"),
        (lambda: _factors(rs.Balanced(spectrum=[1.0]), (3, 2)), "`spectrum` needs 2 values .*, got 1"),
        (lambda: _factors(rs.Balanced(np.eye(3)), (3, 2, 3)), r"rank 3 needs hidden widths of at least 3, got \[2\]"),
        (lambda: rs.Factors([]), "At least one factor"),
        (lambda: rs.Factors([A, A]), r"do not chain: W_1 has shape \(2, 3\), so W_2 needs 2 columns, .* \(2, 3\)"),
        (lambda: rs.Factors([B, A, A]), "do not chain: W_1"),
        (lambda: rs.Factors([np.ones(3)]), r"W_1 must be a non-empty matrix, got shape \(3,\)"),
        (lambda: rs.Factors([A, np.full((4, 2), np.inf)]), "W_2 holds a NaN or an infinite value"),
        (lambda: _factors(rs.Factors([A, B]), (3, 2, 5)), r"multiply to shape \(4, 3\), but the problem has"),
    ],
)
def test_a_start_that_cannot_be_is_refused(make, reason):
    with pytest.raises(InputError, match=reason):
        make()


def test_a_spectrum_needs_the_vectors_of_an_estimation():
    problem = rs.Completion.from_array(np.eye(2))
    with pytest.raises(InputError, match=r"takes its directions from an Estimation .* Balanced\(W\) for a Completion"):
        _factors(rs.Balanced(spectrum=1.0), (2, 2), problem=problem)


@pytest.mark.parametrize("changes", [{"depth": 3}, {"width": 5}, {"depth": 3, "width": 2}], ids=str)
def test_given_factors_decide_depth_and_widths(changes):
    setting = dict(initialization=rs.Factors([A, B]), dynamics=rs.GradientDescent(0.1), steps=1)
    assert rs.simulate(rs.Estimation(np.ones((4, 3))), **setting).configuration["widths"] == [3, 2, 4]
    with pytest.raises(InputError, match=r"width|depth"):
        rs.simulate(rs.Estimation(np.ones((4, 3))), **setting, **changes)


@pytest.mark.parametrize(
    ("depth", "width", "widths"),
    [(1, None, (3, 4)), (3, None, (3, 4, 4, 4)), (3, 2, (3, 2, 2, 4)), (3, [5, 6], (3, 5, 6, 4)), (1, [], (3, 4))],
)
def test_widths_of_a_chain(depth, width, widths):
    assert chain_widths((4, 3), depth, width) == widths


def test_the_default_depth_is_three():
    setting = dict(initialization=rs.Gaussian(0.1), dynamics=rs.GradientDescent(0.1), steps=1)
    assert len(rs.simulate(rs.Estimation(np.eye(2)), **setting).factors) == 3
