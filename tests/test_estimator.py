"""DeepMatrixCompletion: what goes in, what comes out, and what it says about itself."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixCompletion, complete
from rankscape.problem import Completion
from rankscape.run.outcome import Outcome


def planted(n_out, n_in, rank, share, seed, noise=0.0):
    """A product of Gaussian factors, and what is seen of it (NaN elsewhere)."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((n_out, rank)) @ rng.standard_normal((rank, n_in))
    return W, np.where(rng.random(W.shape) < share, W + noise * rng.standard_normal(W.shape), np.nan)


@pytest.fixture(scope="module")
def exact():
    return planted(60, 50, 3, 0.4, 0)


@pytest.fixture(scope="module")
def noisy():
    return planted(60, 50, 3, 0.5, 1, noise=0.3)


@pytest.fixture(scope="module")
def model(noisy):
    return DeepMatrixCompletion().fit(noisy[1])


# -- fitting and filling -------------------------------------------------------------------------------------


def test_an_exactly_low_rank_matrix_is_restored(exact):
    W, seen = exact
    model = DeepMatrixCompletion()
    filled = model.fit_transform(seen)
    np.testing.assert_allclose(filled, W, atol=1e-9)
    assert model.rank_ == 3
    assert model.outcome_ is Outcome.CONVERGED
    np.testing.assert_allclose(model.singular_values_, np.linalg.svd(W)[1][:3], rtol=1e-9)
    np.testing.assert_allclose(W @ (np.eye(50) - model.components_.T @ model.components_), 0, atol=1e-8)
    assert model.n_iter_ > 0
    assert set(model.path_.phase) >= {"falling", "climbing", "chosen"}


def test_fit_transform_is_fit_then_transform_and_agrees_with_complete(noisy, model):
    _, seen = noisy
    filled = model.transform(seen)
    assert (DeepMatrixCompletion().fit_transform(seen) == filled).all()
    assert (complete(seen).matrix == filled).all()
    given = ~np.isnan(seen)
    assert (filled[given] == seen[given]).all()


def test_new_rows_are_folded_in(exact):
    W, seen = exact
    model = DeepMatrixCompletion().fit(seen[:50])
    new = seen[50:].copy()
    np.testing.assert_allclose(model.transform(new), W[50:], atol=1e-6)
    np.testing.assert_allclose(model.predict(new), W[50:], atol=1e-6)
    one = model.transform(new[:1])
    np.testing.assert_allclose(one, model.transform(new)[:1], atol=1e-9)


def test_new_rows_under_noise_and_biases_are_no_worse_than_those_fitted():
    W, seen = planted(200, 40, 2, 0.5, 3, noise=0.2)
    bias = np.random.default_rng(0).standard_normal(200)[:, None] * 3 + np.linspace(0, 5, 40)
    model = DeepMatrixCompletion(offset="row+column").fit(seen[:150] + bias[:150])
    hidden = np.isnan(seen)
    error = (model.transform(seen + bias) - W - bias)[hidden]
    rows = np.nonzero(hidden)[0]
    assert np.sqrt(np.mean(error[rows >= 150] ** 2)) < 1.3 * np.sqrt(np.mean(error[rows < 150] ** 2))


def test_a_row_without_entries_is_filled_with_one_warning(model):
    with pytest.warns(FallbackWarning, match="row") as caught:
        filled = model.transform(np.full((1, 50), np.nan))
    assert len(caught) == 1
    np.testing.assert_allclose(filled[0], model.completed_.fitted.mean(0), atol=1e-9)  # it is a row like the others


def test_pairs_are_predicted_without_the_matrix(model):
    i, j = np.array([0, 59, 7]), np.array([3, 49, 7])
    np.testing.assert_allclose(model.predict(i, j), model.completed_.fitted[i, j], rtol=1e-12)
    with pytest.raises(InputError, match="columns"):
        model.predict([0], [50])
    with pytest.raises(InputError, match="return_std"):
        model.predict(np.zeros((2, 50)), return_std=True)


