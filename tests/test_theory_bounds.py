"""Bounds and predictors against the exact hitting times: fresh draws, reference intervals, stated failures."""

import math

import numpy as np
import pytest

from rankscape import theory
from rankscape.errors import InputError, RankscapeWarning
from rankscape.theory.climbing.bounds import passage
from rankscape.theory.climbing.recursion import first_passage
from rankscape.theory.inputs import start_of

MODES, GROUPS, MOST = 60, 22, 30_000


def _draw(case, rng):
    """A start, eigenvalues, levels and a learning rate from 1 % to 95 % of the limit."""
    depth, beta = int(rng.integers(2, 7)), None
    share = rng.choice([0, 1], MODES)
    share = np.where(share, rng.uniform(0.02, 0.98, MODES), 1 - 10 ** rng.uniform(-3, -1, MODES))
    if case == "below":
        lam = 10 ** rng.uniform(-1, 0.7, MODES)
        alpha = rng.uniform(0.4, 0.8) * lam.min() ** (1 / depth)
    elif case == "above":
        alpha = rng.uniform(0.5, 1.5)
        lam = rng.uniform(0.02, 0.95, MODES) * alpha**depth
    elif case == "perturbed":
        alpha = rng.uniform(0.3, 0.8)
        beta = alpha * rng.choice([1.0, rng.uniform(0.1, 1)])
        lam = 10 ** rng.uniform(-0.5, 0.6, MODES) * rng.choice([-1, -1, 1], MODES)
    else:
        alpha = rng.uniform(0.5, 1.5)
        lam = -(10 ** rng.uniform(-1.5, 0.7, MODES)) if case == "negative" else np.zeros(MODES)
    start = start_of(depth, alpha, beta)
    end = lam if beta is not None else np.maximum(lam, 0)
    if case in ("zero", "negative"):
        share = np.minimum(share, 0.97)
    level = start.product + (end - start.product) * share
    fraction = 10 ** rng.uniform(-1.5, -0.02)
    return start, lam, level, fraction * theory.step_limit(lam, depth, alpha, beta).value


@pytest.mark.parametrize("case", ["below", "above", "negative", "zero", "perturbed"])
def test_bounds_contain_the_exact_time(case):
    rng, draws, certified, off = np.random.default_rng(20241), 0, 0, []
    for _ in range(GROUPS):
        start, lam, level, eta = _draw(case, rng)
        T = first_passage(start, lam, level, eta, MOST)
        found, here = passage(start, lam, level, eta), T >= 0
        assert np.all((found.lower <= T) & (found.upper >= T) | ~here)
        assert np.all(found.lower[~here] <= np.inf)
        assert np.all(found.upper[~here] > MOST)
        off.append(np.abs(found.estimate - T)[here])
        draws, certified = draws + here.sum(), certified + (found.certified & here).sum()
    assert certified >= 1000
    assert certified >= 0.95 * draws
    assert np.max(np.concatenate(off)) <= 2


@pytest.mark.parametrize(
    ("depth", "eigenvalue", "share", "lower", "upper", "estimate"),
    [(3, 0.5, 0.95, 20542, 20542, 20542), (4, 5.0, 0.5, 9979, 9981, 9980)],
)
def test_reference_intervals(depth, eigenvalue, share, lower, upper, estimate):
    found = theory.hitting_time(eigenvalue, share * eigenvalue, depth, 0.1, 1e-3)
    assert (found.lower, found.upper, found.estimate, found.failed) == (lower, upper, estimate, None)
    predicted = theory.hitting_time(eigenvalue, share * eigenvalue, depth, 0.1, 1e-3, method="predict")
    assert (predicted.lower, predicted.upper, predicted.estimate) == (lower, upper, estimate)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_bounds_are_tight_for_small_steps(depth):
    eta = 0.01 / (depth * 2 ** (2 - 2 / depth))
    found = theory.hitting_time(2.0, 1.9, depth, 0.3, eta)
    assert found.upper - found.lower <= 1


