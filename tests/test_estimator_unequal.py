"""Noise that differs from column to column: found, used, and kept."""

import numpy as np
import pytest

from rankscape.estimators import DeepMatrixCompletion, complete
from rankscape.estimators.completion.methods import METHODS
from rankscape.estimators.completion.methods.sampled import Sampled
from rankscape.solvers.noise.noise_variances import estimate_variances


def unequal(seed, shape=(120, 80), rank=3, share=0.5):
    """A rank-3 matrix whose columns have noise of very different size; the matrix, what is seen, and the noise."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    noise = 0.5 * np.exp(0.8 * rng.standard_normal(shape[1]))
    return W, np.where(rng.random(W.shape) < share, W + noise * rng.standard_normal(W.shape), np.nan), noise


@pytest.fixture(scope="module")
def model():
    return DeepMatrixCompletion().fit(unequal(0)[1])


def test_quiet_columns_count_for_more(model, monkeypatch):
    W, seen, noise = unequal(0)
    done = model.completed_
    found = np.sqrt(done.variances.column)
    assert np.corrcoef(np.log(found), np.log(noise))[0, 1] > 0.9
    assert "own noise" in done.reason
    monkeypatch.setattr(Sampled, "wanted", lambda *_: False)
    for method in METHODS:
        monkeypatch.setattr(type(method), "weighs", False)
    equal = complete(seen)
    assert equal.variances is None
    assert np.linalg.norm(done.fitted - W) < 0.95 * np.linalg.norm(equal.fitted - W)


def test_equal_noise_is_found_equal():
    rng = np.random.default_rng(1)
    i, j = np.indices((150, 100)).reshape(2, -1)
    kept = rng.random(len(i)) < 0.3
    found = estimate_variances(i[kept], j[kept], rng.standard_normal(kept.sum()), (150, 100), rank=0)
    for relative in found:
        np.testing.assert_allclose(relative, 1, atol=0.1)


def test_variances_are_those_of_products():
    rng = np.random.default_rng(2)
    a, b = np.exp(rng.standard_normal(200)), np.exp(rng.standard_normal(150))
    i, j = np.indices((200, 150)).reshape(2, -1)
    found = estimate_variances(i, j, np.sqrt(a[i] * b[j]) * rng.standard_normal(len(i)), (200, 150), rank=0)
    for relative, true in zip(found, (a, b), strict=True):
        ratio = relative / true
        assert np.std(np.log(ratio)) < 0.2


def test_standard_errors_follow_the_noise_and_cover(model):
    scores, quiet, loud = [], [], []
    for seed, fitted in ((0, model), (10, None)):
        W, seen, noise = unequal(seed)
        model = fitted or DeepMatrixCompletion().fit(seen)
        i, j = np.nonzero(np.isnan(seen))
        value, error = model.predict(i, j, return_std=True)
        scores.append((value - W[i, j]) / error)
        quiet.append(error[noise[j] < 0.25].mean())
        loud.append(error[noise[j] > 1].mean())
    assert np.mean(loud) > 1.5 * np.mean(quiet)
    assert 0.88 < np.mean(np.abs(np.concatenate(scores)) < 1.96) < 0.98


def test_the_variances_are_kept(model, tmp_path):
    _, seen, _ = unequal(0)
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz")
    assert (again.completed_.variances.column == model.completed_.variances.column).all()
    assert (
        again.predict([0, 1], [2, 3], return_std=True)[1] == model.predict([0, 1], [2, 3], return_std=True)[1]
    ).all()
    more = np.vstack([np.full_like(seen, np.nan), unequal(0)[1][:5]])
    model.partial_fit(more)
    assert len(model.completed_.variances.row) == 125
