"""Continued runs: 100 steps and 100 more are 200, bit for bit; what changed in between is kept or said."""

import warnings
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax
import pytest
import reference
import xarray as xr
from catalogue import FITS, identical

import rankscape as rs
from rankscape.engine.stack import engine as stack
from rankscape.errors import CheckpointMismatch, DivergenceWarning, FallbackWarning, InputError
from rankscape.ground.stream import Stream

FIRST, SECOND = 70, 53


@dataclass(frozen=True)
class Motion:
    """A setting that is cut into two calls."""

    problem: Any
    initialization: Any
    dynamics: Any
    engine: str = "auto"
    depth: int = 3
    dtype: str = "float64"

    def begin(self, steps: int, **changes: Any) -> rs.Trajectory:
        setting = dict(initialization=self.initialization, engine=self.engine, seed=3, depth=self.depth)
        return rs.simulate(
            self.problem, steps=steps, **setting | dict(dynamics=self.dynamics, dtype=self.dtype) | changes
        )

    def go_on(self, run: rs.Trajectory, steps: int, **changes: Any) -> rs.Trajectory:
        setting = dict(initialization=run, dynamics=self.dynamics, dtype=self.dtype, steps=steps)
        return rs.simulate(self.problem, **setting | changes)


def _problem(name):
    return FITS[name].problem


RATES = rs.rates.piecewise({0: 0.02, 40: 0.01, 90: 0.03})
PERIODIC = rs.rates.periodic([0.01, 0.03], lengths=[17, 9])
START = rs.Gaussian(0.5)
ADAM = rs.Optimizer(optax.adam(0.01), ridge=0.01)

