"""The parts of completion against oracles written with other means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.estimators import complete
from rankscape.estimators.completion.ready.baselines import baseline_errors
from rankscape.ground.modes import Modes, modes_of
from rankscape.problem import Completion
from rankscape.solvers.conditioning import condition
from rankscape.solvers.least_squares.gauss_newton import gauss_newton
from rankscape.solvers.least_squares.known_rank import core, polish
from rankscape.solvers.least_squares.new_rows import fold
from rankscape.solvers.least_squares.variable_projection import project
from rankscape.solvers.noise.sign_flips import unexplained
from rankscape.solvers.posterior import Posterior


def instance(n_out, n_in, rank, share, seed, noise=0.0, weighted=False):
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((n_out, rank)), rng.standard_normal((n_in, rank))
    i, j = np.nonzero(rng.random((n_out, n_in)) < share)
    y = (left @ right.T + noise * rng.standard_normal((n_out, n_in)))[i, j]
    weights = rng.uniform(0.5, 2, len(y)) if weighted else None
    return PreparedEntries(Entries(i, j, y, (n_out, n_in), weights), "sparse"), left, right


@settings(max_examples=25)
@given(st.integers(2, 12), st.integers(2, 12), st.floats(0.1, 0.9), st.integers(0, 3), st.integers(0, 99))
def test_core_is_the_largest_part_where_all_keep_more_than_rank(n_out, n_in, share, rank, seed):
    known = np.random.default_rng(seed).random((n_out, n_in)) < share
    i, j = np.nonzero(known)
    inside = core(i, j, known.shape, rank)
    kept = np.zeros_like(known)
    kept[i[inside], j[inside]] = True
    for axis in (0, 1):
        sums = kept.sum(axis)
        assert ((sums == 0) | (sums > rank)).all()
    # peeling one row or column at a time ends at the same part
    rows, columns = set(range(n_out)), set(range(n_in))
    while True:
        block = known[np.ix_(sorted(rows), sorted(columns))]
        thin_rows = [r for r, s in zip(sorted(rows), block.sum(1), strict=True) if s <= rank]
        thin_columns = [c for c, s in zip(sorted(columns), block.sum(0), strict=True) if s <= rank]
        if not thin_rows and not thin_columns:
            break
        (rows.discard(thin_rows[0]) if thin_rows else columns.discard(thin_columns[0]))
    expected = np.zeros_like(known)
    expected[np.ix_(sorted(rows), sorted(columns))] = known[np.ix_(sorted(rows), sorted(columns))]
    assert (kept == expected).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_both_solvers_reach_the_same_stationary_point(weighted, noise):
    entries, left, right = instance(30, 20, 2, 0.6, 0, noise, weighted)
    near = np.random.default_rng(1).standard_normal(right.shape) * 0.1 + right
    one = project(entries, near, 60, 1e-12)
    other = gauss_newton(entries, left, near, 60, 1e-12)
    np.testing.assert_allclose(one.left @ one.right.T, other.left @ other.right.T, atol=1e-5)
    R = entries.as_sparse(entries.weighted(entries.residual(one.left, one.right)))
    assert np.abs(R @ one.right).max() < 1e-6 * max(noise, 1e-3) * 30
    assert np.abs(R.T @ one.left).max() < 1e-4
    assert one.converged
    assert one.squared == pytest.approx(
        float(entries.weighted(entries.residual(one.left, one.right) ** 2).sum()), rel=1e-12, abs=1e-15
    )


def test_polish_leaves_out_what_is_not_determined_and_fills_it():
    entries, left, right = instance(40, 30, 2, 0.5, 2)
    keep = ~((entries.rows == 7) & (entries.columns != entries.columns[entries.rows == 7][0]))  # one entry in row 7
    entries = entries.part(keep, compact=False)[0]
    fit = polish(entries, modes_of(left + 0.01, right))
    W = (fit.modes.U * fit.modes.s) @ fit.modes.V.T
    others = np.arange(40) != 7
    np.testing.assert_allclose(W[others], (left @ right.T)[others], atol=1e-9)
    assert 7 not in fit.rows
    assert fit.excess == fit.size - 2 * (39 + 30 - 2)
    here = entries.rows == 7
    np.testing.assert_allclose(W[7, entries.columns[here]], entries.values[here], rtol=1e-4)  # its one entry is met


def test_fold_is_ridge_regression():
    entries, _, right = instance(6, 9, 3, 0.5, 3, noise=0.3, weighted=True)
    spread = np.diag([2.0, 1.0, 0.5])
    found = fold(entries, right, spread, 0.09)
    for i in range(6):
        here = entries.rows == i
        A, w = right[entries.columns[here]], entries.weights[here]
        normal = A.T @ (w[:, None] * A) / 0.09 + np.linalg.inv(spread)
        np.testing.assert_allclose(
            found[i], np.linalg.solve(normal, A.T @ (w * entries.values[here]) / 0.09), atol=1e-9
        )


def test_condition_solves_and_inverts(rng):
    roots = rng.standard_normal((5, 4, 4))
    precision, right_side = roots @ roots.transpose(0, 2, 1) + np.eye(4), rng.standard_normal((5, 4))
    inverse, x = precision.copy(), right_side.copy()
    condition(inverse, x)
    np.testing.assert_allclose(inverse, np.linalg.inv(precision), atol=1e-12)
    np.testing.assert_allclose(x, np.linalg.solve(precision, right_side[..., None])[..., 0], atol=1e-12)


def test_averaging_finds_the_noise_and_shrinks_what_is_not_there():
    entries, left, right = instance(80, 60, 2, 0.5, 4, noise=0.5)
    scale = float(np.sqrt(np.mean(entries.values**2)))
    scaled = entries.with_values(entries.values / scale)
    start = np.linalg.svd(scaled.as_sparse(scaled.values).toarray(), full_matrices=False)
    posterior = Posterior(scaled, Modes(start[0], start[1], start[2].T).head(8), 0.2)
    for _ in range(60):
        posterior.average()
    assert posterior.noise**0.5 * scale == pytest.approx(0.5, rel=0.1)
    assert len(posterior.live.s) == 2
    W = (posterior.live.U * posterior.live.s * scale) @ posterior.live.V.T
    assert np.sqrt(np.mean((W - left @ right.T) ** 2)) < 0.25


def test_a_direction_is_unexplained_only_when_it_is_there():
    entries, left, right = instance(60, 50, 3, 0.5, 6, noise=0.2)
    whole = modes_of(left, right)
    assert unexplained(entries, polish(entries, whole)) is None
    found = unexplained(entries, polish(entries, whole.head(2)))
    assert found is not None
    assert abs(found.U[:, 0] @ whole.U[:, 2]) > 0.9


def test_nearest_rows_by_hand():
    X = np.array([[1.0, 2, 3], [1, 2, 9], [8, 8, 5]])
    i, j = np.nonzero(np.ones_like(X))
    training = Entries(i, j, X[i, j], X.shape).part(~((i == 0) & (j == 2)))
    held = Entries(np.array([0]), np.array([2]), np.array([7.0]), X.shape)
    assert baseline_errors(training, held)["nearest_rows"] == pytest.approx(0.0)  # the mean of 9 and 5


def test_a_split_of_the_user_with_the_same_seed_leaves_entries_to_hold_out():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 30)) + 0.1 * rng.normal(size=(40, 30))
    seen = Completion.from_array(X).split(0.2, seed=0)
    completed = complete(seen.training, seed=0)
    assert completed.heldout_rmse is not None
    assert completed.heldout_rmse < 0.2