def test_flow_is_an_upper_bound_where_p_falls():
    for eigenvalue in (1.0, 0.0, -1.0):
        exact = theory.hitting_time(eigenvalue, max(eigenvalue, 0) + 0.1, 3, 1.5, 0.01, method="exact").estimate
        flow = theory.hitting_time(eigenvalue, max(eigenvalue, 0) + 0.1, 3, 1.5, 0.01, method="flow")
        assert flow.lower <= exact <= flow.upper
    rising = theory.hitting_time(1.0, 0.5, 3, 0.3, 0.01, method="flow")
    assert rising.upper == math.inf
    assert "falls" in rising.failed


def test_every_record_carries_its_assumptions():
    for method in ("exact", "bounds", "predict", "flow"):
        for beta in (None, 0.1):
            found = theory.hitting_time(1.0, 0.5, 3, 0.3, 0.01, beta, method)
            assert found.method == method
            assert found.assumptions
            assert found.lower <= found.estimate <= found.upper


def test_levels_that_are_passed_or_never_reached():
    assert theory.hitting_time(1.0, 1e-3, 3, 0.3, 0.01).upper == 0
    never = theory.hitting_time(-1.0, -0.5, 3, 0.3, 0.01)
    assert never.lower == never.upper == never.estimate == math.inf
    assert "never reached" in never.failed
    assert theory.hitting_time(-1.0, -0.5, 3, 0.3, 0.01, beta=0.1).failed is None
    stopped = theory.hitting_time(1.0, 0.5, 3, 0.01, 0.01, method="exact", max_steps=10)
    assert (stopped.lower, stopped.upper) == (11, math.inf)
    assert "max_steps" in stopped.failed


def test_a_step_above_the_limit_warns_and_says_what_happens():
    with pytest.warns(RankscapeWarning, match="two-cycle between"):
        theory.hitting_time(1.0, 0.5, 2, 0.1, 1.05)
    with pytest.warns(RankscapeWarning, match="sign flip: for odd depth"):
        theory.hitting_time(-1.0, 0.1, 3, 1.0, 0.6)
    with pytest.warns(RankscapeWarning, match=r"limit 0.132283.*oscillation"):
        theory.hitting_time(2.0, 1.0, 3, 0.1, 0.15)
    with pytest.warns(RankscapeWarning, match="still converges monotonically"):
        theory.hitting_time(-1.0, 0.1, 2, 1.0, 0.6)
    with pytest.warns(RankscapeWarning, match="divergence"):
        theory.hitting_time(2.0, 1.0, 3, 0.1, 5.0, method="exact")


def test_a_step_above_the_limit_may_reach_what_is_never_reached():
    with pytest.warns(RankscapeWarning, match="sign flip"):
        flipped = theory.hitting_time(-1.0, -0.5, 3, 1.0, 0.6, method="exact")
    p = theory.eigenvalue_path([-1.0], 3, 1.0, 0.6, [flipped.estimate - 1, flipped.estimate])
    assert p[0, 0] > -0.5 >= p[1, 0]
    with pytest.warns(RankscapeWarning, match="sign flip"):
        unknown = theory.hitting_time(-1.0, -0.5, 3, 1.0, 0.6)
    assert (unknown.lower, unknown.upper) == (0, math.inf)
    assert "sign flip" in unknown.failed


@pytest.mark.parametrize(
    ("depth", "eigenvalue", "alpha", "value"),
    [
        (2, 2, 0.1, 0.25), (3, 2, 0.1, 0.132283420997), (4, 2, 0.1, 0.0883883476483), (2, 2, 1.6, 0.176056338028),
        (3, 2, 1.6, 0.0379247572816), (2, -2, 0.5, 0.363636363636), (3, -2, 0.5, 0.432432432432),
        (4, -2, 0.5, 0.621359223301), (2, 0, 0.5, 4 / 3), (3, 0, 0.5, 3.2), (4, 0, 0.5, 64 / 7),
    ],
)  # fmt: skip
def test_step_limit_of_each_case(depth, eigenvalue, alpha, value):
    assert theory.step_limit([eigenvalue], depth, alpha).value == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize("beta", [None, 0.2])
