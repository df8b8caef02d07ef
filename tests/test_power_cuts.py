"""Nothing that was told to be done is lost when the power goes, and nothing wrong is read afterwards."""

import itertools
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from simulated_disk import Recorder, write
from sweep_runs import DRAWN, draw

import rankscape as rs
from rankscape.ground.storage import replacing
from rankscape.run.storing import load
from rankscape.sweeps import Sweep
from rankscape.sweeps.store import Store


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A finished sweep, and the log of its disk."""
    folder = tmp_path_factory.mktemp("sweep")
    with Recorder(folder) as disk:
        rs.sweep(draw, **DRAWN, store=folder / "s.zarr", progress=lambda now: disk.acknowledge(now.done))
    return disk, Sweep(folder / "s.zarr").dataset.load()


def read(folder: Path, told: list) -> str:
    """What a state of the sweep's disk gives back."""
    path = folder / "s.zarr"
    if not path.exists():
        assert not told, "a batch was told to be done, and the store is gone"
        return "nothing"
    store = Store(path)
    store.check_layout()
    kept = [k for k in range(0, 6, 2) if k not in store.missing()]
    assert 2 * len(kept) >= max(told, default=0), "a batch was told to be done and has to be made again"
    return kept


def lost(states, true, folder: Path) -> tuple[int, list[str]]:
    """How many states there are, and what went wrong in them."""
    count, wrong = 0, []
    for tree, told in states:
        place = folder / str(count)
        write(tree, place)
        try:
            kept = read(place, told)
            stored = Store(place / "s.zarr") if kept != "nothing" else None
            for k in kept if stored else []:
                for name in ("mean", "table"):
                    np.testing.assert_array_equal(stored._array(name)[k : k + 2], true[name].values[k : k + 2])
        except (AssertionError, rs.errors.RankscapeError) as error:
            wrong.append(str(error)[:200])
        shutil.rmtree(place, ignore_errors=True)
        count += 1
    return count, wrong


@pytest.mark.slow
@pytest.mark.parametrize("ordered", [True, False])
def test_a_sweep_survives_every_cut(swept, tmp_path, ordered):
    disk, true = swept
    count, wrong = lost(disk.states(ordered=ordered), true, tmp_path)
    assert not wrong
    assert count > 500


@pytest.mark.parametrize("ordered", [True, False])
def test_a_sweep_survives_some_cuts(swept, tmp_path, ordered):
    disk, true = swept
    count, wrong = lost(disk.states(ordered=ordered, share=0.006), true, tmp_path)
    assert count > 2
    assert not wrong


def unnoticed(disk: Recorder, broken) -> list[str]:
    """The syncs without which nothing is ever lost: those that nobody needs, or whose loss no test would see."""
    return [sync for sync, states in disk.mutants().items() if not any(broken(*state) for state in states)]


def test_each_sync_of_a_sweep_is_needed(swept, tmp_path):
    disk, true = swept
    assert unnoticed(disk, lambda tree, told: bool(lost([(tree, told)], true, tmp_path)[1])) == []


def run(rate: float):
    problem, start = rs.Estimation(eigenvalues=[2.0]), rs.Identical(0.1)
    return rs.simulate(problem, initialization=start, dynamics=rs.GradientDescent(rate), steps=20)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A trajectory saved over an older one, the log of its disk, and what a state of it may be: one of the two."""
    folder, old, new = tmp_path_factory.mktemp("run"), run(0.05), run(0.1)
    old.save(folder / "run.zarr")
    with Recorder(folder) as disk:
        new.save(folder / "run.zarr")
        disk.acknowledge("saved")
    count = itertools.count()

    def broken(tree: dict[str, bytes], told: list) -> bool:
        place = tmp_path_factory.mktemp("state", numbered=True) / str(next(count))
        write(tree, place)
        try:
            found = load(place / "run.zarr")[0].singular_values.values
        except rs.errors.RankscapeError:
            return True
        finally:
            shutil.rmtree(place.parent)
        either = [run.dataset.singular_values.values for run in ([new] if told else [old, new])]
        return not any(np.array_equal(found, known) for known in either)

    return disk, broken


@pytest.mark.parametrize(("ordered", "share"), [(True, 2e-5), (False, 5e-3)])
def test_a_trajectory_or_the_one_before_it_survives(saved, ordered, share):
    """Saved over an older one: the new one where that was told, else either of them, whole."""
    disk, broken = saved
    states = list(disk.states(ordered=ordered, share=share))
    assert states
    assert not any(broken(*state) for state in states)


def test_each_sync_of_a_trajectory_is_needed(saved):
    assert unnoticed(*saved) == []


def checkpoints() -> list:
    def write(number: int, path: Path) -> None:
        with replacing(path) as file:
            np.savez(file, number=np.full(100, number))

    return [partial(write, number) for number in (1, 2)]


def models() -> list:
    X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    X[np.arange(8), np.arange(8) % 6] = np.nan
    return [rs.complete(scale * X).save for scale in (1, 2)]


@pytest.fixture(scope="module", params=[checkpoints, models])
def written(request, tmp_path_factory):
    """A file that is written twice, the log of its disk, and what a state of it may be."""
    path, states, writers = tmp_path_factory.mktemp("file") / "run.npz", {}, request.param()
    with Recorder(path.parent) as disk:
        for number, save in enumerate(writers, start=1):
            save(path)
            states[number] = path.read_bytes()
            disk.acknowledge(number)

    def broken(tree: dict[str, bytes], told: list) -> bool:
        allowed = [states[n] for n in (1, 2) if n >= max(told, default=0)] + ([] if told else [None])
        return tree.get("run.npz") not in allowed

    return disk, broken


@pytest.mark.parametrize("ordered", [True, False])
def test_a_file_or_the_one_before_it_survives(written, ordered):
    disk, broken = written
    states = list(disk.states(ordered=ordered))
    assert len(states) > 10
    assert not any(broken(*state) for state in states)


def test_each_sync_of_a_file_is_needed(written):
    assert unnoticed(*written) == []
