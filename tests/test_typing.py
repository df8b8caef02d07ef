"""Types reach the user: the package says that it has them, and the typing tests hold the lines of README and guide."""

import inspect
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import rankscape
from rankscape import theory

ROOT = Path(__file__).resolve().parent.parent
CHECKED = ROOT / "typing_tests"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def code_of(path: Path) -> list[str]:
    blocks = re.findall(r"^```python\n(.*?)^```$", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize(("page", "module"), [("README.md", "readme.py"), ("docs/guide.md", "guide.py")])
def test_checkers_see_the_lines_of_the_page(page, module):
    """In their order; between them stand only the types that are asserted."""
    lines = code_of(ROOT / page)
    written = (CHECKED / module).read_text(encoding="utf-8").splitlines()
    extra = [line for line in written if line.strip() and line not in lines]
    assert [line for line in written if line in lines] == lines
    assert all(line.startswith(('"""', "assert_type(", "from typing import")) for line in extra), extra


def test_both_checkers_run_in_continuous_integration():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "/pyright" in script
    assert "/mypy" in script
    assert "typing_tests" in PROJECT["tool"]["pyright"]["include"]
    assert PROJECT["tool"]["mypy"]["files"] == ["typing_tests"]


def test_every_mistake_is_marked_and_a_needless_mark_is_an_error():
    text = (CHECKED / "mistakes.py").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith(("rs.", "rank:"))]
    assert len(lines) > 10
    assert all("  # type: ignore[" in line for line in lines)
    assert "# pyright: reportUnnecessaryTypeIgnoreComment=true" in text
    assert PROJECT["tool"]["mypy"]["warn_unused_ignores"]


def test_the_package_says_that_it_has_types():
    assert files("rankscape").joinpath("py.typed").is_file()
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/rankscape"]
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]


def doors() -> dict[str, Any]:
    """The public functions whose arguments have types: theory and its rooms, sweeps, runs, completion, estimators."""
    rooms = {"theory": theory, "absorbing": theory.absorbing, "landscape": theory.landscape, "escape": theory.escape}
    found = {f"{room}.{name}": getattr(module, name) for room, module in rooms.items() for name in module.__all__}
    found |= {"sweep": rankscape.sweep, "simulate": rankscape.simulate, "complete": rankscape.complete}
    for name in ("Completion", "Denoiser", "Sensing"):
        estimator = getattr(rankscape.estimators, f"DeepMatrix{name}")
        own = {f"{name}.{key}": thing for key, thing in vars(estimator).items() if key == "__init__" or key[0] != "_"}
        found |= own
    return {name: thing for name, thing in found.items() if inspect.isfunction(thing)}


@pytest.mark.parametrize("name", doors())
def test_no_argument_may_be_anything(name):
    """In the source, as written: at run time an array-like is unchecked."""
    door = inspect.unwrap(doors()[name])
    source = inspect.getsource(door)
    head = source.split("->")[0].split('"""')[0].split(":\n        self.")[0]
    assert not re.search(r"\bAny\b", head), head
    for parameter in list(inspect.signature(door).parameters.values())["." in name and name[0].isupper() :]:
        assert parameter.annotation is not inspect.Parameter.empty, parameter
