"""Counts, answers, ordered classes, limits: draws against closed forms and integrals, predictions in their range."""

import numpy as np
import pytest
import scipy
from scipy.special import expit, gammaln
from scipy.stats import kstest, norm, truncnorm
from sklearn.decomposition import NMF

import rankscape as rs
from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.models.links import Below, Chance, Classes
from rankscape.estimators.completion.ready.kinds import kind_of
from rankscape.solvers.gibbs.bounded import Bounded, draw_between
from rankscape.solvers.gibbs.polya_gamma import Binary, Counts, draw_polya_gamma, polya_gamma_mean
from rankscape.solvers.gibbs.priors import Prior
from rankscape.solvers.gibbs.sampler import Gibbs


class Standard(Prior):
    """Rows that are standard normal."""

    def draw(self, x, random):
        return np.eye(x.shape[1]), np.zeros_like(x)


def row_draws(y, likelihood, partners, sweeps=6000, burn=100):
    """Fitted values drawn for one row, whose columns' factors are known."""
    seen = PreparedEntries(Entries(np.zeros(len(y), int), np.arange(len(y)), y, (1, len(y))), "sparse")
    gibbs = Gibbs(seen, likelihood(seen), 1, (Standard(), Standard()), np.random.default_rng(0), (False, False))
    gibbs.right.drawn[:, 0] = partners
    draws = np.empty(sweeps)
    for sweep in range(burn + sweeps):
        gibbs.sweep_rows()
        if sweep >= burn:
            draws[sweep - burn] = gibbs.left.drawn[0, 0]
    return draws


def integrated(log_likelihood, grid=None):
    """Mean and standard deviation of u under a standard normal prior, by summing over a grid."""
    u = np.linspace(-6, 6, 4001) if grid is None else grid
    log = np.array([log_likelihood(value) for value in u]) - u**2 / 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ u
    return mean, np.sqrt(weight @ (u - mean) ** 2)


# -- what is drawn ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("b", "c"), [(1.0, 0.0), (1.0, 2.5), (3.7, -1.0), (40.0, 4.0)])
def test_polya_gamma_draws_have_the_moments_of_the_closed_form(b, c):
    draws = draw_polya_gamma(np.full(200_000, b), np.full(200_000, c), np.random.default_rng(1))
    mean = b / 4 if c == 0 else b / (2 * c) * np.tanh(c / 2)
    variance = b / 24 if c == 0 else b / (4 * c**3) * (np.sinh(c) - c) / np.cosh(c / 2) ** 2
    assert float(polya_gamma_mean(np.array([b]), np.array([c]))[0]) == pytest.approx(mean, rel=1e-12)
    assert draws.mean() == pytest.approx(mean, rel=5 * np.sqrt(variance / 200_000) / mean)
    assert draws.var() == pytest.approx(variance, rel=0.02)


def test_answers_have_the_posterior_of_a_logistic_regression():
    rng = np.random.default_rng(2)
    x = rng.normal(size=12) * 1.5
    y = (rng.random(12) < expit(0.8 * x - 0.4)).astype(float)
    draws = row_draws(y, lambda seen: Binary(seen, -0.4), x)
    mean, spread = integrated(lambda u: np.sum(y * (u * x - 0.4) - np.logaddexp(0, u * x - 0.4)))
    assert draws.mean() == pytest.approx(mean, abs=0.05 * spread)
    assert draws.std() == pytest.approx(spread, rel=0.05)


def test_rates_have_the_mean_of_a_negative_binomial_regression():
    rng = np.random.default_rng(3)
    x, size, level = rng.normal(size=15), 5.0, np.log(4.0 / 5.0)
    y = rng.poisson(4 * np.exp(0.6 * x)).astype(float)

    def log_likelihood(u):
        psi = level + u * x
        return np.sum(y * psi - (y + size) * np.logaddexp(0, psi) + gammaln(y + size))

    mean, spread = integrated(log_likelihood)
    draws = row_draws(y, lambda seen: Counts(seen, size, level), x)
    # Precisions are means, not draws: nearly the posterior.
    assert draws.mean() == pytest.approx(mean, abs=0.1 * spread)
    assert draws.std() == pytest.approx(spread, rel=0.2)


def test_bounded_entries_have_the_posterior_of_a_probit():
    rng = np.random.default_rng(4)
    x = rng.normal(size=12)
    y = rng.random(12) < norm.cdf(x)
    low, high = np.where(y, 0.0, -np.inf), np.where(y, np.inf, 0.0)
    draws = row_draws(np.where(y, 0.5, -0.5), lambda seen: Bounded(seen, low, high, known=1.0), x)
    mean, spread = integrated(lambda u: np.sum(norm.logcdf(np.where(y, 1, -1) * u * x)))
    assert draws.mean() == pytest.approx(mean, abs=0.1 * spread)
    assert draws.std() == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (2.0, np.inf), (-np.inf, -3.0), (5.0, 5.2)])
