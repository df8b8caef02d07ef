"""Triplets in any order that lie in files: what is found is what is found in memory, and nothing stays behind."""

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from command_line import caller, check_refused
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from test_at_scale import ratings

import rankscape as rs
from rankscape.entries import Entries
from rankscape.entries.stored import sorting
from rankscape.errors import FileFormatError, InputError, StorageError
from rankscape.estimators import DeepMatrixCompletion
from rankscape.files import triplets
from rankscape.ground.stored import Folder, check_indices_fit, folder_of


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """A folder for temporary files of its own."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def write(folder: Path, users, items, scores, files: int = 3) -> None:
    """Files of about equal size, and an empty one."""
    folder.mkdir(exist_ok=True)
    table = pa.table({"user": users, "item": items, "score": scores})
    for k in range(files):
        first, last = k * len(table) // files, (k + 1) * len(table) // files
        parquet.write_table(table.slice(first, last - first), folder / f"part-{k}.parquet", row_group_size=1000)
    parquet.write_table(table.slice(0, 0), folder / "part-9.parquet")


def small(folder: Path, rows=("b", "a", "b"), columns=(7, 7, 5), values=(1.0, 2.0, 3.0)) -> Path:
    write(folder, pa.array(rows), pa.array(columns), pa.array(values), files=1)
    return folder


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A sparse matrix in shuffled files, sorted in several ranges; and the same as a frame."""
    monkeypatch.setattr("rankscape.entries.stored.sorting.RANGE", 30_000)
    monkeypatch.setattr("rankscape.solvers.packed.orders.PUT", 50_000)
    X = ratings(10_000, 1_000, 20, 2)[0]
    shuffled = np.random.default_rng(0).permutation(X.nnz)
    i, j, y = (array[shuffled] for array in (*X.coords, X.data))
    users = np.array([f"user {k}" for k in range(10_000)])[i]
    write(tmp_path / "ratings", users, j, y)
    return tmp_path / "ratings", pa.table({"user": users, "item": j, "score": y})


def same(one, other) -> bool:
    """Whether two completions are equal to the bit."""
    random = np.random.default_rng(1)
    cells = [random.integers(0, n, 1000) for n in one.shape]
    arrays = [
        (done.modes.U, done.modes.V, done.predict(*cells, by="positions"), done.removed.row) for done in (one, other)
    ]
    return one.certificate == other.certificate and all(map(np.array_equal, *arrays))


def test_what_is_found_on_disk_is_what_is_found_in_memory(many, scratch):
    folder, table = many
    on_disk = rs.complete(triplets(folder), n_jobs=2)
    problem = rs.Completion.from_frame(table, rows="user", columns="item", values="score")
    in_memory = rs.complete(problem, n_jobs=1)
    assert "were decided on" in on_disk.reason
    assert on_disk.rank == 3
    assert same(on_disk, in_memory)
    assert folder_of(on_disk.observed.values) is not None
    assert on_disk.names.rows.tolist() == in_memory.names.rows.tolist()
    assert np.array_equal(on_disk.top(2, rows=["user 17"]).columns, in_memory.top(2, rows=["user 17"]).columns)
    # What the result reads lies there as long as it does, and nothing else.
    gc.collect()
    assert len(list(scratch.iterdir())) == 1
    del on_disk
    gc.collect()
    assert not list(scratch.iterdir())


def test_the_estimator_and_a_pattern(many):
    folder, table = many
    model = DeepMatrixCompletion(n_jobs=1).fit(str(folder / "*.parquet"))
    problem = rs.Completion.from_frame(table, rows="user", columns="item", values="score")
    assert same(model.completed_, DeepMatrixCompletion(n_jobs=2).fit(problem).completed_)
    assert model.n_features_in_ == 1_000


@pytest.mark.filterwarnings("ignore")  # of Dask's own imports
def test_a_dask_frame(many):
    from dask import dataframe

    folder, _ = many
    # In memory and back, so that partitions are cut elsewhere.
    frame = dataframe.from_pandas(parquet.read_table(folder).to_pandas(), npartitions=5, sort=False)
    assert same(rs.complete(frame), rs.complete(str(folder)))


