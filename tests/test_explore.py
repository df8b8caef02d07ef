"""The explorer without a browser: its rooms answer what the library says, and its door is kept."""

import asyncio
import io
import json
import re
import shlex
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path

import browsing
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocketDisconnect

import rankscape as rs
from rankscape import explore
from rankscape.errors import InputError
from rankscape.explore import guard
from rankscape.explore.calls import Call, Frame, numbers
from rankscape.explore.climbed import lines as climb_lines
from rankscape.explore.climbed import recorded
from rankscape.explore.connection import Connection
from rankscape.explore.dropped import KEPT, Dropped
from rankscape.explore.opened import Opened
from rankscape.explore.pace import PATIENCE, PICTURES, Pace
from rankscape.explore.pivot import pivot, sampled
from rankscape.explore.reading import LABELS
from rankscape.explore.retold import lines as retold
from rankscape.explore.rooms import ROOMS
from rankscape.explore.rooms.climb import ClimbState
from rankscape.explore.rooms.complete import CompleteState
from rankscape.explore.rooms.complete import lines as complete_lines
from rankscape.explore.rooms.fall import FallState
from rankscape.explore.stretches import stretches

sync = pytest.importorskip("websockets.sync.client")

EVIL = '<script>alert("x")</script>&amp;'


def answers(room, state, opened=None, most=20, call=None):
    """The first frames of a room, by kind."""
    call = call or Call()
    found = {}
    for frame in ROOMS[room].frames(ROOMS[room].state.of(state), call, opened or Opened()):
        found.setdefault(frame.kind, []).append(frame)
        most -= 1
        if most == 0:
            break
    call.stop()
    return found


# -- frames and states ------------------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.floats(width=32, allow_nan=False), max_size=5), max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_frame_is_read_back_as_the_page_reads_it(arrays):
    packed = Frame("curves", {"x": float("nan"), "y": [1, None]}, {k: np.array(v) for k, v in arrays.items()}).packed(
        3, "main"
    )
    length = int.from_bytes(packed[:4], "little")
    assert length % 4 == 0
    head, rest = json.loads(packed[4 : 4 + length]), np.frombuffer(packed[4 + length :], "<f4")
    assert (head["ask"], head["slot"], head["kind"], head["facts"]) == (
        3,
        "main",
        "curves",
        {"x": None, "y": [1, None]},
    )
    for name, shape in head["arrays"].items():
        np.testing.assert_array_equal(rest[: shape[0]], np.float32(arrays[name]))
        rest = rest[shape[0] :]
    assert rest.size == 0


@pytest.mark.parametrize(
    "state",
    [
        ClimbState(),
        ClimbState((4.0, -2.5, 1e-3), 4, 0.02, 0.01, 3e-4, 500, 0.1, 2, "log"),
        FallState("random", "gaussian", 12, 2, 4.0, 3, 5, 1e-4, 0.05, 7, 100, 2, "", "5:0.001:0.1:7"),
        CompleteState("flower", 0.5, 3, "none", "real", 9, sheet="Two", header="no", missing="?,not known"),
        ROOMS["sweep"].state("alpha", "depth", "loss", 3, 5),
    ],
)
def test_a_state_is_its_address(state):
    assert type(state).of(state.address) == state
    assert set(state.address) <= {item.name for item in fields(state)}


@pytest.mark.parametrize(
    ("room", "state", "words"),
    [
        ("climb", {"eigenvalues": ""}, "`eigenvalues` is empty"),
        ("climb", {"eigenvalues": "5, x"}, "must be a number, got 'x'"),
        ("climb", {"eigenvalues": ",".join("1" * 300)}, "300 numbers"),
        ("climb", {"alpha": "0"}, "`alpha` must be positive"),
        ("climb", {"alpha": ""}, "`alpha` must be a number"),
        ("climb", {"steps": "1e12"}, "`steps`"),
        ("climb", {"axis": "sideways"}, "'linear' or 'log'"),
        ("fall", {"n": "100000"}, "`n`"),
        ("fall", {"ridge": "-1"}, "`ridge` must be positive"),
        ("fall", {"ridge": "1e300"}, "take a smaller ridge"),
        ("fall", {"problem": "other"}, "'planted' or 'random'"),
        ("complete", {"hide": "2"}, "`hide`"),
        ("complete", {"table": "0123"}, "drop it on the page again"),
        ("complete", {"table": "opened"}, "No table was named"),
        ("complete", {"max_rank": "1.5"}, "`max_rank`"),
    ],
)
def test_words_that_make_no_sense_are_refused_in_words(room, state, words):
    with pytest.raises(InputError, match=words):
        answers(room, state)


def test_numbers_are_read_as_people_write_them():
    assert numbers("x", "5,3;1".replace(";", " "), 9) == numbers("x", [5, "3", 1.0], 9) == (5.0, 3.0, 1.0)


# -- climb ------------------------------------------------------------------------------------------------