def test_draws_between_bounds_follow_the_truncated_normal(low, high):
    draws = draw_between(*(np.full(5000, v) for v in (0.3, 1.5, low, high)), np.random.default_rng(5))
    known = truncnorm((low - 0.3) / 1.5, (high - 0.3) / 1.5, 0.3, 1.5)
    assert kstest(draws, known.cdf).pvalue > 1e-3


def test_far_from_the_bounds_draws_stay_within_them():
    draws = draw_between(*(np.full(9, v) for v in (50.0, 1.0, -np.inf, 0.0)), np.random.default_rng(6))
    assert np.isfinite(draws).all()
    assert (draws <= 0).all()


# -- links -----------------------------------------------------------------------------------------------


def test_below_a_limit_mean_and_variance_are_those_of_the_truncated_normal():
    link, fitted, noise = Below(limit=2.0, centre=1.0, size=3.0), np.array([-4.0, 0.0, 0.4, 3.0]), 0.25
    known = truncnorm(-np.inf, (2.0 - (1 + 3 * fitted)) / 1.5, 1 + 3 * fitted, 1.5)
    np.testing.assert_allclose(link.mean(fitted, noise), known.mean(), rtol=1e-6)
    np.testing.assert_allclose(link.variance(fitted, noise), known.var(), rtol=1e-4)


def test_the_mean_of_classes_is_the_sum_over_their_chances():
    link, fitted = Classes(np.array([1.0, 2.0, 5.0]), np.array([-0.3, 0.8])), np.array([-2.0, 0.1, 3.0])
    edges = norm.cdf((np.array([-np.inf, -0.3, 0.8, np.inf])[:, None] - fitted) / 0.5)
    np.testing.assert_allclose(link.mean(fitted, 0.25), np.diff(edges, axis=0).T @ link.values, rtol=1e-12)


def test_a_chance_of_answers_that_are_all_alike_is_not_certain():
    seen = PreparedEntries(Entries([0, 1], [0, 1], [2.0, 2.0], (2, 2)), "sparse")
    chance = Chance.of(seen, -1.0, 2.0)
    assert float(expit(chance.level)) == pytest.approx(2.5 / 3)


# -- which kind ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0.5, 1.7, -3.0], ("real",)),
        ([-1.0, 1.0], ("real", "binary")),
        ([1.0, 2.0, 3.0], ("real", "ordinal")),
        ([0.0, 1.0, 4.0], ("real", "count", "ordinal")),
        ([0.5, 1.0, 2.5], ("real", "ordinal")),
        (np.arange(1.0, 40.0), ("real", "count")),
        (np.arange(-3.0, 40.0), ("real",)),
    ],
)
def test_what_entries_may_be(values, found):
    assert kind_of("auto", Entries.from_array([values])).candidates == found


@pytest.mark.parametrize(
    ("options", "X", "words"),
    [
        ({"values": "count"}, [[1.0, 2.5], [3.0, 4.0]], "got 2.5 at row 0, column 1"),
        ({"values": "count"}, [[1.0, 2.0], [-3.0, 4.0]], "got -3 at row 1, column 0"),
        ({"values": "binary"}, [[1.0, 2.0], [3.0, 3.0]], "have 3 \\(1, 2, 3\\)"),
        ({"values": "binary"}, [[1.0, 1.0], [1.0, 1.0]], "have 1 \\(1\\)"),
        ({"values": "ordinal"}, np.arange(60.0).reshape(6, 10), "at most 50 different values, the entries have 60"),
        ({"values": "votes"}, [[0.0, 1.0], [1.0, 1.0]], "got 'votes'"),
        ({"detection_limit": 2.0}, [[1.0, 5.0], [3.0, 4.0]], "1 observed entries are smaller, the smallest 1 at row 0"),
        ({"detection_limit": -1e200}, [[1.0, 5.0], [3.0, 4.0]], "no entry is larger than 5"),
        ({"detection_limit": np.nan}, [[1.0, 5.0], [3.0, 4.0]], "detection_limit"),
        ({"detection_limit": 1.0, "values": "count"}, [[1.0, 5.0], [3.0, 4.0]], "values='count'"),
        ({"detection_limit": 1.0, "scale": "row"}, [[1.0, 5.0], [3.0, 4.0]], "scale='row'"),
    ],
)
def test_entries_that_are_not_of_their_kind_are_refused(options, X, words):
    with pytest.raises(InputError, match=words):
        rs.complete(np.array(X), **options)


