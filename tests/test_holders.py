"""Which entries hold a mode, when the model of one entry is about it, and what runs say where it is not."""

import math

import numpy as np
import pytest

import rankscape as rs
from rankscape.errors import InputError
from rankscape.solvers.descent.relaxation import relax
from rankscape.theory import escape, landscape


def _trap(seed, ridge_m):
    lab = rs.data.planted(seed=seed)
    ridge = float(rs.rates.convert(ridge_m, lab.problem, value="ridge * m"))
    return lab, ridge, relax(lab.problem, lab.start(), ridge).factors


def _single(side=8, target=2.0, ridge_m=0.4):
    """One entry that holds the only mode, among zeros in other rows and columns."""
    rows, columns = (np.append(0, 1 + place.ravel()) for place in np.indices((side, side)))
    values = np.append(target, np.zeros(side**2))
    size = float(landscape.critical_points(target, 3, ridge_m).minimum)
    mode = np.eye(1, side + 1) * size ** (1 / 3)
    return [mode.T @ mode / size ** (1 / 3)] * 3, rows, columns, values, ridge_m / len(values), size


# seed, ridge * m, singular value, share and overlap of the strongest entry: found by hand from the same formula
KNOWN = [(0, 0.45, 1.348, 0.548, 0.617), (0, 0.40, 1.648, 0.545, 0.592), (2, 0.40, 1.652, 0.450, 0.514)]


@pytest.mark.parametrize(("seed", "ridge_m", "s", "share", "overlap"), KNOWN)
def test_the_corner_holds_half_of_a_planted_mode(seed, ridge_m, s, share, overlap):
    lab, ridge, factors = _trap(seed, ridge_m)
    held = escape.holders(factors, lab.problem.rows, lab.problem.columns, lab.problem.values, ridge, mode=2)
    assert held.singular_value == pytest.approx(s, abs=2e-3)
    assert held.shares.sum() == pytest.approx(1, abs=1e-6)
    assert (held.shares[0], abs(held.overlaps[0])) == pytest.approx((share, overlap), abs=3e-3)
    assert "several entries hold mode 2" in held.obstacle(0.1)


def test_shares_are_what_the_gradient_of_one_entry_pulls():
    """By finite differences: the loss of one entry along the mode, over the pull of the ridge."""
    lab, ridge, factors = _trap(1, 0.45)
    problem = lab.problem
    held = escape.holders(factors, problem.rows, problem.columns, problem.values, ridge, mode=2)
    U, s, Vt = np.linalg.svd(rs.product(factors))
    t, moved = 1e-6, np.outer(U[:, 2], Vt[2])
    for k in range(5):
        i, j = held.rows[k], held.columns[k]
        y = problem.values[(problem.rows == i) & (problem.columns == j)][0]
        half = [(rs.product(factors)[i, j] + e * moved[i, j] - y) ** 2 / (2 * len(problem.values)) for e in (t, -t)]
        assert -(half[0] - half[1]) / (2 * t) / (2 * ridge * s[2] ** (-1 / 3)) == pytest.approx(
            held.shares[k], rel=1e-4
        )


def test_the_gate_opens_for_one_entry_alone():
    *point, ridge, size = _single()
    held = escape.holders(*point, ridge, mode=0)
    assert held.obstacle(0.1) is None
    target = escape.supporting_target(size, 3, 0.4)
    assert escape.mean_exit_time(target, 3, 0.4, 0.1, holders=held).failed is None
    assert escape.wkb_exponent(target, 3, 0.4, 0.1, holders=held).failed is None
    assert "beyond stability" in held.obstacle(1.01 * held.largest_rate)
    assert "not known to apply" in escape.mean_exit_time(target, 3, 0.4, 0.1).failed


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ridge_m", [0.35, 0.4, 0.45])
def test_the_gate_is_closed_for_planted_modes(seed, ridge_m):
    lab, ridge, factors = _trap(seed, ridge_m)
    seen, alive = (
        (lab.problem.rows, lab.problem.columns, lab.problem.values),
        len(np.linalg.svd(rs.product(factors))[1]),
    )
    for mode in range(min(alive, 3)):
        held = escape.holders(factors, *seen, ridge, mode)
        found = escape.mean_exit_time(escape.supporting_target(held.singular_value, 3, ridge_m), 3, ridge_m, 0.02,
                                      holders=held)  # fmt: skip
        assert found.failed is not None


