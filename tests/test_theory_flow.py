"""Gradient flow: reference values, round trips, an ODE solver, and the two starts against each other."""

import math
from time import process_time

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from rankscape import theory
from rankscape.errors import InputError
from rankscape.theory.climbing.flow_time import perturbed_time, time_to
from rankscape.theory.climbing.imbalance_leaf import Leaf, angle, lower_factor
from rankscape.theory.inputs import Start

TIMES = [  # eigenvalue, alpha, level, depth -> flow time
    (1, 0.1, 0.5, {2: 2.2975599250673, 3: 9.1447473066083, 4: 49.728579845647, 5: 333.281206046, 10: 12500000.264412}),
    (1, 0.1, 0.99, {2: 4.5951198501346, 3: 10.772590413719, 4: 50.989092348757}),
    (2.5, 0.2, 2, {2: 1.1010663071865, 3: 1.9031886446944, 4: 5.0379850093371, 5: 16.735360733761}),
    (1, 2, 1.01, {2: 2.1637192221948, 3: 1.374232292108, 4: 0.99888647410249, 5: 0.78306289011881}),
    (-1, 0.5, 1e-3, {2: 2.6496584334406, 3: 7.8858001553214, 4: 13.704705090277}),
    (0, 0.5, 1e-3, {2: 498, 3: 2496, 4: 5259.7961002806}),
]
HALF = {  # depth, eigenvalue -> perturbed flow time to half of it; alpha = 0.3, beta = 0.1
    (2, 1): 1.35306181766, (2, -1): 2.96394961941, (3, 1): 2.87440645311, (3, -1): 9.40168376154,
    (4, 1): 6.36160881354, (4, -1): 33.028383658, (5, 1): 15.3045202238, (5, -1): 125.017820234,
}  # fmt: skip


@pytest.mark.parametrize(("eigenvalue", "alpha", "level", "times"), TIMES)
def test_reference_times_from_the_identical_start(eigenvalue, alpha, level, times):
    for depth, time in times.items():
        assert theory.flow_time(eigenvalue, level, depth, alpha) == pytest.approx(time, rel=1e-9)


@pytest.mark.parametrize(("depth", "eigenvalue"), HALF)
def test_reference_times_from_the_perturbed_start(depth, eigenvalue):
    time = theory.flow_time(eigenvalue, eigenvalue / 2, depth, 0.3, 0.1)
    assert time == pytest.approx(HALF[depth, eigenvalue], rel=1e-9)


def test_reference_values():
    found = theory.flow_value(1.0, [1, 3, 10], 2, 0.1)
    np.testing.assert_allclose(found, [0.06945315965638, 0.8029571527703, 0.9999997959458], rtol=1e-9)
    found = theory.flow_value(1.0, [1, 3, 10], 3, 0.1)
    np.testing.assert_allclose(found, [0.001371206075784, 0.002908965716359, 0.9094265870885], rtol=1e-9)


@given(
    st.floats(-3, 3), st.floats(0.02, 12), st.sampled_from([2, 3, 4, 5, 8]), st.floats(0.1, 1.4),
    st.sampled_from([None, 0.2, 1.0]),
)  # fmt: skip
def test_time_inverts_value(eigenvalue, time, depth, alpha, ratio):
    beta = None if ratio is None else ratio * alpha
    p = theory.flow_value(eigenvalue, time, depth, alpha, beta)
    assert math.isfinite(p)
    end = eigenvalue if beta else max(eigenvalue, 0.0)
    start = alpha ** (depth - 1) * (alpha - (beta or 0))
    assume(abs(p - end) > 1e-6 * max(abs(end), 1e-3) and abs(p - start) > 1e-6 * abs(start - end) + 1e-9)
    assert theory.flow_time(eigenvalue, p, depth, alpha, beta) == pytest.approx(time, rel=2e-6, abs=1e-9)


@pytest.mark.parametrize("beta", [None, 0.05, 0.3, 0.6])
@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("eigenvalue", [2.0, 0.02, 0.0, -1e-3, -1.5])
def test_values_obey_the_differential_equation(depth, eigenvalue, beta):
    def field(_, x):
        a, b = x
        rho = eigenvalue - a ** (depth - 1) * b
        return [a ** (depth - 2) * b * rho, a ** (depth - 1) * rho]

    times = [0.4, 2.0, 7.0]
    start = [0.6, 0.6 - (beta or 0.0)]
    done = solve_ivp(field, (0, 7), start, t_eval=times, rtol=3e-13, atol=1e-15, method="DOP853")
    p = done.y[0] ** (depth - 1) * done.y[1]
    np.testing.assert_allclose(theory.flow_value(eigenvalue, times, depth, 0.6, beta), p, rtol=1e-8, atol=1e-11)