def test_biased_data_keep_their_biases_out_of_the_rank():
    W, seen = planted(80, 60, 2, 0.4, 5, noise=0.1)
    bias = 20 * np.random.default_rng(1).random(80)[:, None] + 10 * np.random.default_rng(2).random(60)
    model = DeepMatrixCompletion().fit(seen + bias)
    assert "biases" in model.completed_.offset or model.rank_ == 4
    error = (model.completed_.fitted - W - bias)[np.isnan(seen)]
    assert np.sqrt(np.mean(error**2)) < 0.1


# -- weights, bounds, precision ------------------------------------------------------------------------------


def test_weights_count_entries(noisy):
    """Entries of a tenth of the noise, weighted 100-fold, help as they should."""
    rng = np.random.default_rng(4)
    W = rng.standard_normal((80, 2)) @ rng.standard_normal((2, 60))
    deviation = np.where(rng.random(W.shape) < 0.5, 0.05, 1.0)
    seen = np.where(rng.random(W.shape) < 0.3, W + deviation * rng.standard_normal(W.shape), np.nan)
    plain = DeepMatrixCompletion().fit(seen)
    weighted = DeepMatrixCompletion().fit(seen, weights=deviation**-2.0)
    error = lambda model: np.sqrt(np.mean((model.completed_.fitted - W) ** 2))
    assert weighted.rank_ == 2
    assert error(weighted) < 0.5 * error(plain)


def test_equal_weights_change_nothing_and_bad_ones_are_named(noisy, model):
    _, seen = noisy
    same = DeepMatrixCompletion().fit(seen, weights=np.full(seen.shape, 7.0))
    np.testing.assert_allclose(same.completed_.fitted, model.completed_.fitted, rtol=0, atol=1e-6)
    wrong = np.ones(seen.shape)
    wrong[np.unravel_index(np.flatnonzero(~np.isnan(seen))[5], seen.shape)] = -1
    with pytest.raises(InputError, match="row 0"):
        DeepMatrixCompletion().fit(seen, weights=wrong)
    with pytest.raises(InputError, match="shape"):
        DeepMatrixCompletion().fit(seen, weights=np.ones(3))


def test_clip_bounds_what_is_predicted(noisy):
    _, seen = noisy
    model = DeepMatrixCompletion(clip=(-1, 1)).fit(np.where(np.abs(seen) < 1, seen, np.nan))
    assert np.abs(model.transform(seen)[np.isnan(seen)]).max() == 1
    assert np.abs(model.predict(np.arange(50), np.arange(50))).max() <= 1
    observed = DeepMatrixCompletion(clip="observed").fit(seen).transform(seen)
    assert np.nanmin(seen) == observed.min()
    for clip in ("some", (1, 1), 3):
        with pytest.raises(InputError, match="clip"):
            DeepMatrixCompletion(clip=clip).fit(seen)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept_and_the_rank_found_in_both(exact, dtype):
    W, seen = exact
    model = DeepMatrixCompletion()
    filled = model.fit_transform(seen.astype(dtype))
    assert filled.dtype == dtype
    assert model.predict([0], [0]).dtype == dtype
    assert model.rank_ == 3
    np.testing.assert_allclose(filled, W, atol=1e-4 if dtype == np.float32 else 1e-9)


# -- scikit-learn manners ------------------------------------------------------------------------------------


def test_names_of_frames_are_kept(noisy):
    frame = pd.DataFrame(noisy[1], columns=[f"c{j}" for j in range(50)], index=range(100, 160))
    model = DeepMatrixCompletion().set_output(transform="pandas")
    filled = model.fit_transform(frame)
    assert list(filled.columns) == list(frame.columns)
    assert list(filled.index) == list(frame.index)
    assert list(model.get_feature_names_out()) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        model.transform(frame.rename(columns={"c0": "other"}))


def test_clones_and_pipelines(noisy):
    model = DeepMatrixCompletion(depth=4, clip=(0, 1))
    assert clone(model).get_params() == model.get_params()
    filled = make_pipeline(FunctionTransformer(lambda X: 2 * X), DeepMatrixCompletion()).fit_transform(noisy[1])
    assert np.isfinite(filled).all()


