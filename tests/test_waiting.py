"""A sweep that waits for nobody says so, says what to look at, and ends; what can be brought back is."""

import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from concurrent.futures import Future

import pytest
import sweep_runs
from test_sweep_dask import _wait_for
from test_sweep_store import contents
from test_sweep_survival import linux, workers_of

import rankscape as rs
from rankscape.errors import RunFailed, WaitingWarning
from rankscape.sweeps import pool as waiting
from rankscape.sweeps.pool import Pool, Seen

GRID = dict(base=sweep_runs.numbers, over={"x": range(4)}, seeds=1, batch=1)


class Clock:
    """A clock that goes on by a second at each look."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(waiting.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(waiting, "LOOK", 0.0)

    def waits(self, seen) -> tuple[list[float], float, str]:
        """When a pool whose workers are as `seen` says at each second warns, and when and with what it ends."""
        pool, told = Pool(None, 1, look=lambda: seen(self.now), remedy="Look at the log."), []
        while self.now < 5000:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    pool.wait([Future()])
                except RunFailed as error:
                    return told, self.now, str(error)
            told += [(self.now, str(warning.message)) for warning in caught]
            self.now += 1
        return told, self.now, ""


def test_no_worker_is_said_after_a_minute_and_the_end(monkeypatch):
    told, end, words = Clock(monkeypatch).waits(lambda now: Seen([]))
    assert [when for when, _ in told] == [61]
    assert told[0][1] == "There has been no worker for 61 s. Look at the log. The sweep ends in 4 min if that stays so."
    assert end == 301
    assert words.startswith("There has been no worker for 5 min. Look at the log. What is done stays done")


def test_workers_that_start_and_die_are_not_workers(monkeypatch):
    told, end, words = Clock(monkeypatch).waits(lambda now: Seen([f"worker {now // 10}"] if now % 10 > 3 else []))
    assert [when for when, _ in told] == [61]
    assert "Workers start and die: 6 since the last result" in told[0][1]
    assert end == 301
    assert "Workers start and die" in words


def test_a_silent_scheduler_is_said(monkeypatch):
    told, end, words = Clock(monkeypatch).waits(lambda now: Seen(answers=False))
    assert (len(told), end) == (1, 301)
    assert "has not answered for 5 min" in words


@pytest.mark.parametrize("seen", [Seen(["one"]), Seen(None)])
def test_long_batches_are_waited_for(monkeypatch, seen):
    told, end, _ = Clock(monkeypatch).waits(lambda now: seen)
    assert (told, end) == ([], 5000)


def test_a_worker_that_leaves_for_a_while_begins_the_wait_anew(monkeypatch):
    """Each stays for a minute, and the next one comes after two: each wait is told."""
    told, end, _ = Clock(monkeypatch).waits(lambda now: Seen([f"{now // 180}"] if now % 180 < 60 else []))
    assert end == 5000
    assert [when for when, _ in told] == list(range(120, 5000, 180))


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(waiting, "QUIET", 1.0)
    monkeypatch.setattr(waiting, "PATIENCE", 4.0)


@pytest.mark.filterwarnings("ignore")  # Dask and its event loops warn while they are being stopped
def test_a_scheduler_without_workers(tmp_path, impatient):
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        with (
            pytest.warns(WaitingWarning, match=rf"no worker for \d+ s\. Start one with `dask worker {address}"),
            pytest.raises(RunFailed, match="no worker for"),
        ):
            rs.sweep(**GRID, store=tmp_path / "grid.zarr", executor=address)
        with pytest.warns(WaitingWarning), pytest.raises(RunFailed), cluster.get_client().get_executor() as executor:
            rs.sweep(**GRID, store=tmp_path / "grid.zarr", executor=executor)
    assert list(tmp_path.iterdir()) == []


@linux
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_stopped(tmp_path, impatient, monkeypatch):
    """It keeps its connections, and nothing comes back."""
    monkeypatch.setattr("rankscape.sweeps.clusters.ANSWER", 2.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dask = [sys.executable, "-m", "dask"]
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], **quiet
    )
    try:
        _wait_for(f"tcp://127.0.0.1:{port}", workers=0)
        began = time.monotonic()

        def stop(*arguments):
            scheduler.send_signal(signal.SIGSTOP)
            return {}

        monkeypatch.setattr("rankscape.sweeps.run.versions", stop)
        with pytest.warns(WaitingWarning), pytest.raises(RunFailed, match="The scheduler has not answered for"):
            rs.sweep(**GRID, store=tmp_path / "grid.zarr", executor=f"tcp://127.0.0.1:{port}", workers=1)
        assert time.monotonic() - began < 60
    finally:
        scheduler.kill()
        scheduler.wait()


@linux
@pytest.mark.filterwarnings("ignore")
def test_workers_that_dask_gives_up_come_back(tmp_path):
    """On a busy machine a worker takes longer to come back than Dask waits for it: here it waits for nothing."""
    import dask

    grid, killed = sweep_runs.GRIDS["numbers"] | {"over": {"x": range(10)}}, []

    def kill(progress):
        if progress.done >= 10 and not killed:
            killed.extend(workers_of(os.getpid()))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    with dask.config.set({"distributed.deploy.lost-worker-timeout": "100ms"}):
        made = rs.sweep(**grid, store=tmp_path / "grid.zarr", executor="dask", workers=2, progress=kill)
    assert killed
    undisturbed = rs.sweep(**grid, store=tmp_path / "undisturbed.zarr")
    assert contents(made.path) == contents(undisturbed.path)


@pytest.mark.filterwarnings("ignore")
def test_a_batch_that_kills_dask_workers_ends_the_sweep(tmp_path):
    import dask

    failures = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    with failures, pytest.raises(RunFailed, match="Workers died 4 times in a row"):
        rs.sweep(sweep_runs.deadly, {"x": [1.0]}, store=tmp_path / "grid.zarr", executor="dask", workers=1)
