"""What cannot be swept is refused before any work, in words; the terminal says the same."""

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sweep_runs
from test_sweep_store import BASE, contents

import rankscape as rs
from rankscape.cli.app import BAD_INPUT, DONE, start
from rankscape.errors import InputError, StorageError
from rankscape.ground.versions import check_versions, versions
from rankscape.sweeps import Sweep
from rankscape.sweeps.lock import lock_path, locked, read_lock

BAD = {
    "misspelled name": (BASE, dict(over={"learning-rte": [0.1]}), "hyperparameter 'learning_rte' - did you mean"),
    "misspelled base": (BASE | {"dept": 2}, dict(over={"alpha": [0.1]}), "dept"),
    "empty axis": (BASE, dict(over={"alpha": []}), "alpha has no values"),
    "empty list": (BASE, dict(over=[]), "no run in it"),
    "nothing": (BASE, dict(), "Nothing to sweep"),
    "no list": (BASE, dict(over={"alpha": 0.1}), "alpha = 0.1 must be a list"),
    "twice": (BASE, dict(over={"alpha": [0.1, 0.1]}), "holds 0.1 twice"),
    "out of range": (BASE, dict(over={"alpha": [0.1, -1.0]}), "alpha = -1.0"),
    "wrong kind": (BASE, dict(over={"depth": [2, "deep"]}), "depth = 'deep'"),
    "switch": (BASE, dict(over={"replacement": [1, 0]}), "true and false are for switches"),
    "seeds twice": (BASE, dict(over={"seed": [1]}, seeds=3), "given twice"),
    "negative seed": (BASE, dict(over={"alpha": [0.1]}, seeds=[-1]), "seed = -1"),
    "ragged list": (BASE, dict(over=[{"alpha": 0.1}, {"depth": 2}]), "differ in the names"),
    "recorded steps": (BASE, dict(over={"record": [[1]]}), "unknown hyperparameter 'record'"),
    "record beyond": (BASE | {"record": [501]}, dict(over={"alpha": [0.1]}), "within 0..500"),
    "no problem": ({"steps": 5}, dict(over={"alpha": [0.1]}), "exactly one of"),
    "too many": (BASE, dict(over={"alpha": [0.1, 0.2]}, seeds=600_000), "1,200,000 runs, more than 1,000,000"),
    "spacing": (BASE, dict(over={"alpha": {"from": 0, "to": 1, "count": 3, "spacing": "log"}}), "positive numbers"),
    "executor": (BASE, dict(over={"alpha": [0.1]}, executor="proceses"), "did you mean 'processes'"),
    "workers": (BASE, dict(over={"alpha": [0.1]}, executor="processes", workers=0), "workers"),
    "cluster options": (BASE, dict(over={"alpha": [0.1]}, cluster={"queue": "long"}), "or a batch system"),
    "function": (sweep_runs.numbers, dict(over={"x": [1]}), "needs seed"),
    "function's name": (sweep_runs.numbers, dict(over={"y": [1]}, seeds=1), "unknown hyperparameter 'y'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=BAD.keys())
def test_bad_input_is_refused_before_any_work(tmp_path, case):
    base, options, message = BAD[case]
    with pytest.raises(InputError) as raised:
        rs.sweep(base, store=tmp_path / "grid.zarr", **options)
    assert message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_no_sweep_is_left_alone(tmp_path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(InputError, match="exists and is not the store of a sweep"):
        rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "notes")
    with pytest.raises(InputError, match="no directory"):
        rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "not" / "there.zarr")
    with pytest.raises(InputError, match="There is no sweep"):
        Sweep(tmp_path / "grid.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(StorageError, match="Permission denied"):
        rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "grid.zarr")


def test_a_newer_store_is_refused(tmp_path):
    made = rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "grid.zarr")
    description = json.loads((made.path / "zarr.json").read_text())
    description["attributes"]["rankscape_sweep_format"] = 99
    (made.path / "zarr.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match=r"newer rankscape \(format 99\)"):
        Sweep(made.path)


def test_workers_of_another_version_are_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match=r"A worker has rankscape .* instead of 99\.0"):
        check_versions(versions() | {"rankscape": "99.0"})
    script = (
        "import rankscape, sweep_runs; from rankscape.ground.versions import versions\n"
        "right = versions()\n"
        "import rankscape.sweeps.run as run\n"
        "run.versions = lambda: right | {'rankscape': '99.0'}\n"  # the workers will see the right ones
        f"run.sweep(sweep_runs.numbers, {{'x': [1]}}, seeds=2, store={str(tmp_path / 'grid.zarr')!r}, "
        "executor='processes', workers=1)"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert "Install rankscape 99.0 with the same packages" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_address_without_a_scheduler_is_refused_soon(tmp_path):
    began = time.monotonic()
    with pytest.raises(InputError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "grid.zarr", executor="tcp://127.0.0.1:9")
    assert time.monotonic() - began < 10
    assert not (tmp_path / "grid.zarr").exists()


def test_a_function_that_cannot_be_sent_is_refused(tmp_path):
    with pytest.raises(InputError, match="Define functions in a module"):
        rs.sweep(lambda x: x, {"x": [1.0]}, store=tmp_path / "grid.zarr", executor="processes", workers=1)


def test_a_lock_of_another_host_holds_while_it_shows_signs_of_life(tmp_path):
    store = tmp_path / "grid.zarr"
    owner = {"user": "ada", "host": "far-away", "process": 7, "started": time.time() - 3600, "done": 0}
    lock_path(store).write_text(json.dumps(owner))
    with pytest.raises(InputError, match=r"ada on far-away \(process 7\) for 60 minutes"), locked(store):
        pass
    assert read_lock(store)["user"] == "ada"
    os.utime(lock_path(store), (time.time() - 3600,) * 2)  # silent for an hour
    assert read_lock(store) is None
    with locked(store):
        assert read_lock(store)["process"] == os.getpid()
    assert not lock_path(store).exists()


@pytest.mark.parametrize(("ahead", "alive"), [(-50, True), (5, True), (30, False), (3600, False), (1e8, False)])
def test_a_sign_of_life_that_lies_in_the_future_is_none(tmp_path, ahead, alive):
    store = tmp_path / "grid.zarr"
    owner = {"user": "ada", "host": "far-away", "process": 7, "started": time.time(), "done": 0}
    lock_path(store).write_text(json.dumps(owner))
    os.utime(lock_path(store), (time.time() + ahead,) * 2)
    assert (read_lock(store) is not None) == alive
    with pytest.raises(InputError, match="far-away") if alive else contextlib.nullcontext(), locked(store):
        pass


@pytest.mark.parametrize("text", ["", "junk", "[]", "3", '"x"', "{}", '{"user": 1, "host": []}', "[" * 10000, "null"])
def test_a_damaged_lock_holds_nobody(tmp_path, text):
    store = tmp_path / "grid.zarr"
    lock_path(store).write_text(text)
    assert read_lock(store) is None
    with locked(store):
        assert read_lock(store)["process"] == os.getpid()
    assert not lock_path(store).exists()


WINDOWS = """
import os, sys
sys.modules["fcntl"] = None
for name in ("pwrite", "sched_getaffinity"):
    delattr(os, name)
os.supports_fd = set()
import rankscape.sweeps.lock as lock
from pathlib import Path
lock.BEAT = 0.01
store = Path("grid.zarr")
with lock.locked(store) as held:
    held.note(done=3)
    assert lock.read_lock(store)["done"] == 3
    import time
    time.sleep(0.1)
    assert held._thread.is_alive()
    try:
        with lock.locked(store):
            raise AssertionError
    except lock.InputError as error:
        assert "is being filled by" in str(error), error
assert lock.read_lock(store) is None and not lock.lock_path(store).exists()
"""


def test_a_store_is_locked_on_a_system_without_locks_of_files(tmp_path):
    """Windows, imitated."""
    done = subprocess.run([sys.executable, "-c", WINDOWS], cwd=tmp_path, capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_an_executor_of_the_user_is_left_open(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        rs.sweep(sweep_runs.numbers, {"x": [1, 2]}, seeds=2, store=tmp_path / "grid.zarr", executor=pool)
        assert pool.submit(int, "3").result() == 3


# --- the terminal -----------------------------------------------------------------------------------------------

GRID = """
eigenvalues = [3, 1]
learning-rate = 0.01
steps = 300
seeds = 2
batch = 2
[over]
alpha = { from = 0.05, to = 0.2, count = 3, spacing = "log" }
depth = [2, 3]
"""


def test_the_terminal_runs_watches_and_exports_a_file(tmp_path, capsys):
    (tmp_path / "grid.toml").write_text(GRID)
    assert start(["sweep", str(tmp_path / "grid.toml"), "--json"]) == DONE
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runs"], facts["done"], facts["failed"], facts["left"]) == (12, 12, 0, 0)
    assert start(["sweep", "status", str(tmp_path / "grid.zarr"), "--watch", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert start(["sweep", "export", str(tmp_path / "grid.zarr"), "--format", "csv"]) == DONE
    assert (tmp_path / "grid.csv").read_text().startswith("run,step,")
    python = rs.sweep(
        dict(eigenvalues=[3, 1], learning_rate=0.01, steps=300),
        over={"alpha": np.geomspace(0.05, 0.2, 3), "depth": [2, 3]}, seeds=2, batch=2, store=tmp_path / "python.zarr",
    )  # fmt: skip
    assert contents(python.path) == contents(tmp_path / "grid.zarr")


def test_the_terminal_refuses_without_a_traceback(tmp_path, capsys):
    (tmp_path / "grid.toml").write_text(GRID.replace("steps", "stepz"))
    assert start(["sweep", str(tmp_path / "grid.toml")]) == BAD_INPUT
    assert "unknown key 'stepz' - did you mean 'steps'?" in capsys.readouterr().err
    (tmp_path / "grid.toml").write_text(GRID.replace("seeds = 2", "seeds = 2_000_000"))
    assert start(["sweep", str(tmp_path / "grid.toml")]) == BAD_INPUT
    assert "--yes" in capsys.readouterr().err
    assert start(["sweep", "status", str(tmp_path)]) == BAD_INPUT
    assert "not the store of a sweep" in capsys.readouterr().err
