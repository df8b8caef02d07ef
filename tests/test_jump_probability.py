"""Probabilities of a jump: against a scalar chain whose probability is counted by other means."""

from dataclasses import dataclass

import many_draws
import numpy as np
import pytest
from numba import njit
from scipy.stats import binomtest

import rankscape as rs
from rankscape.errors import InputError
from rankscape.falling.jump_probability import _counted, _split, clopper_pearson
from rankscape.falling.replicas import Waited
from rankscape.theory.landscape import critical_points


@njit
def _falls(y, a, eta, ridge, m, steps, runs, rng):
    """How many chains of one mode that one of m entries holds have died by `steps`: y is the cube root of the mode."""
    start, count = y, 0
    for _ in range(runs):
        y = start
        for _ in range(steps):
            pull = eta * (a - y**3) * y**2 if rng.random() < 1 / m else 0.0
            y += pull - 2 * eta * ridge * y
        count += y**3 < 1e-3
    return count


@dataclass(frozen=True)
class Planted:
    """m entries on a diagonal, of which the first is a and the others are 0; a mode of depth 3 at its minimum."""

    m: int
    a: float
    eta: float
    ridge: float
    steps: int

    @property
    def minimum(self) -> float:
        return float(critical_points(self.a, 3, self.ridge, 1 / self.m).minimum)

    def known(self, runs: int) -> float:
        start, rng = self.minimum ** (1 / 3), np.random.default_rng(1)
        return _falls(start, self.a, self.eta, self.ridge, self.m, self.steps, runs, rng) / runs

    def found(self, **options) -> rs.JumpProbability:
        place, values = np.arange(self.m), np.zeros(self.m)
        values[0] = self.a
        start = np.zeros((self.m, self.m))
        start[0, 0] = self.minimum ** (1 / 3)
        problem = rs.Completion(place, place, values, (self.m, self.m))
        watch = rs.RankMonitor(off=1e-3, on=0.3)
        return rs.jump_probability(
            problem, [start] * 3, rs.SGD(self.eta, self.ridge), self.steps, monitor=watch, **options
        )


USUAL = Planted(m=5, a=2.2, eta=0.25, ridge=0.09, steps=400)
RARE = Planted(m=5, a=1.92, eta=0.18, ridge=0.066, steps=600)


def test_what_happens_often_is_counted():
    found = USUAL.found(replicas=60)
    assert found.method == "direct"
    assert found.interval[0] <= USUAL.known(20_000) <= found.interval[1]
    assert found.value == found.jumps / 60


def test_what_is_rare_is_split_whatever_the_threads():
    found = RARE.found(method="splitting", effort=20)
    assert found.method == "splitting"
    assert found.levels[-1] == 1e-3
    assert list(found.levels) == sorted(found.levels, reverse=True)
    assert found.interval[0] <= RARE.known(200_000) <= found.interval[1]
    assert found.interval[1] < 3 * found.interval[0]
    alone, many = (RARE.found(method="splitting", effort=10, threads=threads) for threads in (1, None))
    assert alone == many


def test_what_nobody_sees_is_bounded():
    quiet = Planted(m=5, a=3.0, eta=0.02, ridge=0.01, steps=200)
    found = quiet.found(replicas=20, effort=10)
    assert found.method == "bound"
    assert found.value == 0 == found.interval[0]
    assert found.interval[1] == pytest.approx(1 - 0.025 ** (1 / 20))
    assert "0 of 20 replicas jumped: all that can be said is a bound" in found.said
    assert "could not be split" in found.said


def test_what_takes_too_many_steps_is_said_with_the_way_around():
    found = RARE.found(replicas=20, budget=1e3)
    assert found.method in ("bound", "direct")
    assert found.replicas == 20
    assert "above `budget` = 1000" in found.said
    assert "1 - (1 - p)^k" in found.said
    alone = RARE.found(method="splitting", budget=1e3)
    assert alone.interval == (0.0, 1.0)
    assert "nothing can be said" in alone.said


def test_reshuffled_draws_are_counted_and_never_split():
    lab = rs.data.planted(seed=0)
    dynamics = rs.SGD(0.1, rs.rates.convert(0.3, lab.problem, value="ridge * m"), replacement=False)
    found = rs.jump_probability(lab.problem, lab.start(), dynamics, steps=1000, replicas=3)
    assert found.method == "bound"
    assert "reshuffled draws depend on those before" in found.said
    with pytest.raises(InputError, match=r"Splitting does not apply: reshuffled.*method='direct'"):
        rs.jump_probability(lab.problem, lab.start(), dynamics, steps=1000, method="splitting")


def test_what_cannot_jump_is_refused():
    lab = rs.data.planted(seed=0)
    with pytest.raises(InputError, match="is about SGD, got GradientDescent"):
        rs.jump_probability(lab.problem, lab.start(), rs.GradientDescent(0.1), steps=10)  # pyright: ignore
    dead = [0.1 * W for W in lab.start()]
    with pytest.raises(InputError, match=r"No mode of the start is above 0\.\d+, so none can die"):
        rs.jump_probability(lab.problem, dead, rs.SGD(0.1, 0.001), steps=10)


@pytest.mark.parametrize(("k", "n"), [(0, 7), (3, 50), (50, 50)])
def test_intervals_of_shares_are_those_of_scipy(k, n):
    other = binomtest(k, n).proportion_ci(0.9, method="exact")
    np.testing.assert_allclose(clopper_pearson(k, n, 0.9), (other.low, other.high), atol=1e-12)


def test_replicas_that_diverged_count_both_ways():
    found = _counted(Waited([5, None, None, None], 0, 2), 0.95, "")
    assert found.value == 0.25
    assert found.diverged == 2
    assert found.interval == (clopper_pearson(1, 6, 0.95)[0], clopper_pearson(3, 6, 0.95)[1])
    assert "2 diverged and are counted both ways" in found.said


def test_repeats_that_came_to_nothing_leave_no_lower_bound():
    found = _split(np.array([0.01, 0.0, 0.02, 0.01]), [0.1, 0.001], Waited([], 0, 0), 0.95, 10)
    assert found.interval[0] == 0
    assert found.value == pytest.approx(0.01)
    assert "raise `effort`" in found.said


@pytest.mark.slow
def test_intervals_cover_forty_planted_jumps():
    rng, hits, cases = many_draws.source("planted jumps"), 0, []
    while len(cases) < 40:
        m, rm = int(rng.integers(4, 9)), rng.uniform(0.25, 0.45)
        case = Planted(m, rng.uniform(1.5, 2.5), rng.uniform(0.08, 0.2), rm / m, int(rng.choice([300, 600, 1000])))
        if case.minimum > 0.3 and case.known(20_000) > 2e-4:
            cases.append(case)
            found = case.found(replicas=60, seed=1000 * len(cases))
            hits += found.interval[0] <= case.known(1_000_000) <= found.interval[1]
    assert hits >= 36