def test_units_that_have_to_be_divided_are_divided_on_disk(many, tmp_path):
    """A size at which squares do not matter yet, but a unit is taken away."""
    _, table = many
    scores = table["score"].to_numpy() * 1e-200
    write(tmp_path / "tiny", table["user"], table["item"], scores)
    problem = rs.Completion.from_frame(
        table.set_column(2, "score", pa.array(scores)), rows="user", columns="item", values="score"
    )
    assert same(rs.complete(str(tmp_path / "tiny")), rs.complete(problem))


@given(st.integers(0, 10_000), st.integers(1, 60), st.sampled_from(["mean", "last"]))
@settings(max_examples=40, deadline=None)
def test_sorted_piece_by_piece_as_at_once(seed, size, policy):
    random = np.random.default_rng(seed)
    n_out, n_in, count = *random.integers(1, 20, 2).tolist(), int(random.integers(1, 200))
    i, j, y = random.integers(0, n_out, count), random.integers(0, n_in, count), random.standard_normal(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rankscape.entries.stored.sorting.RANGE", size)
        folder, rows = Folder(), sorting.ranges_of(np.bincount(i, minlength=n_out))
        parts = [(i[part], j[part], y[part]) for part in np.array_split(np.arange(count), 4)]
        pieces = [sorting.deal(parts[k : k + 2], rows, folder.path / f"{k}") for k in (0, 2)]
        ranges = sorting.ranges(pieces, folder, (n_out, n_in), policy)
        found = sorting.together(ranges, [sorting.sort(one).entries for one in reversed(ranges)][::-1])
    expected = Entries(i, j, y, (n_out, n_in), duplicates=policy)
    assert all(map(np.array_equal, found, expected))
    assert np.array_equal(found.find(i, j), expected.find(i, j))


def test_names_and_lines_without_a_value(tmp_path):
    table = triplets(small(tmp_path / "a", values=(1.0, None, float("nan")))).table
    assert table.row_labels.tolist() == ["a", "b"]
    assert table.column_labels.tolist() == [5, 7]
    assert (table.dense()[1, 1], table.skipped, table.entries.count) == (1.0, 2, 1)


def test_three_files_and_one_of_records(tmp_path):
    rows, columns, values = np.array([3, 0, 1]), np.array([1, 1, 0], np.int8), np.array([1, 2, 3], np.float32)
    for name, array in (("rows", rows), ("columns", columns), ("values", values)):
        np.save(tmp_path / f"{name}.npy", array)
    records = np.zeros(3, [("u", int), ("when", int), ("v", int), ("y", float)])
    records["u"], records["v"], records["y"] = rows, columns, values
    np.save(tmp_path / "records.npy", records)
    expected = Entries(rows, columns, values, (4, 2))
    named = {"rows": "u", "columns": "v", "values": "y"}
    for found in (triplets(tmp_path), triplets(tmp_path / "records.npy", **named)):
        assert all(map(np.array_equal, found.table.entries, expected))
        assert found.table.row_labels is None
        assert found.table.shape == (4, 2)


# -- what cannot be used ------------------------------------------------------------------------------------


def another(folder: Path, **columns) -> Path:
    parquet.write_table(pa.table(columns), small(folder) / "part-1.parquet")
    return folder


USER, ITEM, SCORE = ["c"], [1], [2.0]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"user": USER, "item": ITEM}, "part-1.parquet has no column 'score', as part-0.parquet has"),
        (
            {"user": [5], "item": ITEM, "score": SCORE},
            "part-1.parquet, column 'user': holds whole numbers, and text in",
        ),
        ({"user": USER, "item": ITEM, "score": ["x"]}, "part-1.parquet, column 'score': holds text, and numbers in"),
    ],
)
def test_a_file_of_another_kind_is_named_before_the_work(tmp_path, columns, said):
    with pytest.raises(FileFormatError, match=said):
        triplets(another(tmp_path / "a", **columns))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"user": ["c", None], "item": [1, 2], "score": [1.0, 2.0]},
            "part-1.parquet, record 2, column 'user': the cell is",
        ),
        (
            {"user": USER, "item": ITEM, "score": [np.inf]},
            "part-1.parquet, record 1, column 'score': inf is not a finite",
        ),
        (
            {"user": ["c", "b"], "item": [1, 7], "score": [1.0, 2.0]},
            r"part-1.parquet, record 2: the same cell, user=b and item=7, as .*part-0.parquet, record 1; the values",
        ),
    ],
)
def test_a_record_that_cannot_be_used_is_named(tmp_path, scratch, columns, said):
    with pytest.raises(FileFormatError, match=said):
        _ = triplets(another(tmp_path / "a", **columns)).table
    gc.collect()
    assert not list(scratch.iterdir())


