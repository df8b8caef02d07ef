"""Options that were not typed: variables and the project file; completion of a shell."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import Done, caller


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """In a folder of a project, with a matrix."""
    (tmp_path / "part").mkdir()
    monkeypatch.chdir(tmp_path / "part")
    rng = np.random.default_rng(0)
    np.save("noisy.npy", np.outer(rng.normal(size=20), rng.normal(size=12)) + 0.2 * rng.normal(size=(20, 12)))

    return caller(capsys)


def depth_of(done: Done) -> str:
    assert done.code == 0, done.err
    return json.loads(done.out)["output"]


def test_typed_wins_over_a_variable_and_a_variable_over_the_project(call, tmp_path, monkeypatch):
    name = tmp_path / "rankscape.toml"
    name.write_text('[denoise]\noutput = "project.npy"\njson = true\n')
    assert depth_of(call("denoise", "noisy.npy")) == "project.npy"
    monkeypatch.setenv("RANKSCAPE_DENOISE_OUTPUT", "variable.npy")
    assert depth_of(call("denoise", "noisy.npy")) == "variable.npy"
    assert depth_of(call("denoise", "noisy.npy", "-o", "typed.npy")) == "typed.npy"


def test_a_project_of_python_may_hold_it(call, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.rankscape.denoise]\noutput = "here.npy"\njson = true\n')
    assert depth_of(call("denoise", "noisy.npy")) == "here.npy"
    assert json.loads(call("info", "--json").out)["project"] == str(tmp_path / "pyproject.toml")
    (tmp_path / "rankscape.toml").write_text('[denoise]\noutput = "nearer.npy"\n')
    assert depth_of(call("denoise", "noisy.npy")) == "nearer.npy"
    (tmp_path / "part" / "pyproject.toml").write_text("[project]\nname = 'x'\n")  # the nearest one counts
    (tmp_path / "rankscape.toml").unlink()
    assert call("denoise", "noisy.npy", "--quiet").out == ""
    assert json.loads(call("info", "--json").out)["project"] is None


def test_a_run_has_its_own_file(call, tmp_path):
    (tmp_path / "rankscape.toml").write_text("[simulate]\nsteps = 3\n")
    Path("run.toml").write_text("eigenvalues = [2, 1]\nsteps = 5\n")
    assert json.loads(call("simulate", "run.toml", "--json").out)["steps"] == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[denoise]\nlos = 'nuclear'\n", 'unknown option: "[los]"'), ("[denoise]\nloss = 'mean'\n", "loss"),
        ("denoise = = 3", "rankscape.toml: the project file cannot be read"), ("denoise = 3", "rankscape.toml"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_project_file_is_one_clear_error(call, tmp_path, text, words):
    (tmp_path / "rankscape.toml").write_text(text)
    done = call("denoise", "noisy.npy")
    assert (done.code, done.out) == (2, "")
    assert words.lower() in done.err.lower()
    assert done.err.count("\n") == 1


def test_a_mistake_in_a_variable_is_one_clear_error(call, monkeypatch):
    monkeypatch.setenv("RANKSCAPE_DENOISE_DEPTH", "deep")
    done = call("denoise", "noisy.npy")
    assert (done.code, done.out) == (2, "")
    assert "RANKSCAPE_DENOISE_DEPTH" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_where_it_is_asked_for(call, shell):
    done = call("--install-completion", "--shell", shell, "--output", f"rankscape.{shell}")
    assert done.code == 0, done.err
    text = Path(f"rankscape.{shell}").read_text()
    assert "complete" in text
    assert "denoise" in text
