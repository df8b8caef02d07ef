"""Compiled loops on disk follow every file beside them."""

import importlib.util
import sys

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
