"""Waiting times: the estimate against simulations by hand, its interval against the law it is for."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

import rankscape as rs
from rankscape.errors import DivergenceWarning, InputError, RunFailed
from rankscape.falling.jump_rate import exponential_interval
from rankscape.solvers.descent.relaxation import relax

LAB = rs.data.planted(seed=0)
M = len(LAB.problem.values)
RIDGE = 0.45 / M
TRAP = relax(LAB.problem, LAB.start(), RIDGE).factors  # rank 3
DYNAMICS = rs.SGD(0.14, RIDGE)
LIMIT, EVERY = 40_000, 400


def _first_death(seed, dynamics=DYNAMICS):
    """The first record at which the third singular value is dead."""
    run = rs.simulate(
        LAB.problem, initialization=rs.Factors(TRAP), dynamics=dynamics, steps=LIMIT, seed=seed, record=rs.Every(EVERY)
    )
    dead = np.flatnonzero(run.singular_values.values[:, 2] < rs.RankMonitor().levels(LAB.problem)[0])
    return int(run.dataset.step[dead[0]]) if len(dead) else None


@pytest.fixture(scope="module")
def estimate():
    return rs.estimate_jump_rate(LAB.problem, TRAP, DYNAMICS, steps=LIMIT, replicas=8)


def test_times_are_those_of_single_runs(estimate):
    deaths = sorted(d for d in map(_first_death, range(8)) if d is not None)
    assert 0 < len(deaths) < 8  # some replicas are censored, so the estimate has both kinds
    assert estimate.jumps == len(deaths)
    assert all(death - EVERY < time <= death for time, death in zip(estimate.times, deaths, strict=True))


def test_the_estimate_is_the_time_watched_over_the_jumps(estimate):
    assert estimate.jumps + estimate.censored == 8
    assert estimate.total == sum(estimate.times) + LIMIT * estimate.censored
    assert estimate.mean == estimate.total / estimate.jumps
    assert estimate.epochs == estimate.mean / M
    assert estimate.diverged == 0
    assert estimate.up_jumps == 0
    low, high = estimate.interval
    assert 2 * estimate.total / low == pytest.approx(chi2.ppf(0.975, 2 * estimate.jumps + 2))
    assert 2 * estimate.total / high == pytest.approx(chi2.ppf(0.025, 2 * estimate.jumps))


def test_threads_do_not_change_the_estimate(estimate):
    assert rs.estimate_jump_rate(LAB.problem, TRAP, DYNAMICS, steps=LIMIT, replicas=8, threads=1) == estimate


def test_reshuffled_epochs_do_not_jump():
    shuffled = rs.SGD(0.14, RIDGE, replacement=False)
    rate = rs.estimate_jump_rate(LAB.problem, TRAP, shuffled, steps=LIMIT, replicas=4)
    assert (rate.jumps, rate.censored, rate.mean, rate.interval[1]) == (0, 4, np.inf, np.inf)
    assert 2 * 4 * LIMIT / rate.interval[0] == pytest.approx(chi2.ppf(0.975, 2))


# -- what the paper is about, on the planted problem --------------------------------------------------------


def _rate(learning_rate, steps, replicas=20, ridge=0.4 / M, **changes):
    start = TRAP
    for stage in (0.2 / M, ridge):
        start = relax(LAB.problem, start, stage).factors
    dynamics = rs.SGD(learning_rate, ridge, **changes)
    return rs.estimate_jump_rate(LAB.problem, start, dynamics, steps=steps, replicas=replicas)


def test_sgd_gets_down_and_does_not_come_back():
    rate = _rate(0.17, steps=500_000)
    assert rate.jumps >= 18
    assert rate.up_jumps == 0


def test_reshuffled_epochs_stay_where_they_are():
    assert _rate(0.17, steps=500_000, replicas=10, replacement=False).jumps == 0


def test_a_smaller_rate_waits_longer():
    slow, fast = _rate(0.14, steps=3_000_000), _rate(0.17, steps=3_000_000)
    assert 1.7 < slow.mean / fast.mean < 6


def test_batches_jump_when_the_rate_grows_with_them():
    scaled = rs.rates.convert(0.14, LAB.problem, value="learning_rate / batch_size", batch_size=4)
    grown = _rate(scaled, steps=300_000, replicas=8, batch_size=4)
    fixed = _rate(0.14, steps=300_000, replicas=8, batch_size=4)
    assert grown.jumps >= 7
    assert fixed.jumps == 0


# -- the estimate itself -----------------------------------------------------------------------------------


@given(total=st.floats(1.0, 1e9), events=st.integers(1, 200), confidence=st.floats(0.5, 0.99))
def test_the_interval_holds_the_estimate_and_grows_with_confidence(total, events, confidence):
    low, high = exponential_interval(total, events, confidence)
    wider = exponential_interval(total, events, 0.995)
    assert wider[0] < low < total / events < high < wider[1]


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(2000):
        times = rng.exponential(1.0, size=12)
        watched = np.minimum(times, 0.8)
        low, high = exponential_interval(watched.sum(), int((times < 0.8).sum()), 0.9)
        hits += low <= 1.0 <= high
    assert 0.88 <= hits / 2000 <= 0.96  # a limit on the time makes it a little wide


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (dict(dynamics=rs.GradientDescent(0.1)), "is about SGD on a Completion"),
        (dict(start=[0.01 * W for W in TRAP]), r"No mode of the start is above 0\.138"),
        (dict(replicas=0), "`replicas`"),
        (dict(steps=0), "`steps`"),
        (dict(confidence=1.0), "`confidence` must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_estimated_is_refused(changes, text):
    setting = dict(start=TRAP, dynamics=DYNAMICS, steps=100, replicas=1) | changes
    with pytest.raises(InputError, match=text):
        rs.estimate_jump_rate(LAB.problem, **setting)


def test_replicas_that_diverge_are_left_out_and_named():
    fast = rs.SGD(0.33, RIDGE)
    with pytest.warns(DivergenceWarning, match=r"of 8 replicas diverged and are left out: .* Lower the learning rate"):
        rate = rs.estimate_jump_rate(LAB.problem, TRAP, fast, steps=5_000, replicas=8)
    assert 0 < rate.diverged < 8
    assert rate.jumps + rate.censored + rate.diverged == 8
    assert rate.total == sum(rate.times) + 5_000 * rate.censored
    assert rate.mean == rate.total / rate.jumps
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        runs = [
            rs.simulate(
                LAB.problem, initialization=rs.Factors(TRAP), dynamics=fast, steps=5_000, seed=seed, record=[0],
                monitor=rs.RankMonitor(stop="down"),
            )
            for seed in range(8)
        ]  # fmt: skip
    held = [run for run in runs if run.outcome != rs.Outcome.DIVERGED]
    assert rate.diverged == 8 - len(held)
    assert rate.times == tuple(sorted(int(run.jumps[-1, 0]) for run in held if len(run.jumps)))


def test_when_every_replica_diverges_it_says_which_rate_would_not():
    with pytest.raises(RunFailed, match=r"All 2 replica.* single entries allowed a learning rate of at most"):
        rs.estimate_jump_rate(LAB.problem, TRAP, rs.SGD(2.0, RIDGE), steps=10_000, replicas=2)
