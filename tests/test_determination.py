"""Completions whose entries leave cells open: these are counted, located, filled with the offset, and not trusted."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.ready.offsets import fit_offset


def blocks(common: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two blocks of rank 2 with so many common rows; the truth, what is seen, and the cells across."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 50))
    seen = np.zeros(W.shape, bool)
    seen[: 30 + common, :25], seen[30:, 25:] = True, True
    across = ~seen
    seen &= rng.random(W.shape) < 0.8
    return W, np.where(seen, W + noise * rng.normal(size=W.shape), np.nan), across


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("common", [0, 1])
def test_cells_across_two_blocks_are_open(common, noise):
    W, X, across = blocks(common, noise)
    done = rs.complete(X)
    inside = np.isnan(X) & ~across
    assert not done.determined[across].any()
    assert done.determined[~across].all()
    assert not done.certificate.trusted
    assert done.certificate.undetermined == across.sum()
    assert "not determined by the entries" in str(done.certificate)
    assert np.sqrt(np.mean((done.matrix - W)[inside] ** 2)) <= max(1e-9, 0.6 * noise)
    # They are filled with the levels of rows and columns, and what is said of them is the error of these.
    guess = fit_offset("row+column", Entries.from_array(X)).dense()
    np.testing.assert_allclose(done.matrix[across], guess[across], rtol=1e-6, atol=1e-8)
    rows, columns = np.nonzero(across)
    spread = np.nanstd(X)
    assert 0.5 * spread < done.standard_errors(rows[:5], columns[:5]).min()
    true = np.sqrt(np.mean((done.matrix - W)[np.isnan(X)] ** 2))
    assert 0.5 < true / done.expected_error < 2


def test_enough_common_rows_determine_everything():
    W, X, _ = blocks(3, 0.0)
    done = rs.complete(X)
    assert done.determined.all()
    assert done.certificate.trusted
    assert np.abs(done.matrix - W).max() < 1e-8


def test_separate_blocks_are_told_with_their_ranks():
    _, X, _ = blocks(0, 0.0)
    assert "2 separate blocks, of ranks 2, 2" in rs.complete(X).reason


@pytest.mark.filterwarnings("ignore:No entry is observed")
def test_what_is_certified_near_the_limit_is_right():
    """At 1.15 times the limit some rows have too few entries; all that is called determined is exact."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        W = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 80))
        count = int(1.15 * 3 * (180 - 3))
        seen = np.zeros(W.size, bool)
        seen[rng.permutation(W.size)[:count]] = True
        X = np.where(seen.reshape(W.shape), W, np.nan)
        done = rs.complete(X)
        if done.certificate.exact:
            assert np.abs(done.matrix - W)[done.determined].max() < 1e-5
            assert done.determined.mean() > 0.8
            assert not any("information limit" in warning for warning in done.certificate.warnings)


def test_a_row_with_fewer_entries_than_the_rank_is_open_and_named():
    rng = np.random.default_rng(4)
    W = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 30))
    X = np.where(rng.random(W.shape) < 0.6, W, np.nan)
    X[7] = np.nan
    X[7, :2] = W[7, :2]
    done = rs.complete(X)
    assert not done.determined[7, 2:].any()
    assert np.delete(done.determined, 7, axis=0).all()
    assert "rows 7; columns 2-29" in str(done.certificate)


def test_what_is_open_survives_saving(tmp_path):
    _, X, across = blocks(0, 0.05)
    model = rs.estimators.DeepMatrixCompletion().fit(X)
    model.save(tmp_path / "model.npz")
    again = rs.estimators.DeepMatrixCompletion.load(tmp_path / "model.npz").completed_
    np.testing.assert_array_equal(again.determined, ~across | ~np.isnan(X))
    np.testing.assert_array_equal(again.matrix, model.completed_.matrix)


def thin_rows(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rank 4 with noise; rows of one to three entries beside many full ones: what is seen, the truth, and what Bayes
    says of the thin rows who knows the columns' factors, the prior and the noise."""
    rng = np.random.default_rng(seed)
    n, m, rank, noise = 200, 80, 4, 0.1
    U, V = rng.normal(size=(n, rank)), rng.normal(size=(m, rank)) / 2
    seen, thin = rng.random((n, m)) < 0.5, 40
    for i in range(thin):
        seen[i] = False
        seen[i, rng.permutation(m)[: rng.integers(1, rank)]] = True
    W = U @ V.T
    X = np.where(seen, W + noise * rng.normal(size=W.shape), np.nan)
    best = np.zeros((thin, m))
    for i in range(thin):
        seen_v = V[seen[i]]
        best[i] = V @ seen_v.T @ np.linalg.solve(seen_v @ seen_v.T + noise**2 * np.eye(len(seen_v)), X[i, seen[i]])
    return X, W, best


@pytest.mark.parametrize("seed", [0, 2])
def test_few_entries_of_a_thin_row_still_count(seed):
    """Each row has too few for the rank, and one direction or two of it are known: as good as Bayes, and far better
    than the levels; open all the same, and the error that is told is that of both."""
    X, W, best = thin_rows(seed)
    done = rs.complete(X)
    thin, hidden = slice(0, len(best)), np.isnan(X)
    assert not done.determined[thin][hidden[thin]].any()
    error = lambda F: np.sqrt(np.mean((F - W)[thin][hidden[thin]] ** 2))
    oracle = W.copy()
    oracle[thin] = best
    assert error(done.matrix) < 1.1 * error(oracle)
    assert error(done.matrix) < 0.85 * error(np.zeros_like(W))
    true = np.sqrt(np.mean((done.matrix - W)[hidden] ** 2))
    assert 0.7 < true / done.expected_error < 1.4
    assert not done.certificate.trusted
    assert "drawn towards them" in str(done.certificate)
    rows, columns = np.nonzero(hidden[thin])
    said = done.standard_errors(rows, columns)
    assert 0.7 < np.sqrt(np.mean(said**2)) / np.sqrt(np.mean((done.matrix - W)[rows, columns] ** 2)) < 1.4


@pytest.mark.parametrize("seed", [0, 1, 22])
def test_thin_rows_of_a_fit_without_a_prior_are_filled_with_levels(seed):
    """Levels and directions that are fitted together draw nothing to the levels: two entries led them far astray.

    Of 0 and 22 a model of all eight directions meets what is held out as closely, and fills the rows with guesses that
    it calls determined.
    """
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 8)) + 5.0
    X = np.where(rng.random(W.shape) < 0.85, W + 1e-4 * rng.normal(size=W.shape), np.nan)
    X[:2, 2:] = np.nan
    done = rs.complete(X)
    assert done.method == "joint"
    hidden = np.isnan(X)
    hidden[2:] = False
    assert not done.determined[hidden].any()
    guess = fit_offset("row+column", Entries.from_array(X)).dense()
    np.testing.assert_allclose(done.matrix[hidden], guess[hidden], rtol=1e-6)
