"""The landscape: thresholds against brute force, minima against Hessians, certificates against descent itself."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError
from rankscape.theory import landscape

# -- one mode ------------------------------------------------------------------------------------------------

TABLE = {  # depth: s_local, a_local, s_global, a_global at kappa = 1
    2: (0, 1, 0, 1),
    3: (0.438691, 1.754765, 1, 2),
    4: (0.629961, 1.889882, 1.587401, 2.381102),
    5: (0.726682, 1.937819, 1.987013, 2.649351),
    8: (0.848411, 1.979626, 2.783927, 3.247915),
}


def _lowest(a, depth, ridge, weight=1.0):
    """Global minimum and whether zero is beaten, by brute force over a fine grid."""
    s = np.linspace(0, a, 400_001)
    h = weight / 2 * (s - a) ** 2 + ridge * depth * s ** (2 / depth)
    inner = (h[1:-1] < h[:-2]) & (h[1:-1] <= h[2:])
    return s[np.argmin(h)], bool(inner.any())


@pytest.mark.parametrize("depth", TABLE)
def test_thresholds_of_the_table(depth):
    assert landscape.scalar_thresholds(depth, 1.0) == pytest.approx(TABLE[depth], abs=1e-6)


@given(depth=st.integers(2, 9), log_kappa=st.floats(-8, 8))
def test_thresholds_scale_with_kappa(depth, log_kappa):
    exponent = depth / (2 * (depth - 1))
    there = landscape.scalar_thresholds(depth, 10**log_kappa)
    assert there == pytest.approx(np.array(landscape.scalar_thresholds(depth, 1.0)) * 10 ** (log_kappa * exponent))


@pytest.mark.parametrize("depth", [2, 3, 4, 8])
@pytest.mark.parametrize("ridge", [0.05, 0.4])
def test_thresholds_by_brute_force(depth, ridge):
    at = landscape.scalar_thresholds(depth, 2 * ridge)
    assert [_lowest(at.a_local * f, depth, ridge)[1] for f in (0.99, 1.01)] == [False, True]
    below, above = (_lowest(at.a_global * f, depth, ridge)[0] for f in (0.99, 1.01))
    assert below == 0 < above
    assert above >= at.s_global


def test_roots_of_the_table():
    roots = {3: (0.038500374, 2.235173514), 4: (0.120614758, 2.347296355)}
    for depth, expected in roots.items():
        points = landscape.critical_points(3.0, depth, ridge=0.5)
        assert (points.barrier, points.minimum) == pytest.approx(expected, abs=2e-9)
    assert landscape.critical_points(3.0, 2, ridge=0.5).minimum == pytest.approx(2.0)


@given(
    depth=st.integers(3, 10),
    factor=st.floats(1.001, 1e6),
    log_kappa=st.floats(-12, 6),
    weight=st.sampled_from([1.0, 1 / 311]),
)
def test_barrier_and_minimum_are_the_critical_points(depth, factor, log_kappa, weight):
    kappa = 10**log_kappa
    at = landscape.scalar_thresholds(depth, kappa)
    a = at.a_local * factor
    points = landscape.critical_points(a, depth, ridge=kappa * weight / 2, weight=weight)
    for s in (points.barrier, points.minimum):
        assert s + kappa * s ** (2 / depth - 1) == pytest.approx(a, rel=1e-9)
    assert points.barrier < at.s_local < points.minimum < a
    assert points.curvature(points.barrier) < 0 < points.curvature(points.minimum)
    assert points.height > 0
    assert bool(points.is_global) == (a > at.a_global)


def test_modes_without_a_minimum_die():
    at = landscape.scalar_thresholds(3, 1.0).a_local
    points = landscape.critical_points([0.0, at * 0.999, at, at * 1.001], 3, ridge=0.5)
    assert np.isinf(points.barrier).tolist() == [True, True, True, False]
    assert (points.minimum == 0).tolist() == [True, True, True, False]
    assert points.height.tolist()[:3] == [0, 0, 0]
    depth_two = landscape.critical_points([0.5, 3.0], 2, ridge=0.5)
    assert depth_two.barrier.tolist() == [np.inf, 0.0]
    assert depth_two.minimum.tolist() == landscape.soft_threshold([0.5, 3.0], 1.0).tolist() == [0.0, 2.0]


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_curvatures_of_the_chain(depth):
    points = landscape.critical_points(3.0, depth, ridge=0.3, weight=0.7)
    chain = [np.full((1, 1), float(points.minimum) ** (1 / depth))] * depth
    H = landscape.hessian(chain, [0], [0], [3.0], ridge=0.3, weight=0.7)
    expected = [4 * 0.3] * (depth - 1) + [float(points.curvature(points.minimum))]
    assert np.linalg.eigvalsh(H) == pytest.approx(sorted(expected), rel=1e-9)


# -- the ridge on a product ----------------------------------------------------------------------------------


@given(depth=st.integers(1, 6), rank=st.integers(0, 3), seed=st.integers(0, 99))
def test_balanced_factors_attain_the_representation_cost(depth, rank, seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(4, rank)) @ rng.normal(size=(rank, 5))
    factors = landscape.balanced_factors(A, depth, width=4)
    assert np.allclose(reference.product(factors, 5), A, atol=1e-10)
    assert landscape.representation_cost(A, depth) == pytest.approx(sum(np.sum(W**2) for W in factors), abs=1e-9)
    gauges = [rng.normal(size=(4, 4)) + 2 * np.eye(4) for _ in range(depth - 1)]
    for l, R in enumerate(gauges):  # the same product, written differently: never cheaper
        factors[l], factors[l + 1] = R @ factors[l], factors[l + 1] @ np.linalg.inv(R)
    assert sum(np.sum(W**2) for W in factors) >= landscape.representation_cost(A, depth) - 1e-9


def test_cost_is_the_nuclear_norm_at_depth_two_and_ignores_rounding():
    A = np.outer(np.arange(1.0, 7.0), np.ones(5))
    assert landscape.representation_cost(A, 2) == pytest.approx(2 * np.linalg.norm(A, "nuc"))
    assert landscape.representation_cost(A, 40) == pytest.approx(40 * np.linalg.norm(A, 2) ** (1 / 20))


# -- minima of the fully observed problem ----------------------------------------------------------------------


def _subsets(a):
    return [kept for k in range(len(a) + 1) for kept in combinations(range(len(a)), k)]


@pytest.mark.parametrize(("depth", "count"), [(2, 1), (3, 4), (4, 4)])
def test_local_minima_are_the_stable_subsets(depth, count):
    a, ridge = np.array([3.0, 2.0, 1.0]), 0.09
    minima = landscape.local_minima(a, depth, ridge)
    assert len(minima) == count
    modes = landscape.critical_points(a, depth, ridge).minimum
    stable = {}
    for kept in _subsets(a):
        s = np.where(np.isin(range(3), kept), modes, 0.0)
        factors = landscape.balanced_factors(np.diag(s), depth, width=3)
        found = landscape.hessian_signature(factors, *landscape.entries(np.diag(a)), ridge=ridge, weight=1.0)
        assert found.kind in ("strict minimum", "strict saddle")
        if found.kind == "strict minimum":
            loss = 0.5 * np.sum((s - a) ** 2) + ridge * landscape.representation_cost(np.diag(s), depth)
            stable[kept] = loss
    assert set(stable) == {tuple(range(m.rank)) for m in minima}
    assert [m.objective for m in minima] == pytest.approx([stable[tuple(range(m.rank))] for m in minima])
    assert [m.is_global for m in minima] == [value == min(stable.values()) for value in stable.values()]
    assert all(m.strict for m in minima)


@given(
    depth=st.integers(2, 5),
    a=st.lists(st.floats(0, 5), min_size=1, max_size=5),
    ridge=st.floats(1e-3, 2),
    weight=st.sampled_from([1.0, 0.02]),
)
def test_exactly_one_global_minimum_of_least_objective(depth, a, ridge, weight):
    assume(len(set(a)) == len(a))
    minima = landscape.local_minima(a, depth, ridge, weight)
    best = [m for m in minima if m.is_global]
    assert best[0].objective == pytest.approx(min(m.objective for m in minima), rel=1e-9)
    assert len(best) == 1
    assert [m.rank for m in minima] == sorted({m.rank for m in minima})


def test_at_the_threshold_two_minima_are_global():
    minima = landscape.local_minima([2.0], depth=3, ridge=0.5)
    assert [m.is_global for m in minima] == [True, True]
    assert minima[0].objective == pytest.approx(minima[1].objective)


def test_a_cut_tie_is_not_strict():
    minima = landscape.local_minima([2.0, 2.0, 1.0], depth=3, ridge=0.09)
    assert [m.strict for m in minima] == [True, False, True, True]
    for m in minima:
        factors = landscape.balanced_factors(np.diag(m.singular_values), 3, width=3)
        target = landscape.entries(np.diag([2.0, 2.0, 1.0]))
        kind = landscape.hessian_signature(factors, *target, ridge=0.09, weight=1.0).kind
        assert kind == ("strict minimum" if m.strict else "degenerate")


# -- any point -------------------------------------------------------------------------------------------------


def _gradient(factors, G, ridge):
    """The gradient of all layers, from one step of the reference dynamics."""
    moved = reference.gd_step(factors, lambda W: G(W), 1.0, ridge)
    return np.concatenate([(W - new).ravel() for W, new in zip(factors, moved, strict=True)])


def _completion(rng, n_out, n_in, fraction):
    T, seen = rng.normal(size=(n_out, n_in)), rng.random((n_out, n_in)) < fraction
    return np.where(seen, T, np.nan), lambda W: np.where(seen, W - T, 0.0) / seen.sum()


@given(depth=st.integers(2, 5), seed=st.integers(0, 99))
def test_hessian_is_the_derivative_of_the_gradient(depth, seed):
    rng = np.random.default_rng(seed)
    widths = [4, *rng.integers(1, 4, depth - 1), 3]
    target, G = _completion(rng, 3, 4, 0.7)
    factors = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
    H = landscape.hessian(factors, *landscape.entries(target), ridge=0.1)
    assert np.array_equal(H, H.T)
    direction = [rng.normal(size=W.shape) for W in factors]
    up, down = ([W + h * D for W, D in zip(factors, direction, strict=True)] for h in (1e-5, -1e-5))
    numeric = (_gradient(up, G, 0.1) - _gradient(down, G, 0.1)) / 2e-5
    assert H @ np.concatenate([D.ravel() for D in direction]) == pytest.approx(
        numeric, abs=2e-6 * (1 + np.abs(H).max())
    )
    check = landscape.critical_check(factors, *landscape.entries(target), ridge=0.1)
    assert check.gradient_norm == pytest.approx(np.linalg.norm(_gradient(factors, G, 0.1)))


def _polished(factors, target, G, ridge, steps=20):
    """Newton's method, blind to flat directions."""
    for _ in range(steps):
        H = landscape.hessian(factors, *landscape.entries(target), ridge=ridge)
        move = np.linalg.pinv(H, rcond=1e-9, hermitian=True) @ _gradient(factors, G, ridge)
        ends = np.cumsum([W.size for W in factors])[:-1]
        factors = [W - d.reshape(W.shape) for W, d in zip(factors, np.split(move, ends), strict=True)]
    return factors


