"""Ten thousand random settings for each function about falling ranks: minima, absorbing sets, escape."""

from itertools import pairwise

import many_draws
import numpy as np
import pytest
import reference
from numba import njit

from rankscape.errors import InputError
from rankscape.theory import absorbing, escape, landscape
from rankscape.theory.absorbing import RankSet

# -- landscape -------------------------------------------------------------------------------------------------


def scalar(rng):
    """A mode has a minimum iff its target is above the lowest of all targets with a critical point, by a fine grid."""
    depth, weight, ridge = int(rng.integers(3, 12)), float(10 ** rng.uniform(-3, 0)), float(10 ** rng.uniform(-4, 1))
    kappa, p = 2 * ridge / weight, 1 - 2 / depth
    at = landscape.scalar_thresholds(depth, kappa)
    # s + kappa s^-p has one valley: its floor, by golden sections in ln s, is the threshold.
    low, high = np.log(kappa) / (1 + p) - 5, np.log(kappa) / (1 + p) + 5
    aimed = lambda t: np.exp(t) + kappa * np.exp(-p * t)
    for _ in range(60):
        a, b = high - (high - low) * 0.6180339887, low + (high - low) * 0.6180339887
        low, high = (low, b) if aimed(a) < aimed(b) else (a, high)
    assert abs(aimed(low) / at.a_local - 1) < 1e-12
    target = at.a_local * float(1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-6, -0.1))
    found = landscape.critical_points(target, depth, ridge, weight)
    if target < at.a_local:
        assert (float(found.barrier), float(found.minimum)) == (np.inf, 0)
        return True
    for s in (float(found.barrier), float(found.minimum)):
        assert abs((s + kappa * s**-p) / target - 1) < 1e-13
    assert found.barrier < at.s_local < found.minimum
    objective = lambda s: weight / 2 * (s - target) ** 2 + ridge * depth * s ** (2 / depth)
    zero, least = objective(0.0), objective(float(found.minimum))
    assert bool(found.is_global) == (least < zero) or abs(least / zero - 1) < 1e-12
    assert (target > at.a_global) == (least < zero) or abs(least / zero - 1) < 1e-12
    return True


def minima(rng):
    """Every minimum has the curvatures of one, and as many flat directions as rotations; dropping a larger mode not."""
    depth, n, ridge = int(rng.integers(3, 5)), int(rng.integers(2, 4)), float(10 ** rng.uniform(-2, -0.3))
    a = np.sort(rng.uniform(0.2, 3, n))[::-1]
    if np.min(-np.diff(a)) < 0.05 or np.abs(a - landscape.scalar_thresholds(depth, 2 * ridge).a_local).min() < 0.05:
        return False  # at a tie or a threshold a curvature is nearly zero
    found = landscape.local_minima(a, depth, ridge)
    assert [m.rank for m in found] == list(range(len(found)))
    m = found[int(rng.integers(len(found)))]
    if rng.random() < 0.3 and 1 <= m.rank < n:  # the modes but the first, one more of them
        kept = landscape.critical_points(a, depth, ridge).minimum * (np.arange(n) != 0) * (np.arange(n) <= m.rank)
        if not kept[1:].all():
            return False
        s, kind = kept, "strict saddle"
    else:
        s, kind = m.singular_values, "strict minimum"
        loss = 0.5 * np.sum((s - a) ** 2) + ridge * depth * np.sum(s ** (2 / depth))
        assert abs(m.objective - loss) < 1e-12 * (1 + loss)
    factors = landscape.balanced_factors(np.diag(s), depth, n)
    signature = landscape.hessian_signature(factors, *landscape.entries(np.diag(a)), ridge=ridge, weight=1.0)
    k = int(np.sum(s > 0))
    assert signature.kind == kind
    assert signature.zero == signature.rotations == (depth - 1) * k * (2 * n - k - 1) // 2
    return True


