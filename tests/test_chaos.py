"""Sweeps on Dask whose workers and clients are killed at random on a busy machine: none hangs, all end the same.

``RANKSCAPE_CHAOS_MINUTES`` says how long (three if it does not), ``RANKSCAPE_CHAOS_SEED`` where the chance begins.
"""

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sweep_runs
from test_sweep_store import contents
from test_sweep_survival import Client, linux

import rankscape as rs

# Seconds without a new batch after which a sweep hangs, and how many of them a processor must have worked for one of
# the busy processes: where others take all of it, nothing hangs, it waits.
HUNG, SERVED = 200, 50

BUSY = "while True: pass"


@linux
@pytest.mark.chaos
def test_chaos(tmp_path):
    """Round after round until the time is over, each of another seed, beside processes that keep all cores busy."""
    minutes = float(os.environ.get("RANKSCAPE_CHAOS_MINUTES", 3))
    seed, end = int(os.environ.get("RANKSCAPE_CHAOS_SEED", 0)), time.monotonic() + 60 * minutes
    undisturbed = rs.sweep(**sweep_runs.GRIDS["numbers"], store=tmp_path / "undisturbed.zarr")
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        for k in itertools.count(seed):
            if time.monotonic() > end and k > seed:
                return
            store, chance = tmp_path / f"{k}.zarr", random.Random(k)
            kills, seconds = _round(store, chance, busy)
            assert contents(store) == contents(undisturbed.path), f"seed {k}"
            shutil.rmtree(store)
            assert [path.name for path in tmp_path.iterdir()] == ["undisturbed.zarr"], f"seed {k}"  # nothing is left
            print(f"seed {k}: {kills} kills, {seconds:.0f} s", flush=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _round(store: Path, chance: random.Random, busy: list[subprocess.Popen]) -> tuple[int, float]:
    """One sweep: how often something was killed, at most twelve times, and the seconds it took."""
    began, client = time.monotonic(), Client("numbers", store, "dask")
    try:
        kills = _disturbed(client, chance, busy)
    finally:
        client.process.kill()
    return kills, time.monotonic() - began


def _disturbed(client: Client, chance: random.Random, busy: list[subprocess.Popen]) -> int:
    served, moved, batches, kills, most = _worked(busy), time.monotonic(), 0, 0, chance.randrange(4, 13)
    due = moved + chance.uniform(3, 8)
    while client.process.poll() is None:
        time.sleep(0.01)
        now, made = time.monotonic(), client.batches()
        if made != batches:
            batches, moved, served = made, now, _worked(busy)
        if now - moved > HUNG and _worked(busy) - served > SERVED:
            client.process.send_signal(signal.SIGABRT)  # it says where each of its threads is
            where = client.process.communicate()[1].decode()
            raise AssertionError(f"hung at {batches} batches after {kills} kills: {where}")
        if kills < most and now > due:
            kills, due = kills + 1, now + chance.choice([0.1, 1, 3, 6]) * chance.uniform(0.5, 1.5)
            _strike(client, chance)
    errors = client.process.communicate()[1].decode()
    assert client.process.returncode == 0, errors
    return kills


def _strike(client: Client, chance: random.Random) -> None:
    """Kill a worker, all of them, or the client, which is started again."""
    workers = client.workers()
    if workers and chance.random() < 0.8:
        for pid in workers if chance.random() < 0.3 else [chance.choice(workers)]:
            _kill(pid)
    elif chance.random() < 0.5:
        client.process.kill()
        client.process.communicate()
        client.start()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _worked(busy: list[subprocess.Popen]) -> float:
    """Seconds of a processor that the best served of these processes has had."""
    fields = [Path(f"/proc/{each.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split() for each in busy]
    return max(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")
