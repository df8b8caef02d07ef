"""Sweeps on Dask, with real worker processes, one of them killed; and a scheduler that dies."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sweep_runs
from test_sweep_store import contents

import rankscape as rs
from rankscape.errors import RunFailed
from rankscape.sweeps import Sweep

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask and its event loops warn while they are being killed


def test_a_killed_dask_worker_leaves_no_trace(tmp_path):
    """Worker processes of a local cluster, reached by its address; one is killed on the way."""
    from distributed import LocalCluster

    grid = sweep_runs.GRIDS["numbers"]
    undisturbed = rs.sweep(**grid, store=tmp_path / "undisturbed.zarr")
    killed = []
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:

        def kill(progress):
            if progress.done >= 20 and not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        rs.sweep(**grid, store=tmp_path / "killed.zarr", executor=cluster.scheduler_address, progress=kill)
    assert killed
    assert contents(undisturbed.path) == contents(tmp_path / "killed.zarr")


def test_a_cluster_of_our_own_fills_the_store(tmp_path):
    grid = dict(base=sweep_runs.numbers, over={"x": range(3)}, seeds=2)
    made = rs.sweep(**grid, store=tmp_path / "grid.zarr", executor="dask", workers=1)
    assert contents(made.path) == contents(rs.sweep(**grid, store=tmp_path / "here.zarr").path)


def test_a_killed_scheduler_is_noticed_and_the_store_continues(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    options = dict(env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    dask = [sys.executable, "-m", "dask"]
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"], **options
    )
    worker = subprocess.Popen([*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"], **options)
    grid = sweep_runs.GRIDS["numbers"] | {"store": tmp_path / "grid.zarr"}

    def kill(progress):
        if progress.done >= 10:
            scheduler.kill()

    try:
        _wait_for(address)
        with pytest.raises(RunFailed, match="The scheduler is gone; what is done stays done"):
            rs.sweep(**grid, executor=address, progress=kill)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert 10 <= Sweep(grid["store"]).status().done < 120
    undisturbed = rs.sweep(**grid | {"store": tmp_path / "undisturbed.zarr"})
    assert contents(rs.sweep(**grid).path) == contents(undisturbed.path)


def _wait_for(address: str, workers: int = 1) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while True:
        try:
            with Client(address, timeout=5, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=30) if workers else None
                return
        except (OSError, TimeoutError):
            assert time.monotonic() < deadline
            time.sleep(0.2)
