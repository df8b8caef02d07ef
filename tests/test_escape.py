"""Escape times: the exponent and the renewal equation against simulated chains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

import rankscape as rs
from rankscape.errors import InputError
from rankscape.theory import escape, landscape

# depth, target, ridge per epoch, learning rate, exponent, single gap (None: not tabulated)
TABLE = [
    (3, 2.0, 0.4, 0.05, 8.78, 23.2),
    (3, 2.0, 0.4, 0.1, 4.01, 11.3),
    (3, 2.0, 0.4, 0.2, 1.65, 5.3),
    (3, 2.4, 0.4, 0.1, 7.77, None),
    (3, 2.4, 0.4, 0.2, 3.45, None),
    (4, 2.0, 0.4, 0.05, 3.50, None),
    (4, 2.0, 0.4, 0.1, 1.56, None),
    (4, 2.0, 0.4, 0.2, 0.60, None),
    (4, 2.4, 0.4, 0.05, 8.25, None),
    (4, 2.4, 0.4, 0.1, 3.88, None),
    (4, 2.4, 0.4, 0.2, 1.70, None),
]


@pytest.mark.parametrize(("depth", "target", "ridge", "eta", "exponent", "gap"), TABLE)
def test_exponents_of_the_table(depth, target, ridge, eta, exponent, gap):
    found = escape.wkb_exponent(target, depth, ridge, eta)
    assert found.value == pytest.approx(exponent, abs=6e-3)
    assert gap is None or found.single_gap == pytest.approx(gap, abs=0.06)
    assert found.assumptions


def test_exponent_by_plain_quadrature():
    """The integrand by bisection, the integral by an adaptive rule."""
    a, L, ridge, eta = 2.2, 3, 0.35, 0.12
    q = 2 * eta * ridge

    def J(z):
        return math.log1p(eta * (a - math.exp(L * z)) * math.exp((L - 2) * z))

    def momentum(z):
        return brentq(lambda p: 1 - q * p - math.exp(-p * J(z)), 1e-6 / q, 1 / q) if J(z) > q * (1 + 1e-5) else 0.0

    found = escape.wkb_exponent(a, L, ridge, eta)
    low, high = math.log(found.barrier) / L, math.log(found.minimum) / L
    assert (J(low), J(high)) == pytest.approx((q, q))
    assert found.value == pytest.approx(quad(momentum, low, high, limit=200)[0], rel=1e-5)
    assert found.single_gap == pytest.approx((high - low) / q)


@given(depth=st.integers(3, 6), ridge=st.floats(0.05, 1), factor=st.floats(1.05, 2), eta=st.floats(1e-3, 0.02))
def test_one_long_gap_costs_more(depth, ridge, factor, eta):
    target = factor * landscape.scalar_thresholds(depth, 2 * ridge).a_local
    found = escape.wkb_exponent(target, depth, ridge, eta)
    assert 0 < found.value < found.single_gap
    higher = escape.wkb_exponent(target * 1.02, depth, ridge, eta)
    assert higher.value > found.value


def test_small_steps_obey_the_linear_law():
    """S eta tends to V, and the roots to those of gradient descent."""
    points = landscape.critical_points(2.0, 3, ridge=0.4)
    small = escape.wkb_exponent(2.0, 3, 0.4, 1e-5)
    assert small.value * 1e-5 == pytest.approx(small.slope, rel=1e-3)
    assert small.barrier == pytest.approx(float(points.barrier), rel=1e-4)
    assert small.minimum == pytest.approx(float(points.minimum), rel=1e-4)


@pytest.mark.parametrize(("target", "ridge", "slope"), [(2.18, 0.45, 0.41), (2.37, 0.40, 0.84), (2.48, 0.35, 1.32)])
def test_slopes_of_the_table(target, ridge, slope):
    assert escape.wkb_exponent(target, 3, ridge, 0.1).slope == pytest.approx(slope, abs=0.015)


@given(depth=st.integers(3, 8), ridge=st.floats(0.01, 1), factor=st.floats(1.01, 5))
def test_supporting_target_undoes_the_shrinkage(depth, ridge, factor):
    s = factor * landscape.scalar_thresholds(depth, 2 * ridge).s_local
    target = escape.supporting_target(s, depth, ridge)
    assert float(landscape.critical_points(target, depth, ridge).minimum) == pytest.approx(s, rel=1e-6)


def _simulate(rng, a, L, ridge, eta, level, entries, replicas):
    """Epochs until the chain falls below the level: weights shrink at every step, one step in `entries` is a draw."""
    start = float(landscape.critical_points(a, L, ridge).minimum)
    y, epochs = np.full(replicas, start ** (1 / L)), np.zeros(replicas)
    rho, floor, alive = 1 - 2 * eta * ridge / entries, level ** (1 / L), np.ones(replicas, dtype=bool)
    while alive.any():
        gap = rng.geometric(1 / entries, alive.sum())
        before = y[alive]
        allowed = np.ceil(np.log(floor / before) / np.log(rho))
        gone = gap >= allowed
        epochs[alive] += np.where(gone, allowed, gap) / entries
        shrunk = before * rho**gap
        y[alive] = np.where(gone, 0.0, shrunk + eta * (a - shrunk**L) * shrunk ** (L - 1))
        alive[alive] = ~gone
    return epochs


@pytest.mark.parametrize(("depth", "target", "eta"), [(3, 2.0, 0.2), (3, 2.0, 0.12), (4, 2.0, 0.1), (4, 2.4, 0.2)])
def test_mean_exit_time_of_simulated_chains(depth, target, eta):
    found = escape.mean_exit_time(target, depth, 0.4, eta)
    times = _simulate(np.random.default_rng(4), target, depth, 0.4, eta, found.level, entries=2000, replicas=3000)
    error = times.std() / math.sqrt(len(times))
    assert abs(times.mean() - found.epochs) < 3.5 * error
    assert error < 0.03 * found.epochs
    assert found.numerical_error < 1e-3


@pytest.mark.parametrize(("depth", "target", "ridge", "eta", "exponent", "gap"), TABLE)
def test_mean_time_is_the_exponent_up_to_a_prefactor(depth, target, ridge, eta, exponent, gap):
    found = escape.mean_exit_time(target, depth, ridge, eta)
    assert 2.5 < math.log(found.epochs) - exponent < 5


def test_level_and_grid():
    at_barrier = escape.wkb_exponent(2.0, 3, 0.4, 0.1).barrier
    deep, edge = (escape.mean_exit_time(2.0, 3, 0.4, 0.1, level=x) for x in (at_barrier / 1e6, at_barrier))
    assert edge.epochs < escape.mean_exit_time(2.0, 3, 0.4, 0.1).epochs < deep.epochs < 2 * edge.epochs


def test_times_too_long_to_resolve_are_not_invented():
    found = escape.mean_exit_time(2.4, 3, 0.35, 0.02)
    assert found.epochs == math.inf
    assert "wkb_exponent" in found.failed


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: escape.wkb_exponent(2.0, 2, 0.4, 0.1), "depth 2 has no absorbing sets"),
        (lambda: escape.wkb_exponent(1.0, 3, 0.4, 0.1), "dies at once"),
        (lambda: escape.wkb_exponent(2.0, 3, 0.0, 0.1), "`ridge_per_epoch`"),
        (lambda: escape.wkb_exponent(2.0, 3, -1.0, 0.1), "`ridge_per_epoch`"),
        (lambda: escape.wkb_exponent(np.nan, 3, 0.4, 0.1), "`target`"),
        (lambda: escape.mean_exit_time(2.0, 3, 0.4, 0.1, level=5.0), "`level`"),
        (lambda: escape.supporting_target(0.0, 3, 0.4), "`singular_value`"),
    ],
)
def test_bad_input_says_what_to_do(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_a_learning_rate_beyond_stability_names_the_limit():
    with pytest.raises(InputError, match="beyond stability") as caught:
        escape.wkb_exponent(2.0, 3, 0.01, 5.0)
    limit = float(str(caught.value).split("below ")[1].rstrip("."))
    assert escape.wkb_exponent(2.0, 3, 0.01, 0.999 * limit).value > 0
    with pytest.raises(InputError, match="beyond stability"):
        escape.wkb_exponent(2.0, 3, 0.01, 1.001 * limit)
    y = np.linspace(0.01, 2.0 ** (1 / 3), 20001)  # at the limit the largest weight is pulled back to exactly zero
    top = (y + limit * (2 - y**3) * y**2).max()
    assert top + limit * (2 - top**3) * top**2 == pytest.approx(0, abs=1e-4)


def test_the_room_is_reachable():
    assert rs.theory.escape is escape
