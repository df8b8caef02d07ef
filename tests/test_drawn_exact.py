"""Ten thousand random settings for each function about whole matrices, regression and classes."""

import many_draws
import numpy as np
import reference

from rankscape import theory
from rankscape.theory.landscape import balanced_factors


def _target(rng):
    return rng.normal(size=rng.integers(2, 5, 2))


def _aligned(target, depth, alpha):
    """Factors along the singular vectors of the target, written out."""
    U, _, Vt = np.linalg.svd(target, full_matrices=False)
    middle = [alpha * np.eye(len(Vt)) for _ in range(depth - 2)]
    return [alpha * U @ Vt] if depth == 1 else [alpha * Vt, *middle, alpha * U]


def _runge_kutta(slope, W, time, steps):
    """The classical method of fourth order on a list of matrices."""
    h = time / steps
    moved = lambda at, by, t: [A + t * B for A, B in zip(at, by, strict=True)]
    for _ in range(steps):
        a = slope(W)
        b = slope(moved(W, a, h / 2))
        c = slope(moved(W, b, h / 2))
        d = slope(moved(W, c, h))
        W = [x + h / 6 * (p + 2 * q + 2 * r + s) for x, p, q, r, s in zip(W, a, b, c, d, strict=True)]
    return W


def _downhill(gradient, ridge=0.0):
    """Minus the gradient by every factor."""

    def slope(factors):
        G, n_in = gradient(reference.product(factors, factors[0].shape[1])), factors[0].shape[1]
        parts = []
        for l, W in enumerate(factors):
            above, below = reference.product(factors[l + 1 :], W.shape[0]), reference.product(factors[:l], n_in)
            parts.append(-above.T @ G @ below.T - 2 * ridge * W)
        return parts

    return slope


def aligned_descent(rng):
    """The whole net, factor by factor."""
    T, depth, ridge = _target(rng), int(rng.integers(2, 5)), float(rng.choice([0.0, 0.02]))
    alpha, eta, steps = float(rng.uniform(0.1, 1)), float(rng.uniform(0.01, 0.05)), int(rng.integers(1, 30))
    W, slope = _aligned(T, depth, alpha), _downhill(lambda A: A - T, ridge)
    for _ in range(steps):
        W = [A + eta * B for A, B in zip(W, slope(W), strict=True)]
    found = theory.aligned_descent(T, depth, alpha, eta, [steps], ridge=ridge)
    assert np.abs(found.W[0] - reference.product(W, T.shape[1])).max() < 1e-11
    return True


def aligned_flow(rng):
    """The whole net by a method of fourth order."""
    T, depth, ridge = _target(rng), int(rng.integers(2, 4)), float(rng.choice([0.0, 0.05]))
    alpha, time = float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.1, 1))
    W = _runge_kutta(_downhill(lambda A: A - T, ridge), _aligned(T, depth, alpha), time, 40)
    found = theory.aligned_flow(T, depth, alpha, [time], ridge=ridge)
    assert np.abs(found.W[-1] - reference.product(W, T.shape[1])).max() < 1e-4
    return True


def two_layer_flow(rng):
    """Two factors by a method of fourth order, from a balanced start."""
    T, time = 0.5 * _target(rng), float(rng.uniform(0.1, 1))
    start = balanced_factors(0.5 * rng.normal(size=T.shape), 2)
    W = _runge_kutta(_downhill(lambda A: A - T), start, time, 40)
    found = theory.two_layer_flow(T, start, [time])
    assert np.abs(found.W[-1] - W[1] @ W[0]).max() < 1e-4
    return True


def end_to_end_flow(rng):
    """The product alone flows as that of balanced factors."""
    T, depth, time = 0.5 * _target(rng), int(rng.integers(2, 4)), float(rng.uniform(0.1, 0.6))
    start = 0.5 * rng.normal(size=T.shape)
    W = _runge_kutta(_downhill(lambda A: A - T), balanced_factors(start, depth, min(T.shape)), time, 40)
    found = theory.end_to_end_flow(lambda A: A - T, start, depth, [time])
    assert np.abs(found.W[-1] - reference.product(W, T.shape[1])).max() < 1e-4
    return True


