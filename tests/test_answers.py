"""What is written of a completion that is too large, or not wanted whole: pairs, best columns, the model; new rows."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from command_line import caller, check_refused
from scipy.sparse import csr_array

import rankscape as rs
from rankscape.cli.app import start
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import CompletedMatrix, DeepMatrixCompletion
from rankscape.ground import memory

pytestmark = pytest.mark.usefixtures("hasty_file")


@pytest.fixture(scope="module")
def problem() -> tuple[np.ndarray, np.ndarray]:
    """A matrix of rank 2, and what is seen of it."""
    rng = np.random.default_rng(5)
    W = rng.normal(size=(24, 2)) @ rng.normal(size=(2, 16))
    return W, np.where(rng.random(W.shape) < 0.7, W, np.nan)


@pytest.fixture(scope="module")
def completed(problem) -> CompletedMatrix:
    return rs.complete(problem[1])


@pytest.fixture(scope="module")
def folder(problem, tmp_path_factory) -> Path:
    """A long table of it, and a model made of that by the command."""
    here = tmp_path_factory.mktemp("answers")
    X = problem[1]
    lines = [f"u{i:02},v{j:02},{float(X[i, j])!r}" for i, j in np.argwhere(~np.isnan(X)).tolist()]
    (here / "X.csv").write_text("\n".join(["user,item,score", *lines]) + "\n")
    assert start(["complete", str(here / "X.csv"), "-o", str(here / "all.csv"), "--model", str(here / "m.npz")]) == 0
    return here


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capsys):
    """Run the command line in this process, in a folder of its own that sees the table and the model."""
    monkeypatch.chdir(tmp_path)
    for name in ("X.csv", "m.npz"):
        Path(name).symlink_to(folder / name)

    return caller(capsys)


def table(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(path).read_text().splitlines()))


# --- in Python ----------------------------------------------------------------------------------------------------


def best_by_hand(values: np.ndarray, seen: np.ndarray, count: int) -> list[list[int]]:
    """Sorted by a loop over cells."""
    found = []
    for row, known in zip(values, seen, strict=True):
        unseen = [j for j in range(len(row)) if not known[j]]
        found.append(sorted(unseen, key=lambda j, row=row: (-row[j], j))[:count])
    return found


@pytest.mark.parametrize("count", [1, 3, 100])
@pytest.mark.parametrize("block", [1, 40, 1 << 22])
def test_the_best_unseen_columns_are_those_of_a_loop(problem, completed, monkeypatch, count, block):
    monkeypatch.setattr("rankscape.estimators.completion.completed.best.BLOCK", block)
    best = completed.top(count)
    wanted = best_by_hand(completed.fitted, ~np.isnan(problem[1]), count)
    assert [best.columns[best.rows == i].tolist() for i in range(24)] == wanted
    np.testing.assert_allclose(best.values, completed.fitted[best.rows, best.columns], atol=1e-12)
    some = completed.top(count, rows=[7, 2])
    assert some.columns[some.rows == 7].tolist() == wanted[7]
    assert list(dict.fromkeys(some.rows.tolist())) == [7, 2]  # in the order in which they were asked for


def test_an_order_that_means_nothing_is_said(problem):
    X = np.full((30, 20), 3.0)
    X[::2, ::2] = np.nan
    with pytest.warns(FallbackWarning, match="same value"):
        rs.complete(X).top(3)
    with pytest.raises(InputError, match="`count`"):
        rs.complete(X).top(0)
    with pytest.raises(InputError, match="rows"):
        rs.complete(X).top(1, rows=[30])


@pytest.mark.parametrize("scale", ["none", "both"])
def test_lines_of_every_model_are_rows_of_its_matrix(problem, scale):
    rng = np.random.default_rng(2)
    noisy = problem[1] + 0.3 * rng.normal(size=problem[1].shape)
    done = rs.complete(noisy * np.geomspace(1, 1e3, 16), scale=scale)
    np.testing.assert_allclose(done.model.lines(np.array([3, 20])), done.fitted[[3, 20]], rtol=1e-9)


def test_a_completion_is_saved_and_loaded(problem, completed, tmp_path):
    completed.save(tmp_path / "m.npz")
    again = CompletedMatrix.load(tmp_path / "m.npz")
    assert np.array_equal(again.matrix, completed.matrix)
    assert again.certificate == completed.certificate
    with pytest.raises(InputError, match="no estimator"):
        DeepMatrixCompletion.load(tmp_path / "m.npz")
    model = DeepMatrixCompletion().fit(problem[1])
    model.save(tmp_path / "e.npz")
    assert np.array_equal(CompletedMatrix.load(tmp_path / "e.npz").matrix, model.completed_.matrix)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_what_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"m\.npz"):
        CompletedMatrix.load(tmp_path / "m.npz")


def test_new_rows_are_those_of_the_estimator(problem, completed):
    rng = np.random.default_rng(9)
    new = np.where(rng.random((5, 16)) < 0.6, rng.normal(size=(5, 2)) @ np.linalg.svd(problem[0])[2][:2], np.nan)
    rows = completed.new_rows(new)
    np.testing.assert_allclose(rows.matrix, DeepMatrixCompletion().fit(problem[1]).transform(new), atol=1e-9)
    best = rows.top(2)
    assert [best.columns[best.rows == i].tolist() for i in range(5)] == best_by_hand(rows.matrix, ~np.isnan(new), 2)
    sparse = csr_array(np.nan_to_num(new))
    np.testing.assert_allclose(completed.new_rows(sparse).matrix, rows.matrix, atol=1e-12)
    with pytest.raises(InputError, match="16 columns"):
        completed.new_rows(new[:, :4])


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_formed(problem, monkeypatch):
    done = rs.complete(problem[1])
    monkeypatch.setattr(memory, "available", lambda: 5000)
    with pytest.raises(InputError, match=r"24 x 16, has 3\.07 kB.*`predict`"):
        _ = done.matrix
    assert len(done.top(1).rows) == 24


# --- on the command line --------------------------------------------------------------------------------------------


def _scarce_for_results(monkeypatch):
    """Memory that a table fits, and a result does not."""
    check_room = memory.check_room

    def check(*asked):
        with monkeypatch.context() as now:
            now.setattr(memory, "available", lambda: 5000)
            check_room(*asked)

    monkeypatch.setattr("rankscape.cli.answers.check_room", check)


def test_too_large_a_result_is_refused_with_what_to_do_instead(call, monkeypatch):
    _scarce_for_results(monkeypatch)
    monkeypatch.setattr("rankscape.complete", lambda *_, **__: pytest.fail("no work"), raising=False)
    done = call("complete", "X.csv")
    assert (done.code, done.out) == (2, "")
    assert all(option in done.err for option in ("24 x 16", "--pairs", "--top", "--model"))
    assert {path.name for path in Path().iterdir()} == {"X.csv", "m.npz"}


def test_what_fits_is_written_all_the_same(call, problem, monkeypatch):
    _scarce_for_results(monkeypatch)
    Path("ask.csv").write_text("item,user,extra\nv03,u01,x\nv00,u05,y\n")
    for options, output in ((["--top", "2"], "X-top.csv"), (["--pairs", "ask.csv"], "X-pairs.csv")):
        facts = json.loads(call("complete", "X.csv", *options, "--json").out)
        assert facts["output"] == output
        assert Path(output).exists()
    facts = json.loads(call("complete", "X.csv", "--model", "new.npz", "--json").out)
    assert (facts["output"], facts["model"]) == (None, "new.npz")
    assert CompletedMatrix.load("new.npz").rank == 2
    assert "not written" in call("complete", "X.csv", "--model", "new.npz").out


def test_pairs_come_back_in_their_order(call, problem, folder):
    W, X = problem
    asked = [(23, 15), (0, 0), (5, 7), (0, 0), *np.argwhere(np.isnan(X))[:6].tolist()]
    Path("ask.tsv").write_text("".join(f"u{i:02}\tv{j:02}\n" for i, j in asked))  # no header
    for command in (["complete", "X.csv"], ["fill", "m.npz"]):
        assert call(*command, "--pairs", "ask.tsv", "-o", "out.csv").code == 0
        lines = table("out.csv")
        assert list(lines[0]) == ["user", "item", "score", "observed", "std_error"]
        assert [(line["user"], line["item"]) for line in lines] == [(f"u{i:02}", f"v{j:02}") for i, j in asked]
        for (i, j), line in zip(asked, lines, strict=True):
            assert line["observed"] == str(not np.isnan(X[i, j])).lower()
            assert float(line["score"]) == pytest.approx(W[i, j], abs=1e-8)
            if not np.isnan(X[i, j]):
                assert float(line["score"]) == X[i, j]  # as it was given
                assert line["std_error"] == ""


def test_pairs_that_nothing_is_known_of_stay_empty(call):
    Path("ask.csv").write_text("user,item\nu01,v01\nzoe,v01\n")
    done = call("complete", "X.csv", "--pairs", "ask.csv", "-o", "out.parquet")
    assert done.code == 0
    assert "1 of 2 pairs" in done.err
    assert "'zoe'" in done.err
    import pandas as pd

    frame = pd.read_parquet("out.parquet")
    assert frame["score"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty|no pairs"), ("a,b\nu01,v01\n", "line 1: 'a', 'b'"), ("user,item\n", "no pairs"),
        ("user,item\nu01\n", "line 2"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_pairs_is_refused(call, content, words):
    Path("ask.csv").write_text(content)
    done = call("complete", "X.csv", "--pairs", "ask.csv")
    assert (done.code, done.out) == (2, "")
    assert re.search(words, done.err), done.err


def test_the_best_columns_are_written_by_name(call, problem, folder):
    assert call("fill", "m.npz", "--top", "3", "-o", "top.csv").code == 0
    done = CompletedMatrix.load(folder / "m.npz")
    best = done.top(3)
    lines = table("top.csv")
    assert [(line["user"], line["item"]) for line in lines] == [
        (f"u{i:02}", f"v{j:02}") for i, j in zip(best.rows, best.columns, strict=True)
    ]
    assert {line["observed"] for line in lines} == {"false"}


def test_new_rows_are_filled_by_name(call, problem, folder):
    W = problem[0]
    new = W[:3] + W[3:6]  # in the same row space
    shown = [(i, j) for i in range(3) for j in (14, 2, 9, 5, 11)]
    Path("new.csv").write_text("user,item,score\n" + "".join(f"n{i},v{j:02},{float(new[i, j])!r}\n" for i, j in shown))
    facts = json.loads(call("fill", "m.npz", "new.csv", "--json").out)
    assert facts == {
        "schema": 1, "model": "m.npz", "source": "new.csv", "shape": [3, 5], "observed": 15,
        "output": "new-completed.csv",
    }  # fmt: skip
    lines = table("new-completed.csv")
    assert len(lines) == 3 * 16
    found = {(line["user"], line["item"]): float(line["score"]) for line in lines}
    for i in range(3):
        assert [found[f"n{i}", f"v{j:02}"] for j in range(16)] == pytest.approx(new[i].tolist(), abs=1e-6)
    assert call("fill", "m.npz", "new.csv", "--top", "2").code == 0
    assert len(table("new-top.csv")) == 6


MISTAKES = {
    "two answers": (["complete", "X.csv", "--top", "1", "--pairs", "ask.csv"], "--pairs and --top"),
    "top of nothing": (["complete", "X.csv", "--top", "0"], "--top"),
    "dense file for pairs": (["complete", "X.csv", "--pairs", "ask.csv", "-o", "out.npy"], "long table"),
    "no pairs there": (["complete", "X.csv", "--pairs", "nowhere.csv"], "nowhere.csv"),
    "output onto the pairs": (["complete", "X.csv", "--pairs", "ask.csv", "-o", "ask.csv"], "ask.csv"),
    "model with another ending": (["complete", "X.csv", "--model", "m.pkl"], ".npz"),
    "model onto the output": (["complete", "X.csv", "--model", "o.npz", "-o", "o.npz"], "o.npz"),
    "no model": (["fill", "nowhere.npz", "X.csv"], "nowhere.npz"),
    "nothing to fill": (["fill", "m.npz"], "--pairs or --top"),
    "pairs of new rows": (["fill", "m.npz", "X.csv", "--pairs", "ask.csv"], "--pairs"),
    "columns that are new": (["fill", "m.npz", "other.csv"], "has not seen 2 of its 2 columns ('w1', 'w2')"),
    "a table as a model": (["fill", "X.csv", "X.csv"], "X.csv"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_clear_error(call, case):
    Path("ask.csv").write_text("user,item\nu01,v01\n")
    Path("other.csv").write_text("user,item,score\na,w1,1\nb,w2,2\n")
    check_refused(call, *MISTAKES[case])


def test_wide_rows_come_back_as_they_were(call, folder, problem):
    W = problem[0]
    new = W[:2] + W[2:4]
    names = ["v09", "v02", "v14", "v05"]
    cells = [[f"{new[i, int(name[1:])]:.12f}".replace(".", ",") for name in names] for i in range(2)]
    cells[0][1] = ""
    lines = ["gene;" + ";".join(names), *(f"n{i};" + ";".join(row) for i, row in enumerate(cells))]
    Path("new.csv").write_text("\n".join(lines) + "\n")
    assert call("fill", "m.npz", "new.csv").code == 0
    written = [line.split(";") for line in Path("new-completed.csv").read_text().splitlines()]
    assert float(written[1][2].replace(",", ".")) == pytest.approx(new[0, 2], abs=1e-6)
    written[1][2] = ""
    assert [";".join(line) for line in written] == lines


def test_a_row_that_nothing_is_known_of_is_said(completed):
    with pytest.warns(FallbackWarning, match="1 row"):
        completed.new_rows(np.array([[1.0] * 16, [np.nan] * 16]))