@pytest.fixture(scope="module")
def stuck():
    """A minimum of rank 4 of a partially observed problem, at depth 3 and width 8."""
    rng = np.random.default_rng(3)
    T = rng.normal(size=(12, 4)) @ rng.normal(size=(4, 12))
    seen = rng.random(T.shape) < 0.8
    G = lambda W: np.where(seen, W - T, 0.0) / seen.sum()
    factors = landscape.balanced_factors(T, 3, width=8)
    for _ in range(4000):
        factors = reference.gd_step(factors, G, 0.5, 1e-3)
    target = np.where(seen, T, np.nan)
    return _polished(factors, target, G, 1e-3), target, 1e-3


def test_rotations_are_the_only_flat_directions(stuck):
    factors, target, ridge = stuck
    found = landscape.hessian_signature(factors, *landscape.entries(target), ridge=ridge)
    assert (found.negative, found.zero, found.rotations, found.kind) == (0, 44, 44, "strict minimum")
    assert found.negative + found.zero + found.positive == sum(W.size for W in factors)


def test_identities_at_a_critical_point(stuck):
    factors, target, ridge = stuck
    check = landscape.critical_check(factors, *landscape.entries(target), ridge=ridge)
    A = reference.product(factors, 12)
    G = np.where(np.isnan(target), 0.0, A - np.nan_to_num(target)) / np.sum(~np.isnan(target))
    assert check.gradient_norm < 1e-12
    assert check.imbalance < 1e-9
    assert check.stationarity < 1e-11
    assert check.rank == 4
    assert check.rank_floor == pytest.approx((2 * ridge / np.linalg.norm(G, 2)) ** 3)
    assert check.rank_floor < check.singular_values[3]
    assert check.singular_values[4] < 1e-9
    loss = 0.5 * np.nanmean((A - target) ** 2)
    assert check.objective == pytest.approx(loss + ridge * sum(np.sum(W**2) for W in factors))
    assert [ridge * np.sum(W**2) for W in factors] == pytest.approx([-np.sum(G * A) / 2] * 3)