def test_a_point_that_is_no_minimum_says_so():
    lab, ridge, factors = _trap(0, 0.4)
    seen = lab.problem.rows, lab.problem.columns, lab.problem.values
    assert "no minimum" in escape.holders([1.05 * W for W in factors], *seen, ridge, 2).obstacle(0.1)
    with pytest.raises(InputError, match="does not live"):
        escape.holders(factors, *seen, ridge, 5)


def test_a_tiny_ridge_has_an_exponent_and_no_time():
    """The time is beyond float64, which `failed` says without a warning from the linear algebra."""
    found = escape.wkb_exponent(2.0, 3, 1e-6, 0.1)
    assert found.value > 1e5
    assert 0 < found.barrier < 1e-10
    time = escape.mean_exit_time(2.0, 3, 1e-6, 0.1)
    assert time.epochs == math.inf
    assert "beyond double precision" in time.failed


def test_jump_times_are_extrapolated_within_a_factor_of_two():
    lab, ridge, factors = _trap(0, 0.45)
    law = rs.jump_law(lab.problem, factors, ridge, rates=(0.2, 0.17), replicas=32)
    seen = rs.estimate_jump_rate(lab.problem, factors, rs.SGD(0.16, ridge), steps=2_000_000, replicas=32, seed=1000)
    predicted = law.predict(0.16)
    assert predicted.failed is None
    assert 0.5 < predicted.epochs / seen.epochs < 2
    assert predicted.interval[0] < seen.mean < predicted.interval[1]
    assert law.predict(law.rate_for(predicted.epochs)).epochs == pytest.approx(predicted.epochs)
    assert "times beyond what was measured" in law.predict(0.05).failed
    assert "beyond stability" in law.predict(1.0).failed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "ridge_m", "rates", "asked"),
    [
        (0, 0.45, (0.2, 0.17), (0.155, 0.145, 0.135)),
        (0, 0.40, (0.2, 0.17), (0.16, 0.15, 0.14)),
        (0, 0.35, (0.2, 0.185), (0.175, 0.17, 0.165)),
        (1, 0.45, (0.2, 0.17), (0.16, 0.15, 0.14)),
        (2, 0.45, (0.2, 0.17), (0.155, 0.145, 0.135)),
        (2, 0.40, (0.2, 0.17), (0.16, 0.15, 0.14)),
    ],
)
def test_jump_times_of_other_problems_and_ridges(seed, ridge_m, rates, asked):
    lab, ridge, factors = _trap(seed, ridge_m)
    law = rs.jump_law(lab.problem, factors, ridge, rates)
    for rate in asked:
        seen = rs.estimate_jump_rate(lab.problem, factors, rs.SGD(rate, ridge), steps=8_000_000, replicas=40, seed=5000)
        assert 0.5 < law.predict(rate).epochs / seen.epochs < 2


def test_a_start_that_is_no_minimum_and_rates_that_are_one():
    lab, ridge, factors = _trap(0, 0.45)
    assert "no minimum" in rs.jump_law(lab.problem, [1.02 * W for W in factors], ridge, (0.2, 0.18), replicas=4).failed
    with pytest.raises(InputError, match="two different"):
        rs.jump_law(lab.problem, factors, ridge, (0.2, 0.2))
    with pytest.raises(InputError, match="no jump in 100 steps"):
        rs.jump_law(lab.problem, factors, ridge, (0.2, 0.17), steps=100, replicas=2)