def test_riccati_agrees_with_the_quadrature(rng):
    lam = rng.uniform(-2, 2, 200)
    delta = rng.uniform(0.01, 0.2, 200)
    p0, p1 = 0.06, 0.06 + (lam - 0.06) * rng.uniform(0.05, 0.99, 200)
    quadrature = Leaf(2, lam, delta, angle(2, p0, delta), angle(2, p1, delta)).time()
    np.testing.assert_allclose(perturbed_time(2, lam, p0, p1, delta), quadrature, rtol=1e-10)


@given(st.floats(-100, 100), st.floats(1e-8, 10), st.sampled_from([2, 3, 7]))
def test_lower_factor_solves_its_equation(p, delta, depth):
    b = float(lower_factor(depth, p, delta))
    assert b * (b * b + delta) ** ((depth - 1) / 2) == pytest.approx(p, rel=1e-11, abs=1e-300)


def test_small_eigenvalues_join_the_zero_one():
    for depth in (2, 3, 4, 5):
        zero = theory.flow_time(0.0, 0.01, depth, 0.5)
        for tiny in (1e-14, -1e-14, 1e-9, -1e-9):
            assert theory.flow_time(tiny, 0.01, depth, 0.5) == pytest.approx(zero, rel=1e-6)


def test_levels_that_are_passed_or_never_reached():
    assert theory.flow_time(1.0, 0.0005, 3, 0.1) == 0
    assert theory.flow_time(1.0, 0.1**3, 3, 0.1) == 0
    assert theory.flow_time(1.0, 1.0, 3, 0.1) == math.inf
    assert theory.flow_time(-1.0, 0.0, 3, 0.1) == math.inf
    assert theory.flow_time(1.0, 1.0, 3, 1.0) == 0
    assert theory.flow_time(1.0, 2.0, 3, 1.0) == math.inf
    assert theory.flow_value(1.0, 5.0, 3, 1.0) == 1.0
    with pytest.raises(InputError, match="`time`"):
        theory.flow_value(1.0, -1.0, 3, 0.1)
    with pytest.raises(InputError, match=r"`time` must hold real numbers, got text .'soon'."):
        theory.flow_value(1.0, "soon", 3, 0.1)
    with pytest.raises(InputError, match="`level`"):
        theory.flow_time(1.0, math.nan, 3, 0.1)


LAST = {(3, 1): 15.213601494139, (3, -1): 21.740878802579, (4, 1): 15.656474065278, (5, -1): 132.47421367117}
"""Depth, eigenvalue -> perturbed time to the last number before it, by 60 digits; alpha = 0.3, beta = 0.1."""


@pytest.mark.parametrize(("depth", "eigenvalue"), LAST)
def test_the_last_number_before_the_limit_is_reached_in_time(depth, eigenvalue):
    level = np.nextafter(eigenvalue, 0.0)
    assert theory.flow_time(eigenvalue, level, depth, 0.3, 0.1) == pytest.approx(LAST[depth, eigenvalue], rel=1e-12)
    assert theory.flow_time(eigenvalue, eigenvalue, depth, 0.3, 0.1) == math.inf


def test_one_level_that_rounds_to_its_limit_does_not_slow_the_others_down():
    """The angles of level and limit are one number: the way between them was cut into a thousand panels for all."""
    lam = np.linspace(1.0, 2.0, 600)
    level = lam / 2
    plain, began = time_to(Start(3, 0.3, 0.1), lam, level), process_time()
    level[:2] = np.nextafter(lam[0], 0.0), lam[1]
    found = time_to(Start(3, 0.3, 0.1), lam, level)
    assert process_time() - began < 3  # 8 seconds and more than a gigabyte before
    np.testing.assert_allclose(found[2:], plain[2:], rtol=1e-12)
    assert found[1] == math.inf


def test_negative_modes_are_late():
    """The leading order of the bottleneck near zero: delta^(-(N-2)/2) / |lam| times an integral of sech^(N-2)."""
    alpha, beta = 0.3, 0.1
    delta = beta * (2 * alpha - beta)
    theta = math.asinh((alpha - beta) / math.sqrt(delta))
    leading = {3: math.atan(math.sinh(theta)) + math.pi / 2, 4: math.tanh(theta) + 1}
    for depth, ratio in {3: 1.094, 4: 1.009}.items():
        rough = leading[depth] * delta ** (-(depth - 2) / 2)
        assert rough / theory.flow_time(-1.0, -0.5, depth, alpha, beta) == pytest.approx(ratio, abs=0.1)
