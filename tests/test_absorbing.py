"""Absorbing sets: exact identities of one step, certificates that are never contradicted, constants that hold."""

from itertools import pairwise, product

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError
from rankscape.theory import absorbing, landscape
from rankscape.theory.absorbing import RankSet


def _chain(rng, depth, shape=(4, 5), width=4, scale=1.0, tail=1.0):
    """Random factors; `tail` shrinks all hidden directions but the first, so that soft ranks are in play."""
    widths = [shape[1], *rng.integers(2, width + 1, depth - 1), shape[0]]
    factors = [scale * rng.normal(size=(b, a)) / np.sqrt(a) for a, b in pairwise(widths)]
    return [W * np.where(np.arange(W.shape[0]) < 1, 1, tail)[:, None] for W in factors]


def _batch(rng, shape, size):
    rows, columns = rng.integers(0, shape[0], size), rng.integers(0, shape[1], size)
    return rows, columns, rng.normal(size=size)


def _imbalance(factors):
    return [upper.T @ upper - lower @ lower.T for lower, upper in pairwise(factors)]


def _soft(W, alpha):
    """Soft rank of a stack of matrices, from the eigenvalues of the Gram matrix."""
    x = np.minimum(np.linalg.svd(W, compute_uv=False) ** 2, alpha)
    return np.sum(x * (2 * alpha - x) / alpha**2, axis=-1)


# -- identities of one step ------------------------------------------------------------------------------------


@given(
    depth=st.integers(2, 5),
    size=st.integers(1, 6),
    eta=st.floats(1e-3, 0.5),
    lam=st.floats(1e-3, 0.5),
    seed=st.integers(0, 999),
)
def test_balance_norm_and_soft_rank_after_a_step(depth, size, eta, lam, seed):
    rng = np.random.default_rng(seed)
    factors = _chain(rng, depth, tail=0.1)
    batch = _batch(rng, (4, 5), size)
    after = reference.sgd_step(factors, *batch, eta, lam)
    G = absorbing.batch_gradient(factors, *batch)
    for predicted, exact in zip(absorbing.imbalance_after(factors, G, eta, lam), _imbalance(after), strict=True):
        assert np.abs(predicted - exact).max() <= 1e-9
    assert absorbing.norms_after(factors, G, eta, lam) == pytest.approx([np.sum(W**2) for W in after], abs=1e-9)
    for alpha in (1e-3, 0.1, 2.0):
        slack = absorbing.soft_rank_bounds(factors, G, alpha, eta, lam) - [_soft(W, alpha) for W in after]
        assert slack.min() >= -1e-10


@given(depth=st.integers(2, 5), lam=st.floats(1e-3, 0.5), share=st.floats(0.01, 0.99), seed=st.integers(0, 999))
def test_norms_stay_below_the_sharp_bound_up_to_its_limit(depth, lam, share, seed):
    rng = np.random.default_rng(seed)
    factors = _chain(rng, depth)
    (row,), (column,), (value,) = batch = _batch(rng, (4, 5), 1)
    limit = 2 / (4 * lam + max(np.sum(u[row] ** 2) * np.sum(v[:, column] ** 2) for u, v in _sides(factors)))
    after = reference.sgd_step(factors, *batch, share * limit, lam)
    bound = absorbing.norm_bounds(factors, int(row), int(column), value, share * limit, lam)
    assert np.all(np.array([np.sum(W**2) for W in after]) <= bound * (1 + 1e-12))
    if 1.01 * limit < 0.5 / lam:
        with pytest.raises(InputError, match=f"must be below {limit:.6g}"):
            absorbing.norm_bounds(factors, int(row), int(column), value, 1.01 * limit, lam)


def _sides(factors):
    ends = range(len(factors))
    above = [reference.product(factors[l + 1 :], factors[l].shape[0]) for l in ends]
    return zip(above, [reference.product(factors[:l], factors[0].shape[1]) for l in ends], strict=True)