def test_a_point_on_its_way_is_told_apart(stuck):
    factors, target, ridge = stuck
    moved = [W + 0.01 for W in factors]
    assert landscape.hessian_signature(moved, *landscape.entries(target), ridge=ridge).kind == "not critical"
    assert landscape.critical_check(moved, *landscape.entries(target), ridge=ridge).stationarity > 1e-4


@pytest.mark.parametrize(("depth", "kind"), [(2, "strict saddle"), (3, "strict minimum"), (4, "strict minimum")])
def test_zero_is_a_minimum_from_depth_three_on(depth, kind):
    zero = [np.zeros((3, 3))] * depth
    found = landscape.hessian_signature(zero, *landscape.entries(np.diag([3.0, 2.0, 1.0])), ridge=0.01)
    assert (found.kind, found.zero, found.rotations) == (kind, 0, 0)
    assert landscape.critical_check(zero, *landscape.entries(np.eye(3)), ridge=0.01).rank == 0


# -- certificates ----------------------------------------------------------------------------------------------


def test_fully_observed_bounds_are_attained(rng):
    T = rng.normal(size=(5, 7))
    certificate = landscape.rank_certificate(*landscape.entries(T), shape=(5, 7))
    U, s, Vt = np.linalg.svd(T, full_matrices=False)
    best = [np.sum((T - (U[:, :k] * s[:k]) @ Vt[:k]) ** 2) / 70 for k in range(5)]
    assert certificate.bounds == pytest.approx(best)


