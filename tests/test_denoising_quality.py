"""How good DeepMatrixDenoiser is: against rules that are told the noise, or the truth, and against doing nothing."""

import numpy as np
import pytest

from rankscape.estimators import DeepMatrixDenoiser
from rankscape.estimators.denoising.noise import noise_edge


def slow(level):
    """A level of which one is enough each time."""
    return pytest.param(level, marks=pytest.mark.slow)


def planted(shape, sizes, seed):
    """A matrix with singular values of these multiples of the largest of noise of 1; and with that noise."""
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((k, len(sizes))))[0] for k in shape)
    clean = (U * np.asarray(sizes)) @ V.T * noise_edge(1.0, shape)
    return clean, clean + rng.standard_normal(shape)


def rms(A):
    return float(np.sqrt(np.mean(np.square(A))))


def error(W, clean):
    return np.linalg.norm(W - clean) / np.linalg.norm(clean)


def shrunk_by_hand(X, noise):
    """Each direction above the edge of the noise, shrunk for the Frobenius norm; the noise is told."""
    m, n = sorted(X.shape)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    y, b = s / noise / n**0.5, m / n
    inside = np.maximum((y**2 - b - 1) ** 2 - 4 * b, 0)
    return (U * np.where(y > 1 + b**0.5, np.sqrt(inside) / y * noise * n**0.5, 0)) @ Vt


def best_weights(X, clean):
    """The nearest to the clean matrix with the singular vectors of X."""
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    return (U * np.maximum(np.einsum("ik,ij,kj->k", U, clean, Vt, optimize=True), 0)) @ Vt


@pytest.mark.parametrize("shape", [(200, 150), (300, 60), (60, 600)])
@pytest.mark.parametrize("sizes", [(4, 2, 1.3), (1.2, 1.1, 1, 0.9, 0.8)], ids=["strong", "weak"])
def test_with_the_noise_estimated_as_good_as_optimal_shrinkage_that_is_told(shape, sizes):
    clean, X = planted(shape, sizes, 6)
    model = DeepMatrixDenoiser()
    assert error(model.fit_transform(X), clean) < 1.005 * error(shrunk_by_hand(X, 1.0), clean)
    assert 0.5 < rms(model.transform(X) - clean) / model.certificate_.expected_error < 1.5


@pytest.fixture(scope="module")
def pictures():
    """Real matrices of three shapes, in units of their spread."""
    from sklearn.datasets import load_digits, load_sample_image

    china, flower = (load_sample_image(name).mean(2)[::3, ::3] for name in ("china.jpg", "flower.jpg"))
    return [A / A.std() for A in (china, flower, load_digits().data[:400])]


@pytest.mark.parametrize("level", [slow(0.02), 0.1, slow(0.5)])
def test_real_matrices_with_known_noise_nearly_as_good_as_the_best_weights(pictures, level):
    for seed, clean in enumerate(pictures):
        X = clean + level * np.random.default_rng(seed).standard_normal(clean.shape)
        model = DeepMatrixDenoiser(noise=level)
        found = rms(model.fit_transform(X) - clean)
        assert found <= 1.01 * rms(best_weights(X, clean) - clean)
        assert found < rms(X - clean)
        assert found == pytest.approx(model.certificate_.expected_error, rel=0.03)


@pytest.mark.parametrize("level", [slow(0.0), slow(0.02), 0.1, slow(0.5)])
def test_real_matrices_with_their_noise_estimated_get_worse_with_a_warning_only(pictures, level):
    for seed, clean in enumerate(pictures):
        X = clean + level * np.random.default_rng(seed).standard_normal(clean.shape)
        model = DeepMatrixDenoiser()
        found = rms(model.fit_transform(X) - clean)
        assert found <= 1.001 * rms(X - clean) or not model.certificate_.trusted
        if level in (0.02, 0.1):
            assert found < rms(X - clean)


@pytest.mark.parametrize("kind", ["rows", "both", "counts", "instrument"])
def test_noise_that_differs_between_rows_and_columns(kind):
    rng = np.random.default_rng(8)
    if kind == "instrument":  # three bands in 120 pixels, read by 100 channels of falling quality
        bands = np.exp(-(((np.linspace(0, 1, 100) - np.array([[0.2], [0.5], [0.8]])) / 0.06) ** 2))
        clean = 200 * rng.dirichlet([1, 1, 1], 120) @ bands + 5
        X = clean + rng.standard_normal(clean.shape) * np.linspace(1, 20, 100)
    elif kind == "counts":
        clean = rng.gamma(2, 1, (120, 3)) @ rng.gamma(1, 1, (3, 100))
        X = rng.poisson(clean).astype(float)
    else:
        clean, _ = planted((90, 150), (1.5, 2, 3), 0)
        size = np.exp(0.7 * rng.standard_normal((len(clean), 1)))
        size = size * np.exp(0.7 * rng.standard_normal(clean.shape[1])) if kind == "both" else size
        X = clean + size / rms(size) * rng.standard_normal(clean.shape)
    model = DeepMatrixDenoiser()
    found, told = model.fit_transform(X), error(shrunk_by_hand(X, rms(X - clean)), clean)
    assert error(found, clean) < {"instrument": 0.8, "counts": 0.9}.get(kind, 0.6) * told
    assert model.rank_ == 3
    assert model.certificate_.unequal
    assert rms(found - clean) < 2 * model.certificate_.expected_error
    assert model.noise_ == pytest.approx(rms(X - clean), rel=0.1)
    # What is told of the result is the result's.
    _, s, Vt = np.linalg.svd(found)
    np.testing.assert_allclose(model.singular_values_, s[: model.rank_], rtol=1e-8)
    np.testing.assert_allclose(np.abs(np.sum(model.components_ * Vt[: model.rank_], axis=1)), 1, atol=1e-6)
    np.testing.assert_allclose(model.transform(X[3:7]), found[3:7], rtol=1e-9, atol=1e-9 * s[0])


def test_a_given_noise_is_that_of_all_entries_together():
    """Where it differs, its level is that at root mean square; where it does not, nothing is divided."""
    rng = np.random.default_rng(9)
    clean, X = planted((90, 150), (1.5, 2, 3), 0)
    assert not DeepMatrixDenoiser(noise=1.0).fit(X).certificate_.unequal
    size = np.exp(0.7 * rng.standard_normal((len(clean), 1)))
    X = clean + size / rms(size) * rng.standard_normal(clean.shape)
    known, estimated = DeepMatrixDenoiser(noise=1.0), DeepMatrixDenoiser()
    assert error(known.fit_transform(X), clean) < 1.05 * error(estimated.fit_transform(X), clean)
    np.testing.assert_allclose(known.row_noise_, estimated.row_noise_)


def test_every_shrinkage_is_best_for_its_own_norm():
    """On average over draws, up to what chance leaves."""
    norms, errors = {"frobenius": "fro", "operator": 2, "nuclear": "nuc"}, {}
    for seed in range(4):
        clean, X = planted((90, 150), (0.8, 1, 1.2, 1.6), seed)
        for loss in norms:
            found = DeepMatrixDenoiser(noise=1.0, norm=loss).fit_transform(X) - clean
            for norm, order in norms.items():
                errors[loss, norm] = errors.get((loss, norm), 0) + np.linalg.norm(found, order)
    for norm in norms:
        assert errors[norm, norm] <= 1.01 * min(errors[loss, norm] for loss in norms)
    assert errors["nuclear", "nuclear"] < 0.95 * errors["operator", "nuclear"]
