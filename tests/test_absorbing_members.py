"""Which points are members of B_r in float64: minima of rank r or less and no others; which constants a run can use."""

import numpy as np
import pytest

from rankscape.theory import absorbing, landscape


def _minima(rng):
    """A fully observed problem and its minima: shape, depth, ridge, largest value, and rank with factors of each."""
    n, depth, ridge = int(rng.integers(2, 6)), int(rng.integers(3, 7)), float(10 ** rng.uniform(-2.5, -0.3))
    U, V = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    s = np.sort(rng.uniform(1, 12, n))[::-1]
    found = [
        (m.rank, landscape.balanced_factors(U @ np.diag(m.singular_values) @ V.T, depth, n))
        for m in landscape.local_minima(s, depth, ridge, weight=1 / n**2)
    ]
    return depth, ridge, float(np.abs(U @ np.diag(s) @ V.T).max()), found


def _members(rng):
    """Every minimum is in the sets of its own rank and above, and in none below; how many were asked."""
    depth, ridge, largest, minima = _minima(rng)
    for rank, factors in minima:
        sets = absorbing.worst_case(max(rank, 1), depth, ridge, largest).rank_set
        assert [sets.at_rank(r).contains(factors) for r in range(rank + 2)] == [r >= rank for r in range(rank + 2)]
    return len(minima)


def test_minima_are_members_up_to_their_rank(rng):
    assert sum(_members(rng) for _ in range(60)) > 100


@pytest.mark.slow
def test_ten_thousand_minima_are_members_up_to_their_rank(rng):
    count = 0
    while count < 10_000:
        count += _members(rng)


def test_real_imbalance_is_not_taken_for_rounding(rng):
    """An imbalance of 1e-12 is a thousand roundings: no member of a set whose eps1 is smaller."""
    factors = landscape.balanced_factors(np.diag([1.0, 0.0]), 4, 2)
    sets = absorbing.worst_case(1, 4, 0.1, 1.0).rank_set
    assert sets.eps1 < 1e-12
    assert sets.contains(factors)
    factors[0] = factors[0] * (1 + 1e-12)
    assert not sets.contains(factors)


def test_a_step_from_a_minimum_is_certified_where_rounding_is_larger_than_eps1():
    """At a minimum that fits nothing but itself the step is tiny, and its certificate needs the same room."""
    target = np.diag([1.0, 0.0])
    found = absorbing.worst_case(1, 4, 0.1, 1.0)
    (least,) = (m for m in landscape.local_minima([1.0, 0.0], 4, 1e-2, weight=0.25) if m.rank == 1)
    factors = landscape.balanced_factors(np.diag(least.singular_values), 4, 2)
    step = absorbing.step_certificate(
        found.rank_set, factors, *landscape.entries(target), 0.5 * found.largest_learning_rate, 0.1
    )
    assert step.holds


@pytest.mark.parametrize("depth", [4, 5, 6])
@pytest.mark.parametrize("ridge", [0.01, 0.05, 0.2])
def test_beyond_depth_three_there_is_no_usable_rate(depth, ridge):
    for found in (absorbing.worst_case(1, depth, ridge, 1.0), absorbing.a_posteriori(1, depth, ridge, 0.5, 1.5)):
        assert not found.usable
        assert found.failed.startswith("no usable rate")
        assert "step_certificate" in found.failed


def test_at_depth_three_a_run_can_use_the_constants():
    assert absorbing.worst_case(1, 3, 0.2, 1.0).usable
    assert absorbing.a_posteriori(1, 3, 0.05, 0.5, 1.5).usable
    assert not absorbing.worst_case(1, 3, 0.01, 1.0).usable