def test_soft_rank_bound_in_a_hundred_thousand_checks():
    """Every entry of random chains: the bounds of the certificate against the soft ranks after the real step."""
    rng, checks, least = np.random.default_rng(5), 0, np.inf
    while checks < 100_000:
        depth, shape = int(rng.integers(3, 6)), (8, 8)
        factors = _chain(rng, depth, shape, scale=rng.uniform(0.5, 1.3), tail=10 ** rng.uniform(-3, 0))
        seen = landscape.entries(rng.normal(size=shape))
        alpha, eta, lam = 10 ** rng.uniform(-3, 0.5), 10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-4, -0.5)
        found = absorbing.step_certificate(RankSet(1, alpha, 1.0, 0.75, 9.0), factors, *seen, eta, lam)
        residual = reference.product(factors, 8)[seen.rows, seen.columns] - seen.values
        for W, (above, below), bound in zip(factors, _sides(factors), found.soft_ranks, strict=True):
            steps = above[seen.rows][:, :, None] * below.T[seen.columns][:, None, :] * residual[:, None, None]
            slack = bound - _soft((1 - 2 * eta * lam) * W - eta * steps, alpha)
            least, checks = min(least, slack.min()), checks + slack.size
    assert -1e-10 <= least < 1e-9  # never below the truth, and sharp somewhere


# -- the sets --------------------------------------------------------------------------------------------------


@given(depth=st.integers(3, 5), seed=st.integers(0, 999), alpha=st.floats(1e-3, 2), rank=st.integers(0, 5))
def test_sets_are_nested_in_rank(depth, seed, alpha, rank):
    rng = np.random.default_rng(seed)
    factors = _chain(rng, depth, tail=0.05)
    inner = RankSet(rank, alpha, eps1=10.0, eps2=0.75, C=20.0)
    outer = inner.at_rank(rank + 1)
    assert outer.contains(factors) or not inner.contains(factors)
    assert outer.margins(factors).rank == pytest.approx(inner.margins(factors).rank + 1)
    assert outer.margins(factors)[::2] == inner.margins(factors)[::2]


@given(depth=st.integers(1, 4), seed=st.integers(0, 999), alpha=st.floats(1e-3, 5))
def test_soft_rank_lies_between_zero_and_the_rank(depth, seed, alpha):
    factors = _chain(np.random.default_rng(seed), depth)
    soft = absorbing.soft_rank(factors, alpha)
    assert soft == pytest.approx([_soft(W, alpha) for W in factors])
    assert all(0 <= value <= min(W.shape) + 1e-12 for value, W in zip(soft, factors, strict=True))
    smallest = min(np.linalg.svd(W, compute_uv=False)[-1] for W in factors)
    assert absorbing.soft_rank(factors, smallest**2 * 0.99) == pytest.approx([min(W.shape) for W in factors])


def test_margins_are_the_three_conditions(rng):
    factors = _chain(rng, 4)
    D = _imbalance(factors)
    for norm, order in (("operator", 2), ("frobenius", "fro")):
        margins = RankSet(2, 0.1, 3.0, 0.5, 7.0, norm).margins(factors)
        assert margins.balance == pytest.approx(3.0 - max(np.linalg.norm(d, order) for d in D))
        assert margins.rank == pytest.approx(2.5 - max(_soft(W, 0.1) for W in factors))
        assert margins.norm == pytest.approx(7.0 - max(np.sum(W**2) for W in factors))


# -- certificates ----------------------------------------------------------------------------------------------


