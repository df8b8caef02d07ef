"""DeepMatrixDenoiser where single entries are wrong or tails are heavy, against matrices in which they are not."""

import numpy as np
import pytest

from rankscape.errors import FallbackWarning
from rankscape.estimators import DeepMatrixDenoiser
from rankscape.estimators.denoising.robust import Counting
from rankscape.estimators.denoising.tails import excess_kurtosis

SHAPE = (120, 90)


def planted(seed, shape=SHAPE):
    """A matrix of rank 2, whose directions are about twice as large as those of noise of 1; and more draws."""
    rng = np.random.default_rng(seed)
    return 0.5 * rng.standard_normal((shape[0], 2)) @ rng.standard_normal((2, shape[1])), rng


def error(W, X):
    return float(np.sqrt(np.mean((W - X) ** 2)))


def denoised(X, **settings):
    return DeepMatrixDenoiser(**settings).fit_transform(X)


def spoilt(seed, share=0.02):
    W, rng = planted(seed)
    X = W + 0.5 * rng.standard_normal(SHAPE)
    wrong = rng.random(SHAPE) < share
    return W, X, np.where(wrong, X + 20 * rng.choice([-1, 1], SHAPE), X), wrong


def test_what_counts_of_students_t_is_its_score_over_its_information():
    r = np.random.default_rng(0).standard_t(3, 100_000)
    found = Counting.of(r, 1e-9)
    assert found.gain == pytest.approx(6 / 4, rel=0.02)  # (nu + 3) / (nu + 1)
    assert found.noise == pytest.approx(1.5**0.5, rel=0.02)
    r = np.linspace(-4, 4, 81)
    np.testing.assert_allclose(found.said(r), 1.5 * 4 * r / (3 + r**2), atol=0.12)


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_wrong_entries_do_next_to_no_harm_and_are_listed(share):
    W, right, X, wrong = spoilt(1, share)
    model = DeepMatrixDenoiser()
    found = model.fit_transform(X)
    # Of the entries that are wrong nothing is known, so that their share is missing.
    assert error(found, W) < (1.05 + share) * error(denoised(right), W)
    assert set(zip(model.outliers_.rows, model.outliers_.columns, strict=True)) == set(
        zip(*np.nonzero(wrong), strict=True)
    )
    np.testing.assert_array_equal(model.outliers_.values, X[model.outliers_.rows, model.outliers_.columns])
    certificate = model.certificate_
    assert certificate.robust
    assert certificate.trusted
    assert f"{wrong.sum():,} look wrong" in str(certificate)
    assert 0.7 < certificate.expected_error / error(found, W) < 1.6
    squares = DeepMatrixDenoiser(loss="squares").fit(X)
    assert not squares.certificate_.trusted
    assert error(squares.transform(X), W) > 3 * error(found, W)


def test_an_error_that_stands_out_like_a_direction_is_no_direction():
    W, rng = planted(8)
    right = W + 0.05 * rng.standard_normal(SHAPE)
    X = np.where(rng.random(SHAPE) < 0.02, -999.0, right)  # a code for what is missing
    assert error(denoised(X), W) < 1.1 * error(denoised(right), W)


@pytest.mark.parametrize("nu", [2, 3])
def test_students_noise_hides_no_more_than_normal_noise_of_the_same_information(nu):
    W, rng = planted(2)
    found = denoised(W + 0.5 * rng.standard_t(nu, SHAPE))
    equal = denoised(W + 0.5 * np.sqrt((nu + 3) / (nu + 1)) * rng.standard_normal(SHAPE))
    assert error(found, W) < 1.2 * error(equal, W)


def test_noise_that_differs_between_rows_and_a_symmetric_matrix():
    W, _, X, _ = spoilt(3)
    unequal = W + np.exp(np.linspace(-1, 1, SHAPE[0]))[:, None] * (X - W)
    model = DeepMatrixDenoiser().fit(unequal)
    assert model.certificate_.unequal
    assert error(model.transform(unequal), W) < 0.3 * error(denoised(unequal, loss="squares"), W)
    n = SHAPE[1]
    W, X = (A[:n, :n] + A[:n, :n].T for A in (W, X))
    model = DeepMatrixDenoiser()
    even = model.fit_transform(X)
    np.testing.assert_allclose(even, even.T, atol=3e-2)
    assert model.certificate_.robust
    assert error(even, W) < 0.5 * error(denoised(X, loss="squares"), W)


def test_new_rows_may_be_wrong_too():
    W, right, X, _ = spoilt(4)
    model = DeepMatrixDenoiser().fit(X[:100])
    plain = DeepMatrixDenoiser().fit(right[:100])
    assert error(model.transform(X[100:]), W[100:]) < 1.1 * error(plain.transform(right[100:]), W[100:])
    # A row alone is what it is among others.
    np.testing.assert_allclose(model.transform(X[100:101]), model.transform(X[100:])[:1], atol=1e-3)


def test_clean_matrices_are_left_alone():
    for seed in range(5):
        _, right, _, _ = spoilt(seed)
        model = DeepMatrixDenoiser().fit(right)
        np.testing.assert_array_equal(model.transform(right), denoised(right, loss="squares"))
        assert len(model.outliers_) == 0


def test_where_it_does_no_good_squares_stay():
    W, rng = planted(5)
    x, y = np.linspace(0, 1, 90), np.linspace(0, 1, 70)[:, None]
    edges = (np.sin(9 * x * y) > 0.3) + np.exp(-5 * abs(x - y)) + 0.02 * rng.standard_normal((70, 90))
    zeros = 3.0 * (rng.random((60, 50)) < 0.02)
    skew = W + np.exp(rng.standard_normal(SHAPE)) - np.exp(0.5)
    for X in (edges, zeros, skew):
        with pytest.warns(FallbackWarning, match="robust"):
            forced = DeepMatrixDenoiser(loss="robust").fit(X)
        assert not forced.certificate_.robust
        np.testing.assert_array_equal(denoised(X), denoised(X, loss="squares"))


def test_a_robust_fit_of_normal_noise_is_hardly_worse():
    W, right, _, _ = spoilt(6)
    model = DeepMatrixDenoiser(loss="robust").fit(right)
    assert model.certificate_.robust
    assert error(model.transform(right), W) < 1.03 * error(denoised(right), W)


def test_kurtosis_is_that_of_what_was_removed():
    r = np.random.default_rng(7).laplace(size=200_000)
    assert excess_kurtosis(3 * r + 5, 1.0) == pytest.approx(3, abs=0.3)
    assert excess_kurtosis(1e-3 * r, 1.0) == 0
