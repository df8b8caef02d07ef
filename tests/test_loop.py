"""The loop: interrupted and resumed, killed, out of disk space, diverged, compressed."""

import errno
import gc
import os
import random
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import optax
import pytest
import xarray as xr
from catalogue import CASES, FITS, ONE_OF_EACH, identical

import rankscape as rs
from rankscape.engine.choose import ENGINES
from rankscape.errors import CheckpointMismatch, DivergenceWarning, InputError, RunFailed, StorageError

# By module: the tests of one case follow one another, and find what was compiled for it.
every_engine = pytest.mark.parametrize("case", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys(), scope="module")
STEPS = 200


class Interrupted(Exception):
    """Stands for whatever ends a process."""


def _stop_at(step):
    def meter(now, steps, record):
        if now >= step:
            raise Interrupted

    return meter


def _assert_equal(one, other):
    xr.testing.assert_identical(one.dataset, other.dataset)
    for mine, theirs in zip(one.all_factors, other.all_factors, strict=True):
        assert identical(mine, theirs)


# -- checkpoint and resume -------------------------------------------------------------------------------


@every_engine
@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
@pytest.mark.usefixtures("short_chunks")
def test_an_interrupted_run_ends_like_an_undisturbed_one(case, batch, tmp_path):
    changes = dict(steps=STEPS, record=rs.Every(30), seed=[3, 4] if batch else 3)
    undisturbed = case.simulate(**changes)
    path = tmp_path / "run.npz"
    for stop in (40, 100, 101, 150):
        with pytest.raises(Interrupted):
            case.simulate(**changes, checkpoint=path, progress=_stop_at(stop))
        assert path.exists()
    _assert_equal(case.simulate(**changes, checkpoint=path), undisturbed)


@pytest.mark.usefixtures("short_chunks")
def test_an_interrupted_optimizer_ends_like_an_undisturbed_one(tmp_path):
    case = CASES["matrix-rectangular-2-equal"]
    changes = dict(steps=STEPS, dynamics=rs.Optimizer(optax.adam(0.01), ridge=0.01), record=[0, STEPS])
    undisturbed = case.simulate(**changes)
    with pytest.raises(Interrupted):
        case.simulate(**changes, checkpoint=tmp_path / "run.npz", progress=_stop_at(100))
    _assert_equal(case.simulate(**changes, checkpoint=tmp_path / "run.npz"), undisturbed)


@pytest.mark.usefixtures("short_chunks")
def test_a_resumed_run_goes_on_where_it_stopped(tmp_path):
    case, seen = ONE_OF_EACH["matrix"], []
    with pytest.raises(Interrupted):
        case.simulate(STEPS, checkpoint=tmp_path / "run.npz", progress=_stop_at(100))
    case.simulate(STEPS, checkpoint=tmp_path / "run.npz", progress=lambda step, steps, record: seen.append(step))
    assert 96 <= seen[0] <= 112
    assert seen == sorted(set(seen))
    assert seen[-1] == STEPS