@given(depth=st.integers(3, 5), seed=st.integers(0, 9999), size=st.integers(1, 8))
def test_no_batch_does_worse_than_the_certificate(depth, seed, size):
    rng = np.random.default_rng(seed)
    factors = _chain(rng, depth, tail=10 ** rng.uniform(-3, 0))
    rows, columns, values = landscape.entries(np.where(rng.random((4, 5)) < 0.8, rng.normal(size=(4, 5)), np.nan))
    eta, lam = 10 ** rng.uniform(-2.5, 0), 10 ** rng.uniform(-3, -0.5)
    for norm in ("operator", "frobenius"):
        rank_set = RankSet(1, 10 ** rng.uniform(-3, 0), 1.0, 0.75, 5.0, norm)
        found = absorbing.step_certificate(rank_set, factors, rows, columns, values, eta, lam)
        for batch in [rng.integers(0, len(values), size) for _ in range(5)] + [np.arange(len(values))]:
            after = reference.sgd_step(factors, rows[batch], columns[batch], values[batch], eta, lam)
            assert np.all(np.array(rank_set.margins(after)) >= np.array(found.margins) - 1e-9)
            assert rank_set.contains(after) or not found.holds


def test_certificate_names_the_adversary_and_the_stability(rng):
    factors = _chain(rng, 3, tail=0.1)
    rows, columns, values = landscape.entries(rng.normal(size=(4, 5)))
    rank_set, eta, lam = RankSet(1, 0.05, 1.0, 0.75, 9.0), 0.05, 0.01
    found = absorbing.step_certificate(rank_set, factors, rows, columns, values, eta, lam)
    turned = absorbing.step_certificate(rank_set, factors, rows[::-1], columns[::-1], values[::-1], eta, lam)
    np.testing.assert_array_equal(turned.soft_ranks, found.soft_ranks[:, ::-1])  # in the order of what was given
    general = []  # the inequality entry by entry, for the product and for its transpose: the sharper one is taken
    for k in range(len(values)):
        G = absorbing.batch_gradient(factors, rows[[k]], columns[[k]], values[[k]])
        flipped = absorbing.soft_rank_bounds([W.T for W in factors[::-1]], G.T, rank_set.alpha, eta, lam)
        general.append([absorbing.soft_rank_bounds(factors, G, rank_set.alpha, eta, lam), flipped[::-1]])
    assert found.soft_ranks.max(axis=1) == pytest.approx(np.max(general, axis=0).min(axis=0))
    assert found.soft_ranks[:, found.adversary].max() == found.soft_ranks.max()
    P = [np.sum(u**2, axis=1)[:, None] * np.sum(v**2, axis=0) for u, v in _sides(factors)]
    assert found.stability == pytest.approx(eta * np.max(P))


def test_balance_bound_is_attained_by_orthogonal_directions():
    """At the identity the entry (0, 1) pushes every layer by the same rank one, across two axes."""
    factors, eta, lam = [np.eye(2)] * 3, 0.1, 1e-9
    after = reference.sgd_step(factors, [0], [1], np.array([2.0]), eta, lam)
    for norm in ("operator", "frobenius"):
        rank_set = RankSet(2, 0.1, 1.0, 0.75, 9.0, norm)
        found = absorbing.step_certificate(rank_set, factors, [0], [1], [2.0], eta, lam)
        assert found.margins.balance == pytest.approx(rank_set.margins(after).balance, abs=1e-12)


def _edge_of(rank_set, depth, rng, n=3):
    """A point inside the set whose soft rank is within 1e-3 of the edge: one mode lies inside (0, alpha)."""
    tau = rank_set.eps2 - rng.uniform(0, 1e-3)
    x = np.zeros(n)
    x[: rank_set.rank] = rng.uniform(1, 4, rank_set.rank) * rank_set.alpha
    x[rank_set.rank] = rank_set.alpha * (1 - np.sqrt(1 - tau))
    Q = [np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(depth + 1)]
    factors = [(Q[l + 1] * np.sqrt(x)) @ Q[l].T for l in range(depth)]
    assert rank_set.contains(factors)
    assert rank_set.margins(factors).rank < 2e-3
    return factors


