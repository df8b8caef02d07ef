"""What is kept of singular values, and what it costs: against brute force, loops and Monte Carlo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from rankscape.solvers.noise.shrinkage import Shrunk, optimal, rotation_invariant
from rankscape.solvers.noise.stein import stein_risk

LOSSES = {"frobenius": "fro", "operator": 2, "nuclear": "nuc"}


def shown(x, b):
    """Size and cosines (left, right) of a direction of size x in noise, in units of the longer side's root."""
    y = np.sqrt((x**2 + 1) * (x**2 + b)) / x
    return y, np.sqrt((x**4 - b) / (x**4 + b * x**2)), np.sqrt((x**4 - b) / (x**4 + x**2))


def planted(rng, shape, sizes):
    """A matrix with these singular values in units of the largest of its noise, and the same with noise of 1."""
    U, V = (np.linalg.qr(rng.standard_normal((k, len(sizes))))[0] for k in shape)
    W = (U * np.asarray(sizes)) @ V.T * (shape[0] ** 0.5 + shape[1] ** 0.5)
    return W, W + rng.standard_normal(shape)


def goe(rng, n):
    G = rng.standard_normal((n, n))
    return (G + G.T) / 2**0.5


# -- few directions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@given(st.floats(0.05, 1.0), st.floats(1.02, 6.0))
def test_what_is_kept_is_the_best_value_in_the_plane_of_both_directions(loss, b, factor):
    """The error is a 2 x 2 matrix: the true direction less a multiple of the one that shows."""
    x = factor * b**0.25
    y, left, right = shown(x, b)

    def error(kept):
        seen = np.outer([left, np.sqrt(1 - left**2)], [right, np.sqrt(1 - right**2)])
        return np.linalg.norm(np.diag([x, 0.0]) - kept * seen, LOSSES[loss])

    kept = optimal(np.array([y]), (b, 1.0), loss).kept[0]  # in units of the longer side, of which there is one
    best = minimize_scalar(error, bounds=(0, 2 * x), method="bounded", options={"xatol": 1e-10})
    assert error(kept) <= best.fun * (1 + 1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_slopes_of_few_directions_are_derivatives(loss):
    y, h = np.linspace(19, 70, 40), 1e-5
    low, high = (optimal(y + sign * h, (80, 120), loss).kept for sign in (-1, 1))
    smooth = (low > 0) == (high > 0)
    np.testing.assert_allclose(optimal(y, (80, 120), loss).slopes[smooth], ((high - low) / (2 * h))[smooth], rtol=1e-4)


# -- any spectrum ----------------------------------------------------------------------------------------------


def semicircle(z, radius):
    """Its Hilbert transform, from the density."""
    if abs(z) <= radius:
        return 2 * z / radius**2
    return 2 * (z - np.sign(z) * np.sqrt(z**2 - radius**2)) / radius**2


def in_a_loop(s, shape):
    n, m = sorted(shape)
    raw = []
    for x in s:
        push = sum(semicircle(x - y, 0.5 * y * n ** (-1 / 3)) + semicircle(x + y, 0.5 * y * n ** (-1 / 3)) for y in s)
        raw.append(x - (m - n) / x - push)
    return np.array(raw)


@pytest.mark.parametrize("shape", [(1, 5), (12, 12), (30, 14)])
def test_the_whole_spectrum_is_shrunk_by_the_formula_in_loops(shape):
    s = np.linalg.svd(np.random.default_rng(0).standard_normal(shape) * 2, compute_uv=False)
    raw, kept = in_a_loop(s, shape), rotation_invariant(s, shape).kept
    assert (np.diff(kept) <= 1e-12).all()
    assert (kept >= 0).all()
    assert (kept <= s).all()
    # Pooling keeps the sum of what is not cut.
    free = (kept > 0) & (kept < s)
    if free.all():
        np.testing.assert_allclose(kept.sum(), raw.sum(), rtol=1e-10)
    in_order = np.r_[True, np.diff(raw) < 0] & np.r_[np.diff(raw) < 0, True] & free
    lone = in_order & ~np.isclose(kept, np.roll(kept, 1)) & ~np.isclose(kept, np.roll(kept, -1))
    np.testing.assert_allclose(kept[lone], raw[lone], rtol=1e-9)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(6, 6), (5, 11), (14, 9)]), st.booleans())
@settings(max_examples=30)
def test_slopes_of_the_whole_spectrum_are_derivatives(seed, shape, symmetric):
    rng = np.random.default_rng(seed)
    if symmetric:
        shape = (shape[0], shape[0])
        values = np.linalg.eigvalsh(goe(rng, shape[0]) + 6 * np.eye(shape[0])[0])
    else:
        values = np.linalg.svd(rng.standard_normal(shape) + 1.0, compute_uv=False)
    found, h = rotation_invariant(values, shape, symmetric), 1e-6
    for i, step in enumerate(h * np.eye(len(values))):
        low, high = (rotation_invariant(values + sign * step, shape, symmetric).kept[i] for sign in (-1, 1))
        one_sided = abs(high - 2 * found.kept[i] + low) / h  # at a kink there is no derivative
        assert abs((high - low) / (2 * h) - found.slopes[i]) < 1e-4 * max(abs(found.slopes[i]), 1) + one_sided


