"""A Gaussian with a full covariance: the solver, its model, and the candidate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, multivariate_t

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.gaussian import TUNED, Gaussian
from rankscape.estimators.completion.models import packing
from rankscape.estimators.completion.models.gaussian_rows import GaussianRows
from rankscape.estimators.completion.settings import Settings
from rankscape.solvers.full_covariance import (
    FullCovariance,
    by_pattern,
    filled_rows,
    fit_full_covariance,
    from_others,
)


def law(p, rng, tail=np.inf):
    A = rng.normal(size=(p, p))
    return FullCovariance(rng.normal(size=p), A @ A.T + 0.1 * np.eye(p), tail)


def table(n, p, rng, hidden=0.4):
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, p)) + 0.5 * rng.normal(size=(n, p))
    X[rng.random(X.shape) < hidden] = np.nan
    return X


def conditional(row, j, rows):
    """The textbook, for one cell: mean and deviation of row[j] given all others that are seen."""
    o = np.isfinite(row)
    o[j] = False
    S, mean = rows.covariance, rows.mean
    gain = S[j, o] @ np.linalg.inv(S[np.ix_(o, o)])
    deviation = np.sqrt(S[j, j] - gain @ S[o, j])
    if np.isfinite(rows.tail):
        apart = row[o] - mean[o]
        distance = apart @ np.linalg.inv(S[np.ix_(o, o)]) @ apart
        deviation *= np.sqrt((rows.tail + distance) / (rows.tail + o.sum() - 2))
    return mean[j] + gain @ (row[o] - mean[o]), deviation


@pytest.mark.parametrize("tail", [np.inf, 4.0])
@given(seed=st.integers(0, 10**6), p=st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_each_cell_is_what_the_textbook_expects_from_the_others(seed, p, tail):
    rng = np.random.default_rng(seed)
    rows, X = law(p, rng, tail), table(12, p, rng)
    expected, deviations = from_others(by_pattern(X), rows)
    for i, j in np.ndindex(X.shape):
        mean, deviation = conditional(X[i], j, rows)
        assert expected[i, j] == pytest.approx(mean, rel=1e-7, abs=1e-8)
        assert deviations[i, j] == pytest.approx(deviation, rel=1e-7)
    gaps = np.isnan(X)
    np.testing.assert_array_equal(filled_rows(by_pattern(X), rows), np.where(gaps, expected, X))


@pytest.mark.parametrize("p", [3, 20, 70])
def test_rows_are_sorted_by_their_gaps_and_found_again(p):
    rng = np.random.default_rng(p)
    X = np.repeat(table(40, p, rng), 2, axis=0)
    sorted_rows = by_pattern(X, np.arange(80.0))
    np.testing.assert_array_equal(sorted_rows.values, X[sorted_rows.order])
    np.testing.assert_array_equal(sorted_rows.weights, sorted_rows.order)
    gaps = np.isnan(sorted_rows.values)
    for low, high in zip(sorted_rows.starts, sorted_rows.starts[1:], strict=False):
        assert (gaps[low:high] == gaps[low]).all()
    assert len(sorted_rows.starts) - 1 == len(np.unique(np.isnan(X), axis=0))


def log_likelihood(X, mean, S, tail):
    total = 0.0
    for row in X:
        o = np.isfinite(row)
        if o.any():
            part = mean[o], S[np.ix_(o, o)]
            frozen = multivariate_t(*part, df=tail) if np.isfinite(tail) else multivariate_normal(*part)
            total += frozen.logpdf(row[o])
    return total


@pytest.mark.parametrize("tail", [np.inf, 4.0])
def test_the_fit_makes_what_is_seen_most_probable(tail):
    rng = np.random.default_rng(3)
    X = table(60, 3, rng, 0.25)
    found = fit_full_covariance(by_pattern(X), 0.0, tail, still=1e-10)
    best = log_likelihood(X, *found[:2], tail)
    for _ in range(6):
        mean, A = 1e-3 * rng.normal(size=3), 1e-3 * rng.normal(size=(3, 3))
        for sign in (1, -1):
            assert log_likelihood(X, found.mean + sign * mean, found.covariance + sign * (A + A.T), tail) < best


def test_pseudo_rows_shrink_correlations_alone():
    rng = np.random.default_rng(4)
    X = table(50, 4, rng, 0.0)
    free, drawn = (fit_full_covariance(by_pattern(X), k).covariance for k in (0.0, 50.0))
    np.testing.assert_allclose(np.diag(drawn), np.diag(free), rtol=1e-6)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(drawn[off], free[off] / 2, rtol=1e-6)


# -- the model --------------------------------------------------------------------------------------------


def model(flipped, seed=0, tail=np.inf):
    rng = np.random.default_rng(seed)
    X = table(30, 4, rng)
    rows = law(4, rng, tail)
    seen = Entries.from_array(X.T if flipped else X)
    return GaussianRows(seen, flipped, rows.mean, np.array([1.0, 2, 3, 0.5]), rows.covariance, tail, 3.0)


def test_columns_in_place_of_rows_are_the_transposed():
    upright, flipped = model(False), model(True)
    np.testing.assert_array_equal(upright.dense(), flipped.dense().T)
    i, j = np.array([0, 3, 29]), np.array([1, 1, 3])
    np.testing.assert_array_equal(upright.at(i, j), flipped.at(j, i))
    np.testing.assert_array_equal(upright.at(i, j), upright.dense()[i, j])
    np.testing.assert_array_equal(upright.std(i, j), flipped.std(j, i))
    assert upright.shape == flipped.shape[::-1] == (30, 4)


def test_new_rows_are_draws_as_the_known_ones_were():
    known = model(False)
    np.testing.assert_allclose(known.folded(known.entries), known.dense(), rtol=1e-12)


def test_a_new_row_of_a_wide_table_is_regressed_on_the_known_ones():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(3, 400))
    known = Gaussian().fit(*halves(base), Settings(), no_search).again(Entries.from_array(base))
    new = np.array([[2.0, -1, 0.5]]) @ base + 7
    seen = np.where(rng.random(new.shape) < 0.5, new, np.nan)
    seen = np.vstack([seen, np.full((1, 400), np.nan)])
    folded = known.folded(Entries.from_array(seen))
    assert np.abs(folded[0] - new).max() < 0.2
    np.testing.assert_allclose(folded[1], base.mean(0), rtol=1e-12)  # nothing is known of it


@pytest.mark.parametrize("tail", [np.inf, 4.0])
def test_packed_and_unpacked(tail):
    made, arrays = model(True, tail=tail), {}
    again = packing.unpack(packing.pack(made, arrays), arrays)
    np.testing.assert_array_equal(again.dense(), made.dense())


# -- the candidate ----------------------------------------------------------------------------------------


def no_search(training, heldout):
    raise AssertionError("a Gaussian needs no low rank")


def halves(X, seed=0):
    """Nine tenths and one tenth of what is seen."""
    entries = Entries.from_array(X)
    return entries.split(np.random.default_rng(seed).random(entries.count) < 0.1)


def test_two_columns_are_as_good_as_the_line_through_them():
    x = np.linspace(1, 100, 100)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = np.c_[x, 2 * x + 50 + rng.normal(size=100)]
        which = rng.random(100)
        X = truth.copy()
        X[which < 0.25, 0] = X[(which > 0.25) & (which < 0.5), 1] = np.nan
        entries = Entries.from_array(X)
        trained = Gaussian().fit(*halves(X, seed), Settings(), no_search)
        missed = (trained.again(entries).dense() - truth)[np.isnan(X)]
        assert np.sqrt(np.mean(missed**2)) < 1.2


def test_the_units_of_columns_do_not_matter():
    rng = np.random.default_rng(5)
    p = TUNED + 1  # where they are judged by nothing
    X, unit = table(100, p, rng, 0.3), 2.0 ** rng.integers(-12, 12, p)
    plain, scaled = (Gaussian().fit(*halves(Y), Settings(), no_search) for Y in (X, X * unit))
    np.testing.assert_allclose(scaled.model.dense(), plain.model.dense() * unit, rtol=1e-9)


def test_heavy_tails_are_noticed_and_light_ones_are_not():
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(3000, 2)) @ rng.normal(size=(2, 6)) + 0.3 * rng.normal(size=(3000, 6))
    light, heavy = rows, rows / np.sqrt(rng.chisquare(2, 3000) / 2)[:, None]
    kinds = []
    for X in (light, heavy):
        X = np.where(rng.random(X.shape) < 0.3, np.nan, X)
        kinds.append(Gaussian().fit(*halves(X), Settings(), no_search).words)
    assert kinds == ["a Gaussian with a full covariance of columns", "Student's t with a full covariance of columns"]


def test_stated_deviations_are_those_of_the_errors():
    rng = np.random.default_rng(7)
    truth = rng.normal(size=(4000, 2)) @ rng.normal(size=(2, 6)) + 0.5 * rng.normal(size=(4000, 6))
    hidden = rng.random(truth.shape) < 0.3
    found = Gaussian().fit(*halves(np.where(hidden, np.nan, truth)), Settings(), no_search).model
    for cells in (np.nonzero(hidden), np.nonzero(~hidden)):
        z = (found.at(*cells) - truth[cells]) / found.std(*cells)
        assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.03)


def test_a_row_that_weighs_twice_is_drawn_twice():
    rng = np.random.default_rng(8)
    X = table(80, 3, rng, 0.2)
    twice = rng.random(80) < 0.5
    entries = Entries.from_array(X)
    weights = 1.0 + twice[entries.rows]
    part, held = halves(X)
    again = Gaussian().fit(part, held, Settings(), no_search).again
    weighed = again(entries.with_weights(weights))
    doubled = again(Entries.from_array(np.vstack([X, X[twice]])))
    np.testing.assert_allclose(weighed.dense(), doubled.dense()[:80], rtol=0.05, atol=0.05)


def test_wanted_where_one_side_is_short():
    for shape, wanted in [((500, 8), True), ((8, 500), True), ((500, 100), False), ((3, 3), False)]:
        X = np.ones(shape)
        X[0, 0] = np.nan
        assert Gaussian().wanted(Entries.from_array(X), Settings()) == wanted


@pytest.mark.parametrize("shape", [(12, 2), (30, 3)])
def test_columns_without_spread_or_entries_do_no_harm(shape):
    rng = np.random.default_rng(9)
    X = rng.normal(size=shape)
    X[:, 0] = 4.0
    X[2:5, 0] = np.nan
    X[:, -1] = np.nan
    X[0, -1] = 3.0
    found = Gaussian().fit(*halves(X), Settings(), no_search).again(Entries.from_array(X))
    assert np.isfinite(found.dense()).all()
    np.testing.assert_allclose(found.dense()[2:5, 0], 4.0, atol=1e-6)


@pytest.mark.parametrize("tail", [np.inf, 4.0])
@pytest.mark.parametrize("kind", ["sum to one", "twice the same", "few directions"])
@pytest.mark.parametrize("few", [True, False])
def test_columns_that_follow_from_the_others_are_predicted_and_break_nothing(kind, tail, few):
    """A singular covariance: parts of a whole, a column given twice, more columns than directions."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = np.exp(0.7 * rng.normal(size=(60, 2)) @ rng.normal(size=(2, 9)) + 0.2 * rng.normal(size=(60, 9)))
        if kind == "sum to one":
            X /= X.sum(1, keepdims=True)
        elif kind == "twice the same":
            X[:, 5] = 3 - X[:, 2]
        else:
            X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 9))
        X = (X - X.mean(0)) / X.std(0)
        gaps = np.zeros(X.shape, dtype=bool)
        if few:
            gaps[np.arange(60), rng.integers(0, 9, 60)] = True  # one a row: all others are known
        else:
            gaps = rng.random(X.shape) < 0.3
        seen = by_pattern(np.where(gaps, np.nan, X))
        rows = fit_full_covariance(seen, 1e-6, tail)
        assert np.abs(rows.covariance).max() < 10
        expected, deviations = from_others(seen, rows)
        assert np.isfinite(expected).all()
        assert np.isfinite(deviations).all()
        if kind == "twice the same" and few:  # the other one is always known
            assert np.sqrt(np.mean((expected - X)[gaps & np.isin(np.arange(9), (2, 5))] ** 2)) < 1e-3


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_table_of_parts_of_a_whole_is_completed(seed):
    rng = np.random.default_rng(seed)
    parts = np.exp(rng.normal(size=(80, 2)) @ rng.normal(size=(2, 30)) / 2**0.5)
    parts /= parts.sum(1, keepdims=True)
    gaps = np.arange(30) >= np.where(rng.random((80, 1)) < 0.5, rng.integers(10, 30, (80, 1)), 30)
    done = rs.complete(np.where(gaps, np.nan, parts), seed=0)
    assert np.sqrt(np.mean((done.matrix - parts)[gaps] ** 2)) < parts[gaps].std()
