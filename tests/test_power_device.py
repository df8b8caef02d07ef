"""Power cuts of a real file system: a copy of its block device, taken while something writes, is mounted again."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sweep_runs
from test_sweep_store import contents

import rankscape as rs
from rankscape.sweeps.store import Store

pytestmark = pytest.mark.power


@contextlib.contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The file system in an image."""
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True)
    return path


def cut(image: Path) -> Path:
    """What is on the disk at this moment, and not in the memory of the machine."""
    copy = image.with_name("copy.img")
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    return copy


@pytest.mark.parametrize("seconds", [0.02, 0.7, 2.0, 5.0])
def test_a_sweep_keeps_what_it_told(tmp_path, image, seconds):
    undisturbed = rs.sweep(**sweep_runs.GRIDS["numbers"], store=tmp_path / "undisturbed.zarr")
    told = tmp_path / "told"
    with mounted(image, tmp_path / "disk") as disk, told.open("w") as out:
        command = [sys.executable, "-m", "sweep_runs", "numbers", disk / "g.zarr", "serial"]
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(command, stdout=out, env=os.environ | {"PYTHONPATH": path})
        while not (disk / "g.zarr").exists() or (seconds > 0.1 and not told.read_text()):
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGSTOP)
        copy = cut(image)
        process.kill()
        process.wait()
    done = max(map(int, told.read_text().split()), default=0)
    with mounted(copy, tmp_path / "after") as disk:
        if done or (disk / "g.zarr").exists():
            store = Store(disk / "g.zarr")
            store.check_layout()
            assert store.done().sum() >= done
            assert not store.damaged()
        made = rs.sweep(**sweep_runs.GRIDS["numbers"], store=disk / "g.zarr")
        assert contents(made.path) == contents(undisturbed.path)
        assert [path.name for path in disk.iterdir() if path.name != "lost+found"] == ["g.zarr"]


def test_a_trajectory_saved_over_another_is_there(tmp_path, image):
    def run(rate: float):
        problem, start = rs.Estimation(eigenvalues=[2.0]), rs.Identical(0.1)
        return rs.simulate(problem, initialization=start, dynamics=rs.GradientDescent(rate), steps=20)

    with mounted(image, tmp_path / "disk") as disk:
        for k, rate in enumerate([0.05, 0.1, 0.07]):
            run(rate).save(disk / "run.zarr")
            with mounted(cut(image), tmp_path / f"after{k}") as after:
                found = rs.Trajectory.load(shutil.copytree(after / "run.zarr", tmp_path / f"{k}.zarr"))
            np.testing.assert_array_equal(found.dataset.singular_values, run(rate).dataset.singular_values)