def test_codes_among_ordered_levels_are_warned_of():
    X = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 99.0, 1.0], [1.0, 1.0, 2.0, 3.0]])
    with pytest.warns(FallbackWarning, match="4 and 99 lie 95 times as far apart"):
        kind_of("ordinal", Entries.from_array(X))


# -- completions -----------------------------------------------------------------------------------------


def planted(kind, seed, shape=(50, 30), rank=2):
    """Expected values, values, and which of them are seen."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
    if kind == "count":
        truth = 4 * np.exp(0.6 * latent)
        values = rng.poisson(truth)
    elif kind == "binary":
        truth = -1 + 3 * expit(2 * latent)  # of -1 and 2
        values = np.where(rng.random(shape) < (truth + 1) / 3, 2, -1)
    else:
        cuts = np.array([-1.5, 0.0, 0.5, 1.0])
        truth = 1 + sum(norm.cdf((latent - cut) / 0.4) for cut in cuts)
        values = 1 + np.searchsorted(cuts, latent + 0.4 * rng.normal(size=shape))
    return truth, values.astype(float), rng.random(shape) < 0.6


# Share of the variance of the expected values that may be missed; values="real" misses .32, .32 and .10.
MISSED = {"count": 0.12, "binary": 0.33, "ordinal": 0.08}
RANGES = {"count": (0.0, np.inf), "binary": (-1.0, 2.0), "ordinal": (1.0, 5.0)}


@pytest.mark.parametrize("kind", RANGES)
def test_predictions_and_intervals_of_a_named_kind_lie_in_its_range(kind, tmp_path):
    truth, values, seen = planted(kind, 17)
    X, (low, high) = np.where(seen, values, np.nan), RANGES[kind]
    model = DeepMatrixCompletion(values=kind).fit(X)
    done, (i, j) = model.completed_, np.nonzero(~seen)
    told = model.predict(X[:5])
    for bounds in (done.fitted, *done.interval(i, j), *done.interval(i, j, of="entry"), told):
        assert (bounds >= low).all()
        assert (bounds <= high).all()
    np.testing.assert_allclose(done.predict(i, j), done.fitted[i, j], rtol=1e-10)
    assert np.mean((done.fitted - truth)[~seen] ** 2) < MISSED[kind] * truth.var()
    # A row that was fitted, folded in as if it were new, is hardly farther from the truth.
    folded = model.predict(X[:20])
    assert np.mean((folded - truth[:20]) ** 2) < 1.6 * np.mean((done.fitted - truth)[:20] ** 2)
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.completed_.fitted, done.fitted)
    np.testing.assert_array_equal(again.predict(X[:5]), told)
    if kind == "count":
        check_better_than_a_nonnegative_factorization(truth, values, seen, done.fitted)


def check_better_than_a_nonnegative_factorization(truth, values, seen, rates):
    """Hidden counts are predicted better."""

    def deviance(rate):
        y, mu = values[~seen], np.maximum(rate[~seen], 1e-3)
        return np.mean(2 * (np.where(y > 0, y * np.log(np.maximum(y, 1) / mu), 0) - y + mu))

    best = np.inf
    for rank in (1, 2, 4):  # hidden cells are filled with what is expected of them, as in EM
        nmf = NMF(rank, beta_loss="kullback-leibler", solver="mu", max_iter=400, random_state=0)
        filled = np.where(seen, values, values[seen].mean())
        for _ in range(5):
            filled = np.where(seen, values, nmf.fit_transform(filled) @ nmf.components_)
        best = min(best, deviance(filled))
    assert deviance(rates) < 0.9 * best
    assert deviance(rates) < 1.7 * deviance(truth)


def counts_of_log_rates(seed, mean, size):
    rng = np.random.default_rng(seed)
    rates = mean * np.exp(size * rng.normal(size=(120, 2)) @ rng.normal(size=(2, 90)) / 2**0.5)
    values = rng.poisson(rates).astype(float)
    return rates, np.where(rng.random(rates.shape) < 0.4, np.nan, values)


def told_rates(X, rank=2, ridge=3.0):
    """Poisson's likelihood maximised at the true rank."""
    seen, (n, m) = ~np.isnan(X), X.shape
    y, level = np.where(seen, X, 0), np.log(np.nanmean(X))

    def parts(t):
        u, v = t[: n * rank].reshape(n, rank), t[n * rank : (n + m) * rank].reshape(m, rank)
        return u, v, t[(n + m) * rank : -m, None], t[-m:]

    def loss(t):
        u, v, a, b = parts(t)
        z = np.minimum(level + u @ v.T + a + b, 20)
        e = np.exp(z)
        g = seen * (e - y)
        gradient = np.concatenate([(g @ v).ravel(), (g.T @ u).ravel(), g.sum(1), g.sum(0)]) + ridge * t
        return (seen * (e - y * z)).sum() + ridge / 2 * (t**2).sum(), gradient

    start = np.random.default_rng(0).normal(size=(n + m) * (rank + 1)) / 10
    u, v, a, b = parts(scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B").x)
    return np.exp(level + u @ v.T + a + b)


@pytest.mark.parametrize(
    ("seed", "mean", "size"), [(0, 2, 0.7), (3, 5, 0.4), pytest.param(7, 5, 0.4, marks=pytest.mark.slow)]
)
def test_counts_are_no_errors_and_no_mixture_where_their_rates_have_a_low_rank(seed, mean, size):
    rates, X = counts_of_log_rates(seed, mean, size)
    done, hidden = rs.complete(X), np.isnan(X)
    # Large counts look wrong to whoever takes them for numbers with noise of one size.
    assert not len(done.outliers)
    error, told = (np.sqrt(np.mean((fit - rates)[hidden] ** 2)) for fit in (done.fitted, told_rates(X)))
    assert error < 1.15 * told


def test_counts_among_which_some_are_wrong_are_still_fitted_without_these():
    shares = []
    for seed in (1, 2, 3):  # how many large counts are taken for wrong, and left out as well, is luck
        rates, X = counts_of_log_rates(seed, 5, 0.4)
        hidden, wild = np.isnan(X), np.random.default_rng(seed).random(X.shape) < 0.01
        done = rs.complete(np.where(wild & ~hidden, 999.0, X))
        found = set(zip(done.outliers.rows.tolist(), done.outliers.columns.tolist(), strict=True))
        assert found >= set(zip(*map(list, np.nonzero(wild & ~hidden)), strict=True))
        shares.append(np.mean((done.fitted - rates)[hidden] ** 2) / rates.var())
    assert np.median(shares) < 0.2
    assert max(shares) < 0.5


def test_counts_whose_rows_are_of_different_size_compete_in_their_own_units():
    rng = np.random.default_rng(9)
    rates = np.exp(rng.normal(size=(40, 1)) * 2 + rng.normal(size=(40, 2)) @ rng.normal(size=(2, 25)))
    values, seen = rng.poisson(3 * rates).astype(float), rng.random(rates.shape) < 0.7
    X = np.where(seen, values, np.nan)
    model = DeepMatrixCompletion(scale="row").fit(X)
    done = model.completed_
    assert "counts" in done.reason
    assert (done.fitted >= 0).all()
    folded = model.predict(X[:10])
    assert np.abs(np.log((folded[:10] + 1) / (done.fitted[:10] + 1))).mean() < 0.3


def test_what_is_exactly_a_low_rank_stays_one_whatever_it_counts():
    rng = np.random.default_rng(10)
    truth = (rng.integers(1, 9, (40, 2)) @ rng.integers(1, 9, (2, 30))).astype(float)
    done = rs.complete(np.where(rng.random(truth.shape) < 0.6, truth, np.nan), values="count")
    assert done.certificate.exact
    assert np.abs(done.fitted - truth).max() < 1e-6


def test_below_a_detection_limit_cells_are_predicted_there():
    rng = np.random.default_rng(11)
    truth = 5 + rng.normal(size=(60, 2)) @ rng.normal(size=(2, 30))
    values = truth + 0.3 * rng.normal(size=truth.shape)
    limit = float(np.quantile(values, 0.4))
    hidden = values <= limit
    X = np.where(hidden, np.nan, values)
    model = DeepMatrixCompletion(detection_limit=limit).fit(X)
    done, (i, j) = model.completed_, np.nonzero(hidden)
    low, high = done.interval(i, j)
    assert done.fitted[hidden].max() <= limit
    assert high.max() <= limit + 1e-9
    error = np.sqrt(np.mean((done.fitted - values)[hidden] ** 2))
    assert error < 0.6 * values[hidden].std()  # as if their mean were known
    assert done.expected_error is not None
    assert 0.5 < error / done.expected_error < 2
    assert np.mean((low <= values[i, j]) & (values[i, j] <= high)) > 0.8
    folded = model.transform(X[:10])
    assert folded[hidden[:10]].max() <= limit
    assert np.sqrt(np.mean((folded - values[:10])[hidden[:10]] ** 2)) < 1.5 * error
