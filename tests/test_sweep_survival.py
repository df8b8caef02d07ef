"""Sweeps that survive: whatever is killed at whatever moment, the store ends as if nothing had happened."""

import contextlib
import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sweep_runs
from test_sweep_store import contents

import rankscape as rs
from rankscape.errors import CheckpointMismatch, InputError, RunFailed, StorageError
from rankscape.sweeps import Sweep
from rankscape.sweeps.lock import lock_path

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")


class Client:
    """A sweep in a process of its own, and its workers."""

    def __init__(self, grid: str, store: Path, executor: str = "processes"):
        self.store = store
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._command = [sys.executable, "-X", "faulthandler", "-m", "sweep_runs", grid, str(store), executor]
        self._environment = os.environ | {"PYTHONPATH": path}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def workers(self) -> list[int]:
        return workers_of(self.process.pid)

    def batches(self) -> int:
        """How many batches are marked as done."""
        return len(list((self.store / "done" / "c").glob("[0-9]*")))

    def wait_for(self, batches: int) -> None:
        deadline = time.monotonic() + 120
        while self.batches() < batches:
            assert self.process.poll() is None, self.process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.005)


def workers_of(process: int) -> list[int]:
    """The processes that it started by spawn, from whatever thread."""
    found = []
    with contextlib.suppress(OSError):  # it ended, or one of its threads did
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += (thread / "children").read_text().split()
    return [int(pid) for pid in found if b"spawn_main" in _command_line(pid)]


def _command_line(pid: str | int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@linux
@pytest.mark.parametrize(
    ("grid", "kills"),
    [("numbers", 2), *(pytest.param(*more, marks=pytest.mark.slow) for more in (("numbers", 4), ("simulations", 10)))],
)
def test_kills_leave_no_trace(tmp_path, grid, kills):
    """Workers and the client are killed at random moments; the store ends bit-identical."""
    undisturbed = rs.sweep(**sweep_runs.GRIDS[grid], store=tmp_path / "undisturbed.zarr")
    chance = random.Random(20240607)
    batches = -(-undisturbed.status().runs // undisturbed.batch)
    moments = sorted(chance.sample(range(1, batches - 4), kills))
    # After either kind of kill processes start again, which takes seconds: each kind comes at least once.
    victims = chance.sample((["client", "worker"] * 2 + ["client"] + ["worker"] * 5)[:kills], kills)
    client = Client(grid, tmp_path / "killed.zarr")
    for moment, victim in zip(moments, victims, strict=True):
        client.wait_for(moment)
        time.sleep(chance.uniform(0, 0.05))
        workers = client.workers()
        if victim == "worker" and workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
        else:
            client.process.kill()
            client.process.communicate()
            assert lock_path(client.store).exists()  # nobody could clean up
            client.start()
    _, errors = client.process.communicate(timeout=240)
    assert client.process.returncode == 0, errors.decode()
    assert contents(client.store) == contents(undisturbed.path)
    assert not lock_path(client.store).exists()


@linux
def test_workers_do_not_outlive_their_client(tmp_path):
    client = Client("numbers", tmp_path / "grid.zarr")
    client.wait_for(2)
    workers = client.workers()
    assert workers
    client.process.kill()
    client.process.communicate()
    deadline = time.monotonic() + 30
    while any(b"spawn_main" in _command_line(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@linux
def test_the_second_client_is_refused_with_the_owner_of_the_first(tmp_path):
    client = Client("numbers", tmp_path / "grid.zarr")
    client.wait_for(1)
    with pytest.raises(InputError, match=rf"process {client.process.pid}\).*sign of life .* s ago"):
        rs.sweep(**sweep_runs.GRIDS["numbers"], store=client.store)
    seen = Sweep(client.store).status()
    assert seen.state == "running"
    assert f"process {client.process.pid}" in seen.owner
    client.process.kill()
    client.process.communicate()
    assert Sweep(client.store).status().state == "interrupted"


def test_a_batch_that_kills_its_worker_ends_the_sweep_with_a_reason(tmp_path):
    with pytest.raises(RunFailed, match="Workers died"):
        rs.sweep(sweep_runs.deadly, {"x": [1.0, 2.0]}, store=tmp_path / "grid.zarr", executor="processes", workers=1)


def test_a_full_disk_stops_the_sweep_and_it_continues_when_there_is_room(tmp_path, monkeypatch):
    grid = dict(base=sweep_runs.numbers, over={"x": range(6)}, seeds=2, batch=3)
    undisturbed = rs.sweep(**grid, store=tmp_path / "undisturbed.zarr")
    import zarr.storage._local as local

    written, put = [], local._put

    def full(path, value, *more, **options):
        written.extend([path] if "table/c" in path.as_posix() else [])
        if len(written) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return put(path, value, *more, **options)

    monkeypatch.setattr(local, "_put", full)
    with pytest.raises(StorageError, match=r"No space left on device\. Free some space and start again"):
        rs.sweep(**grid, store=tmp_path / "full.zarr")
    half = Sweep(tmp_path / "full.zarr").status()
    assert half.state == "interrupted"
    assert 0 < half.done < half.runs
    monkeypatch.undo()
    rs.sweep(**grid, store=tmp_path / "full.zarr")
    assert contents(tmp_path / "full.zarr") == contents(undisturbed.path)


def test_runs_that_raise_are_left_and_tried_again(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKSCAPE_MOOD", str(tmp_path / "better"))
    grid = dict(base=sweep_runs.moody, over={"x": [1.0, 2.0, 3.0, 4.0]}, store=tmp_path / "grid.zarr", batch=3)
    with pytest.raises(RunFailed, match=r"2 of 4 runs raised an error; run 2 \(x=3.0\): ValueError: 3.0 is too much"):
        rs.sweep(**grid)
    assert Sweep(tmp_path / "grid.zarr").dataset.value.values[:2].tolist() == [1.0, 2.0]
    (tmp_path / "better").touch()
    assert rs.sweep(**grid).dataset.value.values.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_another_configuration_is_refused_and_the_difference_shown(tmp_path):
    store = tmp_path / "grid.zarr"
    rs.sweep(sweep_runs.SIMULATIONS, {"alpha": [0.1, 0.2]}, store=store)
    with pytest.raises(CheckpointMismatch, match=r"base\.steps was 4000, now 5000"):
        rs.sweep(sweep_runs.SIMULATIONS | {"steps": 5000}, {"alpha": [0.1, 0.2]}, store=store)
    with pytest.raises(CheckpointMismatch, match=r"over\.alpha was \[0\.1, 0\.2\], now \[0\.1, 0\.3\]"):
        rs.sweep(sweep_runs.SIMULATIONS, {"alpha": [0.1, 0.3]}, store=store)


def test_only_what_is_missing_is_run(tmp_path):
    grid = dict(base=sweep_runs.numbers, over={"x": range(5)}, seeds=2, store=tmp_path / "grid.zarr", batch=2)
    first = []
    rs.sweep(**grid, progress=first.append)
    before = contents(tmp_path / "grid.zarr")
    (tmp_path / "grid.zarr" / "done" / "c" / "3").unlink()
    again = []
    rs.sweep(**grid, progress=again.append)
    assert [p.done for p in first] == [2, 4, 6, 8, 10]
    assert [p.done for p in again] == [10]
    assert contents(tmp_path / "grid.zarr") == before
