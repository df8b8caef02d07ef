"""The parts of a robust fit against other means, and where it must not go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from scipy.special import huber, logsumexp
from scipy.stats import norm, ttest_rel

from rankscape.entries import Entries
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixCompletion, complete
from rankscape.estimators.completion.fits.fit import model_of
from rankscape.estimators.completion.fits.left_over import excess_kurtosis
from rankscape.estimators.completion.progress import Meter
from rankscape.estimators.completion.ready.split import split
from rankscape.estimators.completion.search import attempt
from rankscape.estimators.completion.search.gain import NEAR, gain_of
from rankscape.estimators.completion.search.select import select
from rankscape.estimators.completion.settings import Settings
from rankscape.solvers.noise.least_magnitudes import least_magnitudes
from rankscape.solvers.noise.median_polish import medians, robust_sizes
from rankscape.solvers.noise.scale_mixture import fit_scale_mixture


def planted(seed, shape=(80, 60), noise=0.1):
    """A matrix of rank 2, the same with noise, what is seen of it, and more draws."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((shape[0], 2)) @ rng.standard_normal((2, shape[1]))
    return W, W + noise * rng.standard_normal(shape), rng.random(shape) < 0.6, rng


def error(W, X, done):
    """On the missing cells."""
    return float(np.sqrt(np.mean((done.fitted - W)[np.isnan(X)] ** 2)))


# -- parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [2.0, 4.0, 100.0])
def test_no_shares_are_more_probable(tail):
    r = np.random.default_rng(0).standard_t(tail, 600)
    r[:10] *= 50
    found = fit_scale_mixture(r, 1.0)
    logs = norm.logpdf(r[:, None], scale=found.sizes)
    unlikely = lambda x: -logsumexp(logs + x - logsumexp(x), axis=1).mean()
    # From anywhere: the likelihood of shares has one maximum.
    best = minimize(unlikely, np.zeros(len(found.sizes)), options={"maxiter": 100}).fun
    assert unlikely(np.log(np.maximum(found.shares, 1e-300))) < best + 2e-3


def test_precision_is_the_mean_over_what_each_size_would_say():
    r = np.random.default_rng(1).standard_t(3, 500)
    found = fit_scale_mixture(r, 1.0)
    weights = found.shares * norm.pdf(r[:, None], scale=found.sizes)
    np.testing.assert_allclose(found.precision(r), (weights @ found.sizes**-2.0) / weights.sum(1), rtol=2e-3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9)), min_size=1, max_size=30))
def test_medians_are_those_of_each_group(pairs):
    groups, values = np.array([g for g, _ in pairs]), np.array([float(v) for _, v in pairs])
    told = [np.median(values[groups == g]) if (groups == g).any() else 0.0 for g in range(6)]
    np.testing.assert_array_equal(medians(groups, values, 6), told)


def test_sizes_of_rows_and_columns_are_found_in_spite_of_wild_entries():
    rng = np.random.default_rng(3)
    a, b = np.exp(0.7 * rng.standard_normal((150, 1))), np.exp(0.4 * rng.standard_normal(120))
    r = a * b * rng.standard_normal((150, 120))
    r[rng.random(r.shape) < 0.05] *= 1e4
    found = robust_sizes(Entries.from_array(r), r.ravel()).reshape(r.shape)
    assert np.std(np.log(found / (a * b))) < 0.2
    equal = robust_sizes(Entries.from_array(r / a / b), (r / a / b).ravel())
    np.testing.assert_allclose(equal / np.median(equal), 1, atol=0.06)
    assert not robust_sizes(Entries.from_array(np.eye(4)), np.eye(4).ravel()).any()


def test_least_magnitudes_are_those_of_a_linear_program():
    rng = np.random.default_rng(5)
    x, y, eye = rng.standard_normal((40, 3)), rng.standard_t(1, 40), np.eye(40)
    bounds = [(None, None)] * 3 + [(0, None)] * 80
    program = linprog(np.r_[np.zeros(3), np.ones(80)], A_eq=np.c_[x, eye, -eye], b_eq=y, bounds=bounds)
    assert np.abs(y - x @ least_magnitudes(x, y)).sum() < program.fun * (1 + 1e-3)


def test_gains_are_paired_on_held_out_entries():
    _, Y, seen, _ = planted(6)
    parts = split(Entries.from_array(np.where(seen, Y, np.nan)), None, Settings())
    choices = [select(parts, Settings(depth=2, offset=offset), Meter(None, 1.0)) for offset in ("none", "row")]
    held = parts.heldout
    a, b = (model_of(choice.chosen).at(held.rows, held.columns) - held.values for choice in choices)
    gain = gain_of(parts, (parts, choices[0]), (parts, choices[1]))
    size = 1.4826 * min(np.median(np.abs(a)), np.median(np.abs(b)))
    assert gain.squares == pytest.approx(ttest_rel(a**2, b**2).statistic)
    assert gain.near == pytest.approx(ttest_rel(huber(NEAR, a / size), huber(NEAR, b / size)).statistic)


