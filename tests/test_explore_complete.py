"""The room where tables are completed: what it says is what the library and the command line say."""

import contextlib
import json
import os
import shlex

import numpy as np
import pytest
import worked
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError, RankscapeError
from rankscape.estimators.completion.completed.tabled import load_model
from rankscape.explore import pictures
from rankscape.explore.calls import Call
from rankscape.explore.completing import LARGEST, complete_table
from rankscape.explore.dropped import Dropped
from rankscape.explore.fresh_rows import filled, parsed
from rankscape.explore.opened import Opened
from rankscape.explore.rooms import ROOMS
from rankscape.explore.rooms.complete import CompleteState, lines
from rankscape.explore.workers import frames_of

EVIL = '<script>alert("x")</script>&amp;'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with names that would be scripts, and a model of it."""
    place = tmp_path_factory.mktemp("complete")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 9)) + 0.05 * rng.normal(size=(30, 9))
    X[rng.random(X.shape) < 0.2] = np.nan
    lines_ = [["id", EVIL, *"bcdefghi"]]
    lines_ += [[f"r{i}", *("" if np.isnan(v) else f"{v:.4f}" for v in row)] for i, row in enumerate(X)]
    # Quoted, as spreadsheets do.
    text = "\n".join(",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) for line in lines_)
    (place / "table.csv").write_text(text, encoding="utf-8")
    return place


def answers(state, opened, last=("done",)):
    """Frames of the room by kind, up to one of these kinds."""
    call, found = Call(), {}
    for frame in ROOMS["complete"].frames(state, call, opened):
        found[frame.kind] = frame
        if frame.kind in (*last, "error"):
            break
    call.stop()
    return found


# -- lines to copy ----------------------------------------------------------------------------------------

STATES = [
    CompleteState("opened"),
    CompleteState("opened", hide=0.2, seed=3),
    CompleteState("opened", max_rank=2, ordered="none", kind="real", seed=1),
    CompleteState("opened", hide=0.1, max_rank=1, ordered="rows"),
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: "&".join(state.address))
def test_lines_to_copy_reproduce_what_the_page_says(state, folder, monkeypatch, capsys, tmp_path):
    from rankscape.cli.app import start

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a table.csv").write_bytes((folder / "table.csv").read_bytes())
    said = answers(state, Opened.at(tmp_path / "a table.csv"))["done"].facts
    code = lines("a table.csv", state)
    there: dict = {}
    exec(code["python"], there)
    done = there["done"]
    assert (done.rank, done.heldout_rmse, done.reason) == (said["rank"], said["heldout"], said["reason"])
    if state.hide:
        assert done.rmse(there["split"].heldout.entries) == said["hidden"]
    capsys.readouterr()
    assert start([*shlex.split(code["shell"])[1:], "--json", "--no-figure"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["rank"] == said["rank"]
    if state.hide:
        assert printed["hidden"]["rmse"] == pytest.approx(said["hidden"])


def test_a_name_that_looks_like_an_option_or_a_script_is_quoted():
    state = CompleteState("opened")
    assert shlex.split(lines("-rf.csv", state)["shell"])[2] == "./-rf.csv"
    name = "a'; rm x; \".csv"
    assert shlex.split(lines(name, state)["shell"])[2] == name
    assert compile(lines(name, state)["python"], "lines", "exec")


def test_a_dropped_file_keeps_the_name_that_people_know():
    kept = Dropped()
    number = kept.keep("C:\\data\\Bäume 2024.csv", b"1,2\n3,\n")
    assert kept.name(number) == "Bäume 2024.csv"
    assert kept.file(number).name.isascii()
    assert "Bäume 2024.csv" in lines(kept.name(number), CompleteState(number))["python"]
    assert "\n" not in kept.name(kept.keep("a\nb.csv", b"1"))
    kept.close()
    assert kept.name(number) == ""


# -- models -----------------------------------------------------------------------------------------------


def test_a_model_that_the_page_wrote_keeps_names_and_is_shown_again(folder, tmp_path):
    opened = Opened.at(folder / "table.csv")
    first = answers(CompleteState("opened"), opened, last=("files",))
    saved = opened.dropped.result(first["files"].facts["number"], "model")
    assert saved is not None
    done, table = load_model(saved)
    assert list(table.column_labels) == [EVIL, *"bcdefghi"]  # pyright: ignore
    assert list(done.names.rows if table.row_labels is None else table.row_labels)[:2] == ["r0", "r1"]  # pyright: ignore
    assert set(first["files"].facts["names"].values()) == {
        "table-completed.csv",
        "table-standard-errors.csv",
        "table-report.html",
        "table-model.npz",
    }
    number = opened.dropped.keep("mine.npz", saved.read_bytes())
    again = answers(CompleteState(number), opened, last=("files",))
    assert again["files"].facts["names"] == {"table": "mine-completed.csv", "report": "mine-report.html"}
    _has_the_same_cells(opened.dropped, *(found["files"].facts["number"] for found in (first, again)))
    opened.dropped.close()
    assert again["read"].facts["read_as"] == "a saved model"
    for fact in ("rank", "heldout", "reason", "table", "path"):
        np.testing.assert_equal(again["done"].facts[fact], first["done"].facts[fact])
    (tmp_path / "mine.npz").write_bytes(number.encode())  # what is no model is no model
    assert Opened.at(tmp_path / "mine.npz").kind != "model"


def _has_the_same_cells(kept, first, again):
    """The files of a table and of its model: values, and a standard error where a cell was filled."""
    import pandas as pd

    places = [kept.result(first, "table"), kept.result(first, "errors"), kept.result(again, "table")]
    table, errors = (pd.read_csv(place, index_col=0) for place in places[:2])
    long = pd.read_csv(places[2])
    names = [list(map(str, labels)) for labels in (table.index, table.columns)]
    at = long["row"].map(names[0].index), long["column"].map(names[1].index)
    np.testing.assert_allclose(table.to_numpy()[at], long["value"])
    np.testing.assert_allclose(errors.to_numpy()[at], long["std_error"])
    assert (long["std_error"].isna() == long["observed"]).all()
    assert kept.result(again, "report").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


# -- pictures ---------------------------------------------------------------------------------------------


@given(st.integers(1, 600), st.integers(1, 700), st.integers(0, 2**32))
@pytest.mark.filterwarnings("ignore:No entry is observed")
@settings(max_examples=30, deadline=None)
def test_a_point_of_the_holes_is_the_share_of_its_block(rows, columns, seed):
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((rows, columns)) < 0.5, 1.0, np.nan)
    X[0, 0] = 1.0
    at = np.nonzero(np.isfinite(X))
    entries = rs.Completion(at[0], at[1], X[at], X.shape).entries
    shown = pictures.seen(entries, X.shape)
    down, across = pictures.edges(X.shape)
    assert shown.shape == (min(rows, pictures.TALL), min(columns, pictures.WIDE))
    for i, j in [(0, 0), (len(down) // 2 - 1, len(across) // 2 - 1), (-1, -1)]:
        block = X[down[:-1][i] : down[1:][i], across[:-1][j] : across[1:][j]]
        assert shown[i, j] == pytest.approx(np.isfinite(block).mean())
    assert bool(pictures.sampling(X.shape)) == (rows > pictures.TALL or columns > pictures.WIDE)


def test_a_table_too_large_for_the_page_is_seen_and_refused_in_words(tmp_path):
    side = 10_000
    assert side**2 > LARGEST
    path = tmp_path / "large.mtx"
    path.write_text(f"%%MatrixMarket matrix coordinate real general\n{side} {side} 2\n1 1 2.5\n{side} {side} 1\n")
    found = answers(CompleteState("opened"), Opened.at(path))
    assert found["read"].facts["observed"] == 2
    assert "first of them" in found["read"].facts["sampling"]
    assert np.count_nonzero(found["read"].arrays["seen"]) == 2
    assert "--top" in found["error"].facts["words"]


def test_what_reading_warns_of_is_said(tmp_path):
    (tmp_path / "gap.csv").write_text("a,b,c\n3,,3\n1,,4\n2,,7\n", encoding="utf-8")
    frame = next(complete_table(None, str(tmp_path / "gap.csv"), "gap.csv", "", "", {}, {"seed": 0}, 0.0))  # pyright: ignore
    assert any("No entry is observed in 1 column(s)" in words for words in frame.facts["warnings"])


# -- new rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Paste 1 to"),
        ("1,2\n" * 200, "Paste 1 to"),
        ("1,2", "3 columns"),
        ("1,2,x", "'x' is no finite number"),
        ("1,2,inf", "no finite number"),
        ("1,2,1e999", "no finite number"),
    ],
)
def test_rows_that_make_no_sense_are_refused_in_words(text, words):
    with pytest.raises(InputError, match=words):
        parsed(text, 3)


@pytest.mark.parametrize("text", ["1,NA,2.5", "1\t\t2.5", "1;;2,5", "1  ? 2.5", "1;-;2.5"])
def test_rows_are_read_as_people_paste_them(text):
    np.testing.assert_array_equal(parsed(text, 3), [[1, np.nan, 2.5]])


@given(st.text(alphabet="0123456789.,;\t\n eE+-naxé∞<>", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_rows_or_a_sentence(text):
    with contextlib.suppress(InputError):
        rows = parsed(text, 2)
        assert rows.shape[1] == 2
        assert not np.isinf(rows).any()


def test_new_rows_are_those_of_the_library(folder):
    done = rs.complete(rs.files.read(folder / "table.csv").dense(), seed=0)
    new = np.full((1, 9), np.nan)
    new[0, :2] = 1, -2
    cells = filled("1,-2" + "," * 7, done)["cells"]
    np.testing.assert_array_equal([[value for value, _ in line] for line in cells], done.new_rows(new).matrix)
    assert [hole for _, hole in cells[0]] == [False] * 2 + [True] * 7
    assert "no finite" in filled("a" + "," * 8, done)["error"]


# -- processes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (worked.refuses, "upside down"),
        (worked.stumbles, "A defect of rankscape: ValueError"),
        (worked.runs_out_of_disk, "A defect of rankscape: OSError"),
        (worked.takes_all_memory, "more memory than"),
        (worked.vanishes, "ended unexpectedly"),
        (worked.never_ends, "minutes of a processor"),
    ],
)
def test_what_goes_wrong_in_a_process_is_one_sentence(work, words, capfd):
    frames = list(frames_of(work, (), Call()))
    assert [frame.kind for frame in frames] == ["read", "error"]
    assert words in frames[1].facts["words"]
    assert "secret" not in frames[1].facts["words"]
    assert "Traceback" not in capfd.readouterr().err


def test_a_process_hears_what_the_page_says_and_ends():
    call = Call()
    call.tell({"rows": "1"})
    assert [frame.facts for frame in frames_of(worked.listens, (), call)] == [{"rows": "1"}]


def test_a_process_that_nobody_waits_for_is_ended():
    call = Call()
    frames = frames_of(worked.sleeps, (), call)
    process = next(frames).facts["pid"]
    call.stop()
    assert list(frames) == []
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


ENDINGS = ["csv", "tsv", "txt", "npy", "npz", "mtx", "xlsx", "parquet", "json", "mat", "csv.gz", "nothing"]


@given(
    st.sampled_from(ENDINGS),
    st.binary(max_size=200) | st.text("0123456789.,;\t\n\"' eNa", max_size=200).map(str.encode),
)
@settings(max_examples=int(os.environ.get("FUZZED", "60")), deadline=None)
def test_any_file_is_a_table_or_a_sentence(ending, content):
    kept = Dropped()
    with contextlib.closing(kept), contextlib.suppress(RankscapeError):
        path = str(kept.file(kept.keep(f"x.{ending}", content)))
        frame = next(complete_table(None, path, "x", "", "", {}, {"seed": 0}, 0.0))  # pyright: ignore
        assert frame.arrays["seen"].max() <= 1