def regression(rng):
    """Commuting covariances: the whole net on them, factor by factor, and its flow by a method of fourth order."""
    n_out, n_in = (int(n) for n in rng.integers(2, 5, 2))
    V, U = np.linalg.qr(rng.normal(size=(n_in, n_in)))[0], np.linalg.qr(rng.normal(size=(n_out, n_out)))[0]
    c = np.zeros((n_out, n_in))
    np.fill_diagonal(c, rng.uniform(0.1, 2.0, min(n_out, n_in)))
    Sxx, Syx = V @ np.diag(rng.uniform(0.2, 2, n_in)) @ V.T, U @ c @ V.T
    modes, depth = theory.regression_modes(Sxx, Syx), int(rng.integers(2, 5))
    alpha, eta, steps = float(rng.uniform(0.2, 0.9)), float(rng.uniform(0.005, 0.03)), int(rng.integers(1, 25))
    slope = _downhill(lambda A: A @ Sxx - Syx)
    k = min(n_out, n_in)
    start = [alpha * modes.V[:, :k].T, *[alpha * np.eye(k)] * (depth - 2), alpha * modes.U[:, :k]]
    W = start
    for _ in range(steps):
        W = [A + eta * B for A, B in zip(W, slope(W), strict=True)]
    found = theory.regression_descent(modes, depth, alpha, eta, [steps])
    assert np.abs(found.W[0] - reference.product(W, n_in)).max() < 1e-10
    flow = theory.regression_flow(modes, depth, alpha, [0.3])
    assert np.abs(flow.W[-1] - reference.product(_runge_kutta(slope, start, 0.3, 20), n_in)).max() < 1e-4
    return True


def regression_bound(rng):
    """The squared gradient of balanced factors is at least the rate times the excess of the loss."""
    n, m = (int(k) for k in rng.integers(2, 5, 2))
    X, A = rng.normal(size=(12, m)) * 10 ** rng.uniform(-1, 0.5, m), rng.normal(size=(n, m))
    Sxx, Syx, depth = X.T @ X / 12, rng.normal(size=(n, m)), int(rng.integers(1, 5))
    best = np.linalg.solve(Sxx, Syx.T).T
    excess = 0.5 * np.trace((A - best) @ Sxx @ (A - best).T)
    # Wide enough for any rank, so that factors of the product exist.
    slope = _downhill(lambda W: W @ Sxx - Syx)(balanced_factors(A, depth, min(n, m)))
    found = theory.regression_bound(Sxx, Syx, A, depth)
    assert sum(np.sum(G**2) for G in slope) >= found.rate * excess * (1 - 1e-9)
    return found.rate > 0


def max_margin(rng):
    """It keeps its margin, and nonnegative weights prove that no plane has a larger one."""
    n, count = int(rng.integers(1, 5)), int(rng.integers(2, 12))
    w, X = rng.normal(size=n), rng.normal(size=(count, n))
    labels = np.where(X @ w > 0, 1, -1)
    if abs(labels.sum()) == count or np.abs(X @ w).min() < 1e-2:
        return False
    found, A = theory.max_margin(X, labels), labels[:, None] * X
    assert abs(np.linalg.norm(found.direction) - 1) < 1e-10
    assert abs((A @ found.direction).min() / found.margin - 1) < 1e-6
    assert found.dual.min() >= 0
    assert np.abs(found.dual @ A - found.direction / found.margin).max() < 1e-6 / found.margin
    assert abs(found.dual.sum() * found.margin**2 - 1) < 1e-6  # duality: no gap
    return True


DRAWS = {
    "aligned_descent": aligned_descent, "aligned_flow": aligned_flow, "two_layer_flow": two_layer_flow,
    "end_to_end_flow": end_to_end_flow, "regression_modes, _descent, _flow": regression,
    "regression_bound": regression_bound, "max_margin": max_margin,
}  # fmt: skip

test_a_few_draws, test_ten_thousand_draws = many_draws.both(DRAWS, dear={})