def test_kurtosis_of_values_whose_powers_do_not_exist():
    r = np.random.default_rng(7).standard_t(5, 1000)
    assert excess_kurtosis(r * 1e150) == pytest.approx(np.mean(r**4) / np.mean(r**2) ** 2 - 3)
    assert excess_kurtosis(np.zeros(3)) == 0


# -- completions -----------------------------------------------------------------------------------------------


def test_a_third_of_a_column_that_is_wrong_does_not_spoil_it():
    W, Y, seen, rng = planted(2)
    wrong = seen & (np.arange(60) == 7) & (rng.random((80, 1)) < 0.3)
    X = np.where(seen, Y + 10 * rng.choice([-1, 1], W.shape) * wrong, np.nan)
    followed, done = complete(X, loss="squares"), complete(X)
    assert (followed.certificate.lone_columns, done.certificate.lone_columns) == ((7,), ())
    assert "a few of their entries" in str(followed.certificate)
    assert 5 * error(W, X, done) < error(W, X, followed)


def test_heavy_tails_count_by_how_far_off_they_are():
    W, _, seen, rng = planted(3)
    X = np.where(seen, W + 0.2 * rng.standard_t(2, W.shape), np.nan)
    done = complete(X)
    assert "heavy tails" in done.reason
    assert error(W, X, done) < 0.7 * error(W, X, complete(X, loss="squares"))
    # Far entries are no errors here: only those that were left out are listed.
    assert len(done.outliers) <= done.observed.count - done.used.count
    # What held-out entries tell is true of observations, whose noise nobody knows.
    i, j = np.nonzero(np.isnan(X))
    low, high = done.interval(i, j)
    new = W[i, j] + 0.2 * rng.standard_t(2, len(i))
    assert 0.92 < np.mean((low <= new) & (new <= high)) < 0.98


def test_a_robust_fit_can_be_asked_for():
    W, Y, seen, _ = planted(4)
    X = np.where(seen, Y, np.nan)
    forced = complete(X, loss="robust")
    assert forced.certificate.robust
    assert error(W, X, forced) < 1.1 * error(W, X, complete(X))


def test_errors_are_not_few_where_half_of_the_entries_are_equal():
    rng = np.random.default_rng(5)
    X = np.maximum(rng.standard_normal((40, 2)) @ rng.standard_normal((2, 30)) - 0.7, 0)
    X[rng.random(X.shape) < 0.4] = np.nan
    with pytest.warns(FallbackWarning, match="15%"):
        done = complete(X, loss="robust")
    assert not done.certificate.robust
    with pytest.raises(InputError, match="minima"):
        complete(X, path="sgd", loss="robust")


def searches_in(monkeypatch, X):
    """A completion, and for each search of the robust fit whether it was the whole one."""
    whole, seen = attempt.select, []

    def noted(*arguments, thorough=True):
        seen.append(thorough)
        return whole(*arguments, thorough=thorough)

    monkeypatch.setattr(attempt, "select", noted)
    return complete(X), seen


@pytest.mark.parametrize("seed", [0, 3])
def test_wild_entries_hide_no_exact_rank(seed, monkeypatch):
    # The first choice is a mean of many small directions, which leaving entries out does not help.
    W, Y, seen, rng = planted(seed, noise=0.0)
    X = np.where(seen, Y + 8 * (rng.random(Y.shape) < 0.01), np.nan)
    done, _ = searches_in(monkeypatch, X)
    assert done.certificate.exact
    assert done.certificate.robust
    assert error(W, X, done) < 1e-9


def test_the_whole_search_is_made_again_only_where_held_out_entries_prefer_it(monkeypatch):
    W, Y, seen, rng = planted(5, noise=0.2)
    spoilt, searches = searches_in(monkeypatch, np.where(seen, Y + 8 * (rng.random(W.shape) < 0.02), np.nan))
    assert spoilt.certificate.robust
    assert searches.count(True) == 1
    # What a low rank leaves of an edge has heavy tails, and no entry is wrong.
    x, y = np.linspace(0, 1, 80)[:, None], np.linspace(0, 1, 60)
    smooth = np.tanh(40 * (x - y)) + 0.5 * np.sin(9 * x * y) + 0.01 * rng.standard_normal((80, 60))
    kept, searches = searches_in(monkeypatch, np.where(seen, smooth, np.nan))
    assert not kept.certificate.robust
    assert searches
    assert not any(searches)


def test_wild_entries_bound_no_prediction():
    _, Y, seen, rng = planted(0)
    X = np.where(seen, Y + 50 * (rng.random(Y.shape) < 0.01), np.nan).astype(np.float32)
    model = DeepMatrixCompletion(clip="observed").fit(X)
    assert np.nanmax(X) > 40
    assert model.predict(*np.indices(X.shape).reshape(2, -1)).max() < 12