def test_pickles_and_plain_files_predict_the_same(noisy, model, tmp_path):
    i, j = np.nonzero(np.isnan(noisy[1]))
    expected, errors = model.predict(i, j, return_std=True)
    path = tmp_path / "model.npz"
    model.save(path)
    for other in (pickle.loads(pickle.dumps(model)), DeepMatrixCompletion.load(path)):
        assert (other.predict(i, j) == expected).all()
        assert (other.predict(i, j, return_std=True)[1] == errors).all()
        assert (other.transform(noisy[1]) == model.transform(noisy[1])).all()
        assert other.certificate_ == model.certificate_
        assert other.path_.dataset().identical(model.path_.dataset())
        assert other.get_params() == model.get_params()
        assert other.outcome_ is model.outcome_


def test_files_that_are_not_models_are_refused(tmp_path):
    with pytest.raises(InputError, match="no file"):
        DeepMatrixCompletion.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "evil.npz", facts=np.array([{"a": 1}], dtype=object))
    for name in ("text", "other", "evil"):
        with pytest.raises(InputError, match="saved"):
            DeepMatrixCompletion.load(tmp_path / f"{name}.npz")


def test_added_entries_continue_the_fit(exact):
    W, seen = exact
    rng = np.random.default_rng(0)
    first = np.where(rng.random(W.shape) < 0.8, seen, np.nan)
    model = DeepMatrixCompletion().fit(first)
    added = np.where(np.isnan(first), seen, np.nan)
    model.partial_fit(added)
    assert len(model.completed_.observed.values) == (~np.isnan(seen)).sum()
    assert model.rank_ == 3
    np.testing.assert_allclose(model.completed_.fitted, W, atol=1e-9)
    grown = np.full((62, 50), np.nan)
    grown[60:] = 1.5 * W[:2]
    model.partial_fit(grown)
    np.testing.assert_allclose(model.completed_.fitted[60:], 1.5 * W[:2], atol=1e-8)


def test_warm_start_agrees_with_a_cold_one_and_leaves_when_it_must(noisy):
    _, seen = noisy
    model = DeepMatrixCompletion(warm_start=True).fit(seen)
    before = model.completed_.fitted
    np.testing.assert_allclose(model.fit(seen).completed_.fitted, before, atol=0.05)
    _, other_seen = planted(60, 50, 5, 0.6, 9)
    assert DeepMatrixCompletion(warm_start=True).fit(seen).fit(other_seen).rank_ in (3, 5)


# -- sparse --------------------------------------------------------------------------------------------------


def test_what_a_sparse_matrix_stores_is_observed(noisy, model):
    _, seen = noisy
    i, j = np.nonzero(~np.isnan(seen))
    for kind in (sparse.coo_array, sparse.csr_array, sparse.csc_matrix):
        other = DeepMatrixCompletion().fit(kind(sparse.coo_array((seen[i, j], (i, j)), seen.shape)))
        np.testing.assert_allclose(other.completed_.fitted, model.completed_.fitted, atol=1e-12)
    with pytest.raises(InputError, match="densely"):
        model.predict(sparse.csr_array(np.ones((2, 50))))


def test_triplets_come_as_a_problem_and_keep_their_split(noisy, model):
    _, seen = noisy
    problem = Completion.from_array(seen)
    assert (DeepMatrixCompletion().fit_transform(problem) == model.transform(seen)).all()
    assert (model.transform(problem) == model.transform(seen)).all()
    split = problem.split(0.2, seed=3)
    fitted = DeepMatrixCompletion().fit(split)
    assert fitted.completed_.heldout_rmse == complete(split).heldout_rmse
    assert len(fitted.completed_.observed.values) == np.count_nonzero(~np.isnan(seen))
    with pytest.raises(ValueError, match="features"):
        model.transform(Completion.from_array(seen[:, :10]))