@given(rank=st.integers(1, 3), seed=st.integers(0, 999))
def test_no_matrix_of_lower_rank_is_below_the_bound(rank, seed):
    rng = np.random.default_rng(seed)
    T = rng.normal(size=(12, 3)) @ rng.normal(size=(3, 10))
    seen = rng.random(T.shape) < 0.7
    observed = np.where(seen, T, np.nan)
    certificate = landscape.rank_certificate(*landscape.entries(observed), shape=(12, 10), rank=rank)
    assert certificate.bounds[rank - 1] > 0
    assert np.all(certificate.bounds[3:] == 0)
    spent = np.zeros(T.shape, dtype=int)
    for R, S in certificate.blocks:
        assert not np.isnan(observed[np.ix_(R, S)]).any()
        spent[np.ix_(R, S)] += 1
    assert spent.max() == 1
    A = T  # the best of rank - 1 that hard impute finds: a matrix whose loss the bound may not exceed
    for _ in range(50):
        U, s, Vt = np.linalg.svd(np.where(seen, T, A), full_matrices=False)
        A = (U[:, : rank - 1] * s[: rank - 1]) @ Vt[: rank - 1]
    assert certificate.bounds[rank - 1] <= np.sum((A - T)[seen] ** 2) / (2 * seen.sum()) * (1 + 1e-12)


def test_blocks_of_the_user(rng):
    T = rng.normal(size=(6, 6))
    T[0, 5] = np.nan
    blocks = [(range(0, 3), range(0, 3)), (range(3, 6), range(6))]
    certificate = landscape.rank_certificate(*landscape.entries(T), shape=(6, 6), blocks=blocks)
    tails = [np.linalg.svd(T[np.ix_(*block)], compute_uv=False)[1:] ** 2 for block in blocks]
    assert certificate.bounds[1] == pytest.approx(sum(map(np.sum, tails)) / 70)


def test_descent_never_ends_below_its_certified_rank():
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(6, 6)))[0][:, :3] for _ in range(2))
    T = (U * [3.0, 2.0, 1.0]) @ V.T
    certificate = landscape.rank_certificate(*landscape.entries(T), shape=(6, 6))
    assert certificate.largest_ridge(3, T, depth=3) == pytest.approx(9.92e-4, rel=1e-3)
    ends, certified = [], []
    for ridge in (4.96e-4, 9.82e-4, 2.98e-3, 9.92e-3):
        factors = [rng.normal(size=(6, 6)) * 0.4 / np.sqrt(6) for _ in range(3)]
        best = 0
        for step in range(8000):
            factors = reference.gd_step(factors, lambda W: (W - T) / 36, 1.5, ridge)
            if step % 100 == 0:
                check = landscape.critical_check(factors, *landscape.entries(T), ridge=ridge)
                best = max(best, certificate.rank(check.objective))
        check = landscape.critical_check(factors, *landscape.entries(T), ridge=ridge)
        assert check.gradient_norm < 1e-7
        ends.append(check.rank)
        certified.append(best)
    assert ends == [3, 3, 2, 1]
    assert certified[:2] == [3, 3]
    assert all(low <= end for low, end in zip(certified, ends, strict=True))