@pytest.mark.parametrize(("depth", "sharp"), [(3, True), (3, False), (4, True), (5, True)])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_no_step_leaves_from_the_edge(depth, sharp, rank):
    rng = np.random.default_rng(11)
    found = absorbing.worst_case(rank, depth, ridge=0.2, largest_value=1.0, sharp=sharp)
    rank_set, eta = found.rank_set, found.largest_learning_rate
    for _ in range(20):
        factors = _edge_of(rank_set, depth, rng)
        target = rng.uniform(-1, 1, (3, 3))
        assert absorbing.step_certificate(rank_set, factors, *landscape.entries(target), eta, 0.2).holds
        for i, j in product(range(3), range(3)):
            assert rank_set.contains(reference.sgd_step(factors, [i], [j], target[i, [j]], eta, 0.2))


def test_an_adversary_cannot_leave():
    rng = np.random.default_rng(2)
    found = absorbing.worst_case(1, 3, ridge=0.2, largest_value=1.0)
    factors, target = _edge_of(found.rank_set, 3, rng), rng.uniform(-1, 1, (3, 3))
    rows, columns, values = landscape.entries(target)
    eta = 100 * found.largest_learning_rate  # the constants are pessimistic: the certificate holds far beyond them
    for _ in range(600):
        certificate = absorbing.step_certificate(found.rank_set, factors, rows, columns, values, eta, 0.2)
        assert certificate.holds
        k = [certificate.adversary]
        factors = reference.sgd_step(factors, rows[k], columns[k], values[k], eta, 0.2)
        assert found.rank_set.contains(factors)


# -- constants -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ridge", "norm", "alpha", "eta"),
    [(0.3, 0.833, 0.0138, 5.8e-4), (0.1, 2.5, 1.9e-4, 3.8e-8), (0.03, 8.33, None, 1.4e-13)],
)
def test_constants_at_depth_three(ridge, norm, alpha, eta):
    found = absorbing.worst_case(1, 3, ridge, largest_value=1.0)
    assert pytest.approx(norm, rel=1e-3) == found.rank_set.C
    assert found.largest_learning_rate == pytest.approx(eta, rel=0.03)
    assert alpha is None or found.rank_set.alpha == pytest.approx(alpha, rel=0.03)
    again = absorbing.a_posteriori(1, 3, ridge, error=found.error, norm=found.rank_set.C)
    assert (again.rank_set, again.largest_learning_rate) == (found.rank_set, found.largest_learning_rate)
    better = absorbing.a_posteriori(1, 3, ridge, error=found.error / 2, norm=found.rank_set.C / 2)
    assert better.largest_learning_rate > found.largest_learning_rate


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_critical_points_of_the_full_problem_are_inside_exactly_up_to_their_rank(depth):
    rng = np.random.default_rng(depth)
    a, ridge = np.array([3.0, 2.0, 1.0]), 0.01
    points = landscape.critical_points(a, depth, ridge, weight=1 / 9)
    assert np.all(points.minimum > 0)
    U, V = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
    T = (U * a) @ V.T
    levels = [(0.0, points.barrier[k], points.minimum[k]) for k in range(3)]
    sets = [absorbing.worst_case(r, depth, ridge, np.abs(T).max()).rank_set for r in range(4)]
    for s in product(*levels):
        factors = landscape.balanced_factors((U * s) @ V.T, depth, width=3)
        check = landscape.critical_check(factors, *landscape.entries(T), ridge=ridge)
        assert check.gradient_norm < 1e-12
        assert check.rank == np.count_nonzero(s)
        assert [rank_set.margins(factors).rank >= 0 for rank_set in sets] == [r >= check.rank for r in range(4)]
        assert all(rank_set.margins(factors).norm >= 0 for rank_set in sets)
        if depth == 3:  # deeper, the imbalance that the constants tolerate is below rounding
            assert [rank_set.contains(factors) for rank_set in sets] == [r >= check.rank for r in range(4)]


