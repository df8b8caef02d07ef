"""Very many sparse entries: what is found does not depend on their number, nor on that of threads."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.at_scale.sample import is_large
from rankscape.estimators.completion.settings import Settings


def ratings(n_out: int, n_in: int, each: int, seed: int, rank: int = 3, noise: float = 0.5):
    """Factors of variance 1/4 and a mean of 3.5, seen uniformly: entries, and the truth of cells that are not seen."""
    random = np.random.default_rng(seed)
    U, V = (0.5 * random.standard_normal((n, rank)) for n in (n_out, n_in))
    place = np.unique(random.integers(0, n_out * n_in, n_out * each))
    i, j = place // n_in, place % n_in
    values = 3.5 + (U[i] * V[j]).sum(1) + noise * random.standard_normal(len(i))
    others = np.setdiff1d(random.integers(0, n_out * n_in, 50_000), place)
    k, l = others // n_in, others % n_in
    return coo_array((values, (i, j)), shape=(n_out, n_in)), (k, l, 3.5 + (U[k] * V[l]).sum(1))


def alternating(X: coo_array, rank: int, ridge: float, sweeps: int = 15):
    """Least squares with a told rank and the right ridge, one side after the other."""
    mean = X.data.mean()
    by_row = csr_array((X.data - mean, X.coords), shape=X.shape)
    random = np.random.default_rng(0)
    P, Q = (0.3 * random.standard_normal((n, rank)) for n in X.shape)
    for _ in range(sweeps):
        P, Q = _half(by_row, Q, ridge), Q
        Q = _half(by_row.T.tocsr(), P, ridge)
    return lambda i, j: mean + (P[i] * Q[j]).sum(1)


def _half(matrix: csr_array, other: np.ndarray, ridge: float) -> np.ndarray:
    seen = csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    k = other.shape[1]
    grams = (seen @ (other[:, :, None] * other[:, None, :]).reshape(len(other), k * k)).reshape(-1, k, k)
    return np.linalg.solve(grams + ridge * np.eye(k), (matrix @ other)[:, :, None])[:, :, 0]


@pytest.mark.parametrize(("n_out", "n_in", "each"), [(30_000, 3_000, 20), (1_000, 10_000, 160)])
def test_as_good_as_least_squares_that_is_told_the_rank(n_out, n_in, each):
    X, (i, j, truth) = ratings(n_out, n_in, each, 1)
    model = DeepMatrixCompletion(n_jobs=1).fit(X)
    told = alternating(X, 3, 1.0)
    error, theirs = (np.sqrt(np.mean((found - truth) ** 2)) for found in (model.predict(i, j), told(i, j)))
    assert model.rank_ == 3
    assert error <= 1.02 * theirs, (error, theirs)
    assert model.certificate_.heldout_rmse == pytest.approx(np.hypot(error, 0.5), rel=0.03)
    assert "were decided on" in model.completed_.reason


def test_threads_change_no_digit():
    X, (i, j, _) = ratings(10_000, 1_000, 20, 2)
    one, two = (DeepMatrixCompletion(n_jobs=n).fit(X) for n in (1, 2))
    assert np.array_equal(one.predict(i, j), two.predict(i, j))
    assert one.certificate_ == two.certificate_


def test_noise_is_no_direction():
    X, (i, j, _) = ratings(12_000, 2_000, 20, 3)
    X.data = np.random.default_rng(4).standard_normal(len(X.data))
    model = DeepMatrixCompletion().fit(X)
    assert model.rank_ == 0
    assert np.abs(model.predict(i, j)).max() < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("size", [30.0, 1e4])
def test_a_wild_entry_is_left_out(size):
    X, (i, j, truth) = ratings(12_000, 2_000, 20, 5)
    X.data[1000] = size
    model = DeepMatrixCompletion().fit(X)
    assert model.completed_.outliers.rows[:1].tolist() == [X.coords[0][1000]]
    assert np.sqrt(np.mean((model.predict(i, j) - truth) ** 2)) < 0.219


def test_what_is_large():
    random = np.random.default_rng(0)
    place = np.unique(random.integers(0, 5000 * 2000, 200_000))
    entries = Entries(place // 2000, place % 2000, random.standard_normal(len(place)), (5000, 2000))
    part = lambda some: Split.of(some, Scaling.none(some.shape), np.zeros(some.count, bool))
    assert is_large(part(entries), Settings())
    assert not is_large(part(entries), Settings(path="sgd"))
    assert not is_large(part(entries.part(np.arange(entries.count) % 2 == 0)), Settings())
    assert not is_large(part(entries.with_weights(random.random(entries.count) + 0.5)), Settings())


@pytest.mark.parametrize(("n_jobs", "said"), [(0, "got 0"), (1.5, "got 1.5"), ("all", "got 'all'")])
def test_n_jobs_that_is_none(n_jobs, said):
    with pytest.raises(InputError, match=said):
        DeepMatrixCompletion(n_jobs=n_jobs).fit(np.outer(np.arange(1.0, 9), np.arange(1.0, 6)))