def test_monotone_below_the_limits(beta, rng):
    for depth in (2, 3, 4):
        lam = rng.uniform(-3, 3, 50)
        for kind in ("monotone", "uniform"):
            eta = theory.step_limit(lam, depth, 0.5, beta, kind).value
            path = theory.eigenvalue_path(lam, depth, 0.5, eta, range(300), beta)
            way = np.sign(theory.limit(lam, depth, 0.5, beta).eigenvalues - path[0])
            assert np.all(np.diff(path, axis=0) * way >= -1e-12)


def test_kinds_of_step_limits_are_ordered():
    monotone, stable, uniform = (
        theory.step_limit([2.0, 0.5], 3, 0.1, kind=kind).value for kind in ("monotone", "stable", "uniform")
    )
    assert uniform < monotone < stable
    assert stable == pytest.approx(2 * monotone)
    with pytest.raises(InputError, match="`kind`"):
        theory.step_limit([1.0], 3, 0.1, kind="largest")


def test_limits():
    target = np.array([[0.0, 2.0], [2.0, 0.0]])
    np.testing.assert_allclose(theory.limit(target, 3, 0.1).matrix, [[1, 1], [1, 1]], atol=1e-12)
    np.testing.assert_allclose(theory.limit(target, 3, 0.1, 0.05).matrix, target, atol=1e-12)
    assert "two-cycle" in theory.limit([1.0], 2, 0.1, learning_rate=1.05).failed
    assert theory.limit([1.0], 2, 0.1, learning_rate=0.05).failed is None
    with pytest.raises(InputError, match="symmetric"):
        theory.limit([[0.0, 1.0], [0.0, 0.0]], 2, 0.1)


def test_rates_are_those_of_the_recursion():
    for depth, lam, beta in [(2, 2.0, None), (3, 1.0, None), (2, -1.0, None), (3, -1.0, 0.2), (4, 1.0, 0.1)]:
        p = theory.eigenvalue_path([lam], depth, 0.4, 0.01, [1499, 1500, 2999, 3000], beta)[:, 0]
        end = lam if beta or lam > 0 else 0.0
        pair = p[:2] if abs(p[1] - end) > 1e-13 else None
        expected = theory.rate(lam, depth, 0.4, 0.01, beta)
        assert expected.kind == "linear"
        if pair is not None:
            assert (pair[1] - end) / (pair[0] - end) == pytest.approx(expected.factor, rel=5e-3)
    for depth, lam, exponent in [(3, -1.0, 3), (4, -1.0, 2), (2, 0.0, 1), (3, 0.0, 0.75)]:
        p = theory.eigenvalue_path([lam], depth, 0.3, 0.1, [10_000, 100_000])[:, 0]
        found = theory.rate(lam, depth, 0.3, 0.1)
        assert found.exponent == pytest.approx(exponent)
        assert -np.log10(p[1] / p[0]) == pytest.approx(exponent, abs=0.1)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="`alpha`"):
        theory.hitting_time(1.0, 0.5, 3, -0.1, 0.01)
    with pytest.raises(InputError, match="beta < 0"):
        theory.hitting_time(1.0, 0.5, 3, 0.1, 0.01, beta=-0.1)
    with pytest.raises(InputError, match="`method`"):
        theory.hitting_time(1.0, 0.5, 3, 0.1, 0.01, method="guess")
    with pytest.raises(InputError, match="`learning_rate`"):
        theory.hitting_time(1.0, 0.5, 3, 0.1, 0.0)