@pytest.mark.parametrize(("x", "alive"), [(0.19, False), (0.20, True)])
def test_a_small_mode_under_one_entry_drawn_forever(x, alive):
    """The barrier in squared singular values of a layer is 0.1903: the certified alpha is on its safe side."""
    eta, lam, y = 0.02, 0.2, np.sqrt(x)
    barrier = landscape.critical_points(1.0, 3, lam).barrier ** (2 / 3)
    assert barrier == pytest.approx(0.1903, abs=1e-4)
    assert absorbing.worst_case(0, 3, lam, largest_value=1.0).rank_set.alpha < barrier / 50
    for _ in range(20_000):
        y = (1 - 2 * eta * lam) * y - eta * (y**3 - 1) * y**2
    assert (y > 0.5) if alive else (y < 1e-10)


# -- reachability ----------------------------------------------------------------------------------------------


def _draw(factors, seen, choices, eta, lam):
    for k in choices:
        factors = reference.sgd_step(factors, seen.rows[[k]], seen.columns[[k]], seen.values[[k]], eta, lam)
    return factors


def test_the_certified_draws_reach_the_lower_rank():
    rng = np.random.default_rng(8)
    factors = _chain(rng, 3, (5, 5), width=3, scale=1.2)
    seen = landscape.entries(np.where(rng.random((5, 5)) < 0.7, rng.normal(size=(5, 5)), np.nan))
    eta, lam, one = 2e-3, 0.1, RankSet(1, alpha=0.02, eps1=5e-3, eps2=0.75, C=10.0)
    found = absorbing.reachability(one, factors, *seen, eta, lam)
    index, outer = (seen.rows, factors[-1]) if found.axis == "rows" else (seen.columns, factors[0].T)
    counts = np.bincount(index, minlength=5)
    assert counts[list(found.kept)].sum() == counts.max()
    rest = np.delete(outer, found.kept, axis=0)
    rho, D = 1 - 2 * eta * lam, _imbalance(factors)
    wrong = np.sum(rest**2) + sum(np.linalg.norm(d, "nuc") for d in D)
    left = [rho ** (2 * T) for T in (found.steps, found.steps - 1)]
    ends = [
        x * wrong <= one.alpha * one.eps2 / 4 and x * max(np.linalg.norm(d, 2) for d in D) <= one.eps1 / 2 for x in left
    ]
    assert ends == [True, False]
    assert found.log10_probability == pytest.approx(found.steps * np.log10(counts.max() / len(index)))
    assert not one.contains(factors)
    allowed = np.flatnonzero(np.isin(index, found.kept))
    assert one.contains(_draw(factors, seen, rng.choice(allowed, found.steps), eta, lam))


def test_rank_zero_is_reached_by_one_small_entry():
    rng = np.random.default_rng(9)
    factors, eta, lam = _chain(rng, 3, (4, 4), width=3), 0.01, 0.2
    seen = landscape.entries(rng.uniform(0.3, 2, (4, 4)))
    zero = RankSet(0, alpha=1e-3, eps1=1e-3, eps2=0.75, C=10.0)
    found = absorbing.reachability(zero, factors, *seen, eta, lam)
    assert (found.axis, found.failed) == ("entry", None)
    assert found.log10_probability == pytest.approx(-found.steps * np.log10(16))
    assert not zero.contains(factors)
    assert zero.contains(_draw(factors, seen, [found.kept[0]] * found.steps, eta, lam))
    k = found.kept[0]
    turned = absorbing.reachability(zero, factors, *(array[::-1] for array in seen), eta, lam)
    assert (turned.kept, turned.steps) == ((15 - k,), found.steps)  # the position in what was given
    factors[-1] = factors[-1] * np.where(np.arange(4) == seen.rows[k], 1.0, 30.0)[:, None]  # rows that only shrink
    longer = absorbing.reachability(zero, factors, *seen, eta, lam)
    assert longer.kept == found.kept
    assert longer.steps > found.steps
    assert zero.contains(_draw(factors, seen, [k] * longer.steps, eta, lam))
    large = absorbing.reachability(zero, factors, seen.rows, seen.columns, seen.values + 3, eta, lam)
    assert large.steps is None
    assert "only one below" in large.failed
    rough = absorbing.reachability(zero, [9 * W for W in factors], *seen, 1.0, lam)
    assert (rough.steps, rough.log10_probability) == (None, None)
    assert "too large" in rough.failed