def test_climb_says_what_theory_says():
    state = {"eigenvalues": "5, 3, 1.5", "alpha": "0.1", "learning_rate": "0.001", "steps": "8000", "rank": "2"}
    found = answers("climb", state)
    curves = found["curves"][0]
    paths = rs.theory.eigenvalue_path([5, 3, 1.5], 3, 0.1, 1e-3, curves.arrays["steps"])
    np.testing.assert_array_equal(curves.arrays["paths"], paths.T)
    np.testing.assert_allclose(curves.arrays["rank"], np.abs(paths).sum(1) / np.abs(paths).max(1))
    plateaus = rs.theory.plateaus([5, 3, 1.5], 3, 0.1, 1e-3)
    assert [p["start"] for p in found["plateaus"][0].facts["plateaus"]] == [p.start for p in plateaus]
    rule = rs.theory.stopping_rule([5, 3, 1.5], 3, 0.1, 1e-3, rank=2)
    assert found["plateaus"][0].facts["stop"]["step"] == rule.step
    told = [f["words"] for f in found["words"][0].facts["findings"]]
    assert told == [f.message for f in rs.theory.diagnose([5, 3, 1.5], 3, 0.1, 1e-3)]


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_spectrum_of_a_real_matrix_is_taken(symmetric):
    A = np.random.default_rng(0).normal(size=(7, 7))
    A = A + A.T if symmetric else A
    content = io.BytesIO()
    np.save(content, A)
    opened = Opened()
    number = opened.dropped.keep("A.npy", content.getvalue())
    facts = answers("climb", {"do": "spectrum", "matrix": number}, opened)["spectrum"][0].facts
    opened.dropped.close()
    # In size both are the singular values.
    np.testing.assert_allclose(np.abs(facts["eigenvalues"]), np.linalg.svd(A)[1], rtol=1e-5)
    assert min(facts["eigenvalues"]) < 0 or not symmetric
    assert f"its 7 {'eigenvalues' if symmetric else 'singular values'}" in facts["words"]
    assert ("β" in facts["words"]) == symmetric


def test_of_what_has_no_spectrum_one_is_told_why(table):
    words = answers("climb", {"do": "spectrum", "matrix": "opened"}, Opened.at(table))["error"][0].facts["words"]
    assert "cells are missing" in words
    assert "“Complete”" in words
    assert ROOMS["climb"].start(Opened.at(table)) == {"matrix": "opened"}


def test_of_many_values_the_largest_are_taken():
    opened, content = Opened(), io.BytesIO()
    np.save(content, np.diag(np.arange(300.0)))
    number = opened.dropped.keep("A.npy", content.getvalue())
    facts = answers("climb", {"do": "spectrum", "matrix": number}, opened)["spectrum"][0].facts
    opened.dropped.close()
    assert facts["eigenvalues"] == list(range(299, 99, -1))
    assert "its 300 eigenvalues, of which the 200 largest are taken" in facts["words"]


def test_climb_designs():
    facts = answers("climb", {"do": "design", "rank": "2", "hold": "500", "steps": "8000"})["design"][0].facts
    plateau = rs.theory.plateaus([5.0, 3.0, 1.5], 3, facts["alpha"], facts["learning_rate"])[1]
    assert min(plateau.end, 8000) - plateau.start + 1 >= 500
    failed = answers("climb", {"do": "design", "rank": "2", "hold": "8000", "steps": "8000"})["design"][0].facts
    assert failed["alpha"] is None
    assert failed["failed"]


@pytest.mark.filterwarnings("ignore::rankscape.errors.RankscapeWarning")
def test_a_step_that_is_too_large_is_said_and_what_is_known_stays():
    found = answers("climb", {"learning_rate": "10"})
    assert "overflow" in found["error"][0].facts["words"]
    # Drawn as far as a picture shows it.
    arrays = found["curves"][0].arrays
    np.testing.assert_array_equal(
        arrays["paths"].T, rs.theory.eigenvalue_path([5.0, 3.0, 1.5], 3, 0.1, 10.0, arrays["steps"])
    )
    assert len(arrays["steps"]) >= 2
    assert np.abs(arrays["paths"][:, :-1]).max() <= 50
    assert any("exceeds the limit" in f["words"] for f in found["words"][0].facts["findings"])


@given(last=st.integers(2, 10**6), axis=st.sampled_from(["linear", "log"]))
def test_recorded_steps_increase_to_the_last(last, axis):
    steps = recorded(last, axis)
    assert steps[-1] == last
    assert (np.diff(steps) > 0).all()
    assert len(steps) <= 241


ODD = [
    ClimbState(),
    ClimbState((2.0, -1.0), beta=0.05, rank=1, steps=3000),
    ClimbState((-1.5, 3.0, 1e-3), 2, 0.05, 0.01, 2e-3, 1234, 0.1, 2, "log"),
    ClimbState(tuple(np.linspace(4, 0.5, 25).round(3).tolist()), 4, 0.3, None, 1e-3, 999, rank=3),
    ClimbState((1.0, 1.0, 0.0), 2, 2.0, steps=7),
]


