"""Parts of a matrix that no entry connects: they share directions, and each is determined by its own entries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.fits.parts import MANY, Parts
from rankscape.ground.modes import modes_of


def in_parts(seed, ranks, noise=0.0, shape=(120, 100), seen=0.6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A matrix of blocks of these ranks, what is seen of it, the truth, and which cells lie inside blocks."""
    random = np.random.default_rng(seed)
    n_out, n_in = shape
    rows, columns = (np.sort(random.permutation(np.arange(n) % len(ranks))) for n in shape)
    truth = random.normal(size=shape)
    for part, rank in enumerate(ranks):
        R, C = rows == part, columns == part
        truth[np.ix_(R, C)] = random.normal(size=(R.sum(), rank)) @ random.normal(size=(rank, C.sum())) / rank**0.5
    inside = rows[:, None] == columns
    known = inside & (random.random(shape) < seen)
    X = np.where(known, truth + noise * random.normal(size=shape), np.nan)
    mixed = np.ix_(random.permutation(n_out), random.permutation(n_in))  # blocks are not given in order
    return X[mixed], truth[mixed], inside[mixed]


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_sharing_keeps_the_parts_and_the_nuclear_norm(seed):
    random = np.random.default_rng(seed)
    ranks = random.integers(1, 4, size=random.integers(2, 5)).tolist()
    X, truth, inside = in_parts(seed, ranks, shape=(30, 25), seen=1.0)
    truth = np.where(inside, truth, 0.0)
    modes = modes_of(truth, np.eye(25))
    modes = modes.head(int((modes.s > 1e-9).sum()))
    parts = Parts.of(Entries.from_array(X))
    shared = parts.shared(modes)
    W = (shared.U * shared.s) @ shared.V.T
    assert len(modes.s) == sum(ranks)
    assert len(shared.s) == max(ranks)
    assert np.abs((W - truth)[inside]).max() < 1e-12 * modes.s[0]
    assert shared.s.sum() == pytest.approx(modes.s.sum(), rel=1e-12)
    assert sorted(parts.ranks(shared, 0.0)) == sorted(ranks)


def test_one_part_is_left_as_it_is_and_so_are_very_many():
    random = np.random.default_rng(0)
    modes = modes_of(random.normal(size=(300, 2)), random.normal(size=(300, 2)))
    whole = Entries(np.repeat(0, 300), np.arange(300), np.ones(300), (300, 300))
    lone = Entries(np.arange(MANY + 1), np.arange(MANY + 1), np.ones(MANY + 1), (300, 300))
    assert Parts.of(whole).shared(modes) is modes
    assert Parts.of(lone).shared(modes) is modes
    assert not Parts.of(lone).apart


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ranks", [(2, 2), (3, 3), (2, 2, 2)])
def test_exact_parts_are_met_at_the_rank_of_one(ranks, seed):
    X, truth, inside = in_parts(seed, ranks)
    result = rs.complete(X, seed=0)
    hidden = inside & np.isnan(X)
    assert result.rank == ranks[0]
    assert result.determined[hidden].all()
    assert not result.determined[~inside].any()
    assert np.abs((result.matrix - truth)[hidden]).max() < 1e-9
    assert not result.certificate.trusted  # of the cells between the parts


@pytest.mark.parametrize("seed", range(4))
def test_noisy_parts_of_other_ranks_do_not_disturb_each_other(seed):
    """Each part, completed alone, is the oracle."""
    X, truth, inside = in_parts(seed, (3, 2), noise=0.05)
    hidden = inside & np.isnan(X)
    error = lambda W: np.sqrt(np.mean((W - truth)[hidden] ** 2))
    alone = np.zeros(X.shape)
    labels = Parts.of(Entries.from_array(X))
    for part in labels.seen():
        cells = np.ix_(labels.rows == part, labels.columns == part)
        alone[cells] = rs.complete(X[cells], seed=0).matrix
    result = rs.complete(X, seed=0)
    assert result.rank == 3
    assert error(result.matrix) < 1.25 * error(alone)
