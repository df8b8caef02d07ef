"""Plateaus, critical scales and designs of any start, also one above the eigenvalues, against recursions of our own."""

import math

import drawn_theory as drawn
import numpy as np
import pytest

from rankscape import theory
from rankscape.theory.climbing.levels import learning_order
from rankscape.theory.inputs import start_of

STEPS = 6000


def _checked(rng, noise=0.0):
    """Every step inside of every plateau of a random setting: levels and effective rank; how many were not empty."""
    s, count = drawn.setting(rng), 0
    lam, depth, alpha, beta = (s[name] for name in ("lam", "depth", "alpha", "beta"))
    limit = theory.step_limit(np.concatenate([lam - noise, lam + noise]), depth, alpha, beta).value
    eta = rng.uniform(0.05, 0.9) * limit
    p = drawn.path(lam + rng.uniform(-noise, noise, lam.size), depth, alpha, beta or 0.0, eta, STEPS)
    for record in theory.plateaus(lam, depth, alpha, eta, beta, s["tolerance"], noise):
        if not record.guaranteed or record.start >= STEPS:
            continue
        here, active = p[record.start : STEPS if record.end is None else record.end + 1], list(record.active)
        assert np.all(np.abs(here[:, active] - lam[active]) <= record.levels[0] * (1 + 1e-12))
        assert np.all(np.abs(np.delete(here, active, axis=1)) <= record.levels[1] * (1 + 1e-12))
        r = np.abs(here).sum(axis=1) / np.abs(here).max(axis=1) - record.effective_rank
        assert np.all((record.deviation[0] - 1e-9 <= r) & (r <= record.deviation[1] + 1e-9))
        count += 1
    return count


def test_every_step_of_a_plateau_has_its_rank(rng):
    assert sum(_checked(rng, noise) for _ in range(40) for noise in (0.0, 10 ** rng.uniform(-4, -2))) > 60


@pytest.mark.slow
def test_every_step_of_ten_thousand_plateaus_has_its_rank(rng):
    assert sum(_checked(rng, 0.0 if k % 3 else 10 ** rng.uniform(-4, -1.5)) for k in range(10_000)) > 5000


LARGE = [  # eigenvalues, depth, alpha: the second eigenvalue is there from the first step to the last
    ([5.0, 4.5], 3, 4.6 ** (1 / 3)),
    ([5.0, 0.9], 3, 1.0),
    ([5.0, 3.0], 10, 1.15),
]


@pytest.mark.parametrize(("lam", "depth", "alpha"), LARGE)
def test_a_large_start_has_no_plateau_of_rank_one(lam, depth, alpha):
    eta = 0.5 * theory.step_limit(lam, depth, alpha).value
    one, two = theory.plateaus(lam, depth, alpha, eta)
    assert one.start is None
    assert "another mode stays above it" in one.failed
    stop = theory.stopping_rule(lam, depth, alpha, eta, rank=1)
    assert stop.step is None
    assert not stop.certified
    assert theory.critical_alpha(lam, 1, depth).alpha < alpha
    p = drawn.path(np.array(lam), depth, alpha, 0.0, eta, two.start + 1)
    assert np.all(np.abs(p[-1] - lam) <= two.levels[0])
    assert two.end is None


CRITICAL = [  # eigenvalues, rank, depth, beta / alpha, tolerance, largest alpha: by descent at 0.97 and 1.03 of it
    ([5.0, 1.0], 1, 3, 0.9, 0.05, 0.469072),
    ([6.2, 0.86], 1, 4, 1.0, 0.05, 0.724249),
    ([5.0, 4.5], 1, 3, None, 0.05, 0.0581576),
    ([-3.3293552749502897], 1, 2, 0.5, 0.05, math.inf),
    ([5.0, -2.0], 1, 3, None, 0.05, math.inf),
]


