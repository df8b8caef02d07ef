"""Documentation that cannot lie: the README's code runs, its commands parse, and every option has help."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cyclopts import App

from rankscape.cli.app import COMMANDS, app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [README, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("**/*.md")))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def lines_of(text: str) -> list[str]:
    """Single commands, without comments."""
    return [part.strip() for line in text.splitlines() for part in line.split("  #")[0].split("&&") if part.strip()]


def commands() -> list[str]:
    found = [line for block in blocks("bash") for line in lines_of(block)]
    return [
        line.removeprefix(".venv/bin/") for line in found if line.removeprefix(".venv/bin/").startswith("rankscape ")
    ]


def leaves(parent: App = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command that does something, with its name."""
    for name in parent:
        if not name.startswith("-"):
            child = parent[name]
            below = [sub for sub in child if not sub.startswith("-")]
            yield from leaves(child, (*path, name)) if below else [((*path, name), child)]


LEAVES = dict(leaves())


# --- the README -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def namespace() -> Iterator[dict]:
    """What the README's Python example leaves behind."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    variables: dict = {}
    for block in blocks("python"):
        exec(block, variables)
    yield variables
    pyplot.close("all")


def test_the_example_completes_the_matrix_and_finds_the_rank(namespace):
    completed, truth, X = namespace["completed"], namespace["truth"], namespace["X"]
    assert 0.4 < np.isnan(X).mean() < 0.6  # "half of it is missing"
    assert completed.rank == np.linalg.matrix_rank(truth) == 3
    np.testing.assert_allclose(completed.matrix, truth, atol=1e-6)


def test_the_example_shows_one_plateau_for_each_eigenvalue(namespace):
    run = namespace["run"]
    seen = run.effective_rank.values
    eigenvalues = np.array([5, 3, 1.5, 0.5])
    levels = np.cumsum(eigenvalues) / eigenvalues[0]  # of rank 1, 2, 3, 4
    for level in levels:
        assert np.isclose(seen, level, atol=0.02).sum() >= 3, level
    late = run.dataset.step.values > 2500
    assert np.all(np.diff(seen[late]) > -1e-6)  # ranks climb
    assert {"singular_values", "effective_rank", "stable_rank", "entropy_rank", "numerical_rank"} <= set(run.dataset)
    assert {"configuration", "engine", "engine_why"} <= run.dataset.attrs.keys()


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_readme_is_understood(line):
    app.parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)


def test_every_command_is_in_the_documentation():
    for name in COMMANDS:
        assert any(f"rankscape {name}" in text for text in DOCUMENTS), name


def test_what_the_readme_points_to_is_there():
    targets = [target for target in re.findall(r"\]\(([^)#]+)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_readme_tests_as_the_continuous_integration_does():
    """Both name the same commands, apart from where the environment lies and how much is printed."""
    script = (ROOT / ".ci" / "run").read_text()
    plain = script.replace('"$environment"', ".venv").replace('"$environment/bin/', ".venv/bin/").replace('"', "")
    plain = plain.replace("$python", "python3").replace(" --quiet", "").replace("$environment", ".venv")
    plain = plain.replace("--upgrade", "-U").replace("--editable", "-e")
    ours = plain.splitlines()
    (block,) = [text for text in blocks("bash") if "pytest" in text]
    for command in lines_of(block):
        assert command.replace("'", "") in ours, command


def test_the_continuous_integration_runs_the_main_job_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text().replace('"', "")
    job = next(line for line in commands() if " complete " in line)
    assert job in script


# --- help -------------------------------------------------------------------------------------------------------


def test_the_list_of_commands_is_complete():
    assert {path[0] for path in LEAVES} == COMMANDS.keys()


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_and_every_option_has_help(path):
    leaf = LEAVES[path]
    assert leaf.help.split("\n")[0].endswith(".")
    for argument in leaf.assemble_argument_collection(parse_docstring=True):
        if argument.show:
            assert argument.parameter.help, argument.names
            assert argument.parameter.help.rstrip().endswith((".", "!")), argument.names


def test_the_short_help_is_that_of_the_command():
    for name, text in COMMANDS.items():
        assert text.endswith(".")
        if (name,) in LEAVES:
            function = LEAVES[(name,)].default_command
            assert function is not None
            assert (function.__doc__ or "").startswith(text), name