def test_stored_zeros_are_observed():
    W = np.outer([0.0, 1, 2, 3, 4, 5, 6, 7], [1.0, 0, -1, 2, 3, 1])
    i, j = np.indices(W.shape).reshape(2, -1)
    kept = (i + j) % 6 != 0
    matrix = sparse.csr_array((W[i, j][kept], (i[kept], j[kept])), shape=W.shape)
    assert len(DeepMatrixCompletion().fit(matrix).completed_.observed.values) == kept.sum()


def test_a_large_sparse_matrix_is_never_dense():
    rng = np.random.default_rng(0)
    n, m, count = 9_000, 7_000, 40_000  # the dense matrix would take 500 MB
    i, j = rng.integers(0, n, count), rng.integers(0, m, count)
    U, V = rng.standard_normal((n, 1)), rng.standard_normal((m, 1))
    matrix = sparse.coo_array((2 + 0.5 * U[i, 0] * V[j, 0], (i, j)), shape=(n, m)).tocsr()
    tracemalloc.start()
    with pytest.warns(FallbackWarning):
        DeepMatrixCompletion(offset="mean", loss="squares").fit(matrix)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6


# -- trust ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "noise"), [(0.15, 0.1), (0.4, 0.5)])
def test_standard_errors_cover(share, noise):
    hit, scores = [], []
    for seed in range(5):
        W, seen = planted(100, 80, 3, share, 100 + seed, noise=noise)
        model = DeepMatrixCompletion().fit(seen)
        enough = ((~np.isnan(seen)).sum(1) > 5)[:, None] & ((~np.isnan(seen)).sum(0) > 5)
        i, j = np.nonzero(np.isnan(seen) & enough)
        value, error = model.predict(i, j, return_std=True)
        scores.append((value - W[i, j]) / error)
    hit = np.abs(np.concatenate(scores)) < 1.96
    assert 0.90 < hit.mean() < 0.98


@pytest.mark.parametrize("offset", ["row", "column", "row+column"])
def test_standard_errors_cover_biases(offset):
    scores = []
    for seed in range(4):
        W, seen = planted(60, 50, 2, 0.4, 200 + seed, noise=0.5)
        rng = np.random.default_rng(seed)
        bias = rng.standard_normal((60, 1)) * ("row" in offset) + rng.standard_normal(50) * ("column" in offset)
        model = DeepMatrixCompletion(offset=offset).fit(seen + bias)
        i, j = np.nonzero(np.isnan(seen))
        value, error = model.predict(i, j, return_std=True)
        scores.append((value - (W + bias)[i, j]) / error)
    hit = np.abs(np.concatenate(scores)) < 1.96
    assert 0.90 < hit.mean() < 0.99


def test_exact_fits_have_no_error(exact):
    model = DeepMatrixCompletion().fit(exact[1])
    assert model.predict([0, 1], [2, 3], return_std=True)[1].max() < 1e-8


def test_certificate_of_a_good_fit(model, noisy):
    _, seen = noisy
    certificate = model.certificate_
    assert certificate.trusted
    assert certificate.oversampling == pytest.approx((~np.isnan(seen)).sum() / (3 * (60 + 50 - 3)))
    assert certificate.smallest_row == (~np.isnan(seen)).sum(1).min()
    assert certificate.heldout_rmse == model.completed_.heldout_rmse < min(certificate.baselines.values())
    assert certificate.spectral_gap > 1
    assert "Nothing speaks against" in str(certificate)


def test_certificate_warns_near_the_limit():
    _, seen = planted(100, 100, 5, 0.12, 0)
    noisy = seen + 0.1 * np.random.default_rng(1).normal(size=seen.shape)
    certificate = DeepMatrixCompletion().fit(noisy).certificate_
    assert not certificate.trusted
    assert "information limit" in str(certificate)


def test_rows_that_repeat_are_told_by_one_another():
    rng = np.random.default_rng(0)
    kinds = np.repeat(rng.standard_normal((30, 40)), 6, axis=0)  # neighbours know all, and the rank is 30
    model = DeepMatrixCompletion().fit(np.where(rng.random(kinds.shape) < 0.5, kinds, np.nan))
    assert model.certificate_.heldout_rmse < 0.5 * model.certificate_.baselines["nearest_rows"]
    assert "near rows" in model.completed_.reason