def representation_cost(rng):
    """Balanced factors attain it, other factors of the same product do not go below."""
    depth, shape = int(rng.integers(2, 6)), rng.integers(2, 6, 2)
    A = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1]))
    cost, factors = landscape.representation_cost(A, depth), landscape.balanced_factors(A, depth, 4)
    assert np.abs(reference.product(factors, shape[1]) - A).max() < 1e-10
    assert abs(cost - sum(np.sum(W**2) for W in factors)) < 1e-9 * cost
    R = np.eye(4) + 0.3 * rng.normal(size=(4, 4))
    factors[0], factors[1] = R @ factors[0], factors[1] @ np.linalg.inv(R)
    assert sum(np.sum(W**2) for W in factors) >= cost * (1 - 1e-9)
    return True


def rank_certificate(rng):
    """No matrix of lower rank has a loss below the bound: alternating least squares tries."""
    n, m, rank = (int(x) for x in rng.integers([4, 4, 1], [8, 8, 4]))
    T = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, m))
    seen = rng.random((n, m)) < rng.uniform(0.6, 1)
    seen[0, 0] = True
    found = landscape.rank_certificate(*landscape.entries(np.where(seen, T, np.nan)), shape=(n, m), rank=rank)
    A = rng.normal(size=(n, m)) if rng.random() < 0.5 else T
    for _ in range(15):
        U, s, Vt = np.linalg.svd(np.where(seen, T, A), full_matrices=False)
        A = (U[:, : rank - 1] * s[: rank - 1]) @ Vt[: rank - 1]
    assert found.bounds[rank - 1] <= np.sum((A - T)[seen] ** 2) / (2 * seen.sum()) * (1 + 1e-12)
    return found.bounds[rank - 1] > 0


# -- absorbing sets --------------------------------------------------------------------------------------------


def _chain(rng, depth):
    widths = [5, *rng.integers(2, 5, depth - 1), 4]
    scale, tail = rng.uniform(0.5, 1.3), 10 ** rng.uniform(-3, 0)
    factors = [scale * rng.normal(size=(b, a)) / np.sqrt(a) for a, b in pairwise(widths)]
    return [W * np.where(np.arange(W.shape[0]) < 1, 1, tail)[:, None] for W in factors]


def _soft(W, alpha):
    """From the eigenvalues of the Gram matrix."""
    x = np.minimum(np.maximum(np.linalg.eigvalsh(W @ W.T), 0), alpha)
    return np.sum(x * (2 * alpha - x)) / alpha**2


def step(rng):
    """After a real step of a random batch: imbalance and norms as said, soft ranks and margins not worse."""
    depth, size, eta = int(rng.integers(3, 6)), int(rng.integers(1, 6)), float(10 ** rng.uniform(-3, -0.3))
    lam, factors = float(10 ** rng.uniform(-3, -0.3)), _chain(rng, depth)
    rows, columns, values = landscape.entries(np.where(rng.random((4, 5)) < 0.8, rng.normal(size=(4, 5)), np.nan))
    k = rng.integers(0, len(values), size)
    batch = rows[k], columns[k], values[k]
    after, G = reference.sgd_step(factors, *batch, eta, lam), absorbing.batch_gradient(factors, *batch)
    for said, (lower, upper) in zip(absorbing.imbalance_after(factors, G, eta, lam), pairwise(after), strict=True):
        assert np.abs(said - (upper.T @ upper - lower @ lower.T)).max() < 1e-9 * (1 + np.abs(said).max())
    norms = np.array([np.sum(W**2) for W in after])
    assert np.allclose(absorbing.norms_after(factors, G, eta, lam), norms, rtol=1e-10, atol=1e-10)
    alpha = float(10 ** rng.uniform(-3, 0.5))
    soft = np.array([_soft(W, alpha) for W in after])
    assert np.all(absorbing.soft_rank(after, alpha) <= soft + 1e-7)
    assert np.all(soft <= absorbing.soft_rank_bounds(factors, G, alpha, eta, lam) + 1e-7)
    sets = RankSet(1, alpha, eps1=1.0, eps2=0.75, C=9.0)
    found = absorbing.step_certificate(sets, factors, rows, columns, values, eta, lam)
    assert np.all(np.array(sets.margins(after)) >= np.array(found.margins) - 1e-7 * (1 + norms.max()))
    return True