MOTIONS = {
    "spectral": Motion(_problem("symmetric"), rs.PerturbedIdentical(0.4, 0.1), rs.GradientDescent(0.02, 0.01)),
    "spectral, other modes": Motion(
        _problem("rectangular"), rs.Balanced(spectrum=[0.3, 0.1, 0.2]), rs.GradientDescent(0.02)
    ),
    "spectral, paths": Motion(_problem("symmetric"), rs.Identical(0.4), rs.GradientDescent(RATES, PERIODIC)),
    "spectral, float32": Motion(_problem("symmetric"), rs.Identical(0.4), rs.GradientDescent(0.02), dtype="float32"),
    "spectral, one number": Motion(rs.Estimation([[2.0]]), rs.Identical(0.4), rs.GradientDescent(0.02), depth=1),
    "curvature": Motion(_problem("sensing"), START, rs.GradientDescent(rs.rates.Curvature(refresh=7), 0.01)),
    "matrix": Motion(_problem("completion"), START, rs.GradientDescent(0.2, 0.01)),
    "matrix, asked for": Motion(_problem("symmetric"), rs.Identical(0.4), rs.GradientDescent(0.02), "matrix"),
    "matrix, paths": Motion(_problem("rectangular"), START, rs.GradientDescent(PERIODIC, RATES)),
    "matrix, float32": Motion(_problem("rectangular"), START, rs.GradientDescent(0.02), dtype="float32"),
    "matrix, adam": Motion(_problem("rectangular"), START, ADAM),
    "matrix, adam, float32": Motion(_problem("rectangular"), START, ADAM, dtype="float32"),
    "matrix, a schedule inside optax": Motion(
        _problem("completion"), START, rs.Optimizer(optax.adamw(optax.exponential_decay(0.03, 20, 0.5)))
    ),
    "matrix, plain optax": Motion(_problem("objective"), START, rs.Optimizer(optax.sgd(0.02, momentum=0.9))),
    "spectral, heavy ball": Motion(_problem("symmetric"), rs.PerturbedIdentical(0.4, 0.1), rs.HeavyBall(0.02, 0.8)),
    "matrix, nesterov": Motion(_problem("rectangular"), START, rs.Nesterov(PERIODIC, 0.8, RATES)),
    "matrix, heavy ball, float32": Motion(_problem("completion"), START, rs.HeavyBall(0.2, 0.5), dtype="float32"),
    "stack, heavy ball": Motion(_problem("sensing"), START, rs.HeavyBall(0.01, 0.5), "stack"),
    "stack": Motion(_problem("sensing"), START, rs.GradientDescent(0.01, 0.01), "stack"),
    "stack, paths": Motion(_problem("sensing"), START, rs.GradientDescent(PERIODIC), "stack"),
    "measurements": Motion(_problem("sensing"), START, rs.SGD(0.003, 0.01)),
    "measurements, batches": Motion(_problem("pauli"), START, rs.SGD(RATES, batch_size=4, replacement=False)),
    "measurements, float32": Motion(_problem("sensing"), START, rs.SGD(0.003, batch_size=2), dtype="float32"),
    "entrywise": Motion(_problem("completion"), START, rs.SGD(0.05, 0.01)),
    "entrywise, no ridge, depth 1": Motion(_problem("completion"), START, rs.SGD(0.05), depth=1),
    "entrywise, batches": Motion(_problem("completion"), START, rs.SGD(0.05, 0.01, batch_size=3)),
    "entrywise, shuffled": Motion(_problem("completion"), START, rs.SGD(0.05, 0.01, replacement=False)),
    "entrywise, shuffled batches": Motion(
        _problem("completion"), START, rs.SGD(0.05, RATES, batch_size=5, replacement=False)
    ),
    "entrywise, paths": Motion(_problem("completion"), START, rs.SGD(PERIODIC, RATES)),
    "entrywise, float32": Motion(_problem("completion"), START, rs.SGD(0.05, 0.01), dtype="float32"),
    "flow, closed form": Motion(_problem("symmetric"), rs.Identical(0.4), rs.GradientFlow(0.02, 0.01), depth=2),
    "flow, modes": Motion(_problem("symmetric"), rs.PerturbedIdentical(0.4, 0.1), rs.GradientFlow(0.02)),
    "flow, other modes": Motion(
        _problem("rectangular"), rs.Balanced(spectrum=[0.3, 0.1, 0.2]), rs.GradientFlow(0.02), depth=2
    ),
    "flow, factors": Motion(_problem("completion"), START, rs.GradientFlow(0.2, 0.01)),
}
# By module: the tests of one case follow one another, and find what was compiled for it.
every_motion = pytest.mark.parametrize("motion", MOTIONS.values(), ids=MOTIONS.keys())

# Settings that change what a step computes, and neither which engine does nor what it remembers.
ALIKE = {
    "spectral, paths", "spectral, float32", "spectral, one number", "matrix, asked for", "matrix, paths",
    "matrix, heavy ball, float32", "stack, paths", "measurements, float32", "entrywise, no ridge, depth 1",
    "entrywise, paths", "entrywise, float32",
}  # fmt: skip
OTHERS = {name: motion for name, motion in MOTIONS.items() if name not in ALIKE}
every_memory = pytest.mark.parametrize("motion", OTHERS.values(), ids=OTHERS.keys(), scope="module")


@pytest.fixture(autouse=True)
def _small_stacks(monkeypatch):
    """The stack engine runs operators of any size."""
    monkeypatch.setattr(stack, "LARGE_STACK", 0)


def _same_state(one: rs.Trajectory, other: rs.Trajectory) -> bool:
    """Whether two runs agree in every bit, also in what nobody sees of them."""
    pairs = list(zip(one.continuations, other.continuations, strict=True))
    return all(
        identical(mine.factors, theirs.factors)
        and mine.state.step == theirs.state.step
        and identical([*mine.state.moving, *mine.state.memory], [*theirs.state.moving, *theirs.state.memory])
        for mine, theirs in pairs
    )


# -- the same bits ---------------------------------------------------------------------------------------