@pytest.mark.filterwarnings("ignore::rankscape.errors.RankscapeWarning")
@pytest.mark.parametrize("state", ODD, ids=range(len(ODD)))
def test_the_lines_to_copy_do_the_same(state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there: dict = {}
    exec(climb_lines(state)["python"], there)
    shown = answers("climb", state.address)
    curves = shown["curves"][0].arrays
    np.testing.assert_array_equal(there["steps"], curves["steps"])
    np.testing.assert_array_equal(there["paths"].T, curves["paths"])
    found = [p["start"] for p in shown["plateaus"][0].facts["plateaus"]]
    assert [p.start for p in there["plateaus"]] == found
    times = [(time["lower"], time["upper"]) for time in shown["times"][0].facts["times"]]
    assert [(time.lower, time.upper) for time in there["times"]] == times
    if state.rank is not None:
        assert there["stop"].step == shown["plateaus"][0].facts["stop"]["step"]
    known, run = climb_lines(state)["shell"].splitlines()
    done = subprocess.run([sys.executable, "-m", *known.split(), "--json"], capture_output=True, text=True, check=True)
    assert [p["start"] for p in json.loads(done.stdout)["plateaus"]] == found
    subprocess.run([sys.executable, "-m", *run.split()], capture_output=True, check=True)
    made = rs.Trajectory.load(tmp_path / "run.zarr").dataset
    np.testing.assert_array_equal(made.step, curves["steps"])
    np.testing.assert_allclose(made.eigenvalues, curves["paths"].T, rtol=1e-9, atol=1e-12)


# -- fall -------------------------------------------------------------------------------------------------


def test_fall_is_the_run_of_the_library():
    state = {"problem": "random", "n": "12", "rank": "2", "width": "5", "pace": "300", "learning_rate": "0.05"}
    frames = answers("fall", state, most=7)["run"]
    assert frames[-1].facts["step"] == 901
    lab = rs.data.gaussian(12, 2, 3.0, 0)
    there: dict = {}
    exec(retold(FallState.of(state), [])["python"].replace("100_000", "901"), there)
    np.testing.assert_allclose(
        frames[-1].arrays["now"][:5], there["run"].dataset.singular_values.values[-1, :5], rtol=1e-12
    )
    assert frames[-1].facts["test"] == pytest.approx(lab.relative_error(there["run"].product))


def test_jumps_of_a_live_run_have_the_steps_of_the_whole(monkeypatch):
    monkeypatch.setattr("rankscape.explore.pace.Pace.took", lambda *_: None)
    monkeypatch.setattr("rankscape.explore.pace.FIRST", 20_000)
    state = FallState(pace=20_000)
    frames = answers("fall", state.address, most=7)["run"]
    there: dict = {}
    exec(retold(state, [])["python"].replace("100_000", "60_001"), there)
    found = [jump for frame in frames for jump in frame.facts["jumps"]]
    assert found == there["run"].jumps.values.tolist() != []


SMALL = {"problem": "random", "n": "12", "rank": "2", "width": "5", "pace": "200"}


def altered(start, told, most=14):
    """Pictures of a run to which something is told after some of them."""
    call, seen = Call(), []
    for frame in ROOMS["fall"].frames(FallState.of(SMALL | start), call, Opened()):
        seen += [frame] if frame.kind == "run" else []
        if frame.kind == "run" and len(seen) in told:
            call.tell(told[len(seen)])
        if len(seen) == most:
            call.stop()
    return seen


TOLD = {
    "altered": {3: {"ridge": "0.01"}, 6: {"learning_rate": "0.02", "ridge": "0.004"}},
    "back": {4: {"ridge": "0.01"}, 7: {"back": "401"}},
    "forked": {5: {"back": "401", "fork": "5"}, 9: {"ridge": "0.002"}, 11: {"back": "201"}},
}


@pytest.mark.parametrize("start", [{}, {"start": "gaussian"}, {"problem": "planted"}], ids=str)
@pytest.mark.parametrize("told", TOLD)
def test_a_run_that_was_altered_is_made_again_from_its_address_and_by_its_lines(start, told):
    last = altered(start, TOLD[told])[-1]
    assert len(stretches(last.facts["past"])) > 1
    there: dict = {}
    exec(last.facts["python"], there)
    run, lab = there["run"], there["lab"]
    assert lab.relative_error(run.product) == pytest.approx(last.facts["test"], rel=1e-12)
    np.testing.assert_allclose(run.dataset.singular_values.values[-1, :3], last.arrays["now"][:3], rtol=1e-9)
    # As its link says, and then it stands still.
    call, again = Call(), []
    for frame in ROOMS["fall"].frames(FallState.of(SMALL | start | {"past": last.facts["past"]}), call, Opened()):
        again += [frame] if frame.kind == "run" else []
        if again and again[-1].facts["step"] == last.facts["step"]:
            threading.Timer(0.3, call.stop).start()
    assert again[-1].facts["step"] == last.facts["step"]
    assert again[-1].facts["past"] == last.facts["past"]
    np.testing.assert_array_equal(again[-1].arrays["now"], last.arrays["now"])


@pytest.mark.parametrize("past", ["5", "5:1:1:0:3", "5:1:1:0,4:1:1:0", "x:1:1:0", "5:-1:1:0", "5:1:1:-1", "0:1:1:1"])
def test_what_no_run_has_been_through_is_refused_in_words(past):
    with pytest.raises(InputError, match="`past`"):
        answers("fall", SMALL | {"past": past})


def test_a_run_that_goes_back_does_the_same_again():
    seen = altered({}, {6: {"back": "401"}}, most=9)
    steps = [frame.facts["step"] for frame in seen]
    assert steps == [1, 201, 401, 601, 801, 1001, 401, 601, 801]
    np.testing.assert_array_equal(seen[8].arrays["now"], seen[4].arrays["now"])


def test_a_run_in_flight_listens():
    call, seen = Call(), []
    state = FallState.of({"problem": "random", "n": "12", "rank": "2", "width": "5", "pace": "200"})
    for frame in ROOMS["fall"].frames(state, call, Opened()):
        seen.append(frame)
        if len(seen) == 6:
            call.tell({"ridge": "0.01", "learning_rate": "0.02"})
        if len(seen) == 9:
            call.tell({"back": "201", "fork": "5"})
        if len(seen) == 12:
            call.stop()
    rates = [frame.facts["learning_rate"] for frame in seen if frame.kind == "run"]
    assert (rates[0], rates[-1]) == (0.17, 0.02)
    back = next(k for k, frame in enumerate(seen) if frame.kind == "back")
    assert seen[back].facts["step"] == 201
    assert [frame.facts["step"] for frame in seen[back + 1 :] if frame.kind == "run"][:2] == [201, 401]
    assert seen[-1].facts["seed"] == 5


def test_what_cannot_be_done_in_flight_is_said_and_the_run_goes_on():
    """Who types 0.002 says 0 first."""
    call, kinds, steps, words = Call(), [], [], []
    for frame in ROOMS["fall"].frames(FallState.of(SMALL), call, Opened()):
        kinds.append(frame.kind)
        steps += [frame.facts["step"]] if frame.kind == "run" else []
        words += [frame.facts["words"]] if frame.kind == "caution" else []
        if frame.kind == "run" and len(steps) in (3, 5):
            call.tell({"ridge": "0" if len(steps) == 3 else "0.004"})
        if len(steps) == 8:
            call.stop()
    assert "error" not in kinds
    assert [bool(said) for said in words] == [True, False]
    assert "`ridge` must be positive" in words[0]
    assert steps == [1, *range(201, 1600, 200)]
    assert frame.facts["ridge"] == 0.004


@pytest.mark.filterwarnings("ignore::rankscape.errors.RankscapeWarning")
def test_a_run_that_overflows_says_so_and_can_be_taken_back():
    call, seen = Call(), []
    threading.Timer(20.0, call.stop).start()
    for frame in ROOMS["fall"].frames(FallState.of(SMALL | {"start": "gaussian"}), call, Opened()):
        seen.append(frame)
        if len([frame for frame in seen if frame.kind == "run"]) == 4:
            call.tell({"learning_rate": "1.5"})
        if frame.kind == "error":
            call.tell({"back": "201", "learning_rate": "0.05", "paused": False})
        if frame.kind == "run" and "error" in [before.kind for before in seen] and frame.facts["step"] == 801:
            call.stop()
    words = next(frame for frame in seen if frame.kind == "error").facts["words"]
    assert "verflow" in words or "diverge" in words
    after = seen[[frame.kind for frame in seen].index("error") + 1 :]
    assert [frame.facts["step"] for frame in after if frame.kind != "caution"] == [201, 201, 401, 601, 801]


@pytest.mark.parametrize("do", ["", "expect"])
def test_a_descent_that_takes_minutes_ends_when_nobody_waits(do):
    """Of six factors that are 200 wide, far from any minimum."""
    call = Call()
    state = {"problem": "random", "n": "200", "depth": "6", "width": "200", "do": do}
    threading.Timer(2.0, call.stop).start()
    began = time.monotonic()
    kinds = [frame.kind for frame in ROOMS["fall"].frames(FallState.of(state), call, Opened())]
    assert kinds == ([] if do else ["landscape", "ladder", "begin"])
    assert time.monotonic() - began < 6


def test_a_start_that_is_no_minimum_yet_is_said_before_the_run(monkeypatch):
    descend = rs.relax
    monkeypatch.setattr("rankscape.relax", lambda *given, **more: descend(*given, most=3, **more))
    state = {"problem": "random", "n": "12", "rank": "2", "width": "5", "pace": "200"}
    kinds, words = [], ""
    call = Call()
    for frame in ROOMS["fall"].frames(FallState.of(state), call, Opened()):
        kinds.append(frame.kind)
        words += frame.facts["words"] if frame.kind == "caution" else ""
        if len(kinds) == 6:
            call.stop()
    assert kinds[:5] == ["landscape", "ladder", "begin", "caution", "run"]
    assert "still on its way after 3 implicit steps" in words


def test_a_picture_takes_no_longer_than_one_waits_whatever_the_pace():
    call, steps = Call(), []
    state = {"problem": "random", "n": "12", "rank": "2", "width": "5", "start": "gaussian", "pace": "10000000"}
    for frame in ROOMS["fall"].frames(FallState.of(state), call, Opened()):
        steps += [frame.facts["step"]] if frame.kind == "run" else []
        if len(steps) == 5:
            call.stop()
    assert steps[:2] == [1, 1001]
    assert steps[-1] < 20_000


@given(
    asked=st.sampled_from([0, 1, 500, 10_000_000]),
    speeds=st.lists(st.floats(1, 1e9), min_size=1, max_size=4),
    overhead=st.floats(0, 0.05),
)
@settings(max_examples=60, deadline=None)
def test_the_pace_follows_the_machine_however_long_a_run_goes_on(asked, speeds, overhead):
    """Hours of pictures, of a machine whose speed changes: none takes more than twice what one waits for."""
    pace = Pace(asked)
    for speed in speeds:
        for k in range(1500):
            steps = pace.steps
            seconds = steps / speed + overhead
            if k > 100:
                assert seconds <= max(2 * PATIENCE, 2 / speed) + overhead
            pace.took(steps, seconds)
        assert pace.steps == asked or seconds >= min(0.9 / PICTURES, 0.5 / speed)


@pytest.mark.parametrize("mode", [1, 2, 200])
def test_the_landscape_is_that_of_the_chosen_mode(mode):
    lab = rs.data.planted(seed=0)
    found = answers("fall", {"mode": str(mode), "do": "landscape"})
    assert set(found) == {"landscape", "ladder"}
    facts, arrays = found["landscape"][0].facts, found["landscape"][0].arrays
    values = np.linalg.svd(lab.matrix, compute_uv=False)
    assert facts["mode"] == min(mode, 2)  # of a matrix of rank 2
    a = values[facts["mode"] - 1]
    at = rs.theory.landscape.critical_points(a, 3, FallState().ridge, 1 / lab.matrix.size)
    assert (facts["minimum"], facts["barrier"]) == (at.minimum, at.barrier)
    np.testing.assert_allclose(facts["modes"], values[:2])
    low = arrays["s"][np.argmin(arrays["objective"])]
    assert low == pytest.approx(float(at.minimum), abs=2 * arrays["s"][1])


def test_a_mode_that_dies_has_no_minimum_to_mark():
    facts = answers("fall", {"ridge": "10", "do": "landscape"})["landscape"][0].facts
    assert (facts["minimum"], facts["barrier"], facts["global"]) == (None, None, False)


# -- complete ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 8)) + 0.05 * rng.normal(size=(30, 8))
    X[rng.random(X.shape) < 0.2] = np.nan
    path = tmp_path_factory.mktemp("explore") / "table.csv"
    cells = [
        [f"r{i}{EVIL if i == 0 else ''}", *("" if np.isnan(v) else f"{v:.4f}" for v in row)] for i, row in enumerate(X)
    ]
    path.write_text("\n".join(",".join(line) for line in [["id", *"abcdefgh"], *cells]), encoding="utf-8")
    return path


def test_complete_says_what_the_library_says(table):
    opened, call, seen = Opened.at(table), Call(), {}
    for frame in ROOMS["complete"].frames(CompleteState("opened"), call, opened):
        seen[frame.kind] = frame
        if frame.kind == "files":
            call.tell({"rows": "1,,,,,,,\n" + ",".join("12345678")})
        if frame.kind == "rows":
            call.stop()
    read = rs.files.read(table)
    done = rs.complete(read.dense(), seed=0)
    found = seen["done"].facts
    assert (found["rank"], found["heldout"], found["reason"]) == (done.rank, done.heldout_rmse, done.reason)
    assert found["trusted"] == done.certificate.trusted
    np.testing.assert_array_equal(seen["read"].arrays["seen"], np.isfinite(read.dense()))
    shown = np.array([[cell[0] for cell in line] for line in found["table"]])
    np.testing.assert_allclose(shown, done.matrix[:16, :8])
    assert [[cell[1] for cell in line] for line in found["table"]] == np.isnan(read.dense())[:16].tolist()
    new = np.array([[1.0, *[np.nan] * 7], np.arange(1.0, 9)])
    np.testing.assert_allclose([[v for v, _ in row] for row in seen["rows"].facts["cells"]], done.new_rows(new).matrix)
    number = seen["files"].facts["number"]
    saved = opened.dropped.result(number, "table")
    assert saved is not None
    np.testing.assert_allclose(rs.files.read(saved).dense(), done.matrix, rtol=1e-3)
    assert EVIL not in opened.dropped.result(number, "report").read_text(encoding="utf-8")  # pyright: ignore
    opened.dropped.close()
    assert not saved.exists()


def test_a_share_that_is_hidden_is_judged_as_on_the_command_line(table, capsys):
    from rankscape.cli.app import start

    call, opened = Call(), Opened.at(table)
    frames = ROOMS["complete"].frames(CompleteState("opened", 0.2), call, opened)
    found = next(frame.facts for frame in frames if frame.kind == "done")
    call.stop()
    opened.dropped.close()
    assert (
        start(
            [
                "complete",
                str(table),
                "--hide",
                "0.2",
                "--seed",
                "0",
                "--json",
                "--no-figure",
                "-o",
                str(table.with_name("out.csv")),
            ]
        )
        == 0
    )
    assert found["hidden"] == pytest.approx(json.loads(capsys.readouterr().out)["hidden"]["rmse"])


def test_a_completion_that_nobody_waits_for_ends(table):
    import multiprocessing

    opened, call = Opened.at(table), Call()
    frames = ROOMS["complete"].frames(CompleteState("opened"), call, opened)
    assert next(frames).kind == "begin"
    assert next(frames).kind == "read"
    call.stop()
    assert list(frames) == []
    assert multiprocessing.active_children() == []
    opened.dropped.close()


def test_a_file_that_is_no_table_is_refused_in_words(tmp_path):
    opened = Opened()
    number = opened.dropped.keep("x.npy", b"\x93NUMPY nothing")
    found = answers("complete", {"table": number}, opened)
    assert found["error"][0].facts["words"].startswith("x.npy")  # and nothing of where it is kept
    assert answers("climb", {"do": "spectrum", "matrix": number}, opened)["error"][0].facts["words"].startswith("x.npy")
    opened.dropped.close()


@pytest.mark.parametrize(
    ("file", "content", "label"),
    [
        ("one.csv", b"a\n1\n2\n\n4\n", "Layout"),
        ("twice.csv", b"user,item,rating\nu,a,1\nu,a,2\nv,a,3\nv,b,1\n", "Given twice"),
    ],
)
def test_a_refused_file_names_the_field_of_the_page(file, content, label):
    """The reader names options of the command line; the page has fields, and the room `climb` has none."""
    opened = Opened()
    number = opened.dropped.keep(file, content)
    words = answers("complete", {"table": number}, opened)["error"][0].facts["words"]
    assert f"(On this page: “{label}” under “How the file is read”.)" in words
    bare = answers("climb", {"do": "spectrum", "matrix": number}, opened)["error"][0].facts["words"]
    assert words.startswith(bare)
    assert "On this page" not in bare
    opened.dropped.close()


def test_the_fields_are_called_as_on_the_page():
    page = (Path(explore.__file__).parent / "assets" / "rooms" / "complete.html").read_text()
    shown = {name: label for label, name in re.findall(r"<label[^>]*>([^<]*)</label><\w+ [^>]*name=\"(\w+)\"", page)}
    assert all(shown[name].startswith(label) for name, label in LABELS.items())


def test_lines_of_a_completion_run(table, monkeypatch):
    monkeypatch.chdir(table.parent)
    there: dict = {}
    state = CompleteState("opened", max_rank=1)
    exec(complete_lines("table.csv", state)["python"], there)
    assert there["done"].rank == 1
    assert complete_lines("a b.csv", state)["shell"] == "rankscape complete 'a b.csv' --max-rank 1 --seed 0"


def test_dropped_files_keep_nothing_of_a_path_and_old_ones_leave():
    kept = Dropped()
    number = kept.keep("../../etc/pass wd.csv", b"1")
    assert kept.file(number).name == "pass_wd.csv"
    for _ in range(KEPT):
        kept.keep("a.csv", b"2")
    with pytest.raises(InputError, match="gone"):
        kept.file(number)
    assert kept.result("..", "table") is None
    kept.close()


def test_what_a_killed_server_left_goes_when_another_is_given_a_file():
    code = "import os; from rankscape.explore.dropped import Dropped; kept = Dropped()\n"
    code += "print(kept.file(kept.keep('a.csv', b'1')), flush=True); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    left = Path(killed.stdout.strip())
    assert killed.returncode == -9
    assert left.read_bytes() == b"1"
    kept = Dropped()
    beside = kept.file(kept.keep("b.csv", b"2"))
    assert not left.parent.parent.exists()
    kept.close()
    assert not beside.parent.parent.exists()


# -- runs -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    base = dict(eigenvalues=[3.0, 1.0], learning_rate=2e-3, steps=1500)
    grid = rs.sweep(base, over={"alpha": [0.05, 0.1, 0.2], "depth": [2, 3]}, store=folder / "grid.zarr")
    run = rs.simulate(
        rs.Estimation(eigenvalues=[3.0, 1.0]),
        3,
        initialization=rs.Identical(0.1),
        dynamics=rs.GradientDescent(2e-3),
        steps=900,
    )
    run.save(folder / "run.zarr")
    return grid, run, folder


def test_runs_shows_the_grid_with_theory_on_it(stores):
    grid, _, folder = stores
    found = answers("sweep", {"x": "alpha"}, Opened.at(folder / "grid.zarr"))
    diagram, theory = found["diagram"][0], found["theory"][0]
    expected = grid.unstack()["effective_rank"].isel(step=-1).transpose("depth", "alpha").values
    np.testing.assert_allclose(diagram.arrays["grid"], expected)
    np.testing.assert_allclose(theory.arrays["grid"], expected, rtol=1e-9)
    assert (diagram.facts["xs"], diagram.facts["ys"]) == (["0.05", "0.1", "0.2"], ["2", "3"])
    run = diagram.facts["runs_of"][1][2]
    curves = answers("sweep", {"run": str(run)}, Opened.at(folder / "grid.zarr"))["curves"][0]
    assert "alpha = 0.2" in curves.facts["words"]
    assert "depth = 3" in curves.facts["words"]
    assert curves.arrays["rank"][-1] == pytest.approx(expected[1, 2])
    means = answers("sweep", {"x": "alpha", "value": "loss", "at": "3"}, Opened.at(folder / "grid.zarr"))["diagram"][0]
    np.testing.assert_allclose(
        means.arrays["grid"], grid.unstack()["loss"].isel(step=-4).transpose("depth", "alpha").values
    )


@pytest.mark.parametrize(
    "state", [{}, {"x": "depth", "value": "loss", "at": "3"}, {"run": "4"}, {"y": "depth", "x": "alpha"}], ids=str
)
def test_lines_of_a_sweep_make_the_same_numbers(stores, state):
    found = answers("sweep", state, Opened.at(stores[2] / "grid.zarr"))
    frame = found["curves" if "run" in state else "diagram"][0]
    there: dict = {}
    exec(frame.facts["python"], there)
    if "run" in state:
        np.testing.assert_array_equal(frame.arrays["rank"][-1], there["run"].effective_rank.values[-1])
        return
    np.testing.assert_allclose(there["table"].unstack().values, frame.arrays["grid"])
    assert there["table"].unstack().columns.name == frame.facts["x"]
    command = [sys.executable, "-m", *shlex.split(frame.facts["shell"])]
    subprocess.run(command, check=True, capture_output=True, cwd=stores[2])
    assert len((stores[2] / "runs.csv").read_text(encoding="utf-8").splitlines()) > 6


def test_of_long_axes_some_values_are_shown_and_that_is_said():
    a, b = np.meshgrid(np.arange(150.0), np.arange(4.0), indexing="ij")
    grid, edges, runs, said = sampled(*pivot((10 * a + b).ravel(), [a.ravel(), b.ravel()]), ("alpha", "depth"))
    np.testing.assert_array_equal(grid, 10 * edges[0] + edges[1][:, None])
    np.testing.assert_array_equal(runs, 4 * edges[0] + edges[1][:, None])
    assert (grid.shape, edges[0][0], edges[0][-1]) == ((4, 60), 0, 149)
    assert said == ["150 values of alpha are too many for a picture: 60 of them are shown."]


def test_runs_shows_a_run(stores):
    _, run, folder = stores
    curves = answers("sweep", {}, Opened.at(folder / "run.zarr"))["curves"][0]
    np.testing.assert_array_equal(curves.arrays["rank"], run.dataset.effective_rank.values)
    there: dict = {}
    exec(curves.facts["python"], there)
    assert there["run"].dataset.equals(run.dataset)


def test_what_is_opened_is_told_apart(stores, table, tmp_path):
    folder = stores[2]
    kinds = {folder / "grid.zarr": "sweep", folder / "run.zarr": "run", table: "table"}
    assert {path: Opened.at(path).kind for path in kinds} == kinds
    with pytest.raises(InputError, match="no such file"):
        Opened.at(tmp_path / "nothing")
    with pytest.raises(InputError, match="no run"):
        Opened.at(tmp_path)


# -- the door ---------------------------------------------------------------------------------------------


def asked(address, path="", method="GET", data=None, **headers):
    """Code, headers and text of an answer."""
    request = urllib.request.Request(address.rstrip("/") + "/" + path, data=data, method=method, headers=headers)
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@pytest.fixture(scope="module")
def address(table):
    with browsing.explorer(str(table)) as found:
        yield found.rsplit("/", 1)[0]


def test_pages_are_whole_before_scripts_and_load_nothing_from_elsewhere(address):
    for path in ("", *ROOMS):
        code, headers, text = asked(address, path)
        assert code == 200
        assert headers["content-security-policy"] == guard.POLICY
        assert "//" not in text.replace("<!DOCTYPE", "").split("<body>")[0]
        assert "table.csv" in text
        assert "<script>" not in text
    assert asked(address, "nothing")[0] == 404
    assert asked(address, "assets/../server.py")[0] == 404
    assert asked(address, "assets/page.html")[0] == 404


def test_only_this_page_may_ask(address):
    host = address.removeprefix("http://")
    assert asked(address, Host="evil.example")[0] == 400
    assert asked(address, Host=host, Origin="http://evil.example")[0] == 403
    for origin in ("null", f"http://evil.example://{host}", f"file://{host}", f"http://{host}.evil.example"):
        assert asked(address, Host=host, Origin=origin)[0] == 403
    assert asked(address, "drop?name=a.csv", "POST", b"x")[0] == 403  # nobody says where it comes from
    assert asked(address, "drop?name=a.csv", "POST", b"x", Origin=f"http://{host}")[0] == 200
    assert asked(address, "drop", "POST", b"x", Origin=f"http://{host}", **{"Content-Length": str(1 << 40)})[0] == 413
    with pytest.raises(Exception, match=r"403|rejected|1008"):
        sync.connect(address.replace("http", "ws") + "/socket", origin="http://evil.example")


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large_is_heard_out_and_then_refused(address, told):
    """Who is still sending when the line is cut reads no answer; a browser says so without reason."""
    host = address.removeprefix("http://")
    parts = [bytes(1 << 20)] * 80
    data, more = (b"".join(parts), {}) if told else (iter(parts), {"Transfer-Encoding": "chunked"})
    code, _, words = asked(address, "drop?name=a.csv", "POST", data, Origin=f"http://{host}", **more)
    assert (code, words) == (413, guard.TOO_LARGE)


def test_the_socket_answers_the_newest_question(address):
    host = address.removeprefix("http://")
    with sync.connect(f"ws://{host}/socket", origin=f"http://{host}") as socket:
        for ask in range(1, 40):
            socket.send(json.dumps({"ask": ask, "room": "climb", "state": {"alpha": str(0.1 + ask / 1000)}}))
        kinds = []
        while not kinds or kinds[-1] != (39, "end"):
            data = socket.recv(timeout=20)
            head = browsing.head_of(data)
            kinds.append((head["ask"], head["kind"]))
        assert (39, "curves") in kinds
        assert len({ask for ask, _ in kinds}) < 39
        socket.send(json.dumps({"ask": 40, "room": "climb", "state": {"alpha": "nonsense"}}))
        data = socket.recv(timeout=20)
        assert b"must be a number" in data
        socket.send("no json")
        with pytest.raises(Exception, match=r"1000|1005|1006|closed|received"):
            list(iter(lambda: socket.recv(timeout=20), None))


def test_a_token_is_asked_for_and_leaves_the_address():
    with browsing.explorer("--token", "s3cret") as found:
        address = found.split("?")[0].rstrip("/")
        assert found.endswith("?token=s3cret")
        assert asked(address)[0] == 401
        assert asked(address, "climb?token=other")[0] == 401
        code, headers, _ = asked(address, "climb?alpha=0.2&token=s3cret")
        assert (code, headers["location"]) == (303, "/climb?alpha=0.2")
        assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in headers["set-cookie"].split(";")}
        assert asked(address, "climb", Cookie=headers["set-cookie"].split(";")[0])[0] == 200