def norm_bounds(rng):
    """Below the stability of its entry a step keeps every norm below the sharp bound."""
    lam, factors = float(10 ** rng.uniform(-3, -0.3)), _chain(rng, int(rng.integers(2, 6)))
    i, j, value = int(rng.integers(4)), int(rng.integers(5)), float(rng.normal())
    above = [reference.product(factors[l + 1 :], factors[l].shape[0])[i] for l in range(len(factors))]
    below = [reference.product(factors[:l], 5)[:, j] for l in range(len(factors))]
    eta = rng.uniform(0.01, 0.99) * 2 / (4 * lam + max(a @ a * (b @ b) for a, b in zip(above, below, strict=True)))
    after = reference.sgd_step(factors, [i], [j], [value], eta, lam)
    bound = absorbing.norm_bounds(factors, i, j, value, eta, lam)
    assert np.all(np.array([np.sum(W**2) for W in after]) <= bound * (1 + 1e-12))
    return True


def constants(rng):
    """At the edge of the set of proved constants no single entry leads out."""
    rank, ridge, n = int(rng.integers(0, 3)), float(rng.uniform(0.1, 0.5)), 3
    found = absorbing.worst_case(rank, 3, ridge, largest_value=1.0)
    sets, tau = found.rank_set, found.rank_set.eps2 - rng.uniform(0, 1e-3)
    x = np.zeros(n)
    x[:rank] = rng.uniform(1, 4, rank) * sets.alpha
    x[rank] = sets.alpha * (1 - np.sqrt(1 - tau))
    Q = [np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(4)]
    factors = [(Q[l + 1] * np.sqrt(x)) @ Q[l].T for l in range(3)]
    if not sets.contains(factors):  # its norm may be too large
        return False
    i, j = rng.integers(0, n, 2)
    after = reference.sgd_step(factors, [i], [j], rng.uniform(-1, 1, 1), found.largest_learning_rate, ridge)
    assert sets.contains(after)
    return True


# -- escape ----------------------------------------------------------------------------------------------------


def _setting(rng, rates=(-2, -0.7)):
    """A mode with a minimum, and a learning rate within stability."""
    depth, ridge = int(rng.integers(3, 6)), float(rng.uniform(0.05, 1))
    target = float(rng.uniform(1.1, 2) * landscape.scalar_thresholds(depth, 2 * ridge).a_local)
    return target, depth, ridge, float(10 ** rng.uniform(*rates) / target ** (2 - 2 / depth))


def exponent(rng):
    """By bisection for roots and momenta, and Simpson's rule between them."""
    a, L, ridge, eta = _setting(rng)
    q = 2 * eta * ridge
    jump = lambda z: np.log1p(eta * (a - np.exp(L * z)) * np.exp((L - 2) * z))
    hill = np.log(a * (L - 2) / (2 * L - 2)) / L
    if jump(hill) <= 1.02 * q:
        return False
    ends = []
    for low, high in ((hill - 40 / L, hill), (np.log(a) / L, hill)):
        for _ in range(80):
            low, high = (low, (low + high) / 2) if jump((low + high) / 2) > q else ((low + high) / 2, high)
        ends.append(high)
    z = (ends[0] + ends[1]) / 2 - (ends[1] - ends[0]) / 2 * np.cos(np.linspace(0, np.pi, 2001))
    low, high = np.full(z.size, 1e-9 / q), np.full(z.size, 1 / q)
    for _ in range(80):
        middle = (low + high) / 2
        above = 1 - q * middle > np.exp(-middle * jump(z))
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = escape.wkb_exponent(a, L, ridge, eta)
    expected = np.trapezoid(low, z)
    assert abs(found.value - expected) < 1e-4 * expected + 1e-6, (a, L, ridge, eta)
    assert np.allclose([found.barrier, found.minimum], np.exp(L * np.array(ends)), rtol=1e-7)
    return True


