"""Variational Bayes on records against the same on arrays, and what its parts promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rankscape.entries import Entries
from rankscape.entries.heldout import choose_heldout, entry_hash
from rankscape.entries.stored.keeping import on_disk
from rankscape.estimators.completion.fits.determination import missing_cells
from rankscape.estimators.completion.fits.parts import Parts
from rankscape.ground.groups import sums_of
from rankscape.ground.modes import modes_of
from rankscape.ground.threads import each, threads_of
from rankscape.solvers.packed.energies import beginning
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import PackedPosterior
from rankscape.solvers.packed.records import Moments, State, records_of
from rankscape.solvers.posterior import Posterior


def sparse(shape, count: int, rank: int, noise: float, seed: int) -> Entries:
    random = np.random.default_rng(seed)
    U, V = (random.standard_normal((n, rank)) for n in shape)
    place = np.unique(random.integers(0, shape[0] * shape[1], count))
    i, j = place // shape[1], place % shape[1]
    values = (U[i] * V[j]).sum(1) + random.standard_normal(shape[0])[i] + noise * random.standard_normal(len(i))
    return Entries(i, j, values, shape)


def orders_of(entries: Entries, held=None, scale: float = 1.0) -> Orders:
    return Orders.of(entries, np.zeros(entries.count, bool) if held is None else held, 0.0, scale)


@pytest.mark.parametrize("biases", [(False, False), (True, True), (True, False), (False, True)])
def test_sweeps_are_those_of_the_posterior_on_arrays(biases):
    entries = sparse((70, 50), 1500, 3, 0.5, 1)
    random = np.random.default_rng(0)
    left, right = random.standard_normal((70, 4)), random.standard_normal((50, 4))
    first = tuple(0.1 * random.standard_normal(n) if has else None for n, has in zip((70, 50), biases, strict=True))
    old = Posterior(entries.prepared(), modes_of(left, right), 0.7, first)
    means = np.column_stack([old.right.mean[:, :4], np.zeros(50) if first[1] is None else first[1]])
    spreads = []
    for side, has in zip((old.left, old.right), biases, strict=True):
        variance = 1 / np.diag(side.precision)
        spreads.append(variance if has else np.append(variance, 1.0))
    new = PackedPosterior(orders_of(entries), State(records_of(means), 4, tuple(spreads), 0.49), biases)
    for _ in range(6):
        old.average()
        new.sweep()
    assert new.state.noise == pytest.approx(old.noise, rel=1e-4)
    assert new.state.width == old.width
    fitted = new.left[:, :-1] @ new.state.records[:, -old.width - 1 : -1].T
    fitted = fitted + new.left[:, -1:] + new.state.records[:, -1]
    expected = old.factors[0] @ old.factors[1].T + old.biases[0][:, None] + old.biases[1]
    np.testing.assert_allclose(fitted, expected, atol=2e-4 * np.abs(expected).max())


def test_held_out_entries_are_not_fitted_until_asked_for():
    entries = sparse((60, 40), 900, 2, 0.3, 2)
    held = np.random.default_rng(1).random(entries.count) < 0.2
    state = State.begin(np.random.default_rng(2).standard_normal((40, 2)), (np.zeros(60), np.zeros(40)))

    def swept(orders: Orders, everything: bool) -> PackedPosterior:
        posterior = PackedPosterior(orders, state, (True, True), everything)
        posterior.sweep()
        return posterior

    both, fewer = swept(orders_of(entries, held), False), swept(orders_of(entries.part(~held)), False)
    assert np.array_equal(both.left, fewer.left)
    assert both.state.noise == fewer.state.noise
    judged = entries.part(held)
    right = both.right
    fitted = (both.left[judged.rows, :-1] * right[judged.columns, :-1]).sum(1)
    fitted += both.left[judged.rows, -1] + right[judged.columns, -1]
    np.testing.assert_allclose(both.missed(), judged.values - fitted, atol=1e-6)
    by_column = np.lexsort((judged.rows, judged.columns))
    np.testing.assert_allclose(both.missed(1), (judged.values - fitted)[by_column], atol=1e-6)
    everything, all_of_them = swept(orders_of(entries, held), True), swept(orders_of(entries), False)
    np.testing.assert_allclose(everything.left, all_of_them.left, atol=1e-4)


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_both_orders_hold_the_same_entries(seed, n_out, n_in):
    random = np.random.default_rng(seed)
    place = np.flatnonzero(random.random(n_out * n_in) < random.random())
    entries = Entries(place // n_in, place % n_in, random.standard_normal(len(place)), (n_out, n_in))
    held = random.random(entries.count) < 0.3
    orders = Orders.of(entries, held, 1.0, 2.0)
    for side, order in enumerate(orders.sides):
        lines = np.repeat(np.arange(order.lines), np.diff(order.starts))
        rows, columns = (lines, order.partners) if side == 0 else (order.partners, lines)
        behind = np.arange(len(lines)) >= order.middles[lines]
        found = {(i, j): (y, h) for i, j, y, h in zip(rows, columns, order.values, behind, strict=True)}
        given = (np.float32((entries.values - 1.0) / 2.0), held)
        assert found == {(i, j): (y, h) for i, j, y, h in zip(entries.rows, entries.columns, *given, strict=True)}
        assert [first for first, _ in order.blocks()] == [0, *[last for _, last in order.blocks()]][:-1]


@given(st.integers(0, 10_000), st.integers(1, 400), st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_orders_in_files_are_those_in_memory(seed, put, passes):
    """However many lines are put together at a time, and whether they are dealt first."""
    random = np.random.default_rng(seed)
    n_out, n_in = random.integers(1, 40, 2).tolist()
    place = np.flatnonzero(random.random(n_out * n_in) < random.random())
    entries = Entries(place // n_in, place % n_in, random.standard_normal(len(place)), (n_out, n_in))
    held = random.random(entries.count) < 0.3
    here = Orders.of(entries, held, 1.0, 2.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rankscape.solvers.packed.orders.PUT", put)
        patch.setattr("rankscape.solvers.packed.orders.PASSES", passes)
        there = Orders.of(on_disk(entries), held, 1.0, 2.0, threads=2)
    for one, other in zip(here.sides, there.sides, strict=True):
        everything = slice(0, entries.count)
        assert all(np.array_equal(a[everything], b[everything]) for a, b in zip(one[2:], other[2:], strict=True))
        assert all(map(np.array_equal, one[:2], other[:2]))


def test_threads_change_no_digit():
    entries = sparse((3000, 2000), 250_000, 2, 1.0, 3)
    none = np.zeros(entries.count, bool)

    def found(threads: int):
        orders = Orders.of(entries, none, 0.0, 1.0, threads)
        assert len(list(orders.sides[0].blocks())) > 2
        biases = np.zeros(3000), np.zeros(2000)
        start = beginning(orders, biases, 4, threads)
        posterior = PackedPosterior(orders, State.begin(start.vectors, biases), (True, True), threads=threads)
        posterior.converge(1e-4, 5)
        return (
            start.vectors,
            posterior.left,
            posterior.state.records,
            posterior.state.noise,
            posterior.left_over(0.3, 6.0),
        )

    for one, other in zip(found(1), found(3), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(3))
def test_chance_explains_noise_and_not_directions(seed):
    random = np.random.default_rng(seed)
    entries, none = sparse((2000, 500), 30_000, 3, 1.0, seed), (np.zeros(2000), np.zeros(500))
    assert beginning(orders_of(entries), none, 8).beyond_chance >= 3
    # Rows and columns that are seen often, or are loud, are no directions.
    loud = np.exp(random.standard_normal(2000))[entries.rows] * np.exp(random.standard_normal(500))[entries.columns]
    noise = entries.with_values(loud * random.standard_normal(entries.count))
    assert beginning(orders_of(noise), none, 8).beyond_chance == 0


def test_what_is_left_over_tells_of_entries_alone():
    entries = sparse((3000, 400), 60_000, 2, 1.0, 4)
    values = entries.values
    state = State.begin(np.random.default_rng(2).standard_normal((400, 3)), (np.zeros(3000), np.zeros(400)))

    def swept(values: np.ndarray) -> PackedPosterior:
        posterior = PackedPosterior(orders_of(entries.with_values(values)), state, (False, False))
        posterior.converge(1e-4, 60)
        return posterior

    posterior = swept(values)
    right = posterior.right
    rest = values - (posterior.left[entries.rows, :-1] * right[entries.columns, :-1]).sum(1)
    kurtosis, alone = posterior.left_over(0.3, 6.0)
    assert kurtosis == pytest.approx(np.mean(rest**4) / np.mean(rest**2) ** 2 - 3, abs=1e-3)
    assert alone == 0
    values = values.copy()
    values[1000] = 400.0
    kurtosis, alone = swept(values).left_over(0.3, 6.0)
    assert alone == 1 or kurtosis > 1


def test_variance_is_that_of_draws():
    random, k = np.random.default_rng(0), 2
    a, b = np.tril_indices(k)
    sides = []
    for _ in range(2):
        mean, root = random.standard_normal(k + 1), random.standard_normal((k + 1, k + 1))
        drawn = mean + random.standard_normal((400_000, k + 1)) @ root.T
        E = root @ root.T + np.outer(mean, mean)
        sides.append((drawn, np.concatenate([E[a, b], E[k, :k], E[k, k:], mean])[None].astype(np.float32)))
    (x, left), (y, right) = sides
    zero = np.zeros(1, int)
    drawn = (x[:, :k] * y[:, :k]).sum(1) + x[:, k] + y[:, k]
    assert Moments(left, right, k).variance(zero, zero)[0] == pytest.approx(drawn.var(), rel=0.02)


@given(st.integers(0, 10_000), st.integers(0, 2**64 - 1))
@settings(max_examples=30, deadline=None)
def test_held_out_entries_are_those_of_the_hash(seed, key):
    random = np.random.default_rng(seed)
    place = np.flatnonzero(random.random(30 * 20) < 0.3)
    rows, columns = place // 20, (place % 20).astype(np.int32)
    hashed = entry_hash(rows, columns, key)
    held = hashed < np.uint64(int(0.2 * 2**64))
    for lines in (rows, columns):
        for line in np.unique(lines):
            held[np.flatnonzero(lines == line)[np.argmax(hashed[lines == line])]] = False
    assert np.array_equal(choose_heldout(rows, columns, (30, 20), 0.2, key), held)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_parts_and_missing_cells_are_those_of_the_graph(seed):
    random = np.random.default_rng(seed)
    n_out, n_in = random.integers(1, 40, 2)
    seen = random.random((n_out, n_in)) < random.choice([0.01, 0.05, 0.2])
    seen.flat[random.integers(seen.size)] = True
    entries = Entries(*np.nonzero(seen), np.ones(seen.sum()), (n_out, n_in))
    parts = Parts.of(entries)
    graph = coo_array((np.ones(entries.count), (entries.rows, entries.columns + n_out)), (n_out + n_in,) * 2)
    assert np.array_equal(np.concatenate([parts.rows, parts.columns]), connected_components(graph, directed=False)[1])
    assert np.array_equal(np.transpose(missing_cells(entries)), np.argwhere(~seen))


def test_sums_by_parts(monkeypatch):
    monkeypatch.setattr("rankscape.ground.groups.PART", 7)
    random = np.random.default_rng(0)
    groups, values = random.integers(0, 5, 50).astype(np.int32), random.integers(0, 9, 50).astype(float)
    assert np.array_equal(sums_of(groups, 6), np.bincount(groups, minlength=6))
    assert np.array_equal(sums_of(groups, 6, values), np.bincount(groups, values, 6))


def test_each_keeps_the_order_and_raises():
    assert each(lambda block: -block, range(20), 3) == [-block for block in range(20)]
    with pytest.raises(ZeroDivisionError):
        each(lambda block: 1 // block, range(3), 2)
    assert threads_of(3) == 3
    assert threads_of(-1) >= 1
