"""What docs/command-line.md promises to scripts is what the commands do."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from rankscape.cli import app
from rankscape.cli.app import COMMANDS, start
from rankscape.cli.output import SCHEMA
from rankscape.config import make_config, read_toml
from rankscape.sweeps.progress import SweepProgress

PAGE = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(title: str) -> dict[str, str]:
    """The first column, without marks, and the second."""
    rows = re.findall(r"^\| `?([^|`]+?)`? \| (.+) \|$", section(title), re.M)
    return {name: rest for name, rest in rows if name not in ("command", "code", "variable", "---")}


KEYS = table("Keys of `--json`")


@pytest.fixture
def found(tmp_path, monkeypatch, capsys):
    """Run a command, give what it prints."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    W = np.outer(rng.normal(size=20), rng.normal(size=12))
    np.save("X.npy", np.where(rng.random(W.shape) < 0.8, W, np.nan))
    np.save("noisy.npy", W + 0.1 * rng.normal(size=W.shape))
    A = rng.normal(size=(30, 4, 3))
    np.savez("m.npz", operators=A, measurements=np.tensordot(A, W[:4, :3]))

    def run(*arguments: str) -> dict:
        capsys.readouterr()
        assert start([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def names(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


CALLS = {
    "complete": ["complete", "X.npy"],
    "denoise": ["denoise", "noisy.npy"],
    "sense": ["sense", "m.npz"],
    "info": ["info"],
}


@pytest.mark.parametrize("command", CALLS)
def test_the_keys_are_those_of_the_page(found, command):
    facts = found(*CALLS[command])
    assert set(facts) == set(names(KEYS[command]))
    assert facts["schema"] == SCHEMA == 1
    if "certificate" in facts:
        assert {"warnings", "words"} <= facts["certificate"].keys()


def test_the_keys_of_a_filled_table_and_of_lists(found):
    found("complete", "X.npy", "--model", "model.npz")
    assert set(found("fill", "model.npz", "X.npy")) == set(names(KEYS["fill"]))
    start_of = ["--eigenvalues", "5,3", "--learning-rate", "0.001"]
    plateaus = found("plateaus", *start_of, "--depth", "3", "--alpha", "0.1")
    outer, inner = KEYS["plateaus"].split(":")
    assert set(plateaus) == set(names(outer))
    assert set(plateaus["plateaus"][0]) == set(names(inner))


def test_the_keys_of_a_run(found):
    always, sometimes = KEYS["simulate"].split(";")
    run = ["simulate", "--eigenvalues", "5,3", "--steps", "50"]
    assert set(found(*run)) == set(names(always))
    more = found(*run, "--monitor", "-o", "run.csv", "--figure", "run.png")
    assert set(more) - set(names(always)) == set(names(sometimes)) - {"heldout_loss"}


def test_the_keys_of_a_sweep_are_its_progress():
    assert names(KEYS["sweep"]) == ["schema", "store", *SweepProgress._fields]


def test_the_exit_codes_are_those_of_the_page():
    codes = {int(code) for code in table("Exit codes")}
    assert codes == {app.DONE, app.FAILED, app.BAD_INPUT, app.INTERRUPTED, app.TERMINATED}


def test_every_command_that_writes_is_named():
    silent = {"plateaus", "data", "cite", "info", "check", "explore"}  # of `explore` the browser saves
    written = section("Files that are written")
    assert {name for name in COMMANDS if f"`{name}" not in written} == silent


def test_the_settings_of_the_page_make_a_run(tmp_path):
    (tmp_path / "run.toml").write_text(
        re.findall(r"^```toml\n(.*?)^```$", section("Settings of a run"), re.M | re.S)[0]
    )
    config = make_config(read_toml(tmp_path / "run.toml"), "run.toml")
    assert config.ridge_path == ["0:0.001", "20000:1e-05"]


def test_the_variables_of_the_page_are_used():
    source = Path(app.__file__).parents[1]
    text = "".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py"))
    for variable in ("RANKSCAPE_CACHE", "RANKSCAPE_DEBUG"):
        assert variable in section("What was not typed")
        assert variable in text
