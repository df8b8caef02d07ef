"""Runs that end early: the rule is met where an undisturbed run says it is, and the trajectory says why."""

import json

import numpy as np
import pytest

import rankscape as rs
from rankscape.errors import InputError

SPECTRUM = [5.0, 3.0, 1.5, 0.5]
CLIMB = dict(initialization=rs.Identical(0.1), dynamics=rs.GradientDescent(1e-3), steps=30_000)


def _climb(**changes):
    return rs.simulate(rs.Estimation(eigenvalues=SPECTRUM), 3, **CLIMB | changes)


def test_a_run_stops_at_a_given_step_with_the_state_of_that_step():
    run = _climb(stop=rs.AtStep(4321, "why not"))
    assert run.outcome == "stopped"
    assert run.outcome.good
    assert run.message == "stopped at step 4321: why not"
    whole = _climb(steps=4321)
    assert all(np.array_equal(a, b) for a, b in zip(run.factors, whole.factors, strict=True))
    assert run.step[-1] == 4321


def test_a_step_beyond_the_end_changes_nothing():
    assert _climb(stop=rs.AtStep(30_001)).outcome == "finished"


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """The effective rank at every step."""
    return _climb(record=rs.Every(1), steps=6000).effective_rank.values


def test_a_rising_effective_rank_stops_at_the_first_step_past_its_level(values):
    run = _climb(stop=rs.AtEffectiveRank(1.5, every=1), steps=6000)
    dip = int(np.argmax(values < 1.5))
    expected = dip + int(np.argmax(values[dip:] >= 1.5))
    assert values[0] == 4  # it falls first, so the level is passed twice
    assert run.step[-1] == expected


def test_a_falling_effective_rank_stops_on_its_way_down(values):
    run = _climb(stop=rs.AtEffectiveRank(1.5, direction="falling", every=1), steps=6000)
    assert run.step[-1] == int(np.argmax(values <= 1.5))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_plateau_is_found_without_knowing_the_spectrum(rank):
    """Rank L holds, to 5 percent, within the intervals of the reference experiment R1 for depth 3."""
    first, last = {1: (2028, 2723), 2: (3386, 5125), 3: (6796, 13315)}[rank]
    run = _climb(stop=rs.OnPlateau(rank, every=20))
    assert run.outcome == "stopped"
    assert first <= run.step[-1] <= last
    assert int(np.sum(run.singular_values[-1] > 0.05 * SPECTRUM[rank - 1])) == rank


def test_the_flat_start_of_a_run_is_not_a_plateau():
    run = _climb(stop=rs.OnPlateau(every=5), steps=800)
    assert float(run.effective_rank[-1]) > 1.5
    assert run.outcome == "finished"


def test_training_stops_when_the_heldout_loss_has_passed_its_minimum(rng):
    low = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 25)) / 5
    noisy = low + 0.3 * rng.normal(size=low.shape)
    problem = rs.Completion.from_array(noisy).split(0.2)
    run = rs.simulate(
        problem, 2, initialization=rs.Gaussian(0.03), dynamics=rs.GradientDescent(20.0), steps=20_000,
        stop=rs.OnHeldout(every=50),
    )  # fmt: skip
    losses = run.heldout_loss.values
    assert run.outcome == "stopped"
    assert losses[-2:].min() > 1.02 * losses.min()
    assert f"at step {int(run.step[losses.argmin()])}" in run.message


def test_heldout_measurements_stop_a_sensing_run(rng):
    truth = np.outer(rng.normal(size=8), rng.normal(size=8)) / 3
    operators = rng.normal(size=(50, 8, 8)) / 50**0.5
    noisy = np.einsum("kij,ij->k", operators, truth) + 0.2 * rng.normal(size=50)
    problem = rs.Sensing(operators, noisy).split(0.3)
    assert len(problem.measurements) + len(problem.heldout.measurements) == 50
    run = rs.simulate(
        problem, 2, initialization=rs.Gaussian(0.02), dynamics=rs.GradientDescent(0.05), steps=20_000,
        stop=rs.OnHeldout(every=20),
    )  # fmt: skip
    losses, W = run.heldout_loss.values, run.product
    assert run.outcome == "stopped"
    assert losses.min() < losses[0]
    residual = np.einsum("kij,ij->k", problem.heldout.operators, W) - problem.heldout.measurements
    np.testing.assert_allclose(losses[-1], 0.5 * residual @ residual)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 1e-9])
def test_a_split_of_measurements_needs_both_parts(fraction, rng):
    with pytest.raises(InputError):
        rs.Sensing(rng.normal(size=(5, 2, 2)), rng.normal(size=5)).split(fraction)


def test_heldout_data_are_needed_to_judge_by_them():
    with pytest.raises(InputError, match=r"problem\.split"):
        _climb(stop=rs.OnHeldout())


def test_each_run_of_a_batch_stops_by_itself():
    dynamics = [rs.GradientDescent(1e-3), rs.GradientDescent(2e-3)]
    batch = _climb(dynamics=dynamics, stop=rs.AtEffectiveRank(1.5, every=10), steps=6000)
    for k, one in enumerate(dynamics):
        single = _climb(dynamics=one, stop=rs.AtEffectiveRank(1.5, every=10), steps=6000)
        assert batch.select(k).message == single.message
        assert batch.select(k).step[-1] == single.step[-1]
    assert [str(outcome) for outcome in batch.outcome] == ["stopped", "stopped"]


@pytest.mark.usefixtures("short_chunks")
def test_a_stopped_run_stays_stopped_when_it_is_resumed(tmp_path):
    setting = dict(stop=rs.AtStep(100), checkpoint=tmp_path / "run.npz", steps=400)
    first, second = _climb(**setting), _climb(**setting)
    assert second.message == first.message == "stopped at step 100: as asked"
    assert second.dataset.identical(first.dataset)
    assert json.loads(first.dataset.attrs["configuration"])["stop"] == {
        "kind": "AtStep",
        "step": 100,
        "why": "as asked",
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda: rs.AtStep(-1),
        lambda: rs.AtEffectiveRank(0),
        lambda: rs.AtEffectiveRank(2, direction="up"),
        lambda: rs.OnPlateau(0),
        lambda: rs.OnPlateau(flat=-1),
        lambda: rs.OnHeldout(tolerance=np.nan),
    ],
)
def test_a_rule_that_cannot_be_is_refused(make):
    with pytest.raises(InputError):
        make()
