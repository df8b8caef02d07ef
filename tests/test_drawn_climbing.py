"""Ten thousand random settings for each function about climbing ranks, against our own recursions and quadratures."""

import drawn_theory as drawn
import many_draws
import numpy as np
from scipy.integrate import quad

from rankscape import theory


def _mode(rng):
    """An eigenvalue of either sign and a start, perturbed in half of the cases."""
    depth, lam = int(rng.integers(2, 8)), float(10 ** rng.uniform(-2, 2) * rng.choice([-1, 1]))
    alpha = float((abs(lam) * 10 ** rng.uniform(-4, 0.7)) ** (1 / depth))
    beta = float(alpha * rng.choice([1.0, rng.uniform(0.05, 1)])) if rng.random() < 0.5 else None
    return lam, depth, alpha, beta


def _ends(lam, depth, alpha, beta):
    """Where the product starts and where it goes."""
    return alpha ** (depth - 1) * (alpha - (beta or 0.0)), lam if beta is not None else max(lam, 0.0)


def _path(lam, depth, alpha, beta, eta, steps):
    return drawn.path(np.array([lam]), depth, alpha, beta or 0.0, eta, steps)[:, 0]


def step_limit(rng):
    """At the limit itself the product never turns back and never passes its goal."""
    lam, depth, alpha, beta = case = _mode(rng)
    eta = theory.step_limit([lam], depth, alpha, beta).value
    start, goal = _ends(*case)
    p, size = _path(*case, eta, 300), max(abs(lam), abs(start))
    side = np.sign(goal - start)
    assert np.all(side * np.diff(p) >= -1e-12 * size), case
    assert np.all(side * (goal - p) >= -1e-12 * size), case
    return True


def limit(rng):
    """After many steps the recursion is where the limit says, if it had the time."""
    lam, depth, alpha, beta = case = _mode(rng)
    eta = 0.9 * theory.step_limit([lam], depth, alpha, beta).value
    found = float(theory.limit([lam], depth, alpha, beta).eigenvalues[0])
    p = _path(*case, eta, 3000)
    near = abs(p[-1] - p[-2]) < 1e-9 * abs(lam) and abs(p[-1] - _ends(*case)[0]) > 1e-3 * abs(lam)
    assert not near or abs(p[-1] - found) < 1e-3 * abs(lam), case
    return near


def rate(rng):
    """Near the limit two neighbouring distances have the ratio of the linear rate."""
    lam, depth, alpha, beta = case = _mode(rng)
    if beta is None and lam < 0 and depth > 2:
        return False  # no linear rate; its exponent is that of the table, below
    eta = float(rng.uniform(0.02, 0.9) * theory.step_limit([lam], depth, alpha, beta).value)
    found, (_, goal) = theory.rate(lam, depth, alpha, eta, beta), _ends(*case)
    gap = np.abs(_path(*case, eta, 4000) - goal) / abs(lam)
    near = np.flatnonzero((gap < 3e-6) & (gap > 1e-8))
    if found.kind != "linear" or len(near) < 2:
        return False
    # The imbalance at the end differs a little from that at step 0, by the order of the step.
    room = 1e-4 if beta is None else 0.05 * (1 - found.factor) + 1e-4
    assert abs(gap[near[1]] / gap[near[0]] - found.factor) < room, (case, eta, found)
    return True


def slow_decay(rng):
    """A mode that is not learned decays by a power of the time: two times a factor of 4 apart give the exponent."""
    depth, alpha = int(rng.integers(3, 8)), float(rng.uniform(0.3, 1.0))
    lam = 0.0 if rng.random() < 0.5 else -float(10 ** rng.uniform(-0.5, 1))
    eta = float(rng.uniform(0.05, 0.5) * theory.step_limit([lam], depth, alpha).value)
    found, p = theory.rate(lam, depth, alpha, eta), _path(lam, depth, alpha, None, eta, 40_001)
    a, b = np.log(p[10_000] / p[20_000]) / np.log(2), np.log(p[20_000] / p[40_000]) / np.log(2)
    assert abs(2 * b - a - found.exponent) < 0.05 * found.exponent, (lam, depth, alpha, eta, a, b)  # extrapolated
    return True


def _quadrature(lam, level, depth, alpha, beta):
    """The flow time by adaptive quadrature: over ln d, or over the smaller factor at its constant difference."""
    if beta is None:
        top = level ** (1 / depth)
        return quad(lambda u: np.exp(-(depth - 2) * u) / (lam - np.exp(depth * u)), np.log(alpha), np.log(top),
                    epsabs=0, epsrel=1e-11, limit=500)[0]  # fmt: skip
    b0, delta = alpha - beta, beta * (2 * alpha - beta)
    product = lambda b: (b * b + delta) ** ((depth - 1) / 2) * b
    low, high = sorted((-(abs(level) ** (1 / depth)) - 1, abs(level) ** (1 / depth) + 1))
    for _ in range(200):  # the level's own b, by bisection: the product grows with it
        middle = (low + high) / 2
        low, high = (middle, high) if product(middle) < level else (low, middle)
    return quad(lambda b: (b * b + delta) ** (-(depth - 1) / 2) / (lam - product(b)), b0, low,
                epsabs=0, epsrel=1e-11, limit=500)[0]  # fmt: skip