# -- bad input -------------------------------------------------------------------------------------------------

ONE = RankSet(1, 0.1, 0.1, 0.75, 4.0)
DEEP, SHALLOW, SEEN = [np.eye(2)] * 3, [np.eye(2)] * 2, ([0], [0], [1.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ONE.margins(SHALLOW), "depth 2 has no absorbing sets"),
        (lambda: absorbing.worst_case(1, 2, 0.1, 1.0), "depth 2 has no absorbing sets"),
        (lambda: absorbing.a_posteriori(1, 2, 0.1, 1.0, 1.0), "depth 2 has no absorbing sets"),
        (lambda: absorbing.step_certificate(ONE, SHALLOW, *SEEN, 0.1, 0.1), "depth 2 has no absorbing sets"),
        (lambda: absorbing.reachability(ONE, SHALLOW, *SEEN, 0.1, 0.1), "depth 2 has no absorbing sets"),
        (lambda: absorbing.worst_case(1, 3, 0.0, 1.0), "`ridge`"),
        (lambda: absorbing.worst_case(1, 3, -0.1, 1.0), "`ridge`"),
        (lambda: absorbing.worst_case(1, 3, 0.1, np.nan), "`largest_value`"),
        (lambda: absorbing.worst_case(1, 3, 0.1, 1.0, learning_rate=0.1), "up to 3.8e-08, got 0.1"),
        (lambda: absorbing.worst_case(1, 60, 1e-9, 10.0), "leave the range of floating point"),
        (lambda: absorbing.step_certificate(ONE, DEEP, *SEEN, 0.1, 0.0), "`ridge`"),
        (lambda: absorbing.step_certificate(ONE, DEEP, *SEEN, 5.0, 0.1), "must be below 5"),
        (lambda: absorbing.step_certificate(ONE, [np.eye(2) * np.nan] * 3, *SEEN, 0.1, 0.1), "finite"),
        (lambda: absorbing.step_certificate(ONE, DEEP, [0], [7], [1.0], 0.1, 0.1), "outside 0..1"),
        (lambda: absorbing.reachability(ONE.at_rank(2), DEEP, *SEEN, 0.1, 0.1), "a width of 2 allows no higher one"),
        (lambda: absorbing.norms_after(DEEP, np.ones((2, 2)), 0.1, -1.0), "`ridge`"),
        (lambda: absorbing.soft_rank(DEEP, 0.0), "`alpha`"),
        (lambda: RankSet(-1, 0.1, 0.1, 0.75, 4.0), "`rank`"),
        (lambda: RankSet(1, 0.1, 0.1, 1.0, 4.0), "`eps2`"),
        (lambda: RankSet(1, np.inf, 0.1, 0.75, 4.0), "`alpha`"),
    ],
)
def test_bad_input_says_what_to_do(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_callers_arrays_stay(rng):
    factors = _chain(rng, 3)
    before = [W.copy() for W in factors]
    rows, columns, values = landscape.entries(rng.normal(size=(4, 5)))
    absorbing.step_certificate(ONE, factors, rows, columns, values, 0.1, 0.1)
    ONE.margins(factors)
    assert all(np.array_equal(W, old) for W, old in zip(factors, before, strict=True))


def test_the_room_is_reachable():
    assert rs.theory.absorbing.RankSet is RankSet
