"""What is told while one waits: the stage in words, the time left only where it is known, everywhere the same."""

import io
import re
import sys
import time
import types

import numpy as np
import pytest
import xarray as xr

import rankscape as rs
from rankscape import papers
from rankscape.errors import InputError
from rankscape.ground import progress
from rankscape.ground.progress import Lines, Notebook, Silent, Terminal, meter, told

pytestmark = pytest.mark.usefixtures("hasty_file")


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""
    now = types.SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_the_time_left_is_told_by_the_pace_and_only_once_it_is_known(clock):
    shown = Silent()
    assert shown.left(None) == ""
    assert shown.left(0.5) == ""  # continued here: nothing is known of its pace
    clock.seconds += 1
    assert shown.left(0.55) == ""  # too early
    clock.seconds += 9
    assert shown.left(0.75) == "about 10 s left"
    assert shown.left(1.0) == ""


def test_stages_are_lines_with_their_times(clock, capsys):
    with meter(verbose=True) as shown:
        shown.came_before("reading", clock.seconds - 2)
        shown.update("climbing", rank=1)
        clock.seconds += 3
        shown.update("climbing", rank=2, error=0.123456)
        clock.seconds += 4
        shown.update("writing")
        clock.seconds += 0.5
    assert capsys.readouterr().err.splitlines() == [
        "     2.0 s  reading",
        "     7.0 s  climbing  (rank 2  error 0.1235)",
        "     0.5 s  writing",
        "     9.5 s  in all",
    ]


def test_where_it_is_shown(monkeypatch):
    kinds = lambda **how: type(progress._made(**{"quiet": False, "verbose": False, "always": False, **how}))
    assert (kinds(), kinds(quiet=True), kinds(verbose=True), kinds(always=True)) == (Silent, Silent, Lines, Lines)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert (kinds(), kinds(quiet=True), kinds(verbose=True), kinds(always=True)) == (Terminal, Silent, Lines, Terminal)
    shell = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=None))
    monkeypatch.setitem(sys.modules, "IPython", shell)
    shown = []
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=lambda *a, **k: shown.append(a)))
    assert kinds(always=True) is Notebook
    assert kinds() is Terminal  # the command line, started from a notebook's shell


def test_a_notebook_needs_no_widgets(clock):
    outputs = []
    handle = types.SimpleNamespace(update=lambda bundle, raw: outputs.append(bundle))
    shown = Notebook(lambda bundle, raw, display_id: handle)
    shown.update("a < b", 0.25, step=3)
    shown.update("a < b", 0.26, step=4)  # too soon to be shown
    clock.seconds += 5
    shown.update("a < b", 0.5, step=9)
    shown.close()
    assert [out["text/plain"] for out in outputs] == [
        "a < b · 25% · 0 s · step 3", "a < b · 50% · about 10 s left · 5 s · step 9", "done in 5 s",
    ]  # fmt: skip
    assert outputs[0]["text/html"] == "<small>a &lt; b · 25% · 0 s · step 3</small>"


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_no_bar_where_nothing_is_known(monkeypatch, width):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    for name, value in {"TERM": "xterm", "COLUMNS": str(width), "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    with meter() as shown:
        shown.update("climbing in rank (row and column levels removed)", rank=3, error=0.5)
        time.sleep(0.25)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
        shown.update("training", 0.4, step=12)
        time.sleep(0.25)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "climbing in rank" in plain
    assert "0:00:00" in plain
    assert "%" not in plain
    assert "━" not in plain
    assert "40%" in text
    assert all(len(line) <= width for line in re.split(r"[\r\n]", text))


@pytest.mark.parametrize("wish", ["yes", 3])
def test_what_is_no_wish_is_refused(wish):
    with pytest.raises(InputError, match="`progress`"), told(wish, lambda shown: shown):
        pass


# --- progress=True --------------------------------------------------------------------------------------------------


def test_completions_tell_their_stages(capsys):
    rng = np.random.default_rng(0)
    W = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 15)) + 0.1 * rng.normal(size=(20, 15))
    done = rs.complete(np.where(rng.random(W.shape) < 0.7, W, np.nan), progress=True)
    err = capsys.readouterr().err
    assert f"climbing in rank (nothing removed)  (rank {done.rank}  held-out" in err
    assert "candidates compete" in err or "what the entries determine" in err
    assert err.splitlines()[-1].endswith("in all")
    rs.complete(W, progress=False)
    assert capsys.readouterr().err == ""


def test_runs_and_sweeps_and_figures_tell_how_far_they_are(capsys, tmp_path, monkeypatch):
    rs.simulate(
        rs.Estimation(eigenvalues=[2.0, 1.0]), initialization=rs.Identical(0.1), dynamics=rs.GradientDescent(0.01),
        steps=100, progress=True,
    )  # fmt: skip
    assert re.search(
        r"s  starting the engine\n.*s  training  \(step 100  effective rank .*\n.*in all", capsys.readouterr().err
    )
    base = dict(eigenvalues=[2.0, 1.0], steps=10)
    rs.sweep(base, over={"alpha": [0.1, 0.2]}, store=tmp_path / "s.zarr", progress=True)
    assert re.search(r"s  runs  \(done 2  left 0", capsys.readouterr().err)
    figure = papers.PaperFigure("a", "A", {}, [], xr.Dataset(), [])
    made = types.SimpleNamespace(FIGURES={"one": lambda quick: figure, "two": lambda quick: figure})
    monkeypatch.setattr(sys.modules["rankscape.papers.reproduce"], "_room", lambda paper: made)
    assert [made.name for made in papers.reproduce("any", progress=True)] == ["a", "a"]
    assert re.search(r"s  figure 1 of 2: one\n.*s  figure 2 of 2: two\n", capsys.readouterr().err)