@pytest.mark.parametrize(("lam", "rank", "depth", "ratio", "tolerance", "alpha"), CRITICAL)
def test_known_critical_scales(lam, rank, depth, ratio, tolerance, alpha):
    found = theory.critical_alpha(lam, rank, depth, tolerance, beta_ratio=ratio)
    assert found.alpha == pytest.approx(alpha, rel=1e-5)
    assert found.intervals[-1][1] == found.alpha


def _exists(lam, rank, depth, alpha, ratio, tolerance):
    beta = None if ratio is None else ratio * alpha
    order = learning_order(start_of(depth, alpha, beta), lam)
    active, mu = np.isin(np.arange(lam.size), order[:rank]), np.abs(lam[order])
    small = tolerance * (mu[rank] if rank < mu.size else mu.min())
    return drawn.plateau_exists(lam, active, depth, alpha, beta or 0.0, tolerance * mu[:rank].min(), small)


def _critical(rng):
    """The scale is the last with a plateau: descent finds it just below and not just above; how many were compared."""
    n, depth, checks = int(rng.integers(1, 4)), int(rng.integers(2, 5)), 0
    lam = rng.uniform(0.2, 6, n) * np.where(rng.random(n) < 0.3, -1, 1)
    ratio = None if rng.random() < 0.4 else float(rng.choice([1.0, rng.uniform(0.05, 1)]))
    learnable = int(np.sum(lam > 0)) if ratio is None else n
    if not learnable:
        return 0
    rank = int(rng.integers(1, learnable + 1))
    found = theory.critical_alpha(lam, rank, depth, 0.1, beta_ratio=ratio)
    for low, high in found.intervals:
        # Below, the length hardly depends on alpha, and small steps see it less sharply.
        edges = [(high * 0.98, True), (high * 1.02, False), (low * 1.5, True), (low * 0.7, False)]
        if math.isinf(high):
            edges[:2] = [(max(low * 1.5, 2 * np.abs(lam).max() ** (1 / depth)), True)]
        if not 1.5 * low < high:  # both edges within the margin
            continue
        for alpha, there in edges:
            if alpha > 0.03:  # smaller ones take too many steps
                assert _exists(lam, rank, depth, alpha, ratio, 0.1) == there, (lam, rank, depth, ratio, found)
                checks += 1
    return checks


def test_critical_scales_are_those_of_descent(rng):
    assert sum(_critical(rng) for _ in range(4)) > 1


@pytest.mark.slow
def test_ten_thousand_critical_scales_are_those_of_descent(rng):
    assert sum(_critical(rng) for _ in range(10_000)) > 8000


def test_the_scales_of_a_perturbed_start_may_be_several_intervals():
    """A tiny start keeps the negative mode back until it is out of order; in between it comes too early."""
    lam = np.array([-3.35440896, 2.75671562, 4.39126415])
    below, above = theory.critical_alpha(lam, 2, 2, 0.1, beta_ratio=0.07).intervals
    assert 0 == below[0] < below[1] < 1e-6 < above[0] < 0.1 < above[1]
    for alpha, there in ((0.6 * above[0], False), (1.5 * above[0], True)):
        assert _exists(lam, 2, 2, alpha, 0.07, 0.1) == there


@pytest.mark.parametrize(("ratio", "lam"), [(None, [5.0, 3.0, -1.0]), (1.0, [6.2, 0.86]), (0.5, [-3.0])])
def test_designs_keep_their_promise_from_any_start(ratio, lam):
    for rank in range(1, sum(x > 0 or ratio is not None for x in lam) + 1):
        plan = theory.design(lam, rank, 3, 200, 20_000, beta_ratio=ratio)
        assert plan.achievable, plan.failed
        p = drawn.path(np.array(lam), 3, plan.alpha, plan.beta or 0.0, plan.learning_rate, 20_001)
        end = 20_001 if plan.plateau.end is None else plan.plateau.end + 1
        here, active = p[plan.plateau.start : end], list(plan.plateau.active)
        assert len(here) >= 200
        assert np.all(np.abs(here[:, active] - np.array(lam)[active]) <= plan.plateau.levels[0])
        assert np.all(np.abs(np.delete(here, active, axis=1)) <= plan.plateau.levels[1])
