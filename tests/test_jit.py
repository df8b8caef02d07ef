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
    (tmp_path / "loop.py").write_text(LOOP)
    results = []
    for factor in (2, 2, 30):
        (tmp_path / "helper.py").write_text(HELPER.format(factor=factor))
        monkeypatch.setitem(sys.modules, "helper", _loaded("helper", tmp_path))
        results.append(_loaded("loop", tmp_path).loop(1.0))
    assert results == [3.0, 3.0, 31.0]
    assert list(tmp_path.rglob("*.nbi"))
