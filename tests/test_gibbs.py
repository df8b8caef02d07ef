"""Gibbs sampling of thin factors: every conditional against dense algebra, and the chain against the prior."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, gamma, kstest

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries
from rankscape.solvers.gibbs import mean as mean_of_draws
from rankscape.solvers.gibbs.likelihoods import DEGREES, Gaussian, Likelihood, _Scales
from rankscape.solvers.gibbs.mean import MeanOfDraws
from rankscape.solvers.gibbs.priors import NormalWishart, Prior
from rankscape.solvers.gibbs.rows import draw_rows
from rankscape.solvers.gibbs.sampler import Gibbs
from rankscape.solvers.gibbs.seen import seen_features


def scattered(rng, shape, share, values=None, weights=None):
    """Entries at random places."""
    seen = rng.random(shape) < share
    seen[rng.integers(shape[0]), rng.integers(shape[1])] = True
    i, j = np.nonzero(seen)
    y = rng.standard_normal(len(i)) if values is None else values[i, j]
    return PreparedEntries(Entries(i, j, y, shape, weights=weights and rng.uniform(0.5, 2, len(i))), "sparse")


def constant_priors(shape):
    return tuple(NormalWishart(np.ones((n, 1))) for n in shape)


class Fixed(Prior):
    """A prior that is known: precision and mean of all rows."""

    def __init__(self, precision, mean):
        self.known = np.atleast_2d(precision), np.atleast_1d(mean)

    def draw(self, x, random):
        precision, mean = self.known
        return precision, np.tile(precision @ mean, (len(x), 1))


class Known(Likelihood):
    """Gaussian noise of known precision."""

    variance = 1.0

    def __init__(self, entries, precision):
        self.given = entries.values, entries.weighted(np.full(entries.count, precision))

    def augment(self, fitted, random):
        return self.given


# -- the rows of one side --------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 12), st.integers(1, 5))
def test_each_row_has_the_mean_and_the_root_of_dense_algebra(seed, n, others, width):
    rng = np.random.default_rng(seed)
    seen = rng.random((n, others)) < 0.4
    i, j = np.nonzero(seen)
    order = rng.permutation(len(i))
    target, precision = rng.standard_normal(len(i)), rng.uniform(0.1, 3, len(i))
    partner, shift = rng.standard_normal((others, width)), rng.standard_normal(others)
    root = rng.standard_normal((width, width))
    prior, pull, normal = (
        root @ root.T + np.eye(width),
        rng.standard_normal((n, width)),
        rng.standard_normal((n, width)),
    )
    mean, drawn = np.empty((n, width)), np.empty((n, width))
    starts = np.append(0, np.cumsum(seen.sum(1)))
    draw_rows(starts, j, order, target, precision, partner, shift, prior, pull, normal, mean, drawn)
    for row in range(n):
        e = np.flatnonzero(i == row)
        w, t, P = precision[order[e]], target[order[e]] - shift[j[e]], partner[j[e]]
        A = prior + (P.T * w) @ P
        expected = np.linalg.solve(A, pull[row] + (P.T * w) @ t)
        np.testing.assert_allclose(mean[row], expected, rtol=1e-9, atol=1e-9)
        noise = np.linalg.solve(np.linalg.cholesky(A).T, normal[row])
        np.testing.assert_allclose(drawn[row] - mean[row], noise, rtol=1e-9, atol=1e-9)


def test_biases_of_known_precision_have_the_mean_of_their_joint_normal(rng):
    shape, precision = (4, 3), 2.0
    entries = scattered(rng, shape, 0.7)
    gibbs = Gibbs(entries, Known(entries, precision), 0, (Fixed(1.5, 0.3), Fixed(0.7, -0.2)), np.random.default_rng(0))
    total, sweeps = np.zeros(7), 5000
    for _ in range(sweeps):
        gibbs.sweep()
        total += np.concatenate(gibbs.biases)
    X = np.zeros((entries.count, 7))
    X[np.arange(entries.count), entries.rows] = X[np.arange(entries.count), 4 + entries.columns] = 1
    prior, pull = np.diag([1.5] * 4 + [0.7] * 3), np.array([1.5 * 0.3] * 4 + [-0.7 * 0.2] * 3)
    expected = np.linalg.solve(prior + precision * X.T @ X, pull + precision * X.T @ entries.values)
    np.testing.assert_allclose(total / sweeps, expected, atol=0.06)


# -- priors ----------------------------------------------------------------------------------------------


def test_the_prior_given_its_rows_is_normal_wishart(rng):
    n, P = 30, 2
    features = np.column_stack([np.ones(n), rng.standard_normal((n, 3))])
    x = features @ rng.standard_normal((4, P)) + rng.standard_normal((n, P))
    random, draws = np.random.default_rng(1), 3000
    precisions, centres = np.zeros((P, P)), np.zeros((n, P))
    for _ in range(draws):
        prior = NormalWishart(features, guessed=2, scale=3.0)
        prior.ridge = 5.0
        precision, pull = prior.draw(x, random)
        precisions += precision / draws
        centres += np.linalg.solve(precision, pull.T).T / draws
    known, guesses = features[:, :2], features[:, 2:]
    known = np.linalg.qr(known)[0] * np.linalg.norm(known, axis=0)
    guesses = guesses - known @ np.linalg.pinv(known) @ guesses
    F = np.hstack([known, guesses])
    A = F.T @ F + np.diag([2.0, 2.0, 5.0, 5.0])
    B = np.linalg.solve(A, F.T @ x)
    scatter = x.T @ x - x.T @ F @ B + 3 * np.eye(P)
    np.testing.assert_allclose(precisions, (n + P) * np.linalg.inv(scatter), rtol=0.015, atol=0.01)
    np.testing.assert_allclose(centres, F @ B, atol=0.06)


@pytest.mark.parametrize("guessed", [0, 2])
def test_sweeps_leave_draws_from_the_prior_where_they_are(guessed):
    """Geweke (2004), "Getting it right": from the prior and its data, any wrong conditional moves the distribution."""
    rng, shape = np.random.default_rng(2), (4, 3)
    entries = scattered(np.random.default_rng(5), shape, 0.8)
    features = [np.column_stack([np.ones(n), rng.standard_normal((n, guessed))]) for n in shape]
    moved = []
    for _ in range(1000):
        left, right = (NormalWishart(F, guessed) for F in features)
        gibbs = Gibbs(entries, Known(entries, 1.0), 1, (left, right), rng)
        for side, prior in ((gibbs.left, left), (gibbs.right, right)):
            side.drawn[:] = forward(prior, 2, rng)
        observed = entries.with_values(gibbs.fitted() + rng.standard_normal(entries.count))
        gibbs.likelihood, before = Known(observed, 1.0), statistics(gibbs)
        for _ in range(6):
            gibbs.sweep()
        moved.append(statistics(gibbs) - before)
    error = np.std(moved, axis=0) / len(moved) ** 0.5
    assert (np.abs(np.mean(moved, axis=0)) < 4 * error).all()


def forward(prior, P, rng):
    """Rows straight from the prior, whose ridge is drawn too."""
    ridge = prior.ridge = rng.gamma(0.5, 2.0)
    root = rng.standard_normal((P, P)) / prior.scale**0.5  # W(P, I / scale)
    covariance = np.linalg.inv(root @ root.T)
    ridges = np.array([2.0] * (prior._features.shape[1] - prior.guessed) + [ridge] * prior.guessed)
    L = np.linalg.cholesky(covariance)
    B = rng.standard_normal((len(ridges), P)) @ L.T / np.sqrt(ridges)[:, None]
    return prior._features @ B + rng.standard_normal((len(prior._features), P)) @ L.T


def statistics(gibbs):
    """Logarithms of what has heavy tails."""
    values = []
    for side in (gibbs.left, gibbs.right):
        x, prior = side.drawn, side.prior
        spread = np.log(np.linalg.svd(x - x.mean(0))[1])
        values += [*spread, *np.log(np.abs(x.mean(0))), *np.log(np.abs(x[0]))]
        if prior.guessed:  # how far the rows follow the features
            along = np.abs(prior._features[:, -2:].T @ x)
            values += [np.log(prior.ridge), *np.log(along).ravel()]
    values.append(np.log(np.abs(gibbs.fitted())).mean())
    return np.array(values)


# -- noise -----------------------------------------------------------------------------------------------


def test_drawing_noise_leaves_draws_from_its_prior_where_they_are():
    at, random = np.array([0, 0, 0, 1, 2, 2]), np.random.default_rng(0)
    degrees, alphas = [], []
    for _ in range(6000):
        nu = random.choice(DEGREES)
        alpha = random.gamma(nu / 2, 2 / nu, 3) if np.isfinite(nu) else np.ones(3)
        scales = _Scales(at, 3)
        scales.draw(random.standard_normal(6) ** 2 / alpha[at], random)
        degrees.append(scales.degrees)
        alphas.append(scales.alpha)
    counts = [degrees.count(nu) for nu in DEGREES]
    assert chisquare(counts).pvalue > 1e-3
    four = np.array([alpha[0] for alpha, nu in zip(alphas, degrees, strict=True) if nu == 4.0])
    assert kstest(four, gamma(2.0, scale=0.5).cdf).pvalue > 1e-3


def test_rows_whose_noise_is_alike_are_seen_to_be_and_others_not(rng):
    shape = 60, 40
    for spread, alike in ((0.0, True), (1.0, False)):
        noise = np.exp(spread * rng.standard_normal((60, 1))) * rng.standard_normal(shape)
        entries = scattered(rng, shape, 0.5, noise)
        likelihood = Gaussian(entries, alike=0)
        for _ in range(20):
            likelihood.augment(np.zeros(entries.count), rng)
        assert (likelihood.scales[0].degrees >= 64) == alike
        assert likelihood.scales[1].degrees >= 16
        assert likelihood.variance == pytest.approx(np.mean(entries.values**2), rel=0.2)


# -- what is seen ----------------------------------------------------------------------------------------


def test_a_random_pattern_has_no_features_beside_counts(rng):
    entries = scattered(rng, (80, 60), 0.2)
    rows, columns = seen_features(entries, np.random.default_rng(0))
    assert rows.guessed == columns.guessed == 0
    assert rows.values.shape == (80, 2)
    counts = np.bincount(entries.rows, minlength=80)
    assert np.corrcoef(rows.values[:, 1], counts)[0, 1] > 0.95


@pytest.mark.parametrize("shape", [(80, 50), (50, 80)])
def test_a_pattern_of_groups_is_told_by_its_first_direction(rng, shape):
    groups = [np.arange(n) % 2 for n in shape]
    alike = groups[0][:, None] == groups[1]
    i, j = np.nonzero(rng.random(shape) < np.where(alike, 0.4, 0.05))
    entries = PreparedEntries(Entries(i, j, np.zeros(len(i)), shape), "sparse")
    for features, group in zip(seen_features(entries, np.random.default_rng(0)), groups, strict=True):
        assert features.guessed > 0
        first = features.values[:, 2]
        assert abs(np.corrcoef(first, group)[0, 1]) > 0.9
        assert np.mean(first**2) == pytest.approx(1.0)


# -- the chain -------------------------------------------------------------------------------------------


def planted(rng, shape=(120, 90), rank=2, share=0.3, noise=0.5):
    truth = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1])) / rank**0.5
    truth += 0.5 * rng.standard_normal((shape[0], 1)) + 0.5 * rng.standard_normal(shape[1])
    return scattered(rng, shape, share, truth + noise * rng.standard_normal(shape)), truth


def chain(entries, seed=0, sweeps=60):
    gibbs = Gibbs.begin(entries, Gaussian(entries, alike=20), 5, (True, True), np.random.default_rng(seed))
    mean = MeanOfDraws(gibbs)
    for sweep in range(sweeps):
        gibbs.sweep()
        if sweep >= 20:
            mean.add()
    return gibbs, mean


def predicted(mean):
    (a, b), modes = mean.biases, mean.modes
    return (modes.U * modes.s) @ modes.V.T + a[:, None] + b


def test_draws_average_to_the_truth_and_find_biases_and_noise(rng):
    entries, truth = planted(rng)
    _, mean = chain(entries)
    parameters = 3 * sum(entries.shape)
    assert np.sqrt(np.mean((predicted(mean) - truth) ** 2)) < 1.3 * 0.5 * (parameters / entries.count) ** 0.5
    assert mean.noise == pytest.approx(0.5, rel=0.1)


def test_small_starts_do_not_die_where_entries_are_scarce():
    rng = np.random.default_rng(0)
    entries, truth = planted(rng, (250, 200), 3, 0.12, 0.8)
    _, mean = chain(entries, sweeps=120)
    assert np.sqrt(np.mean((predicted(mean) - truth) ** 2)) < 0.6 * truth.std()


def test_the_same_seed_gives_the_same_bits(rng):
    entries, _ = planted(rng)
    (one, _), (two, _), (three, _) = chain(entries, sweeps=25), chain(entries, sweeps=25), chain(entries, 1, 25)
    np.testing.assert_array_equal(one.left.drawn, two.left.drawn)
    np.testing.assert_array_equal(one.right.mean, two.right.mean)
    assert np.abs(one.left.drawn - three.left.drawn).max() > 0.1


@pytest.mark.parametrize("small", [1_000, 0], ids=["dense", "thin"])
def test_the_mean_of_draws_is_their_mean(rng, monkeypatch, small):
    monkeypatch.setattr(mean_of_draws, "SMALL", small)
    entries, _ = planted(rng, (30, 25))
    gibbs = Gibbs(entries, Gaussian(entries), 3, constant_priors((30, 25)), np.random.default_rng(0))
    mean, dense = MeanOfDraws(gibbs), np.zeros((30, 25))
    for _ in range(25):
        gibbs.sweep()
        mean.add()
        left, right = gibbs.factors
        a, b = gibbs.biases
        dense += (left @ right.T + a[:, None] + b) / 25
    assert np.mean((predicted(mean) - dense) ** 2) < 0.03 * np.mean(dense**2)
    assert len(mean.modes.s) <= 12


def test_weights_are_precisions(rng):
    entries = scattered(rng, (6, 5), 0.9, weights=True)
    target, precision = Gaussian(entries).augment(np.zeros(entries.count), rng)
    np.testing.assert_array_equal(target, entries.values)
    np.testing.assert_allclose(precision / precision[0], entries.weights / entries.weights[0])


@pytest.mark.parametrize("biased", [(True, False), (False, True), (False, False)])
def test_sides_without_biases_have_none(rng, biased):
    entries, _ = planted(rng, (20, 15))
    gibbs = Gibbs.begin(entries, Gaussian(entries), 2, biased, np.random.default_rng(0))
    gibbs.sweep()
    for bias, has in zip(gibbs.biases, biased, strict=True):
        assert bias.any() == has
    assert gibbs.fitted().shape == (entries.count,)
