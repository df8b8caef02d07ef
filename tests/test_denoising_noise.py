"""The noise of a matrix: its law, its level and its scales, against integrals, chance and what was planted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from rankscape.estimators.denoising.level import estimated_level, median_level
from rankscape.estimators.denoising.noise import chance_misfit, misfit, noise_edge, noise_law, noise_top
from rankscape.estimators.denoising.spectrum import is_symmetric, modes_of
from rankscape.estimators.denoising.whitening import equalizing, whitened


def planted(rng, shape, sizes):
    """Directions with these sizes, in multiples of the largest of noise of level 1; without that noise."""
    U, V = (np.linalg.qr(rng.standard_normal((k, len(sizes))))[0] for k in shape)
    return (U * np.asarray(sizes)) @ V.T * noise_edge(1.0, shape)


def symmetric_noise(rng, n):
    G = rng.standard_normal((n, n))
    return (G + G.T) / 2**0.5


# -- what noise looks like -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(50, 50), (30, 90), (90, 1)])
def test_the_law_of_noise_is_that_of_marchenko_and_pastur(shape):
    b, n = min(shape) / max(shape), max(shape)
    low, high = (1 - b**0.5) ** 2, (1 + b**0.5) ** 2
    density = lambda x: np.sqrt(max((high - x) * (x - low), 0)) / (2 * np.pi * b * x)
    s, share = noise_law(shape)
    for at in (0.3, 0.6, 0.9):
        x = low + at * (high - low)
        np.testing.assert_allclose(np.interp((n * x) ** 0.5, s, share), quad(density, low, x, limit=200)[0], atol=2e-4)


@pytest.mark.parametrize("kind", ["square", "tall", "symmetric"])
def test_noise_rarely_exceeds_its_top_and_its_misfit(kind):
    rng, shape = np.random.default_rng(0), (24, 90) if kind == "tall" else (30, 30)
    over = []
    for _ in range(300):
        Z = symmetric_noise(rng, 30) if kind == "symmetric" else rng.standard_normal(shape)
        s = np.linalg.svd(Z, compute_uv=False)
        off = misfit(s, 0, median_level(s, shape), shape)
        top = noise_top(1.0, shape, kind == "symmetric")
        over.append((s[0] > top, off > chance_misfit(len(s), kind == "symmetric")))
    assert (np.mean(over, axis=0) <= [0.04, 0.08]).all()


def test_misfit_is_zero_without_noise():
    assert misfit(np.array([2.0, 0.0, 0.0]), 1, 0.0, (3, 3)) == 0.0


# -- its level -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [0, 1, 8])
@pytest.mark.parametrize("kind", ["rectangular", "symmetric"])
def test_the_level_is_found_whatever_the_rank(kind, rank):
    levels = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        sizes = 3 * np.linspace(1, 2, rank)
        W = planted(rng, (80, 80) if kind == "symmetric" else (48, 80), sizes)
        Z = symmetric_noise(rng, 80) if kind == "symmetric" else rng.standard_normal(W.shape)
        if kind == "symmetric":
            W = (W + W.T) / 2**0.5
        s = np.linalg.svd(W + Z, compute_uv=False)
        levels.append(estimated_level(s, W.shape, kind == "symmetric"))
    found = np.array([level.noise for level in levels])
    assert abs(found.mean() - 1) < 0.02
    assert np.abs(found - 1).max() < 0.08
    assert sum(level.slow for level in levels) <= 1


@pytest.mark.parametrize("shape", [(150, 200), (120, 120)])
def test_a_matrix_that_is_mostly_signal_shows_its_noise_at_the_lower_edge(shape):
    rng = np.random.default_rng(1)
    W = planted(rng, shape, np.linspace(6, 1.2, 2 * min(shape) // 3))
    level = estimated_level(np.linalg.svd(W + rng.standard_normal(shape), compute_uv=False), shape)
    assert level.slow
    assert 0.8 < level.noise < 1.1


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 7), (2, 2), (5, 4), (9, 30)]), st.floats(-12, 12))
@settings(max_examples=40)
def test_levels_scale_with_the_matrix(seed, shape, power):
    s = np.linalg.svd(np.random.default_rng(seed).standard_normal(shape), compute_uv=False)
    one, other = estimated_level(s, shape), estimated_level(10.0**power * s, shape)
    assert other.noise == pytest.approx(10.0**power * one.noise, rel=1e-9)
    assert other[1:] == pytest.approx(one[1:], abs=1e-9)


# -- its scales ------------------------------------------------------------------------------------------------


def scales(rng, n, spread):
    size = np.exp(spread * rng.standard_normal(n))
    return size / np.sqrt(np.mean(size**2))


@pytest.mark.parametrize("symmetric", [False, True])
def test_scales_are_read_off_the_resolvent(symmetric):
    rng, shape = np.random.default_rng(2), (250, 250) if symmetric else (300, 200)
    a, b = scales(rng, shape[0], 0.5), scales(rng, shape[1], 0.5)
    if symmetric:
        V = np.linalg.qr(rng.standard_normal((shape[0], 3)))[0]
        X = (V * [300, 200, 100]) @ V.T + symmetric_noise(rng, shape[0]) * np.outer(a, a)
        b = a
    else:
        X = planted(rng, shape, [20, 5, 2]) + rng.standard_normal(shape) * np.outer(a, b)
    found = equalizing(modes_of(X, symmetric), symmetric)
    # A row of n entries tells its size to about 1/sqrt(2n).
    assert np.std(np.log(found.rows / a)) < 2 / np.sqrt(2 * shape[1])
    assert np.std(np.log(found.columns / b)) < 2 / np.sqrt(2 * shape[0])
    assert found.unit == pytest.approx(np.sqrt(np.mean(np.outer(a, b) ** 2)), rel=0.05)


@pytest.mark.parametrize("symmetric", [False, True])
def test_unequal_noise_is_made_equal_and_equal_noise_is_left(symmetric):
    rng, shape = np.random.default_rng(3), (120, 120) if symmetric else (150, 100)
    W = planted(rng, shape, [3, 2])
    a, b = scales(rng, shape[0], 0.7), scales(rng, shape[1], 0.7)
    Z = symmetric_noise(rng, shape[0]) if symmetric else rng.standard_normal(shape)
    if symmetric:
        W, b = (W + W.T) / 2**0.5, a
    for spread, X in (("unequal", W + Z * np.outer(a, b)), ("equal", W + Z)):
        modes = modes_of(X, symmetric)
        level = estimated_level(modes.sizes, shape, symmetric)
        white = whitened(X, modes, level, symmetric)
        assert (white is not None) == (spread == "unequal")
        if white is not None:
            assert white.level.misfit < 0.5 * level.misfit
            assert white.noise == pytest.approx(np.sqrt(np.mean(np.outer(a, b) ** 2)), rel=0.1)
            assert white.scales.differ


def test_symmetry_is_judged_at_the_precision_of_the_numbers():
    X = np.random.default_rng(4).standard_normal((5, 5))
    S = X + X.T
    assert is_symmetric(S.astype(np.float32))
    assert not is_symmetric(S + 1e-6 * X)
