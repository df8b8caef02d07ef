"""Sweeps under a real SLURM: one node, the packages of Debian, jobs that start Dask workers."""

import os
import shutil
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

NEEDED = ("slurmctld", "slurmd", "sbatch", "munged")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
MISSING = [name for name in NEEDED if shutil.which(name, path=PATH) is None]

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (packages slurm-wlm and munge)"),
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="the daemons of SLURM need root here"),
]

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
MpiDefault=none
SlurmctldPort=26817
SlurmdPort=26818
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A cluster of one node, for as long as the tests of this file take."""
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("spool", "state"):
        (folder / name).mkdir()
    folder.chmod(0o755)
    host = socket.gethostname().split(".")[0]
    text = CONFIGURATION.format(folder=folder, host=host, cores=os.cpu_count() or 1)
    (folder / "slurm.conf").write_text(text)
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    before = {name: os.environ.get(name) for name in ("SLURM_CONF", "PATH", "PYTHONPATH")}
    os.environ.update(SLURM_CONF=str(folder / "slurm.conf"), PATH=PATH)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), before["PYTHONPATH"]]))
    files = {name: f"--{name}={folder}/munge.{name.split('-')[0]}" for name in ("key-file", "socket", "pid-file")}
    daemons = [
        ["munged", "--foreground", "--force", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed",
         f"--key-file={folder}/munge.key", files["socket"], files["pid-file"]],
        ["slurmctld", "-D", "-i"],
        ["slurmd", "-D", "-N", host],
    ]  # fmt: skip
    running = []
    try:
        for daemon in daemons:
            running.append(subprocess.Popen(daemon, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(0.5)
        _wait_until_idle()
        yield folder
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(20)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _wait_until_idle() -> None:
    deadline = time.monotonic() + 60
    while True:
        seen = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True)
        if seen.stdout.strip() == "idle":
            return
        if time.monotonic() > deadline:
            pytest.skip(f"SLURM does not start on this machine: {(seen.stdout + seen.stderr).strip()}")
        time.sleep(0.2)


def _cluster(folder: Path) -> dict:
    return {
        "interface": "lo", "memory": "1GB", "walltime": "00:10:00", "log_directory": str(folder),
        "local_directory": str(folder), "python": sys.executable, "scheduler_options": {"dashboard_address": ":0"},
    }  # fmt: skip


def _jobs() -> list[str]:
    return subprocess.run(["squeue", "-h", "-o", "%i"], capture_output=True, text=True, check=True).stdout.split()


def test_a_sweep_in_jobs_equals_the_sweep_here(slurm, tmp_path):
    grid = sweep_runs.GRIDS["simulations"]
    here = rs.sweep(**grid, store=tmp_path / "here.zarr")
    jobs = rs.sweep(**grid, store=tmp_path / "jobs.zarr", executor="slurm", workers=2, cluster=_cluster(slurm))
    assert jobs.status().state == "finished"
    assert contents(here.path) == contents(jobs.path)


def test_jobs_that_are_killed_are_replaced_and_leave_no_trace(slurm, tmp_path):
    grid = sweep_runs.GRIDS["numbers"]
    here = rs.sweep(**grid, store=tmp_path / "here.zarr")
    killed = []

    def kill(progress):
        if progress.done > 20 and not killed:
            killed.extend(_jobs())
            subprocess.run(["scancel", "--signal=KILL", "--full", *killed], check=True)

    options = dict(executor="slurm", workers=2, cluster=_cluster(slurm))
    rs.sweep(**grid, store=tmp_path / "jobs.zarr", progress=kill, **options)
    assert len(killed) == 2
    assert contents(here.path) == contents(tmp_path / "jobs.zarr")


def test_a_killed_client_leaves_a_store_that_continues(slurm, tmp_path):
    store = tmp_path / "jobs.zarr"
    script = (
        "import sweep_runs, rankscape as rs\n"
        f"rs.sweep(**sweep_runs.GRIDS['numbers'], store={str(store)!r}, executor='slurm', workers=2, "
        f"cluster={_cluster(slurm)!r})"
    )
    client = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 120
    while len(list((store / "done" / "c").glob("[0-9]*"))) < 5:
        assert client.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    client.send_signal(signal.SIGKILL)
    client.wait()
    grid = sweep_runs.GRIDS["numbers"]
    rs.sweep(**grid, store=store, executor="slurm", workers=2, cluster=_cluster(slurm))
    here = rs.sweep(**grid, store=tmp_path / "here.zarr")
    assert contents(here.path) == contents(store)
