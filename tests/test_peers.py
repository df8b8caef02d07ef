"""The comparison with other packages: what can be checked without installing them."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PEERS = Path(__file__).parents[1] / "benchmarks" / "peers"
ADAPTERS = sorted((PEERS / "adapters").glob("*.py"))


@pytest.fixture
def load(monkeypatch):
    """Load a file of the comparison as its scripts do, with their folder on the path."""
    monkeypatch.syspath_prepend(PEERS.parent)
    monkeypatch.syspath_prepend(PEERS)
    for name in ("task", "problems", "completion", "_timing"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def module(path: Path):
        spec = importlib.util.spec_from_file_location(f"peers_{path.stem}", path)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    yield module
    for name in ("task", "problems", "completion", "_timing"):
        sys.modules.pop(name, None)


def test_the_command_explains_itself():
    done = subprocess.run([sys.executable, str(PEERS / "run.py"), "--help"], capture_output=True, text=True, check=True)
    assert "--quick" in done.stdout
    assert all(path.stem in re.sub(r"\s", "", done.stdout) for path in ADAPTERS)


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_every_adapter_loads_without_its_package_and_pins_it(path, load):
    adapter = load(path)
    assert adapter.METHODS
    pinned = [requirement.split("==")[0] for requirement in adapter.REQUIREMENTS or ()]
    assert all("==" in requirement for requirement in adapter.REQUIREMENTS or ())
    assert set(pinned) <= set(adapter.SHOWN)


def test_a_task_comes_back_from_its_file(tmp_path, load):
    task = load(PEERS / "task.py")
    seen = task.Task(
        "one",
        "noisy",
        (2, 3),
        np.array([0, 1]),
        np.array([2, 0]),
        np.array([1.5, -2.0]),
        np.array([1]),
        np.array([1]),
        1,
    )
    seen.save(tmp_path)
    again = task.Task.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(again.dense(), [[np.nan, np.nan, 1.5], [-2.0, np.nan, np.nan]])
    assert (again.name, again.kind, again.shape, again.rank, again.first) == ("one", "noisy", (2, 3), 1, True)
    assert again.asked(np.arange(6.0).reshape(2, 3)) == [4.0]


def test_a_method_that_fails_or_runs_too_long_is_reported(load):
    work = load(PEERS / "work.py")

    def endless(_):
        while True:
            pass

    def broken(_):
        raise ValueError("no such rank\nand more")

    assert work.measure(endless, None, 0.05)[1]["failed"] == "> 0.05 s"
    assert work.measure(broken, None, 10)[1]["failed"] == "ValueError: no such rank"


def test_pairs_in_order_count_pairs_of_one_row_only(load):
    tables = load(PEERS / "tables.py")
    rows, truth = np.array([0, 1, 0, 0, 1]), np.array([5.0, 1.0, 3.0, 3.0, 2.0])
    # Row 0 has two pairs of different values, row 1 has one: right, a tie, wrong.
    found = np.array([4.0, 2.0, 4.0, 1.0, 0.0])
    assert tables.ordered_pairs(rows, truth, found) == pytest.approx(1.5 / 3)


def test_the_installer_names_the_error_and_not_the_traceback(load):
    reason = load(PEERS / "install.py")._reason
    assert reason("WARNING: old\nERROR: No matching distribution\nhint") == "No matching distribution"
    assert reason("") == "the installer gave no reason"
