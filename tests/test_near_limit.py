"""Near the information limit: hardly more entries than a matrix of the rank has parameters."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.estimators.completion.methods import climbed
from rankscape.solvers.least_squares.known_rank import core

# So few entries may leave a row without any.
pytestmark = pytest.mark.filterwarnings("ignore:No entry is observed")


def scarce(seed, factor, shape, rank, noise=0.0):
    """A matrix, and so many times as many of its entries as it has parameters."""
    random, (n, m) = np.random.default_rng(seed), shape
    W = random.standard_normal((n, rank)) @ random.standard_normal((rank, m)) / np.sqrt(rank)
    seen = np.zeros(n * m, bool)
    seen[random.permutation(n * m)[: int(np.ceil(factor * rank * (n + m - rank)))]] = True
    noisy = W + noise * random.standard_normal(shape)
    return W, np.where(seen.reshape(shape), noisy, np.nan)


def test_most_matrices_at_the_limit_are_met_and_none_is_wrong_in_silence():
    met = 0
    for seed in range(3):
        W, seen = scarce(seed, 1.05, (80, 60), 3)
        done = rs.complete(seen)
        if done.certificate.exact:
            assert np.abs(done.matrix - W)[done.determined].max() < 1e-6
        met += done.rank == 3 and done.certificate.exact
    assert met >= 2


def test_another_basin_is_found_where_the_path_ends_in_a_poor_one(monkeypatch):
    W, seen = scarce(6, 1.05, (80, 60), 3)
    done = rs.complete(seen)
    assert done.certificate.exact
    assert np.abs(done.matrix - W)[done.determined].max() < 1e-6
    monkeypatch.setattr(climbed, "shaken", lambda *arguments: None)
    assert not rs.complete(seen).certificate.exact


def test_noise_is_not_mistaken_for_a_poor_minimum(monkeypatch):
    called = []
    monkeypatch.setattr(climbed, "shaken", lambda *arguments: called.append(arguments))
    rs.complete(scarce(1, 1.3, (80, 60), 3, 0.2)[1])
    assert not called


def test_the_core_keeps_more_entries_than_the_rank():
    _, seen = scarce(3, 1.05, (80, 60), 3)
    i, j = np.nonzero(np.isfinite(seen))
    inside = core(i, j, seen.shape, 3)
    assert np.bincount(i[inside])[np.unique(i[inside])].min() > 3
    assert np.bincount(j[inside])[np.unique(j[inside])].min() > 3