@pytest.mark.parametrize("shape", [(100, 140), (40, 300)])
@pytest.mark.parametrize("power", [0.5, 1.0])
def test_a_slow_spectrum_is_kept_nearly_as_well_as_the_truth_would(shape, power):
    rng = np.random.default_rng(1)
    W, X = planted(rng, shape, 5 * np.arange(1.0, min(shape) + 1) ** -power)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    best = np.maximum(np.einsum("ik,ij,kj->k", U, W, Vt, optimize=True), 0)
    error, least = (np.linalg.norm((U * kept) @ Vt - W) for kept in (rotation_invariant(s, shape).kept, best))
    assert error < 1.015 * least
    assert error < 0.99 * np.linalg.norm((U * optimal(s, shape).kept) @ Vt - W)


def test_signed_eigenvalues_are_kept_nearly_as_well_as_the_truth_would():
    rng, n = np.random.default_rng(2), 150
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    W = (V * (60.0 / np.arange(1, n + 1) * np.where(np.arange(n) % 3, 1, -1))) @ V.T
    values, V = np.linalg.eigh(W + goe(rng, n))
    best = np.einsum("ik,ij,jk->k", V, W, V)
    best = np.where(best * values > 0, best, 0)
    kept = rotation_invariant(values, (n, n), symmetric=True).kept
    error, least = (np.linalg.norm((V * f) @ V.T - W) for f in (kept, best))
    assert (kept * values >= 0).all()
    assert (np.abs(kept) <= np.abs(values)).all()
    assert error < 1.03 * least


def test_zero_and_equal_values_are_no_trouble():
    s = np.array([50.0, 50.0, 7.0, 0.0, 0.0])
    for shrunk in (rotation_invariant(s, (5, 9)), rotation_invariant(s - 20, (5, 5), symmetric=True)):
        assert np.isfinite([*shrunk.kept, *shrunk.slopes]).all()
    assert np.isfinite(stein_risk(s, rotation_invariant(s, (5, 9)), (5, 9)))
    assert np.isfinite(stein_risk(s, optimal(s, (5, 9)), (5, 9)))


# -- its cost --------------------------------------------------------------------------------------------------


def smooth(s):
    """A shrinkage that nobody proposed: ``s^3 / (s^2 + 9)``."""
    return Shrunk(s**3 / (s**2 + 9), (s**4 + 27 * s**2) / (s**2 + 9) ** 2)


@pytest.mark.parametrize("rule", ["smooth", "whole spectrum"])
@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 5)])
def test_the_estimate_of_risk_is_right_on_average(shape, rule):
    rng, differences = np.random.default_rng(3), []
    W = 2.0 * rng.standard_normal(shape)
    for _ in range(600):
        U, s, Vt = np.linalg.svd(W + rng.standard_normal(shape), full_matrices=False)
        shrunk = smooth(s) if rule == "smooth" else rotation_invariant(s, shape)
        differences.append(stein_risk(s, shrunk, shape) - np.sum(((U * shrunk.kept) @ Vt - W) ** 2))
    spread = np.std(differences) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < 3.5 * spread
    assert spread < 0.1 * W.size


@pytest.mark.parametrize("rule", ["smooth", "whole spectrum"])
def test_the_estimate_of_risk_of_symmetric_matrices_is_right_on_average(rule):
    rng, n, differences = np.random.default_rng(4), 7, []
    W = 3.0 * goe(rng, n)
    for _ in range(600):
        values, V = np.linalg.eigh(W + goe(rng, n))
        shrunk = smooth(values) if rule == "smooth" else rotation_invariant(values, (n, n), symmetric=True)
        difference = stein_risk(values, shrunk, (n, n), symmetric=True) - np.sum(((V * shrunk.kept) @ V.T - W) ** 2)
        differences.append(difference)
    spread = np.std(differences) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < 3.5 * spread
    assert spread < 0.1 * W.size


def test_large_spectra_are_taken_in_parts(monkeypatch):
    s = np.linalg.svd(np.random.default_rng(5).standard_normal((40, 50)) * 3, compute_uv=False)
    whole = rotation_invariant(s, (40, 50))
    risk = stein_risk(s, whole, (40, 50))
    monkeypatch.setattr("rankscape.solvers.noise.shrinkage.PAIRS", 100)
    monkeypatch.setattr("rankscape.solvers.noise.stein.PAIRS", 100)
    parts = rotation_invariant(s, (40, 50))
    np.testing.assert_allclose(parts.kept, whole.kept, rtol=1e-12)
    np.testing.assert_allclose(parts.slopes, whole.slopes, rtol=1e-9)
    np.testing.assert_allclose(stein_risk(s, parts, (40, 50)), risk, rtol=1e-9)