def flow(rng):
    """Time to a level by quadrature, and the value at that time."""
    lam, depth, alpha, beta = case = _mode(rng)
    start, goal = _ends(*case)
    level = start + float(rng.uniform(0.01, 0.99)) * (goal - start)
    expected = _quadrature(lam, level, depth, alpha, beta)
    time = theory.flow_time(lam, level, depth, alpha, beta)
    assert abs(time - expected) <= 1e-7 * expected, (case, level, time, expected)
    assert abs(float(theory.flow_value(lam, time, depth, alpha, beta)) - level) <= 1e-7 * abs(goal - start), case
    return True


def hitting_time(rng):
    """The exact step is that of the recursion by powers; the prediction is near it."""
    lam, depth, alpha, beta = case = _mode(rng)
    start, goal = _ends(*case)
    level = start + float(rng.uniform(0.1, 0.99)) * (goal - start)
    eta = float(10 ** rng.uniform(-2, -0.1) * theory.step_limit([lam], depth, alpha, beta, kind="uniform").value)
    seen = drawn.first_step(lam, level, depth, alpha, beta or 0.0, eta, 100_000)
    if seen < 0:
        return False
    exact = theory.hitting_time(lam, level, depth, alpha, eta, beta, method="exact")
    assert exact.estimate == seen, (case, level, eta)
    bounds = theory.hitting_time(lam, level, depth, alpha, eta, beta)
    guess = theory.hitting_time(lam, level, depth, alpha, eta, beta, method="predict").estimate
    assert bounds.lower <= seen <= bounds.upper, (case, level, eta)
    assert bounds.lower <= guess <= bounds.upper, (case, level, eta)
    assert beta is not None or abs(guess - seen) <= 1, (case, level, eta, guess, seen)
    return True


def _holds(p, plateau, lam):
    active = list(plateau.active)
    assert np.all(np.abs(p[:, active] - lam[active]) <= plateau.levels[0] * (1 + 1e-12))
    assert np.all(np.abs(np.delete(p, active, axis=1)) <= plateau.levels[1] * (1 + 1e-12))


def stopping_rule(rng):
    """At a certified stop the modes of its rank are learned and no others; for an effective rank, it is the first."""
    s = drawn.setting(rng)
    lam, depth, alpha, beta, tolerance = s.values()
    eta = float(rng.uniform(0.1, 0.9) * theory.step_limit(lam, depth, alpha, beta).value)
    rank = int(rng.integers(1, 1 + np.sum((lam > 0) | ((beta is not None) & (lam != 0)))))
    found = theory.stopping_rule(lam, depth, alpha, eta, rank=rank, beta=beta, tolerance=tolerance)
    if not found.certified or found.step > 20_000:
        return False
    p = drawn.path(lam, depth, alpha, beta or 0.0, eta, found.step + 1)[-1:]
    _holds(p, found.plateau, lam)
    r = np.abs(p).sum() / np.abs(p).max()
    assert found.effective_rank[0] - 1e-9 <= r <= found.effective_rank[1] + 1e-9
    return True


def design(rng):
    """What a design promises holds at every step of its plateau, and the plateau is long enough."""
    s = drawn.setting(rng)
    lam, depth, tolerance = s["lam"], s["depth"], s["tolerance"]
    ratio = None if s["beta"] is None else float(s["beta"] / s["alpha"])
    rank = int(rng.integers(1, 1 + np.sum((lam > 0) | ((ratio is not None) & (lam != 0)))))
    steps, budget = int(rng.integers(5, 200)), int(rng.integers(500, 5000))
    plan = theory.design(lam, rank, depth, steps, budget, tolerance, ratio)
    if not plan.achievable:
        assert plan.failed
        return False
    last = budget if plan.plateau.end is None else min(plan.plateau.end, budget)
    p = drawn.path(lam, depth, plan.alpha, plan.beta or 0.0, plan.learning_rate, last + 1)
    assert last - plan.plateau.start + 1 >= steps
    _holds(p[plan.plateau.start :], plan.plateau, lam)
    return True


DRAWS = {
    "step_limit": step_limit, "limit": limit, "rate": rate, "rate of slow decay": slow_decay, "flow_time": flow,
    "hitting_time": hitting_time, "stopping_rule": stopping_rule, "design": design,
}  # fmt: skip

test_a_few_draws, test_ten_thousand_draws = many_draws.both(DRAWS, dear={"design": 200})