def test_a_record_far_into_a_file_is_counted_from_its_begin(tmp_path, monkeypatch):
    monkeypatch.setattr("rankscape.files.in_parts.parquet.PART", 10)
    users = [f"u{k}" for k in range(95)] + [None]
    write(tmp_path / "a", pa.array(users), pa.array(range(96)), pa.array(np.ones(96)), files=1)
    with pytest.raises(FileFormatError, match=r"part-0\.parquet, record 96, column 'user'"):
        _ = triplets(tmp_path / "a").table


def test_duplicates_in_two_files_are_settled_as_they_are_in_memory(tmp_path):
    more = {"user": ["c", "b"], "item": [1, 7], "score": [1.0, 2.0]}
    folder = another(tmp_path / "a", **more)
    for policy, value in (("mean", 1.5), ("last", 2.0)):
        table = triplets(folder, duplicates=policy).table
        assert (table.dense()[1, 2], table.merged) == (value, 1)


def test_bytes_are_said_before_the_work(tmp_path, monkeypatch, scratch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(StorageError, match=r"Sorting 3 records of .* needs 32 MB in .*, and 1 kB are free.*TMPDIR"):
        _ = triplets(small(tmp_path / "a")).table
    gc.collect()
    assert not list(scratch.iterdir())


def test_a_full_disk_on_the_way_leaves_nothing(tmp_path, monkeypatch, scratch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rankscape.ground.stored.open", full, raising=False)
    with pytest.raises(StorageError, match="No space left on device"):
        _ = triplets(small(tmp_path / "a")).table
    gc.collect()
    assert not list(scratch.iterdir())


def test_sources_that_are_none(tmp_path):
    (tmp_path / "empty").mkdir()
    for source, said in (("empty", "holds no Parquet file"), ("a/*.parquet", "holds no Parquet file")):
        with pytest.raises(InputError, match=said):
            triplets(tmp_path / source)
    with pytest.raises(InputError, match="got ndarray"):
        triplets(np.zeros((3, 3)))
    with pytest.raises(InputError, match="has no column 'stars'"):
        triplets(small(tmp_path / "a"), values="stars")
    with pytest.raises(FileFormatError, match="holds no records"):
        _ = triplets(small(tmp_path / "b", (), (), ()) / "part-9.parquet").table
    (tmp_path / "c.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(FileFormatError, match=r"c\.parquet is broken"):
        triplets(tmp_path / "c.parquet")


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("rows", [0, 2**31 - 1], "rows.npy, record 2: 2147483647 is more than an index of 32 bits counts"),
        ("columns", [0, -1], "columns.npy, record 2: -1 is no position"),
        ("values", [np.inf, 1.0], "values.npy, record 1: inf is not a finite number"),
        ("values", [1.0], "values.npy has 1 records, and .*rows.npy 2"),
        ("rows", [0.0, 1.0], "rows.npy: 'rows' must be a list of whole numbers, got float64"),
    ],
)
def test_arrays_that_are_no_triplets(tmp_path, name, array, said):
    for file, other in (("rows", [0, 1]), ("columns", [0, 1]), ("values", [1.0, 2.0])):
        np.save(tmp_path / f"{file}.npy", np.array(array if file == name else other))
    with pytest.raises(FileFormatError, match=said):
        _ = triplets(tmp_path).table


def test_more_lines_than_an_index_counts():
    check_indices_fit(2**31 - 1, "rows")
    with pytest.raises(InputError, match=r"2,147,483,648 rows are more than an index of 32 bits counts"):
        check_indices_fit(2**31, "rows")


def partitions(*columns):
    import pandas as pd
    from dask import dataframe, delayed

    parts = [pd.DataFrame(part) for part in columns]
    return dataframe.from_delayed([delayed(part) for part in parts], meta=parts[0], verify_meta=False)


FIRST = {"user": ["a", "b"], "item": [1, 2], "score": [1.0, 2.0]}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"user": ["c"], "thing": [1], "score": [1.0]}, "partition 1 has no column 'item', .* it has user, score"),
        (
            {"user": [5], "item": [1], "score": [1.0]},
            "partition 1, column 'user': holds whole numbers, and text before",
        ),
        pytest.param(
            {"user": ["c", 5], "item": [1, 2], "score": [1.0, 2.0]},
            "partition 1, column 'user' cannot be read",
            marks=pytest.mark.skipif(int(pd.__version__[0]) < 3, reason="before, pandas makes text of the number"),
        ),
        ({"user": ["c"], "item": [1], "score": ["x"]}, "partition 1, column 'score': holds .*, not numbers"),
        ({"user": ["c", None], "item": [1, 2], "score": [1.0, 2.0]}, "partition 1, record 2, column 'user': .* empty"),
        (
            {"user": ["c", "d"], "item": [1, None], "score": [1.0, 2.0]},
            "partition 1, record 2, column 'item': .* empty",
        ),
        (
            {"user": ["a"], "item": [1], "score": [5.0]},
            "partition 1, record 1: the same cell, .* as partition 0, record 1",
        ),
    ],
)
def test_a_partition_that_cannot_be_used_is_named(second, said):
    with pytest.raises(FileFormatError, match=said):
        _ = triplets(partitions(FIRST, second)).table