@every_engine
def test_a_finished_checkpoint_returns_at_once(case, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    first = case.simulate(STEPS, checkpoint=path)
    monkeypatch.setattr(".".join([*ENGINES[case.engine], "advance"]), lambda *_: pytest.fail("a step"))
    _assert_equal(case.simulate(STEPS, checkpoint=path), first)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 9}, "seed was [3], now [9]"),
        ({"steps": 50}, "steps was 40, now 50"),
        ({"record": [0]}, "record was "),
        ({"dtype": "float32"}, "dtype was float64, now float32"),
        ({"width": 6}, "widths was [4, 5, 5, 5], now [4, 6, 6, 5]"),
        ({"initialization": rs.Gaussian(0.4)}, "initialization was "),
        ({"dynamics": rs.GradientDescent(0.2, ridge=0.02)}, "dynamics was "),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(changes, difference, tmp_path):
    case, path = ONE_OF_EACH["matrix"], tmp_path / "run.npz"
    case.simulate(40, record=[0, 40], checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(CheckpointMismatch) as refused:
        case.simulate(**dict(steps=40, record=[0, 40]) | changes, checkpoint=path)
    assert difference in str(refused.value)
    assert "Delete it, name another checkpoint, or restore the configuration." in str(refused.value)
    assert path.read_bytes() == before


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    setting = dict(initialization=rs.Identical(0.3), dynamics=rs.GradientDescent(0.01), steps=9)
    rs.simulate(rs.Estimation(np.diag([2.0, 1.0])), checkpoint=tmp_path / "run.npz", **setting)
    with pytest.raises(CheckpointMismatch, match=r"problem\.data was"):
        rs.simulate(rs.Estimation(np.diag([2.0, 1.1])), checkpoint=tmp_path / "run.npz", **setting)


def test_a_checkpoint_does_not_mix_up_the_order_of_the_modes(tmp_path):
    """The same target, with modes named 1, 3 by the eigenvalues given, or 3, 1 by an eigenvalue decomposition."""
    setting = dict(depth=2, initialization=rs.Identical(0.3), dynamics=rs.GradientDescent(0.05), steps=60)
    rs.simulate(rs.Estimation(eigenvalues=[1.0, 3.0]), checkpoint=tmp_path / "run.npz", **setting)
    matrix = rs.Estimation(np.diag([1.0, 3.0]))
    try:
        run = rs.simulate(matrix, checkpoint=tmp_path / "run.npz", **setting)
    except CheckpointMismatch:
        return
    np.testing.assert_allclose(run.product, rs.simulate(matrix, **setting).product, atol=1e-12)


def _flip(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"not a checkpoint",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-10],
        lambda data: _flip(data, data.index(b"run0/state") + 200),
        lambda data: _flip(data, len(data) // 2),
    ],
    ids=["empty", "text", "half", "end missing", "a bit in a state", "a bit in the middle"],
)
def test_a_spoilt_checkpoint_is_refused_and_left_alone(spoil, tmp_path):
    case, path = ONE_OF_EACH["matrix"], tmp_path / "run.npz"
    case.simulate(40, checkpoint=path)
    path.write_bytes(spoil(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(CheckpointMismatch, match=r"run\.npz is not a .*checkpoint"):
        case.simulate(40, checkpoint=path)
    gc.collect()  # a file that was left open would be noticed here
    assert path.read_bytes() == before


@pytest.mark.parametrize("write", [np.save, lambda path, a: np.savez(path, a=a)], ids=["npy", "foreign npz"])
def test_another_numpy_file_is_refused(write, tmp_path):
    with (tmp_path / "run.npz").open("wb") as file:
        write(file, np.arange(3))
    with pytest.raises(CheckpointMismatch, match=r"is not a .*checkpoint"):
        ONE_OF_EACH["matrix"].simulate(5, checkpoint=tmp_path / "run.npz")


def test_a_checkpoint_holds_no_pickle(tmp_path):
    ONE_OF_EACH["spectral"].simulate(20, checkpoint=tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "iufb" for name in stored.files)


def test_a_checkpoint_in_a_folder_that_is_not_there_is_refused_before_the_first_step(tmp_path):
    with pytest.raises(InputError, match="there is no directory"):
        ONE_OF_EACH["matrix"].simulate(5, checkpoint=tmp_path / "no" / "run.npz", progress=_stop_at(0))


def _no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _half_written(file, **arrays):
    file.write(b"PK half of it")
    _no_space()


@pytest.mark.parametrize(("function", "fail"), [("numpy.savez", _half_written), ("os.fsync", _no_space)])
@pytest.mark.usefixtures("short_chunks")
def test_a_full_disk_leaves_the_old_checkpoint(function, fail, tmp_path, monkeypatch):
    case, path = ONE_OF_EACH["matrix"], tmp_path / "run.npz"
    undisturbed = case.simulate(STEPS)
    with monkeypatch.context() as full:
        full.setattr(function, fail)
        with pytest.raises(StorageError, match=r"No space left on device.*(?i:nothing) was left behind"):
            case.simulate(STEPS, checkpoint=path)
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(Interrupted):
        case.simulate(STEPS, checkpoint=path, progress=_stop_at(100))
    before = path.read_bytes()
    with monkeypatch.context() as full:
        full.setattr(function, fail)
        with pytest.raises(StorageError, match=r"No space left on device.*intact"):
            case.simulate(STEPS, checkpoint=path)
        assert list(tmp_path.iterdir()) == [path]
        assert path.read_bytes() == before
    _assert_equal(case.simulate(STEPS, checkpoint=path), undisturbed)


KILLED = """
import sys, time
import rankscape.run.checkpoint, rankscape.run.simulation
sys.path.insert(0, {tests!r})
from catalogue import ONE_OF_EACH
rankscape.run.checkpoint.INTERVAL = 0.0
rankscape.run.simulation.CHUNK_SECONDS = 1e-5
case, steps = ONE_OF_EACH["entrywise"], {steps}
case.simulate(steps, record=[0, steps], checkpoint={path!r}, progress=lambda *_: time.sleep(0.002))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_a_run_that_is_killed_at_any_moment_ends_like_an_undisturbed_one(tmp_path, monkeypatch):
    """A checkpoint is written at each chunk end, so most of the kills fall into the writing of one."""
    monkeypatch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-5)
    case, steps, path = ONE_OF_EACH["entrywise"], 200_000, tmp_path / "run.npz"
    script = KILLED.format(tests=os.path.dirname(__file__), steps=steps, path=str(path))
    moments, stages = random.Random(5), []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", script])
        before, deadline = path.stat().st_mtime_ns if path.exists() else 0, time.monotonic() + 60
        while (not path.exists() or path.stat().st_mtime_ns == before) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        with np.load(path) as stored:
            assert stored["header"].size
            stages.append(path.stat().st_mtime_ns)
    assert stages == sorted(set(stages))
    resumed = case.simulate(steps, record=[0, steps], checkpoint=path)
    _assert_equal(resumed, case.simulate(steps, record=[0, steps]))


# -- divergence ------------------------------------------------------------------------------------------

UNSTABLE = {
    "matrix": (CASES["matrix-rectangular-3-equal"], dict(dynamics=rs.GradientDescent(0.6))),
    "spectral": (CASES["spectral-aligned-3"], dict(dynamics=rs.GradientDescent(1.5))),
    "entrywise": (CASES["entrywise-single-3-equal"], dict(dynamics=rs.SGD(0.9), initialization=rs.Gaussian(1.5))),
}
unstable = pytest.mark.parametrize(("case", "changes"), UNSTABLE.values(), ids=UNSTABLE.keys())


def _first_overflow(case, changes):
    """The step at which the reference first has an entry beyond the limit of the loop."""
    from dataclasses import replace

    limit = 1e150 ** (1 / case.depth)
    case = replace(case, **changes)
    for step in range(1, 400):
        with np.errstate(over="ignore", invalid="ignore"):
            factors = case.reference_factors(step)
        if not all(np.abs(W).max() <= limit for W in factors):
            return step
    raise AssertionError("the reference does not diverge")


@unstable
def test_divergence_is_found_at_its_exact_step_and_said_aloud(case, changes):
    step = _first_overflow(case, changes)
    with pytest.warns(DivergenceWarning, match=f"diverged at step {step}: .*[Ll]ower the learning rate") as caught:
        run = case.simulate(400, record=rs.Every(3), **changes)
    assert len(caught) == 1
    assert run.outcome == "diverged"
    assert not run.outcome.good
    assert run.step.values.tolist() == sorted({*range(0, step, 3), step - 1})  # and the last finite state
    assert all(np.isfinite(run.dataset[name]).all() for name in run.dataset)
    assert all(np.isfinite(W).all() for W in run.factors)


@unstable
def test_divergence_does_not_depend_on_the_records(case, changes):
    runs = []
    for record in (rs.Every(1), [400]):
        with pytest.warns(DivergenceWarning):
            runs.append(case.simulate(400, record=record, **changes))
    assert runs[0].message == runs[1].message
    assert identical(runs[0].factors, runs[1].factors)
    assert 400 not in runs[1].step


@unstable
def test_divergence_is_raised_when_asked_for(case, changes):
    with pytest.raises(RunFailed, match="diverged at step"):
        case.simulate(400, throw=True, **changes)


def test_the_remedy_of_a_divergence_works():
    case, changes = UNSTABLE["matrix"]
    with pytest.warns(DivergenceWarning, match=r"0\.6 was used, about [\d.e-]+ is safe") as caught:
        case.simulate(400, **changes)
    rate = float(str(caught[0].message).split("about ")[1].split()[0])
    run = case.simulate(400, record=rs.Every(1), dynamics=rs.GradientDescent(rate))
    assert run.outcome == "finished"
    assert np.all(np.diff(run.loss) < 0)


def test_one_diverging_run_leaves_the_others_of_its_batch_alone():
    case, _ = UNSTABLE["matrix"]
    rates = [rs.GradientDescent(0.02), rs.GradientDescent(0.6), rs.GradientDescent(0.01)]
    with pytest.warns(DivergenceWarning):
        batch = case.simulate(100, record=rs.Every(10), dynamics=rates)
    assert [str(outcome) for outcome in batch.outcome] == ["finished", "diverged", "finished"]
    for k in (0, 2):
        alone = case.simulate(100, record=rs.Every(10), dynamics=rates[k])
        assert identical(batch.all_factors[k], alone.factors)
        for name in alone.dataset:
            np.testing.assert_array_equal(batch.select(k).dataset[name], alone.dataset[name])
    with pytest.warns(DivergenceWarning):
        alone = case.simulate(100, record=rs.Every(10), dynamics=rates[1])
    lane = batch.select(1)
    assert lane.outcome == "diverged"
    assert lane.message == alone.message
    assert lane.step.values.tolist() == alone.step.values.tolist()


@pytest.mark.usefixtures("short_chunks")
def test_a_diverged_run_is_finished_for_its_checkpoint(tmp_path):
    case, changes = UNSTABLE["matrix"]
    runs = []
    for _ in range(2):
        with pytest.warns(DivergenceWarning):
            runs.append(case.simulate(400, record=[0, 400], checkpoint=tmp_path / "run.npz", **changes))
    _assert_equal(*runs)


@pytest.mark.parametrize("scale", [1e60, 1e200])
def test_a_start_that_overflows_ends_as_diverged_at_once(scale):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        run = rs.simulate(
            FITS["rectangular"].problem,
            3,
            initialization=rs.Gaussian(scale),
            dynamics=rs.GradientDescent(0.01),
            steps=9,
        )
    assert run.outcome == "diverged"
    assert all(np.isfinite(run.dataset[name]).all() for name in run.dataset)


# -- compression while it runs ---------------------------------------------------------------------------


def _collapsing(name, steps, **changes):
    """A rank-2 target with a ridge that kills all other directions."""
    target = np.zeros((6, 7))
    target[0, 0], target[1, 1] = 6.0, 4.0
    problem, dynamics = {
        "matrix": (rs.Estimation(target), rs.GradientDescent(0.02, ridge=0.5)),
        "entrywise": (rs.Completion.from_array(target), rs.SGD(0.05, ridge=0.02)),
    }[name]
    setting = dict(depth=3, initialization=rs.Orthogonal(0.9), dynamics=dynamics, engine=name, steps=steps)
    return rs.simulate(problem, **setting | changes)


@pytest.mark.usefixtures("short_chunks")
def test_compression_narrows_a_run_and_changes_nothing_else():
    wide = _collapsing("matrix", 3000, record=[0, 3000])
    narrow = _collapsing("matrix", 3000, record=[0, 3000], compress_width=True)
    assert [W.shape for W in wide.factors] == [(7, 7), (7, 7), (6, 7)]
    assert [W.shape for W in narrow.factors] == [(2, 7), (2, 2), (6, 2)]
    assert int(narrow.numerical_rank[-1]) == 2
    np.testing.assert_allclose(narrow.product, wide.product, rtol=0, atol=1e-11)
    np.testing.assert_allclose(narrow.objective, wide.objective, rtol=1e-12)


@pytest.mark.usefixtures("short_chunks")
def test_each_compression_is_logged():
    events = _collapsing("matrix", 3000, record=[0], compress_width=True).dataset.attrs["events"]
    assert events
    assert events[0].startswith("step ")
    assert "hidden widths [7, 7] -> " in events[0]
    assert "-> [2, 2], discarded " in events[-1]
    assert all(float(event.split("discarded ")[1]) <= 1e-12 for event in events)
    assert _collapsing("matrix", 3000, record=[0]).dataset.attrs["events"] == []


@pytest.mark.usefixtures("short_chunks")
def test_an_interrupted_compressing_run_ends_like_an_undisturbed_one(tmp_path):
    setting = dict(record=[0, 1500, 3000], compress_width=True)
    undisturbed = _collapsing("matrix", 3000, **setting)
    for stop in (500, 2900):
        with pytest.raises(Interrupted):
            _collapsing("matrix", 3000, checkpoint=tmp_path / "run.npz", progress=_stop_at(stop), **setting)
    _assert_equal(_collapsing("matrix", 3000, checkpoint=tmp_path / "run.npz", **setting), undisturbed)


@pytest.mark.parametrize(
    "changes",
    [
        dict(engine="spectral", initialization=rs.Balanced(spectrum=0.1)),
        dict(seed=[0, 1]),
        dict(dynamics=rs.Optimizer(optax.sgd(0.1))),
    ],
    ids=["spectral", "batch", "optimizer"],
)
def test_compression_is_for_single_runs_of_full_factors(changes):
    with pytest.raises(InputError, match="`compress_width` is not for"):
        _collapsing("matrix", 5, compress_width=True, **changes)


# -- what is told ---------------------------------------------------------------------------------------


def test_progress_is_told_with_the_latest_record():
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rankscape.run.simulation.CHUNK_SECONDS", 1e-5)
        run = ONE_OF_EACH["matrix"].simulate(64, record=[0, 32, 64], progress=lambda *args: seen.append(args))
    assert [step for step, _, _ in seen] == sorted({step for step, _, _ in seen})
    assert seen[-1][:2] == (64, 64)
    assert seen[-1][2]["loss"] == run.loss[-1]


def test_the_configuration_names_everything_that_decides_the_run():
    run = ONE_OF_EACH["entrywise"].simulate(10)
    configuration = run.configuration
    assert configuration["seed"] == [3]
    assert configuration["widths"] == [4, 5, 5, 5]
    assert configuration["dynamics"][0] == {
        "kind": "SGD", "learning_rate": 0.05, "ridge": 0.01, "batch_size": 1, "replacement": True,
    }  # fmt: skip
    assert configuration["initialization"] == [{"kind": "Gaussian", "scale": 0.5}]
    assert configuration["versions"].keys() >= {"rankscape", "numpy", "jax", "numba"}
