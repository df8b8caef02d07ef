"""Nothing that was told to be done is lost when the power goes, and nothing wrong is read afterwards."""

import shutil
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


@pytest.mark.parametrize("kind", ["files", "folders", "mark"])
def test_a_missing_sync_is_noticed(swept, tmp_path, kind):
    """The simulated disk loses what it should: without syncs of a kind, something that was told is gone."""
    disk, true = swept
    states = disk.without(kind).states(ordered=False, share=0.1)
    assert any(lost([state], true, tmp_path / str(k))[1] for k, state in enumerate(states))


def run(rate: float):
    problem, start = rs.Estimation(eigenvalues=[2.0]), rs.Identical(0.1)
    return rs.simulate(problem, initialization=start, dynamics=rs.GradientDescent(rate), steps=20)


@pytest.mark.parametrize(("ordered", "share"), [(True, 2e-5), (False, 5e-3)])
def test_a_trajectory_or_the_one_before_it_survives(tmp_path, ordered, share):
    """Saved over an older one: the new one where that was told, else either of them, whole."""
    folder, old, new = tmp_path / "disk", run(0.05), run(0.1)
    folder.mkdir()
    old.save(folder / "run.zarr")
    with Recorder(folder) as disk:
        new.save(folder / "run.zarr")
        disk.acknowledge("saved")
    count = 0
    for tree, told in disk.states(ordered=ordered, share=share):
        place = tmp_path / str(count)
        write(tree, place)
        found = load(place / "run.zarr")[0].singular_values.values
        either = [run.dataset.singular_values.values for run in ([new] if told else [old, new])]
        assert any(np.array_equal(found, known) for known in either)
        shutil.rmtree(place)
        count += 1
    assert count


@pytest.mark.parametrize("ordered", [True, False])
def test_a_checkpoint_or_the_one_before_it_survives(tmp_path, ordered):
    path = tmp_path / "disk" / "run.npz"
    path.parent.mkdir()
    states = {}
    with Recorder(path.parent) as disk:
        for number in (1, 2):
            with replacing(path) as file:
                np.savez(file, number=np.full(100, number))
            states[number] = path.read_bytes()
            disk.acknowledge(number)
    for k, (tree, told) in enumerate(disk.states(ordered=ordered)):
        write(tree, tmp_path / str(k))
        found = (tmp_path / str(k) / "run.npz").read_bytes() if "run.npz" in tree else None
        allowed = [states[n] for n in (1, 2) if n >= max(told, default=0)] + ([] if told else [None])
        assert found in allowed