@every_motion
def test_a_continued_run_is_the_longer_run(motion):
    whole = motion.begin(FIRST + SECOND, record=[FIRST, FIRST + 20, FIRST + SECOND])
    rest = motion.go_on(motion.begin(FIRST), SECOND, record=[0, 20, SECOND])
    assert _same_state(rest, whole)
    assert rest.dataset.attrs["engine"] == whole.dataset.attrs["engine"]
    assert rest.step.values.tolist() == [0, 20, SECOND]
    for name in whole.dataset:
        np.testing.assert_array_equal(rest.dataset[name], whole.dataset[name], err_msg=str(name))


@every_memory
def test_a_stored_run_goes_on_like_one_that_was_not(motion, tmp_path):
    half = motion.begin(FIRST)
    half.save(tmp_path / "run.zarr")
    stored = motion.go_on(rs.Trajectory.load(tmp_path / "run.zarr"), SECOND)
    assert _same_state(stored, motion.begin(FIRST + SECOND))
    xr.testing.assert_identical(stored.dataset, motion.go_on(half, SECOND).dataset)


@every_memory
def test_a_batch_goes_on_as_a_batch(motion):
    whole = motion.begin(FIRST + SECOND, seed=[3, 4])
    rest = motion.go_on(motion.begin(FIRST, seed=[3, 4]), SECOND)
    assert _same_state(rest, whole)
    assert rest.batched
    assert rest.dataset.seed.values.tolist() == [3, 4]


@pytest.mark.parametrize("name", ["matrix, adam", "entrywise", "spectral", "flow, factors"])
def test_a_continuation_can_be_continued_and_stored(name, tmp_path):
    motion = MOTIONS[name]
    first = motion.begin(50)
    second = motion.go_on(first, 30)
    second.save(tmp_path / "run.zarr")
    third = motion.go_on(rs.Trajectory.load(tmp_path / "run.zarr"), 43)
    assert _same_state(third, motion.begin(123))
    assert (second.dataset.attrs["first_step"], third.dataset.attrs["first_step"]) == (50, 80)


def test_one_run_of_a_stored_batch_goes_on_alone(tmp_path):
    motion = MOTIONS["entrywise"]
    motion.begin(FIRST, seed=[3, 4, 5]).save(tmp_path / "run.zarr")
    lane = rs.Trajectory.load(tmp_path / "run.zarr").select(1)
    alone = motion.go_on(lane, SECOND)
    assert not alone.batched
    assert alone.dataset.attrs["seed"] == 4
    assert _same_state(alone, motion.begin(FIRST + SECOND, seed=4))


def test_runs_that_stand_at_different_steps_go_on_in_one_batch():
    motion, ends = MOTIONS["entrywise, paths"], (31, 70, 31)
    batch = motion.go_on([motion.begin(end, seed=k) for k, end in enumerate(ends)], 40, record=[0, 40])
    assert batch.dataset.total_step.values.tolist() == [[31, 71], [70, 110], [31, 71]]
    assert batch.dataset.attrs["first_step"] == [31, 70, 31]
    for k, end in enumerate(ends):
        assert identical(batch.all_factors[k], motion.begin(end + 40, seed=k).factors)


def test_a_batch_keeps_the_numbers_in_which_its_runs_differ(tmp_path):
    motion = MOTIONS["entrywise"]
    starts = [rs.Gaussian(0.3), rs.Gaussian(0.5)]
    motion.begin(5, initialization=starts, seed=[1, 2]).save(tmp_path / "run.zarr")
    batch = motion.go_on(rs.Trajectory.load(tmp_path / "run.zarr"), 5)
    assert batch.dataset.scale.values.tolist() == [0.3, 0.5]
    assert batch.dataset.seed.values.tolist() == [1, 2]


def test_a_batch_within_a_list_is_refused():
    motion = MOTIONS["matrix"]
    batch = motion.begin(5, seed=[0, 1])
    with pytest.raises(InputError, match=r"batch of runs.*select\(k\)"):
        motion.go_on([batch, batch], 5)
    both = motion.go_on([batch.select(0), batch.select(1)], 5)
    assert _same_state(both, motion.go_on(batch, 5))


