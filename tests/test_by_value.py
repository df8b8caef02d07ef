"""Entries that are missing because of their value: seen in what is predicted for them, and said."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.trust.by_value import missing_by_value, rank_correlation

SHAPES = [(400, 24), (60, 40), (90, 12)]


class Known(Model):
    """A matrix that is known."""

    def __init__(self, matrix):
        self.matrix = matrix

    shape = property(lambda self: self.matrix.shape)

    def at(self, rows, columns):
        return self.matrix[rows, columns]

    def dense(self):
        return self.matrix

    def folded(self, entries):
        raise NotImplementedError


def _table(random, n_out, n_in):
    levels = random.normal(size=(n_out, 1)) + 0.7 * random.normal(size=(1, n_in))
    return levels + 0.6 * random.normal(size=(n_out, 2)) @ random.normal(size=(2, n_in))


def _leaning(table, missing):
    rows, columns = np.nonzero(~missing)
    return missing_by_value(Entries(rows, columns, table[rows, columns], table.shape), Known(table), (True, True))


def _by_chance(random, table):
    return random.random(table.shape) < 0.3


def _by_line(random, table):
    levels = random.normal(size=(len(table), 1)) + random.normal(size=table.shape[1])
    return random.random(table.shape) < 1 / (1 + np.exp(1 - levels))


def _ends(random, table):
    n_out, n_in = table.shape
    return np.arange(n_in) >= random.integers(n_in // 3, n_in + 1, n_out)[:, None]


def _blocks(random, table):
    missing = np.zeros(table.shape, dtype=bool)
    for _ in range(6):
        i, j = (random.integers(0, n * 3 // 4) for n in table.shape)
        missing[i : i + len(table) // 4, j : j + table.shape[1] // 4] = True
    return missing


def _groups(random, table):
    rows, columns = (random.integers(0, 3, n) == 0 for n in table.shape)
    return rows[:, None] & columns


@pytest.mark.parametrize("gaps", [_by_chance, _by_line, _ends, _blocks, _groups])
@pytest.mark.parametrize("shape", SHAPES)
def test_gaps_that_do_not_know_the_value_say_nothing(gaps, shape):
    for seed in range(20):
        random = np.random.default_rng(seed)
        table = _table(random, *shape)
        assert _leaning(table, gaps(random, table)) == 0.0


@pytest.mark.parametrize("slope", [-2.0, -0.7, 0.7, 2.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_gaps_that_follow_the_value_are_seen_with_their_direction(slope, shape):
    for seed in range(20):
        random = np.random.default_rng(seed)
        table = _table(random, *shape)
        chance = 1 / (1 + np.exp(-slope * (table - np.quantile(table, 0.2 if slope < 0 else 0.8))))
        assert _leaning(table, random.random(table.shape) < chance) * slope > 0


def test_levels_of_lines_that_are_not_alike_are_not_compared():
    """A column in other units lies higher and lacks more: no sign that large values are missing."""
    random = np.random.default_rng(0)
    table = _table(random, 300, 40) + np.linspace(0, 100, 40)
    missing = random.random(table.shape) < np.linspace(0.1, 0.6, 40)
    rows, columns = np.nonzero(~missing)
    entries = Entries(rows, columns, table[rows, columns], table.shape)
    assert missing_by_value(entries, Known(table), (True, True)) > 0
    assert missing_by_value(entries, Known(table), (True, False)) == 0


def test_a_certificate_says_it():
    random = np.random.default_rng(1)
    table = 25 + _table(random, 200, 24) + 0.3 * random.normal(size=(200, 24))
    missing = random.random(table.shape) < 1 / (1 + np.exp(2 * (table - np.quantile(table, 0.2))))
    done = rs.complete(np.where(missing, np.nan, table), seed=0)
    assert not done.certificate.trusted
    assert done.certificate.leaning < -0.5
    assert any("lower still" in words and "detection_limit" in words for words in done.certificate.warnings)
    assert rs.complete(np.where(random.random(table.shape) < 0.3, np.nan, table), seed=0).certificate.leaning == 0


@pytest.mark.parametrize("seed", range(20))
def test_ranks_correlate_as_scipy_says(seed):
    random = np.random.default_rng(seed)
    x = random.integers(0, 5 if seed % 2 else 1000, 30).astype(float)
    y = x * (seed % 3 - 1) + random.normal(size=30) * 100
    np.testing.assert_allclose(rank_correlation(x, y), spearmanr(x, y), rtol=1e-9)


def test_a_flat_prediction_says_nothing():
    assert _leaning(np.ones((50, 20)), np.random.default_rng(0).random((50, 20)) < 0.3) == 0.0
