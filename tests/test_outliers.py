"""Gross errors and heavy tails: a fit that single wild entries cannot lead, and the list of these entries."""

import numpy as np
import pytest
from scipy.optimize import minimize

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators import DeepMatrixCompletion
from rankscape.solvers.noise.leverage import leverages
from rankscape.solvers.noise.median_polish import median_residuals, robust_size
from rankscape.solvers.noise.scale_mixture import fit_scale_mixture


def spoilt(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The truth, what is seen of it, and which of its cells are wrong."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(70, 2)) @ rng.normal(size=(2, 50))
    wrong = rng.random(W.shape) < 0.02
    Y = W + (0.0 if kind == "exact" else 0.1) * rng.normal(size=W.shape)
    if kind == "code":
        Y[wrong] = -999.0
    elif kind == "decimal point":
        Y[wrong] = 100 * W[wrong]
    elif kind == "clean":
        wrong[:] = False
    else:
        Y[wrong] += 15 * rng.choice([-1, 1], wrong.sum())
    return W, np.where(rng.random(W.shape) < 0.5, Y, np.nan), wrong


@pytest.fixture(scope="module")
def model() -> DeepMatrixCompletion:
    """Fitted to the table with errors."""
    return DeepMatrixCompletion().fit(spoilt(0, "errors")[1])


@pytest.mark.parametrize("kind", ["errors", "code", "exact"])
def test_single_errors_neither_lead_the_fit_nor_hide(kind, model):
    W, X, wrong = spoilt(0, kind)
    done = model.completed_ if kind == "errors" else rs.complete(X)
    clean = rs.complete(np.where(wrong, np.nan, X))  # the oracle: nobody wrote the wrong ones down
    error, best = (np.sqrt(np.mean((fit.fitted - W) ** 2)) for fit in (done, clean))
    assert done.rank == 2
    assert error <= max(1.15 * best, 1e-9)
    seen = wrong & ~np.isnan(X)
    assert set(zip(done.outliers.rows, done.outliers.columns, strict=True)) == set(zip(*np.nonzero(seen), strict=True))
    np.testing.assert_array_equal(done.outliers.values, X[done.outliers.rows, done.outliers.columns])
    assert (np.diff(done.outliers.deviations) <= 0).all()
    # What was given stays as it was given; the model's value stands in `fitted`.
    np.testing.assert_array_equal(done.matrix[~np.isnan(X)], X[~np.isnan(X)])


def test_a_wrong_decimal_point_is_listed_where_it_matters():
    W, X, wrong = spoilt(1, "decimal point")
    done = rs.complete(X)
    assert np.sqrt(np.mean((done.fitted - W) ** 2)) < 0.1
    listed = np.zeros(W.shape, bool)
    listed[done.outliers.rows, done.outliers.columns] = True
    large = wrong & ~np.isnan(X) & (np.abs(99 * W) > 2)
    assert listed[large].all()
    assert not listed[~wrong].any()


def test_clean_data_are_left_alone():
    _, X, _ = spoilt(2, "clean")
    done, squares = rs.complete(X), rs.complete(X, loss="squares")
    np.testing.assert_array_equal(done.matrix, squares.matrix)
    assert len(done.outliers) == 0


def test_squares_can_be_asked_for_and_are_then_not_trusted():
    _, X, _ = spoilt(0, "errors")
    done = rs.complete(X, loss="squares")
    assert not done.certificate.trusted
    assert done.certificate.kurtosis > 5


def test_what_was_listed_survives_saving(model, tmp_path):
    _, X, _ = spoilt(0, "errors")
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.completed_.outliers.deviations, model.completed_.outliers.deviations)
    np.testing.assert_array_equal(again.transform(X), model.transform(X))


def test_the_mixture_is_the_most_probable_one():
    """Two sizes only: the share of the large one against a search over the likelihood."""
    rng = np.random.default_rng(3)
    r = np.where(rng.random(4000) < 0.1, 16.0, 1.0) * rng.normal(size=4000)
    mixture = fit_scale_mixture(r, robust_size(r))
    density = lambda share: (1 - share) * np.exp(-(r**2) / 2) + share / 16 * np.exp(-(r**2) / 512)
    told = minimize(lambda p: -np.log(density(p[0])).sum(), [0.3], bounds=[(1e-6, 0.999)]).x[0]
    assert mixture.shares[mixture.sizes > 4].sum() == pytest.approx(told, abs=0.02)
    # Weights fall with the size of a residual, and a wild one has next to none; none is ever zero or infinite.
    weights = mixture.precision(np.array([0.0, 1.0, 5.0, 50.0, 1e6, 1e30]))
    assert (np.diff(weights) <= 1e-12).all()
    assert np.isfinite(weights).all()
    assert weights[3] < 0.02 * weights[0]


def test_medians_are_not_moved_by_a_minority():
    rng = np.random.default_rng(4)
    rows, columns = rng.normal(size=40), rng.normal(size=30)
    table = rows[:, None] + columns
    table[rng.random(table.shape) < 0.1] += 1e6
    residual = median_residuals(Entries.from_array(table))
    assert np.mean(np.abs(residual) < 1e-6) > 0.85


def test_leverages_are_the_diagonal_of_the_hat_matrix():
    rng = np.random.default_rng(5)
    factor, groups, others = rng.normal(size=(12, 3)), np.repeat([0, 1], 8), np.r_[np.arange(8), np.arange(4, 12)]
    found, hats = [], []
    inverses = np.stack([np.linalg.inv(factor[others[groups == g]].T @ factor[others[groups == g]]) for g in (0, 1)])
    found = leverages(groups, inverses, others, factor)
    for g in (0, 1):
        x = factor[others[groups == g]]
        hats.append(np.diag(x @ np.linalg.pinv(x)))
    np.testing.assert_allclose(found, np.concatenate(hats), rtol=1e-9)
