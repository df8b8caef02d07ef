"""Random numbers that can be addressed: any window of a stream is the same slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankscape.ground.stream import DRAWS_A_COUNTER, Stream

seeds = st.integers(0, 2**64 - 1)
windows = st.tuples(st.integers(0, 3 * DRAWS_A_COUNTER), st.integers(0, 200)).map(lambda w: (w[0], w[0] + w[1]))


@given(seeds, windows, st.integers(1, 10**9))
def test_a_window_of_the_draws_is_a_slice_of_a_longer_window(seed, window, count):
    start, stop = window
    stream = Stream(seed)
    longer = stream.draws(max(0, start - 50), stop + 50, count)
    np.testing.assert_array_equal(
        stream.draws(start, stop, count), longer[start - max(0, start - 50) :][: stop - start]
    )


@pytest.mark.parametrize("edge", [DRAWS_A_COUNTER, 2 * DRAWS_A_COUNTER])
def test_windows_join_at_the_edge_of_a_block(edge):
    stream = Stream(7)
    whole = stream.draws(edge - 5, edge + 5, 1000)
    parts = [stream.draws(a, b, 1000) for a, b in ((edge - 5, edge), (edge, edge + 1), (edge + 1, edge + 5))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@given(seeds, st.tuples(st.integers(0, 400), st.integers(0, 100)), st.integers(1, 40))
def test_a_window_of_the_permutations_is_a_slice_of_a_longer_window(seed, window, count):
    start, length = window
    stream = Stream(seed)
    whole = stream.shuffled(0, start + length + 7, count)
    np.testing.assert_array_equal(stream.shuffled(start, start + length, count), whole[start : start + length])


@given(seeds, st.integers(1, 60), st.integers(0, 20))
def test_every_epoch_is_a_permutation(seed, count, epoch):
    once = Stream(seed).shuffled(epoch * count, (epoch + 1) * count, count)
    assert sorted(once.tolist()) == list(range(count))


def test_epochs_differ():
    epochs = Stream(0).shuffled(0, 400, 40).reshape(10, 40)
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 10


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_draws_are_uniform_and_in_range(count):
    n = 50_000
    drawn = Stream(3).draws(0, n, count)
    assert drawn.min() >= 0
    assert drawn.max() < count
    chi2 = np.sum((np.bincount(drawn, minlength=count) - n / count) ** 2) / (n / count)
    assert abs(chi2 - (count - 1)) <= 5 * np.sqrt(2 * count)


def test_draws_are_uncorrelated_with_the_next():
    drawn = Stream(4).draws(0, 50_000, 1 << 20).astype(float)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 5 / np.sqrt(50_000)


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    x = Stream(5).normal((300, 400), part=1).ravel()
    n = x.size
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(x**power) - moment) < 5 * np.sqrt(spread / n)


@pytest.mark.parametrize("seed", [0, 1, 2**53, 2**63 - 2, 2**63, 2**64 - 2])
def test_neighbouring_seeds_of_any_size_give_other_numbers(seed):
    here, next_door = Stream(seed), Stream(seed + 1)
    assert not np.array_equal(here.draws(0, 50, 2**30), next_door.draws(0, 50, 2**30))
    assert not np.array_equal(here.shuffled(0, 50, 50), next_door.shuffled(0, 50, 50))
    assert not np.array_equal(here.normal((5, 5), 1), next_door.normal((5, 5), 1))


def test_purposes_layers_and_replicas_are_independent():
    stream = Stream(1)
    assert not np.array_equal(stream.normal((5, 5), 1), stream.normal((5, 5), 2))
    assert not np.array_equal(stream.draws(0, 50, 50), stream.shuffled(0, 50, 50))
    assert not np.array_equal(stream.draws(0, 50, 50), Stream(1, replica=1).draws(0, 50, 50))


def test_the_stream_is_the_same_for_ever():
    """Raw Philox bits are stable across versions of NumPy; these numbers decide every published run."""
    raw = np.random.Philox(key=np.array([42, 0], dtype=np.uint64), counter=[0, 0, 0, 0]).random_raw(2)
    halves = [int(word) >> shift & 0xFFFFFFFF for word in raw for shift in (0, 32)]
    assert Stream(42).draws(0, 4, 1000).tolist() == [half * 1000 >> 32 for half in halves]


def test_an_empty_window_is_empty():
    assert Stream(0).draws(5, 5, 10).shape == (0,)
    assert Stream(0).shuffled(10, 10, 10).shape == (0,)
