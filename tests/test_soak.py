"""What a process holds stays flat, however long it is used; `benchmarks/soak.py` is the long form of it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "soak.py"


@pytest.fixture(scope="module")
def soak():
    spec = importlib.util.spec_from_file_location("soak", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_grows_is_named(soak):
    flat = soak.Held(100.0, 12, 3, 0, 0)
    loading = [flat._replace(memory=50.0, files=6), *[flat] * 2]  # at the beginning it may
    assert soak.grown("part", loading + [flat] * 9) == []
    for field in flat._fields:
        more = flat._replace(**{field: getattr(flat, field) + 13})
        (said,) = soak.grown("part", loading + [flat] * 7 + [more] * 2)
        assert said.startswith(f"part: {field} grew from {getattr(flat, field)} to ")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_is_held_is_seen(soak, tmp_path):
    before = soak.held(tmp_path)
    with (tmp_path / "left").open("w"):
        after = soak.held(tmp_path)
    assert (after.files - before.files, after.leftovers) == (1, 1)
    assert 10 < after.memory < 1e5


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("part", "share"), [("shapes", "0.06"), ("small", "0.24"), ("sweeps", "0.02")])
def test_long_use_is_flat(part, share):
    """Of each part a little: 120 shapes are four times the programs that are kept."""
    done = subprocess.run(
        [sys.executable, SCRIPT, part, "--share", share], capture_output=True, text=True, timeout=1800, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "flat"), done.stdout + done.stderr