@pytest.mark.usefixtures("short_chunks")
def test_widths_are_compressed_across_the_seam():
    target = np.zeros((6, 7))
    target[0, 0], target[1, 1] = 6.0, 4.0
    motion = Motion(rs.Estimation(target), rs.Orthogonal(0.9), rs.GradientDescent(0.02, ridge=0.5))
    half = motion.begin(2000, compress_width=True)
    narrow = motion.go_on(half, 1000, compress_width=True)
    wide = motion.begin(3000)
    assert len(narrow.factors[0]) == 2 < len(wide.factors[0])
    np.testing.assert_allclose(narrow.product, wide.product, atol=1e-11)


# -- what the second call counts -------------------------------------------------------------------------


@pytest.mark.parametrize("record", [[0, 1], [SECOND], rs.Every(10), rs.LogSpaced(5), None], ids=str)
def test_records_count_from_where_the_call_begins(record):
    motion = MOTIONS["matrix"]
    fresh = motion.begin(SECOND, record=record)
    rest = motion.go_on(motion.begin(FIRST), SECOND, record=record)
    assert rest.step.values.tolist() == fresh.step.values.tolist()
    assert (rest.dataset.total_step - rest.step == FIRST).all()
    assert rest.dataset.total_step.dims == ("step",)
    assert (rest.dataset.attrs["first_step"], fresh.dataset.attrs["first_step"]) == (FIRST, 0)
    assert "total_step" not in fresh.dataset
    assert "continued" not in fresh.dataset.attrs


def test_messages_say_both_counts():
    half = MOTIONS["matrix"].begin(FIRST)
    assert half.message == "finished: all 70 steps were taken"
    rest = MOTIONS["matrix"].go_on(half, SECOND)
    assert rest.message == "finished: all 53 steps were taken (123 in all)"
    stopped = MOTIONS["matrix"].go_on(half, SECOND, stop=rs.AtStep(20))
    assert stopped.message == "stopped at step 20 (90 in all): as asked"


def test_a_divergence_is_found_at_the_step_of_the_undisturbed_run():
    motion = Motion(_problem("rectangular"), START, rs.GradientDescent(rs.rates.piecewise({0: 0.02, 100: 0.6})))
    with pytest.warns(DivergenceWarning):
        whole = motion.begin(400)
    with pytest.warns(DivergenceWarning, match="0.6 was used"):
        rest = motion.go_on(motion.begin(FIRST), 330)
    step = int(whole.message.split("at step ")[1].split(":")[0])
    assert f"diverged at step {step - FIRST} ({step} in all): " in rest.message
    assert identical(rest.factors, whole.factors)


def test_a_run_that_was_stopped_goes_on_from_there():
    motion = MOTIONS["entrywise"]
    stopped = motion.begin(FIRST, seed=[3, 4], stop=rs.AtStep(33))
    assert _same_state(motion.go_on(stopped, 50), motion.begin(83, seed=[3, 4]))


def test_a_plateau_is_judged_by_the_steps_of_the_whole_run():
    motion = Motion(rs.Estimation(eigenvalues=[5.0, 3.0, 1.5, 0.5]), rs.Identical(0.1), rs.GradientDescent(1e-3))
    whole = motion.begin(30_000, stop=rs.OnPlateau(2, every=20))
    first = motion.begin(30_000, stop=rs.OnPlateau(1, every=20))
    rest = motion.go_on(first, 30_000, stop=rs.OnPlateau(1, every=20))
    assert rest.message.startswith("stopped")
    assert abs(int(rest.dataset.total_step[-1]) - int(whole.step[-1])) <= 0.05 * int(whole.step[-1])