@njit(cache=True)
def _exit(a, L, ridge, eta, start, level, entries, seed):
    """Epochs until one chain falls below the level; a draw comes with probability 1 / entries at each step."""
    np.random.seed(seed)  # noqa: NPY002 - numba's own
    y, floor, steps, rho = start ** (1 / L), level ** (1 / L), 0, 1 - 2 * eta * ridge / entries
    while True:
        gap = np.int64(np.ceil(np.log(np.random.random()) / np.log(1 - 1 / entries)))  # noqa: NPY002
        allowed = np.int64(np.ceil(np.log(floor / y) / np.log(rho)))
        if gap >= allowed:
            return (steps + allowed) / entries
        y, steps = y * rho**gap, steps + gap
        y += eta * (a - y**L) * y ** (L - 1)


def _exits(rng, count):
    """Times of simulated exits over their predicted means, each of a setting of its own."""
    found = []
    while len(found) < count:
        a, L, ridge, eta = _setting(rng, rates=(-1.0, -0.3))
        try:
            order = escape.wkb_exponent(a, L, ridge, eta)
        except InputError:  # no minimum at this rate
            continue
        if order.value < 3:  # others take too long to be simulated
            mean = escape.mean_exit_time(a, L, ridge, eta)
            seed = int(rng.integers(2**31))
            found.append(_exit(a, L, ridge, eta, order.minimum, mean.level, 2000, seed) / mean.epochs)
    return np.array(found)


def supporting_target(rng):
    """The minimum of this target is the given singular value."""
    depth, ridge = int(rng.integers(3, 10)), float(10 ** rng.uniform(-2, 0))
    s = float(rng.uniform(1.05, 6)) * landscape.scalar_thresholds(depth, 2 * ridge).s_local
    target = escape.supporting_target(s, depth, ridge)
    assert abs(ridge * 2 * s ** (2 / depth - 1) + s - target) < 1e-12 * target
    assert abs(float(landscape.critical_points(target, depth, ridge).minimum) / s - 1) < 1e-6
    return True


def holders(rng):
    """At a minimum the shares of a mode add up to 1, and each is what the gradient of its entry pulls."""
    depth, (n, m), ridge = int(rng.integers(3, 5)), rng.integers(2, 6, 2), float(10 ** rng.uniform(-2.5, -1.3))
    T = rng.normal(size=(n, m))
    U, a, Vt = np.linalg.svd(T, full_matrices=False)
    top = landscape.local_minima(a, depth, ridge, weight=1 / (n * m))[-1]
    if top.rank == 0:
        return False
    W = (U * top.singular_values) @ Vt
    k = int(rng.integers(top.rank))
    held = escape.holders(landscape.balanced_factors(W, depth), *landscape.entries(T), ridge=ridge, mode=k)
    assert abs(held.shares.sum() - 1) < 1e-6
    i, j = held.rows[0], held.columns[0]
    pull = (T - W)[i, j] * U[i, k] * Vt[k, j] / (n * m)
    assert abs(held.shares[0] - pull / (2 * ridge * top.singular_values[k] ** (2 / depth - 1))) < 1e-6
    return True


DRAWS = {
    "scalar_thresholds, critical_points": scalar, "local_minima, hessian_signature": minima,
    "representation_cost, balanced_factors": representation_cost, "rank_certificate": rank_certificate,
    "step_certificate and its identities": step, "norm_bounds": norm_bounds, "worst_case": constants,
    "wkb_exponent": exponent, "supporting_target": supporting_target, "holders": holders,
}  # fmt: skip

test_a_few_draws, test_ten_thousand_draws = many_draws.both(DRAWS, dear={})


def test_a_few_exits_take_the_mean_time():
    found = _exits(many_draws.source("exits"), 100)
    assert abs(found.mean() - 1) < 4 * found.std() / 10


@pytest.mark.slow
def test_ten_thousand_exits_take_the_mean_time():
    """Of ten thousand the standard error is below 1 %: a formula that is wrong by 5 % in the mean would fail."""
    found = _exits(many_draws.source("exits"), many_draws.MANY)
    error = found.std() / np.sqrt(len(found))
    assert abs(found.mean() - 1) < 4 * error
    assert error < 0.0125 * np.sqrt(many_draws.ALL / len(found))
