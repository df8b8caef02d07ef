"""Compiled loops on disk follow every file beside them."""

import importlib.util
import sys
from importlib import import_module
from pathlib import Path

import pytest

import rankscape
from rankscape.ground.jit import Loop

SOURCE = Path(rankscape.__file__).parent
WITH_LOOPS = [path for path in sorted(SOURCE.rglob("*.py")) if "import compiled" in path.read_text(encoding="utf-8")]

LOOP = """
import helper
from rankscape.ground.jit import compiled

@compiled()
def loop(x):
    return helper.helped(x) + 1
"""

HELPER = """
from rankscape.ground.jit import compiled

@compiled()
def helped(x):
    return {factor} * x
"""


def _loaded(name, folder):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_helper_that_changes_is_compiled_into_its_callers_again(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("RANKSCAPE_CACHE", str(tmp_path / "kept"))
    (tmp_path / "loop.py").write_text(LOOP)
    results = []
    for factor in (2, 2, 30):
        (tmp_path / "helper.py").write_text(HELPER.format(factor=factor))
        monkeypatch.setitem(sys.modules, "helper", _loaded("helper", tmp_path))
        results.append(_loaded("loop", tmp_path).loop(1.0))
    assert results == [3.0, 3.0, 31.0]
    folders = list((tmp_path / "kept" / "loops").iterdir())
    assert len(folders) == 2  # one for each version of the room, wherever that lies
    assert all(len(list(folder.glob("*.nbi"))) == 2 for folder in folders)


def test_where_no_cache_can_be_written_loops_are_compiled_each_time(tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("RANKSCAPE_CACHE", str(tmp_path / "occupied"))
    (tmp_path / "helper.py").write_text(HELPER.format(factor=2))
    assert _loaded("helper", tmp_path).helped(1.0) == 2.0


@pytest.mark.parametrize("path", WITH_LOOPS, ids=lambda path: path.stem)
def test_loops_call_loops_of_their_room_or_the_one_above(path):
    """Others could change, and the machine code that is kept would not follow."""
    module = import_module(".".join(("rankscape", *path.relative_to(SOURCE).with_suffix("").parts)))
    loops = [loop for loop in vars(module).values() if isinstance(loop, Loop)]
    assert loops
    for loop in loops:
        code = loop.py_func.__code__
        called = [loop.py_func.__globals__.get(name) for name in code.co_names]
        used = {Path(other.py_func.__code__.co_filename).parent for other in called if isinstance(other, Loop)}
        here = Path(code.co_filename).parent
        assert used <= {here, here.parent}, f"{loop.py_func.__name__} calls a loop of {used - {here, here.parent}}"
