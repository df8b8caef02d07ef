"""Times in float64 as it is run: levels within rounding of the limit, against a recursion in plain float64."""

import math

import drawn_theory as drawn
import numpy as np
import pytest

from rankscape import theory

MOST = 400_000


def test_a_level_that_float64_never_reaches_has_no_bound():
    level = float(np.nextafter(1.0, 0.0))
    found = theory.hitting_time(1.0, level, 3, 0.1, 1e-3)
    assert found.failed.startswith("beyond float64")
    assert (found.lower, found.upper) == (0, math.inf)
    assert drawn.first_step(1.0, level, 3, 0.1, 0.0, 1e-3, MOST) == -1


def test_a_start_whose_steps_are_lost_has_no_bound():
    """eta alpha^(N-1) lambda is below the rounding of alpha: nothing ever moves."""
    assert theory.hitting_time(1.0, 0.5, 10, 0.01, 0.1).failed.startswith("beyond float64")
    assert drawn.first_step(1.0, 0.5, 10, 0.01, 0.0, 0.1, 1000) == -1
    (plateau,) = theory.plateaus([1.0], 10, 0.01, 0.1)
    assert plateau.failed.startswith("beyond float64")
    assert not plateau.guaranteed


def test_a_step_of_a_few_roundings_is_given_room():
    lam, level, depth, alpha, eta, beta = (
        9.650283504983711e-06, 9.650283504604725e-06, 5, 0.11314467004137904, 464.8853648114381, 0.05657233502068952
    )  # fmt: skip
    found = theory.hitting_time(lam, level, depth, alpha, eta, beta)
    assert found.lower <= theory.hitting_time(lam, level, depth, alpha, eta, beta, method="exact").estimate
    assert drawn.first_step(lam, level, depth, alpha, beta, eta, 2 * MOST) <= found.upper


def _near(rng):
    """A level 1e-16 to 1e-10 of the way from the limit: whether bounds were given, and that they held."""
    depth, perturbed = int(rng.choice([2, 3, 4, 6])), rng.random() < 0.5
    lam = float(10 ** rng.uniform(-2, 1)) * (-1 if perturbed and rng.random() < 0.5 else 1)
    alpha = float(abs(lam) ** (1 / depth) * rng.uniform(0.2, 1.5))
    beta = float(alpha * rng.uniform(0.1, 1)) if perturbed else None
    p0 = alpha ** (depth - 1) * (alpha - (beta or 0.0))
    level = lam + (p0 - lam) * 10 ** rng.uniform(-16, -10)
    eta = float(10 ** rng.uniform(-2, 0) * theory.step_limit([lam], depth, alpha, beta).value)
    found = theory.hitting_time(lam, level, depth, alpha, eta, beta)
    if found.failed is not None or found.lower >= MOST:
        return 0
    seen = drawn.first_step(lam, level, depth, alpha, beta or 0.0, eta, MOST)
    assert (found.lower <= seen <= found.upper) if seen >= 0 else found.upper >= MOST, (lam, level, alpha, eta, beta)
    return 1


def test_bounds_near_the_limit_hold_in_float64(rng):
    assert sum(_near(rng) for _ in range(150)) > 60


@pytest.mark.slow
def test_ten_thousand_bounds_near_the_limit_hold_in_float64(rng):
    assert sum(_near(rng) for _ in range(10_000)) > 4000


def _anywhere(rng):
    """Any start, sign, level and rate up to the limit, eigenvalues of twelve decades."""
    depth, perturbed = int(rng.integers(2, 11)), rng.random() < 0.5
    lam = float(10 ** rng.uniform(-6, 6)) * rng.choice([-1, 1])
    alpha = float((abs(lam) * 10 ** rng.uniform(-3, 1)) ** (1 / depth))
    beta = float(alpha * rng.choice([1.0, rng.uniform(0.02, 1)])) if perturbed else None
    p0, goal = alpha ** (depth - 1) * (alpha - (beta or 0.0)), lam if perturbed else max(lam, 0.0)
    level = p0 + (goal - p0) * rng.choice([rng.uniform(0.01, 0.99), 1 - 10 ** rng.uniform(-9, -2)])
    eta = float(10 ** rng.uniform(-1.5, 0) * theory.step_limit([lam], depth, alpha, beta).value)
    found = theory.hitting_time(lam, level, depth, alpha, eta, beta)
    seen = drawn.first_step(lam, level, depth, alpha, beta or 0.0, eta, MOST)
    if seen < 0:
        assert found.upper >= MOST
        return 0
    assert found.lower <= seen <= found.upper
    return found.failed is None


def test_bounds_hold_anywhere(rng):
    assert sum(_anywhere(rng) for _ in range(150)) > 60


@pytest.mark.slow
def test_ten_thousand_bounds_hold_anywhere(rng):
    assert sum(_anywhere(rng) for _ in range(10_000)) > 5000