@pytest.mark.parametrize("token", ["a b;c=d, e", "ключ", "%41&x=1", '"quoted"'])
def test_any_word_is_a_token_and_servers_of_one_machine_keep_theirs_apart(token):
    with browsing.explorer("--token", token) as found, browsing.explorer("--token", "other") as beside:
        address, query = found.split("?")
        _, headers, _ = asked(address.rstrip("/"), f"?{query}")
        cookie = headers["set-cookie"].split(";")[0]
        assert token not in cookie
        _, headers, _ = asked(beside.split("?")[0].rstrip("/"), "?token=other")
        both = f"{cookie}; {headers['set-cookie'].split(';')[0]}"  # as a browser sends what two ports have set
        assert asked(address.rstrip("/"), "climb", Cookie=both)[0] == 200
        assert asked(beside.split("?")[0].rstrip("/"), "climb", Cookie=both)[0] == 200


def test_under_every_address_of_a_machine_the_token_decides():
    with browsing.explorer("--host", "0.0.0.0", "--token", "s3cret") as found:
        port = found.split(":")[2].split("/")[0]
        here = f"http://127.0.0.1:{port}"
        assert asked(here, Host="laboratory.example")[0] == 401
        cookie = asked(here, "?token=s3cret", Host="laboratory.example")[1]["set-cookie"].split(";")[0]
        assert asked(here, Host="laboratory.example", Cookie=cookie)[0] == 200
        foreign = {"Host": "laboratory.example", "Origin": "http://evil.example", "Cookie": cookie}
        assert asked(here, "drop", "POST", b"x", **foreign)[0] == 403


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv"], "there is no such file"),
        (["--host", "0.0.0.0"], "give a --token"),
        (["--port", "99999"], "Port 99999"),
        (["--host", "no.such.host.example", "--token", "x"], "cannot be had"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(arguments, words, tmp_path):
    command = [sys.executable, "-m", "rankscape", "explore", "--no-browser", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_page_is_imported_by_its_command_alone():
    words = "import sys, rankscape, rankscape.cli.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] if not name.startswith("rankscape.") else name for name in done.stdout.split()}
    assert "rankscape.cli.app" in loaded
    assert not loaded & {"starlette", "uvicorn", "websockets", "rankscape.explore"}


def test_scripts_hold_no_address_of_elsewhere():
    folder = Path(guard.__file__).parent / "assets"
    for path in folder.rglob("*.js"):
        if path.name != "uPlot.js":
            text = path.read_text(encoding="utf-8")
            assert "innerHTML" not in text
            assert "http" not in text.replace("https:", "")


class Leaving:
    """A socket whose page asks once and is gone: an answer finds that out before the page says so."""

    def __init__(self, messages, end):
        self.messages, self.end, self.closed = list(messages), end, []

    async def accept(self):
        pass

    async def receive_text(self):
        await asyncio.sleep(0.05)
        if self.messages:
            return self.messages.pop(0)
        raise self.end

    async def send_bytes(self, content):
        raise WebSocketDisconnect(1006)

    async def close(self, code):
        self.closed.append(code)
        raise self.end


GONE = [WebSocketDisconnect(1001), RuntimeError('WebSocket is not connected. Need to call "accept" first.')]


@pytest.mark.parametrize("end", GONE, ids=["as it says", "as an answer found out"])
@pytest.mark.parametrize("message", ['{"ask": 1, "room": "climb", "state": {}}', "no JSON", "[" * 100_000], ids=len)
def test_a_page_that_leaves_is_no_error(end, message):
    socket = Leaving([message], end)
    asyncio.run(Connection(socket, Opened()).serve())
    assert socket.closed == ([] if message.startswith("{") else [1003])