def test_modes_between_the_thresholds_stay_what_they_were():
    """From 0.4 down: alive until below `off`, though a counter that begins anew would not see it above `on`."""
    motion = Motion(rs.Estimation(eigenvalues=[0.0]), rs.Identical(0.8), rs.GradientDescent(0.01, 0.05), depth=2)
    monitor = rs.RankMonitor(off=0.1, on=0.5, every=10)
    whole = motion.begin(400, monitor=monitor)
    half = motion.begin(60, monitor=monitor)
    rest = motion.go_on(half, 340, monitor=monitor)
    assert float(half.singular_values[-1, 0]) < 0.5
    (jump,) = whole.jumps.values.tolist()
    assert rest.jumps.values.tolist() == [[jump[0] - 60, 1, 0]]


# -- randomness ------------------------------------------------------------------------------------------


def test_the_seed_is_that_of_the_run_unless_another_is_given():
    motion = MOTIONS["entrywise"]
    half = motion.begin(FIRST)
    assert _same_state(motion.go_on(half, SECOND), motion.go_on(half, SECOND, seed=3))
    other = motion.go_on(half, SECOND, seed=9)
    assert not identical(other.factors, motion.go_on(half, SECOND).factors)
    assert "seed was 3, now 9" in other.dataset.attrs["continued"]
    assert (
        rs.simulate(motion.problem, initialization=START, dynamics=motion.dynamics, steps=0).dataset.attrs["seed"] == 0
    )


