"""Gaps that lie together along an ordered axis: noticed, held out likewise, and what they cost is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.ready.stretches import _fixed, distances, impose_stretches, in_stretches


def panel(seed, n=240, d=12, rank=2, own=0.2, noise=0.1):
    """Sensors in the columns, hours in the rows: common and own processes that change slowly."""
    rng = np.random.default_rng(seed)

    def walking(count, keep=0.95):
        x = np.zeros((n, count))
        for t in range(n):
            x[t] = (keep * x[t - 1] if t else 0) + rng.normal(size=count) * (1 - keep**2) ** 0.5
        return x

    common = walking(rank) @ rng.normal(size=(d, rank)).T
    return common + own * walking(d) + noise * rng.normal(size=(n, d)), rng


def outages(shape, rng, length=24, share=0.2):
    """Stretches of rows that single columns lack."""
    missing = np.zeros(shape, dtype=bool)
    while missing.mean() < share:
        j, start = rng.integers(shape[1]), rng.integers(shape[0] - length)
        missing[start : start + length, j] = True
    return missing


def cells(missing) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(missing)
    return rows, columns


@given(seed=st.integers(0, 10**6), n=st.integers(2, 9), d=st.integers(2, 7), axis=st.sampled_from(["rows", "columns"]))
@settings(max_examples=60, deadline=None)
def testdistances_are_those_to_the_next_entries_of_the_line(seed, n, d, axis):
    rng = np.random.default_rng(seed)
    seen = rng.random((n, d)) < 0.5
    seen[0, 0] = True
    entries = Entries.from_array(np.where(seen, 1.0, np.nan))
    before, after = distances(entries, cells(~seen), axis)
    for k, (i, j) in enumerate(np.argwhere(~seen)):
        line, place = (seen[:, j], i) if axis == "rows" else (seen[i], j)
        there = np.flatnonzero(line)
        assert before[k] == min(place - there[there < place], default=np.inf)
        assert after[k] == min(there[there > place] - place, default=np.inf)


@given(seed=st.integers(0, 10**6), axes=st.sampled_from([("rows",), ("columns",), ("rows", "columns")]))
@settings(max_examples=40, deadline=None)
def test_what_is_held_out_was_seen_and_every_line_keeps_something(seed, axes):
    rng = np.random.default_rng(seed)
    shape = int(rng.integers(5, 40)), int(rng.integers(5, 40))
    missing = outages(shape, rng, length=min(4, shape[0] - 1))
    missing[0, 0] = False
    entries = Entries.from_array(np.where(missing, np.nan, rng.normal(size=shape)))
    held = impose_stretches(entries, cells(missing), axes, seed)
    assert held.shape == (entries.count,)
    left = entries.part(~held)
    for before, after in zip(entries.counts(), left.counts(), strict=True):
        assert (after >= np.minimum(before, 2)).all()
    # Lines that get the gaps of others keep two entries; the places between them half of theirs.
    given_to_columns = [axis for axis in axes if _fixed(entries, cells(missing), axis)] == ["rows"]
    before, after = (counted.counts()[int(not given_to_columns)] for counted in (entries, left))
    assert (2 * after >= before).all()


def test_moved_gaps_lie_together_as_the_gaps_do():
    X, rng = panel(0)
    missing = outages(X.shape, rng)
    entries = Entries.from_array(np.where(missing, np.nan, X))
    held = impose_stretches(entries, cells(missing), ("rows",), 0)
    assert 0.05 < held.mean() < 0.15
    training, judged = entries.part(~held), entries.part(held)
    gap = np.minimum(*distances(entries, cells(missing), "rows")).mean()
    moved = np.minimum(*distances(training, (judged.rows, judged.columns), "rows")).mean()
    assert 0.5 < moved / gap < 2
    chance = rng.random(entries.count) < 0.1
    assert in_stretches(entries.part(~chance), entries.part(chance), cells(missing), "rows")
    assert not in_stretches(entries.part(~chance), entries.part(chance), cells(missing), "columns")
    scattered = Entries.from_array(np.where(rng.random(X.shape) < 0.2, np.nan, X))
    gaps = cells(np.isnan(scattered.dense()))
    chance = rng.random(scattered.count) < 0.1
    assert not in_stretches(scattered.part(~chance), scattered.part(chance), gaps, "rows")


def test_ends_and_long_gaps_are_told_from_those_that_can_be_moved():
    X = np.ones((40, 3))
    X[32:, 0] = np.nan  # an end
    X[5:9, 1] = np.nan  # a gap
    fixed = lambda X: _fixed(Entries.from_array(X), cells(np.isnan(X)), "rows")
    assert fixed(X)
    X[32:, 0] = 1.0
    assert not fixed(X)
    X[5:15, 1] = np.nan  # a quarter of the axis
    assert fixed(X)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_long_gaps_are_imposed_whole(seed):
    """Moved along the axis they were cut where columns lost too much, and cost a ninth of what the real ones do."""
    rng = np.random.default_rng(seed)
    rows, columns, length = 150, 60, 24
    start = rng.integers(0, columns - length, rows)
    missing = (np.arange(columns) >= start[:, None]) & (np.arange(columns) < start[:, None] + length)
    entries = Entries.from_array(np.where(missing, np.nan, rng.normal(size=missing.shape)))
    held = impose_stretches(entries, cells(missing), ("columns",), seed)
    assert 0.08 < held.mean() < 0.15
    counts = np.bincount(entries.rows[held], minlength=rows)
    assert counts[counts > 0].min() >= length / 2


SOME = [(0, False), (1, True)]
OTHERS = [
    pytest.param(seed, t, marks=pytest.mark.slow) for seed in range(3) for t in (False, True) if (seed, t) not in SOME
]


@pytest.mark.parametrize(("seed", "transposed"), [*SOME, *OTHERS])
def test_outages_cost_what_is_said(seed, transposed):
    """Held-out entries beside their neighbours said less than half of it, and chose what needs the neighbours."""
    X, rng = panel(seed)
    missing = outages(X.shape, rng)
    given_ = np.where(missing, np.nan, X)
    done = rs.complete(given_.T if transposed else given_)
    matrix = done.matrix.T if transposed else done.matrix
    true = np.sqrt(np.mean((matrix - X)[missing] ** 2))
    assert done.expected_error is not None
    assert 0.5 < true / done.expected_error < 1.4
    assert true < 0.3