# -- bad input -------------------------------------------------------------------------------------------------

SEEN = ([0], [0], [1.0])
PAIR = [np.eye(2), np.eye(2)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: landscape.scalar_thresholds(1, 1.0), "`depth`"),
        (lambda: landscape.scalar_thresholds(3, 0.0), "`kappa`"),
        (lambda: landscape.critical_points(-1.0, 3, 0.1), "singular values"),
        (lambda: landscape.critical_points(1.0, 3, -0.1), "`ridge`"),
        (lambda: landscape.local_minima([1.0, np.nan], 3, 0.1), "singular values"),
        (lambda: landscape.local_minima([1.0], 3, 0.0), "`ridge`"),
        (lambda: landscape.local_minima(np.eye(2), 3, 0.1), "vector"),
        (lambda: landscape.balanced_factors(np.eye(3), 3, width=2), "at least 3, got"),
        (lambda: landscape.balanced_factors(np.eye(3), 3, width=[3]), "names 1"),
        (lambda: landscape.representation_cost([[np.nan]], 3), "finite"),
        (lambda: landscape.critical_check([np.eye(2)], *SEEN, ridge=0.1), "at least 2 factors"),
        (lambda: landscape.critical_check([np.eye(2), np.eye(3)], *SEEN, ridge=0.1), "do not chain"),
        (lambda: landscape.critical_check([np.eye(2), np.full((2, 2), np.inf)], *SEEN, ridge=0.1), "finite"),
        (lambda: landscape.critical_check(PAIR, [2], [0], [1.0], ridge=0.1), "outside 0..1"),
        (lambda: landscape.critical_check(PAIR, [0], [0], [np.nan], ridge=0.1), "at position"),
        (lambda: landscape.critical_check(PAIR, [0], [0, 1], [1.0], ridge=0.1), "one index for each"),
        (lambda: landscape.critical_check(PAIR, *SEEN, ridge=0.0), "`ridge`"),
        (lambda: landscape.hessian([np.eye(60), np.eye(60)], *SEEN, ridge=0.1), "limited to 3000"),
        (lambda: landscape.rank_certificate([0, 0], [0, 0], [1.0, 2.0], shape=(2, 2)), "twice"),
        (lambda: landscape.rank_certificate(*SEEN, shape=(2, 2), blocks=[([0, 1], [0])]), "fully observed"),
        (lambda: landscape.rank_certificate(*SEEN, shape=(2, 2), blocks=[([0, 0], [0])]), "without repetition"),
        (lambda: landscape.rank_certificate(*SEEN, shape=(2, 2), blocks=[([5], [0])]), "outside"),
        (lambda: landscape.rank_certificate(*SEEN, shape=(2, 2)).largest_ridge(2, np.eye(2), 3), "no rank above 1"),
        (lambda: landscape.entries([[np.nan]]), "finite"),
        (lambda: landscape.entries("words"), "numbers"),
    ],
)
def test_bad_input_says_what_to_do(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_callers_arrays_stay(rng):
    factors, T = [rng.normal(size=(3, 3)) for _ in range(3)], rng.normal(size=(3, 3))
    before = [W.copy() for W in factors], T.copy()
    landscape.hessian_signature(factors, *landscape.entries(T), ridge=0.1)
    landscape.rank_certificate(*landscape.entries(T), shape=(3, 3))
    assert all(np.array_equal(W, old) for W, old in zip(factors, before[0], strict=True))
    assert np.array_equal(T, before[1])


def test_the_room_is_reachable():
    assert rs.theory.landscape is landscape


@pytest.mark.parametrize(
    ("depth", "ridge", "weight"),
    [(6, 0.006194808839699261, 0.00825593651124986), (3, 0.03251721187040616, 0.02164074823136316)],
)
def test_a_mode_that_dies_is_no_error(depth, ridge, weight):
    """Its equation has no root, and where the search for one went beyond all numbers the whole call was refused."""
    target = landscape.scalar_thresholds(depth, 2 * ridge / weight).a_local
    found = landscape.critical_points([0.5 * target, 2 * target], depth, ridge, weight)
    assert (found.minimum[0], found.barrier[0]) == (0, np.inf)
    assert found.barrier[1] < found.minimum[1]