def test_no_observation_is_drawn_twice_when_the_batch_size_changes():
    """The batches of the second call are those that the stream holds behind the first, by the reference step."""
    problem = _problem("completion")
    first = Motion(problem, START, rs.SGD(0.05, batch_size=4)).begin(FIRST)
    rest = rs.simulate(problem, initialization=first, dynamics=rs.SGD(0.05), steps=SECOND)
    again = rs.simulate(problem, initialization=rest, dynamics=rs.SGD(0.05, batch_size=2), steps=10)
    factors, position = first.factors, 4 * FIRST
    for size, steps in ((1, SECOND), (2, 10)):
        drawn = Stream(3).draws(position, position + size * steps, len(problem.values)).reshape(steps, size)
        for batch in drawn:
            entries = problem.rows[batch], problem.columns[batch], problem.values[batch]
            factors = reference.sgd_step(factors, *entries, 0.05, 0.0)
        position += size * steps
    for mine, theirs in zip(again.factors, factors, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


# -- changed settings ------------------------------------------------------------------------------------


def test_factors_begin_anew():
    motion = MOTIONS["matrix, adam"]
    half = motion.begin(FIRST)
    anew = motion.go_on(half, SECOND, initialization=rs.Factors(half.factors))
    assert anew.dataset.attrs["first_step"] == 0
    assert not identical(anew.factors, motion.go_on(half, SECOND).factors)


def _said(motion, half, **changes):
    return motion.go_on(half, 5, **changes).dataset.attrs["continued"]


def test_it_says_what_changed():
    motion = MOTIONS["matrix"]
    half = motion.begin(FIRST)
    assert _said(motion, half) == "continued from step 70; nothing changed"
    other = _said(motion, half, dynamics=rs.GradientDescent(0.1, 0.01))
    assert other == "continued from step 70; dynamics.learning_rate was 0.2, now 0.1"
    assert "dtype was float64, now float32" in _said(motion, half, dtype="float32")
    assert "dynamics.kind was GradientDescent, now SGD" in _said(motion, half, dynamics=rs.SGD(0.01))


def test_another_rate_keeps_the_memory_of_an_optimizer():
    motion = MOTIONS["matrix, adam"]
    half = motion.begin(FIRST)
    slower = motion.go_on(half, 1, dynamics=rs.Optimizer(optax.adam(0.005), ridge=0.01))
    full = motion.go_on(half, 1)
    for start, small, large in zip(half.factors, slower.factors, full.factors, strict=True):
        np.testing.assert_allclose(small - start, (large - start) / 2, rtol=1e-9, atol=1e-16)  # the same direction


@pytest.mark.parametrize(
    "dynamics",
    [rs.GradientDescent(0.01), rs.Optimizer(optax.sgd(0.01, momentum=0.9)), rs.Optimizer(optax.adagrad(0.01))],
    ids=["descent", "momentum", "adagrad"],
)
def test_memory_that_nobody_can_use_is_dropped_with_a_warning(dynamics):
    motion = MOTIONS["matrix, adam"]
    half = motion.begin(FIRST)
    with pytest.warns(FallbackWarning, match="what Optimizer remembered of the way is dropped"):
        rest = motion.go_on(half, SECOND, dynamics=dynamics)
    anew = motion.go_on(half, SECOND, dynamics=dynamics, initialization=rs.Factors(half.factors))
    assert identical(rest.factors, anew.factors)
    assert "is dropped" in rest.dataset.attrs["continued"]


@pytest.mark.parametrize("name", ["spectral, heavy ball", "matrix, nesterov", "stack, heavy ball"])
def test_a_velocity_goes_on_under_another_rule_with_one_and_is_dropped_by_others(name):
    motion = MOTIONS[name]
    half = motion.begin(FIRST)
    for other in (rs.HeavyBall(0.01, 0.3), rs.Nesterov(0.01, 0.3)):
        rest = motion.go_on(half, 0, dynamics=other)
        assert identical(list(rest.continuations[0].state.memory), list(half.continuations[0].state.memory))
    descent = rs.GradientDescent(0.01)
    with pytest.warns(FallbackWarning, match=f"what {type(motion.dynamics).__name__} remembered of the way is dropped"):
        rest = motion.go_on(half, SECOND, dynamics=descent)
    anew = motion.go_on(half, SECOND, dynamics=descent, initialization=rs.Factors(half.factors))
    for mine, theirs in zip(rest.factors, anew.factors, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_descent_that_gains_momentum_begins_at_rest():
    motion = MOTIONS["spectral"]
    half = motion.begin(FIRST)
    rest = motion.go_on(half, SECOND, dynamics=rs.HeavyBall(0.02, 0.5))
    anew = motion.go_on(half, SECOND, dynamics=rs.HeavyBall(0.02, 0.5), initialization=rs.Factors(half.factors))
    assert rest.dataset.attrs["engine"] == "spectral"
    np.testing.assert_allclose(rest.product, anew.product, atol=1e-12)


def test_nothing_is_lost_where_nothing_was_remembered():
    half = MOTIONS["matrix"].begin(FIRST)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dynamics in (ADAM, rs.SGD(0.01), rs.GradientFlow(0.1)):
            rest = MOTIONS["matrix"].go_on(half, 0, dynamics=dynamics)
            assert identical(rest.factors, half.factors)


def test_a_ridge_that_changes_is_that_of_a_path():
    """Two calls with a rate each are one call with a path of rates."""
    for name in ("spectral", "matrix", "entrywise", "stack", "measurements"):
        motion = MOTIONS[name]
        kind, eta = type(motion.dynamics), motion.dynamics.learning_rate
        half = motion.begin(FIRST, dynamics=kind(eta, 0.05))
        rest = motion.go_on(half, SECOND, dynamics=kind(eta, 0.001))
        path = rs.rates.piecewise({0: 0.05, FIRST: 0.001})
        assert _same_state(rest, motion.begin(FIRST + SECOND, dynamics=kind(eta, path))), name


def test_a_flow_with_another_ridge_goes_on_along_its_modes():
    motion = MOTIONS["flow, modes"]
    half = motion.begin(FIRST)
    rest = motion.go_on(half, SECOND, dynamics=rs.GradientFlow(0.02, ridge=0.1))
    anew = motion.go_on(
        half, SECOND, initialization=rs.Factors(half.factors), dynamics=rs.GradientFlow(0.02, ridge=0.1)
    )
    assert "eigenvalues" in rest.dataset  # modes have them, factors do not
    np.testing.assert_allclose(rest.product, anew.product, atol=1e-8)


@pytest.mark.parametrize(
    "name", ["spectral", "flow, modes", "flow, closed form", "matrix", "matrix, adam", "flow, factors"]
)
def test_another_problem_is_solved_from_the_factors(name):
    motion = MOTIONS[name]
    other = rs.Estimation(np.random.default_rng(7).normal(size=motion.problem.shape))
    half = motion.begin(FIRST)
    rest = rs.simulate(other, initialization=half, dynamics=motion.dynamics, steps=SECOND)
    anew = rs.simulate(other, initialization=rs.Factors(half.factors), dynamics=motion.dynamics, steps=SECOND)
    if name == "matrix, adam":
        assert not identical(rest.factors, anew.factors)  # what Adam remembers of the gradients goes along
    else:
        for mine, theirs in zip(rest.factors, anew.factors, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-8)
    assert "problem.data was" in rest.dataset.attrs["continued"]


def test_a_run_may_go_on_in_another_precision_or_engine():
    motion = MOTIONS["spectral"]
    half = motion.begin(FIRST)
    single = motion.go_on(half, 0, dtype="float32")
    assert identical(single.factors, [W.astype(np.float32).astype(np.float64) for W in half.factors])
    dense = motion.go_on(half, SECOND, engine="matrix")
    assert "engine was spectral, now matrix" in dense.dataset.attrs["continued"]
    np.testing.assert_allclose(dense.product, motion.go_on(half, SECOND).product, atol=1e-12)


def test_watchers_may_come_and_go():
    motion = MOTIONS["entrywise"]
    monitor = rs.RankMonitor(off=1e-9, on=1e-8)
    watched = motion.begin(FIRST, monitor=monitor, observe={"first": lambda factors: factors[0][0, 0]})
    plain = motion.go_on(watched, SECOND)
    assert "first" not in plain.dataset
    both = motion.go_on(plain, 10, monitor=monitor)
    assert both.alive_modes.values[0] == np.sum(both.singular_values.values[0] > 1e-8)


def test_continuing_leaves_the_run_before_as_it_is():
    motion = MOTIONS["entrywise"]
    half = motion.begin(FIRST, monitor=rs.RankMonitor(off=1e-9, on=1e-8))
    before = jax.tree.map(np.copy, half.continuations[0].state), repr(half.continuations[0].memories)
    motion.go_on(half, SECOND, monitor=rs.RankMonitor(off=1e-9, on=1e-8))
    after = half.continuations[0]
    assert identical([*before[0].moving, *before[0].memory], [*after.state.moving, *after.state.memory])
    assert repr(after.memories) == before[1]


# -- checkpoints -----------------------------------------------------------------------------------------


class Interrupted(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("name", ["matrix, adam", "entrywise, paths", "spectral", "flow, factors"])
@pytest.mark.parametrize("seed", [3, [3, 4]], ids=["single", "batch"])
@pytest.mark.usefixtures("short_chunks")
def test_a_continued_run_may_be_interrupted(name, seed, tmp_path):
    motion = MOTIONS[name]
    half = motion.begin(FIRST, seed=seed)

    def interrupt(step, steps, record):
        if step >= 24:
            raise Interrupted

    with pytest.raises(Interrupted):
        motion.go_on(half, SECOND, checkpoint=tmp_path / "run.npz", progress=interrupt)
    resumed = motion.go_on(half, SECOND, checkpoint=tmp_path / "run.npz")
    assert _same_state(resumed, motion.begin(FIRST + SECOND, seed=seed))


def test_a_checkpoint_knows_which_run_it_continues(tmp_path):
    motion = MOTIONS["matrix, adam"]
    motion.go_on(motion.begin(FIRST), SECOND, checkpoint=tmp_path / "run.npz")
    with pytest.raises(CheckpointMismatch, match="initialization was"):
        motion.go_on(motion.begin(FIRST, seed=4), SECOND, checkpoint=tmp_path / "run.npz", seed=3)