@pytest.mark.filterwarnings("ignore")
def test_partitions_that_are_empty_or_hold_whole_numbers_for_values():
    empty, whole = {name: [] for name in FIRST}, {"user": ["c"], "item": [2], "score": [7]}
    table = triplets(partitions(empty, FIRST, empty, whole)).table
    assert table.values.tolist() == [1.0, 2.0, 7.0]
    with pytest.raises(FileFormatError, match="holds no records"):
        _ = triplets(partitions(empty, empty)).table


def test_a_search_among_all_that_cannot_fit_is_refused(many, monkeypatch):
    monkeypatch.setattr("rankscape.ground.memory.available", lambda: 10_000_000)
    with pytest.raises(InputError, match=r"A search among all .* entries takes .* of memory"):
        rs.complete(triplets(many[0]), path="sgd")


# -- what is left behind ------------------------------------------------------------------------------------

KILLED = """
import sys, time
from rankscape.files import triplets
table = triplets(sys.argv[1]).table
print("sorted", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="no locks there tell the dead from the living at once")
def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path, scratch):
    folder = small(tmp_path / "a")
    environment = os.environ | {"TMPDIR": str(scratch)}
    command = [sys.executable, "-c", KILLED, str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "sorted\n"
        living = triplets(folder).table
        assert len(list(scratch.iterdir())) == 2  # of the living nothing is taken away
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while len(list(scratch.iterdir())) > 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    other = triplets(folder).table
    assert len(list(scratch.iterdir())) == 2
    assert living.entries.count == other.entries.count == 3


# -- the command --------------------------------------------------------------------------------------------


def test_the_command_takes_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    U, V = np.arange(1.0, 9.0), np.array([1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    rows, columns = np.nonzero(np.arange(48).reshape(8, 6) % 7 > 0)
    write(tmp_path / "ratings", rows[::-1], columns[::-1], np.outer(U, V)[rows, columns][::-1])
    run = caller(capsys)
    done = run("complete", "ratings", "--json", "--no-figure")
    assert (done.code, done.facts["rank"], done.facts["output"]) == (0, 1, "ratings-completed.parquet")
    written = parquet.read_table("ratings-completed.parquet")
    assert np.allclose(
        written["score"].to_numpy(), np.outer(U, V)[written["user"].to_numpy(), written["item"].to_numpy()]
    )
    assert run("complete", "ratings/*.parquet", "--top", "1", "--no-figure").code == 0
    assert Path("ratings-top.parquet").exists()
    check_refused(run, ["complete", "ratings", "--layout", "wide"], "needs no --layout")
    check_refused(run, ["denoise", "ratings"], "is a folder")
