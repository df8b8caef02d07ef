"""Reading and writing matrices: every format there and back, and every error at its exact place."""

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from rankscape.entries import Entries
from rankscape.errors import FallbackWarning, FileFormatError, InputError, StorageError
from rankscape.files import Table, check_writable, read, write
from rankscape.ground.kinds import BEGINNINGS, ENDINGS

NAN = np.nan
RATINGS = "user,movie,score\nann,up,4\nbob,heat,2.5\nbob,up,\n"
LONG = ("csv", "csv.gz", "tsv", "tsv.gz", "txt", "parquet")
DENSE = ("npy", "npz", "mtx", "mtx.gz")


@pytest.fixture
def ratings(tmp_path) -> Table:
    return read(text(tmp_path, RATINGS))


def text(folder: Path, content: str | bytes, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def expect(error: type[Exception], *parts: object):
    """Expect an error whose message holds all the parts, in this order."""
    return pytest.raises(error, match="(?s)" + ".*".join(re.escape(str(part)) for part in parts))


# --- long text ------------------------------------------------------------------------------------------------


def test_csv_gives_labels_entries_and_the_count_of_empty_cells(ratings):
    assert (ratings.format, ratings.names) == ("csv", ("user", "movie", "score"))
    assert ratings.row_labels.tolist() == ["ann", "bob"]
    assert ratings.column_labels.tolist() == ["heat", "up"]
    assert (ratings.shape, ratings.skipped, ratings.merged) == ((2, 2), 1, 0)
    np.testing.assert_array_equal(ratings.dense(), [[NAN, 4], [2.5, NAN]])


def test_columns_are_chosen_by_name_in_any_order(tmp_path):
    path = text(tmp_path, "when,score,movie,user\n9,4,up,ann\n9,2,heat,bob\n")
    table = read(path, rows="user", columns="movie", values="score")
    np.testing.assert_array_equal(table.dense(), [[NAN, 4], [2, NAN]])


def test_given_names_leave_the_others_in_order(tmp_path):
    table = read(text(tmp_path, "score,user,movie\n4,ann,up\n"), values="score")
    assert table.names == ("user", "movie", "score")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "user;movie;score\nann;up;4\n"),
        ("a.csv", "user;movie;score\nann;up;4,0\n"),
        ("a.csv", "user|movie|score\nann|up|4\n"),
        ("a.csv", "sep=;\nuser;movie;score\nann;up;4\n"),
        ("a.dat", "user::movie::score\nann::up::4\n"),
        ("a.csv", "# a comment\nuser,movie,score\nann,up,4\n# another\n"),
        ("a.csv", "user,movie,score\rann,up,4\r"),
        ("a.csv", "user,movie,score\nann,up,4\nann,up,NA\n"),
        ("a.txt", "user\tmovie\tscore\nann\tup\t4\n".encode("utf-16")),
        ("a.csv.bz2", bz2.compress(b"user,movie,score\nann,up,4\n")),
        ("a.csv.xz", lzma.compress(b"user,movie,score\nann,up,4\n")),
        ("a.csv", "\ufeffuser,movie,score\nann,up,4\n"),
        ("a.csv", "\n\nuser,movie,score\r\n\r\nann,up,4\r\n"),
        ("a.csv", " user , movie , score \n ann , up , 4 \n"),
        ("a.csv", '"user","movie","score"\n"ann","up","4"\n'),
        ("a.csv", "user,movie,score\nann,up,4\n   \n"),
        ("a.tsv", "user\tmovie\tscore\nann\tup\t4"),
        ("a.txt", "user movie score\nann up 4\n"),
        ("a.CSV", "user,movie,score\nann,up,+4.\n"),
        ("a.csv.gz", gzip.compress(b"user,movie,score\nann,up,4e0\n", mtime=0)),
    ],
)
def test_dialects_of_text(tmp_path, name, content):
    table = read(text(tmp_path, content, name))
    assert table.names == ("user", "movie", "score")
    assert (table.row_labels.tolist(), table.column_labels.tolist()) == (["ann"], ["up"])
    assert table.values.tolist() == [4.0]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "-1"], np.array([-1, 9, 10])),
        (["0.5", "10.0", "9.0"], np.array([0.5, 9, 10])),
        (["0.5", "10", "9"], np.array(["0.5", "9", "10"])),
        (["1E5", "20E4", "1E6"], np.array(["1E5", "20E4", "1E6"])),
        (["1.50", "10.00"], np.array(["1.50", "10.00"])),
        (["007", "9", "10"], np.array(["007", "10", "9"])),
        (["NA", "null", "nan"], np.array(["NA", "nan", "null"])),
        (["true", "2020-01-01", "1_0"], np.array(["1_0", "2020-01-01", "true"])),
        (["9223372036854775807", "0"], np.array([0, 2**63 - 1])),
    ],
)
def test_labels_are_numbers_only_where_all_are(tmp_path, labels, expected):
    table = read(text(tmp_path, "r,c,v\n" + "".join(f"{label},x,1\n" for label in labels)))
    np.testing.assert_array_equal(table.row_labels, expected)
    assert table.row_labels.dtype == expected.dtype


def test_one_number_written_in_two_ways_stays_two_labels_with_a_warning(tmp_path):
    path = text(tmp_path, "user,c,v\n1,x,1\n1.0,x,2\n")
    with pytest.warns(FallbackWarning, match="'user'.*1 and 1.0"):
        assert read(path).row_labels.tolist() == ["1", "1.0"]


def test_labels_may_go_over_lines_and_hold_delimiters(tmp_path):
    table = read(text(tmp_path, 'r,c,v\n"a\nb","x,""y""",1\n'))
    assert (table.row_labels.tolist(), table.column_labels.tolist()) == (["a\nb"], ['x,"y"'])


LINE_ERRORS = {
    "text value": ("r,c,v\na,x,1\nb,x,four\n", ["line 3", "'v'", "'four'"]),
    "inf": ("r,c,v\na,x,-inf\n", ["line 2", "'v'", "'-inf'"]),
    "overflow": ("r,c,v\na,x,1e999\n", ["line 2", "'v'", "'1e999'", "too large"]),
    "two decimal marks": ("r;c;v\na;x;1.5\nb;x;2.5\nc;x;3,5\n", ["line 4", "'v'", "'3,5'", "decimal point"]),
    "python number": ("r,c,v\na,x,1_000\n", ["line 2", "'v'", "'1_000'"]),
    "empty row": ("r,c,v\na,x,1\n,y,2\n", ["line 3", "'r'", "empty"]),
    "blank column": ("r,c,v\na,x,1\na, ,2\n", ["line 3", "'c'", "empty"]),
    "after a long cell": ('r,c,v\n"a\nb\nc",x,1\nd,x,oops\n', ["line 5", "'v'", "'oops'"]),
    "short line": ("r,c,v\na,x,1\nb,x\n", ["line 3", "2 cell(s)", "header has 3"]),
    "long line": ("r,c,v\na,x,1,\n", ["line 2", "4 cell(s)", "header has 3"]),
    "open quote": ('r,c,v\na,x,1\n"b,x,2\nc,x,3\n', ["line 3", "quote"]),
    "no text": (b"r,c,v\na,x,1\nM\x81ller,x,2\n", ["line 3", "0x81", "save the file as UTF-8"]),
    "utf-16 without a mark": ("r,c,v\na,x,1\n".encode("utf-16-le"), ["line 1", "UTF-16"]),
    "no header": ("1,2,3\n4,5,6\n", ["line 1", "1, 2, 3", "--header yes", "--header no"]),
    "duplicates": ("r,c,v\na,x,1\nb,x,2\n\na,x,3\na,x,4\n", ["lines 2 and 5", "r=a", "c=x", "1 and 3", '"mean"']),
    "first of the duplicates": ("r,c,v\na,x,1\nz,x,\nz,x,2\nz,x,7\na,x,3\n", ["lines 4 and 5", "r=z", "2 and 7"]),
    "empty": ("", ["is empty"]),
    "blank": ("\n \n", ["is empty"]),
    "header only": ("r,c,v\n", ["holds a header and no entries"]),
    "all missing": ("r,c,v\na,x,\nb,x,\n", ["'v'", "empty on all 2 lines"]),
    "two columns": ("r,v\na,1\n", ["only 'r', 'v'", "three columns"]),
    "same name twice": ("r,r,v\na,x,1\n", ["two columns are called 'r'"]),
}


@pytest.mark.parametrize("case", LINE_ERRORS)
def test_an_error_in_text_names_the_place(tmp_path, case):
    content, parts = LINE_ERRORS[case]
    path = text(tmp_path, content)
    with expect(FileFormatError, path, *parts):
        read(path)


def test_an_error_far_into_a_file_names_its_line(tmp_path):
    lines = [f"{i},{i % 7},{i / 8}" for i in range(300_000)]
    lines[287_654] = "287654,2,oops"
    with expect(FileFormatError, "line 287656", "'v'", "'oops'"):
        read(text(tmp_path, "r,c,v\n" + "\n".join(lines)))


def test_missing_column_names_are_listed(tmp_path):
    path = text(tmp_path, "who,what,how,when\na,x,1,2\n")
    with expect(InputError, "'who', 'what', 'how', 'when'", "name the ones to use with rows, columns, values"):
        read(path, layout="long")
    path = text(tmp_path, "user,movie,score,when\na,x,1,2\n")
    with expect(InputError, "no column 'moive' (columns)", "did you mean 'movie'?"):
        read(path, rows="user", columns="moive", values="score")
    with expect(InputError, "three different columns"):
        read(path, rows="user", columns="user", values="score")


@pytest.mark.parametrize(("policy", "value"), [("mean", 8 / 3), ("last", 4.0)])
def test_duplicates_by_policy(tmp_path, policy, value):
    table = read(text(tmp_path, "r,c,v\na,x,1\nb,x,2\na,x,3\na,x,4\n"), duplicates=policy)
    np.testing.assert_array_equal(table.dense(), [[value], [2]])
    assert table.merged == 2


def test_unknown_policy(tmp_path):
    with expect(InputError, "'error', 'mean' or 'last'", "'first'"):
        read(tmp_path / "x.csv", duplicates="first")


def test_broken_gzip(tmp_path):
    whole = gzip.compress(b"r,c,v\n" + b"".join(b"%d,x,1\n" % i for i in range(99_999)))
    for content in (b"r,c,v\na,x,1\n", whole[: len(whole) // 2]):
        with expect(FileFormatError, "broken, cut short or no compressed file"):
            read(text(tmp_path, content, "a.csv.gz"))


# --- finding the file -----------------------------------------------------------------------------------------


def test_file_not_found_suggests_a_neighbour(tmp_path):
    text(tmp_path, RATINGS, "ratings.csv")
    with expect(InputError, "there is no file", "rating.csv", "did you mean 'ratings.csv'?"):
        read(tmp_path / "rating.csv")
    with expect(InputError, "there is no directory", tmp_path / "nowhere"):
        read(tmp_path / "nowhere" / "ratings.csv")


def test_directory_and_unknown_extension(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with expect(InputError, "is a directory"):
        read(tmp_path / "folder.csv")
    with expect(InputError, "'.parqet' is not known", ".csv", ".mtx.gz", "did you mean '.parquet'?"):
        read(tmp_path / "a.parqet")
    with expect(InputError, "no extension"):
        read(tmp_path / "ratings")


# --- Parquet --------------------------------------------------------------------------------------------------


def parquet_file(folder: Path, **columns) -> Path:
    parquet.write_table(pa.table(columns), folder / "a.parquet")
    return folder / "a.parquet"


def test_parquet_keeps_the_type_of_labels(tmp_path):
    days = np.array(["2020-02-01", "2020-01-01", "2020-02-01"], dtype="datetime64[D]")
    path = parquet_file(tmp_path, day=days, site=np.array([7, 7, 3], np.int16), t=pa.array([1.0, None, NAN]))
    table = read(path)
    assert (table.row_labels.dtype, table.column_labels.dtype) == (days.dtype, np.int16)
    assert (table.values.tolist(), table.skipped, table.shape) == ([1.0], 2, (2, 2))
    again = read(write(tmp_path / "b.parquet", np.ones((2, 2)), table))
    assert (again.row_labels.dtype, again.column_labels.dtype) == (days.dtype, np.int16)


@pytest.mark.parametrize(
    "type_", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_parquet_text_labels_and_integer_values(tmp_path, type_):
    if type_ == pa.string_view() and int(pa.__version__.split(".")[0]) < 21:
        pytest.skip("pyarrow 18 to 20 cannot write such a file")
    path = parquet_file(tmp_path, r=pa.array(["b", "a"]).cast(type_), c=["x", "y"], v=[1, 2])
    np.testing.assert_array_equal(read(path).dense(), [[NAN, 2], [1, NAN]])


PARQUET_ERRORS = {
    "text value": ({"v": ["1", "2"]}, ["'v'", "string", "'1'"]),
    "infinite": ({"v": [1.0, np.inf]}, ["record 2", "'v'", "inf"]),
    "null key": ({"r": ["a", None]}, ["record 2", "'r'", "empty"]),
    "blank key": ({"c": [" ", "x"]}, ["record 1", "'c'", "empty"]),
    "nan key": ({"c": [1.0, NAN]}, ["record 2", "'c'", "empty"]),
    "nested key": ({"r": [[1], [2]]}, ["'r'", "list", "cannot label"]),
    "duplicates": ({"r": ["a", "a"], "c": ["x", "x"]}, ["records 1 and 2", "r=a", "c=x"]),
    "all missing": ({"v": pa.array([None, None], pa.float64())}, ["'v'", "all 2"]),
    "no records": ({"r": pa.array([], pa.int64()), "c": pa.array([], pa.int64()), "v": pa.array([], pa.float64())},
                   ["no records"]),
}  # fmt: skip


@pytest.mark.parametrize("case", PARQUET_ERRORS)
def test_an_error_in_parquet_names_the_place(tmp_path, case):
    columns, parts = PARQUET_ERRORS[case]
    path = parquet_file(tmp_path, **({"r": ["a", "b"], "c": ["x", "y"], "v": [1.0, 2.0]} | columns))
    with expect(FileFormatError, path, *parts):
        read(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", RATINGS.encode()])
def test_broken_parquet(tmp_path, content):
    with expect(FileFormatError, "no Parquet file"):
        read(text(tmp_path, content, "a.parquet"))


# --- arrays ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8", np.int8, np.uint64, bool])
def test_npy_of_every_real_type(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.array([[0, 1, 1], [1, 0, 0]], dtype=dtype))
    np.testing.assert_array_equal(read(tmp_path / "a.npy").dense(), [[0, 1, 1], [1, 0, 0]])


def test_npz_chooses_an_array(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, only=[[1.0, NAN]])
    assert (read(path).names[2], read(path).skipped) == ("only", 1)
    np.savez(path, other=np.ones(3), X=[[1.0, NAN]])
    assert read(path).names[2] == "X"
    np.savez(path, left=[[1.0]], right=[[2.0]])
    assert read(path, values="right").values.tolist() == [2.0]
    with expect(InputError, "'left', 'right'", "name one"):
        read(path)
    with expect(InputError, "no array 'rigth'", "did you mean 'right'?"):
        read(path, values="rigth")


ARRAY_ERRORS = {
    "complex": (np.ones((2, 2), complex), ["complex numbers", "complex128"]),
    "text": (np.array([["a"]]), ["text"]),
    "dates": (np.zeros((1, 1), "datetime64[s]"), ["datetime64[s]"]),
    "objects": (np.array([[None]]), ["Python objects", "could run code"]),
    "vector": (np.ones(3), ["1 dimension", "(3,)"]),
    "cube": (np.ones((1, 2, 3)), ["3 dimension"]),
    "no cells": (np.ones((0, 3)), ["is empty", "(0, 3)"]),
    "infinite": (np.array([[1, 2], [NAN, -np.inf]]), ["row 1, column 1", "-inf"]),
    "all missing": (np.full((2, 3), NAN), ["all 6 cells are missing"]),
}


@pytest.mark.parametrize("extension", ["npy", "npz"])
@pytest.mark.parametrize("case", ARRAY_ERRORS)
def test_an_error_in_an_array_names_the_place(tmp_path, case, extension):
    array, parts = ARRAY_ERRORS[case]
    path = tmp_path / f"a.{extension}"
    np.save(path, array) if extension == "npy" else np.savez(path, m=array)
    with expect(FileFormatError, path, *parts):
        read(path)


def test_broken_arrays(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((9, 9)))
    np.savez(tmp_path / "a.npz", X=np.ones((9, 9)))
    whole = {name: (tmp_path / name).read_bytes() for name in ("a.npy", "a.npz")}
    for name, content in whole.items():
        for cut in (0, 3, 20, len(content) // 2):
            with expect(FileFormatError, name):
                read(text(tmp_path, content[:cut], name))
    with expect(FileFormatError, "but an NPZ file"):
        read(text(tmp_path, whole["a.npz"], "b.npy"))
    with expect(FileFormatError, "but an NPY file"):
        read(text(tmp_path, whole["a.npy"], "b.npz"))


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "dia"])
def test_the_stored_entries_of_a_sparse_npz_are_the_observed_ones(tmp_path, layout):
    matrix = scipy.sparse.random_array((5, 4), density=0.4, rng=np.random.default_rng(0), format=layout)
    scipy.sparse.save_npz(tmp_path / "a.npz", matrix)
    table = read(tmp_path / "a.npz")
    stored = matrix.tocoo()
    expected = np.full((5, 4), NAN)
    expected[stored.row, stored.col] = stored.data
    np.testing.assert_array_equal(table.dense(), expected)
    assert f"{stored.nnz} stored entries" in table.read_as


def test_column_names_of_arrays_are_refused(tmp_path):
    for name in ("a.npy", "a.mtx"):
        with expect(InputError, "no names"):
            read(text(tmp_path, "x", name), rows="user")


# --- Matrix Market --------------------------------------------------------------------------------------------

BANNER = "%%MatrixMarket matrix coordinate real general\n"


def test_market_coordinates_are_the_observed_entries(tmp_path):
    path = text(tmp_path, BANNER + "% a comment\n3 2 3\n3 1 -1.5\n1 2 0\n2 2 nan\n", "a.mtx")
    table = read(path)
    np.testing.assert_array_equal(table.dense(), [[NAN, 0], [NAN, NAN], [-1.5, NAN]])
    assert (table.format, table.skipped, table.row_labels) == ("mtx", 1, None)


def test_market_symmetric_is_expanded_and_compressed_is_read(tmp_path):
    content = BANNER.replace("general", "symmetric") + "2 2 2\n1 1 1\n2 1 5\n"
    np.testing.assert_array_equal(read(text(tmp_path, content, "a.mtx")).dense(), [[1, 5], [5, NAN]])
    content = gzip.compress(content.replace("symmetric", "skew-symmetric").replace("2 2 2\n1 1 1", "2 2 1").encode())
    np.testing.assert_array_equal(read(text(tmp_path, content, "a.mtx.gz")).dense(), [[NAN, -5], [5, NAN]])


def test_market_integers_do_not_cut_fractions(tmp_path):
    path = text(tmp_path, BANNER.replace("real", "integer") + "1 1 1\n1 1 2.5\n", "a.mtx")
    assert read(path).values.tolist() == [2.5]


def test_market_duplicates_by_policy(tmp_path):
    path = text(tmp_path, BANNER + "1 2 3\n1 1 1\n1 1 4\n1 2 7\n", "a.mtx")
    assert read(path, duplicates="mean").values.tolist() == [2.5, 7]
    assert read(path, duplicates="last").values.tolist() == [4, 7]


@pytest.mark.parametrize("policy", ["error", "mean", "last"])
def test_market_symmetric_stores_each_cell_once(tmp_path, policy):
    content = BANNER.replace("general", "symmetric") + "2 2 2\n2 1 4\n1 2 5\n"
    with expect(FileFormatError, "lines 3 and 4", "4 and 5", "one half only"):
        read(text(tmp_path, content, "a.mtx"), duplicates=policy)


MARKET_ERRORS = {
    "banner": ("1 1 1\n", ["line 1", "%%MatrixMarket", "'1 1 1'"]),
    "empty": ("", ["line 1"]),
    "pattern": (BANNER.replace("real", "pattern") + "1 1 1\n1 1\n", ["line 1", "pattern", "no values"]),
    "complex": (BANNER.replace("real", "complex") + "1 1 1\n1 1 1 1\n", ["line 1", "complex numbers"]),
    "not square": (BANNER.replace("general", "symmetric") + "2 3 1\n1 1 1\n", ["line 1", "symmetric", "2 x 3"]),
    "bad value": (BANNER + "% c\n2 2 1\n1 1 four\n", ["line 4", "'1 1 four'"]),
    "outside": (BANNER + "2 2 1\n1 3 4\n", ["line 3", "'1 3 4'", "out of bounds"]),
    "from zero": (BANNER + "2 2 1\n0 1 4\n", ["line 3", "'0 1 4'", "out of bounds"]),
    "cut short": (BANNER + "2 2 3\n1 1 4\n", ["Truncated"]),
    "too long": (BANNER + "2 2 1\n1 1 4\n2 2 5\n", ["line 4", "'2 2 5'"]),
    "infinite": (BANNER + "2 2 2\n1 1 4\n2 2 inf\n", ["line 4", "'inf'"]),
    "all missing": (BANNER + "2 2 1\n1 1 nan\n", ["all 1 stored entries"]),
    "no cells": (BANNER + "0 2 0\n", ["0 x 2"]),
    "duplicates": (BANNER + "2 2 3\n1 1 4\n2 2 5\n1 1 6\n", ["lines 3 and 5", "row 1 and column 1", "4 and 6"]),
    "infinite cell": (BANNER.replace("coordinate", "array") + "2 2\n1\n2\ninf\n3\n", ["row 0, column 1", "inf"]),
}


@pytest.mark.parametrize("case", MARKET_ERRORS)
def test_an_error_in_matrix_market_names_the_place(tmp_path, case):
    content, parts = MARKET_ERRORS[case]
    path = text(tmp_path, content, "a.mtx")
    with expect(FileFormatError, path, *parts):
        read(path)


# --- there and back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", LONG + DENSE)
def test_a_completed_matrix_is_read_back_exactly(tmp_path, ratings, extension):
    matrix = np.array([[1 / 3, 4], [-1e-300, 12345678.9]])
    path = write(tmp_path / f"completed.{extension}", matrix, ratings)
    assert [other.name for other in tmp_path.iterdir() if other.name.startswith(".")] == []
    table = read(path)
    np.testing.assert_array_equal(table.dense(), matrix)
    if extension in LONG:
        assert table.names == ratings.names
        np.testing.assert_array_equal(table.row_labels, ratings.row_labels)
        np.testing.assert_array_equal(table.column_labels, ratings.column_labels)


@pytest.mark.parametrize("extension", DENSE)
def test_a_dense_file_with_holes_is_read_and_completed(tmp_path, extension):
    holes = np.array([[1.5, NAN, 3], [NAN, 5, 6]])
    path = tmp_path / f"holes.{extension}"
    match extension:
        case "npy":
            np.save(path, holes)
        case "npz":
            np.savez(path, ratings=holes)
        case _:
            scipy.io.mmwrite(tmp_path / "holes.mtx", holes)
            text(tmp_path, gzip.compress((tmp_path / "holes.mtx").read_bytes()), "holes.mtx.gz")
    table = read(path)
    np.testing.assert_array_equal(table.dense(), holes)
    again = read(write(tmp_path / f"completed.{extension}", np.nan_to_num(holes), table))
    np.testing.assert_array_equal(again.dense(), np.nan_to_num(holes))
    assert again.names == table.names
    long = read(write(tmp_path / "completed.csv", np.nan_to_num(holes), table))
    assert long.names[:2] == ("row", "column")
    assert long.row_labels.tolist() == [0, 1]


def test_the_observed_column_tells_known_from_completed(tmp_path, ratings):
    records = parquet.read_table(write(tmp_path / "c.parquet", np.ones((2, 2)), ratings)).to_pylist()
    assert [(r["user"], r["movie"], r["observed"]) for r in records] == [
        ("ann", "heat", False), ("ann", "up", True), ("bob", "heat", True), ("bob", "up", False),
    ]  # fmt: skip
    predicted = read(write(tmp_path / "p.tsv", np.ones((2, 2)), ratings, full=False))
    np.testing.assert_array_equal(predicted.dense(), [[1, NAN], [NAN, 1]])
    with expect(InputError, "full=False"):
        write(tmp_path / "p.npy", np.ones((2, 2)), ratings, full=False)


def test_a_column_called_observed_is_kept(tmp_path):
    table = read(text(tmp_path, "user,movie,observed\nann,up,4\n"))
    path = write(tmp_path / "c.csv", [[4.0]], table)
    assert path.read_text().splitlines()[0] == "user,movie,observed,observed_cell"
    assert read(path, rows="user", columns="movie", values="observed").values.tolist() == [4.0]


def test_a_long_table_of_several_blocks(tmp_path, monkeypatch, ratings):
    monkeypatch.setattr("rankscape.files.long.BLOCK", 3)
    matrix = np.arange(4.0).reshape(2, 2)
    for extension in LONG:
        np.testing.assert_array_equal(read(write(tmp_path / f"c.{extension}", matrix, ratings)).dense(), matrix)


labels = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6, unique=True),
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=4)
        .map(lambda word: "a" + word + "z"),
        min_size=1, max_size=6, unique=True,
    ),
)  # fmt: skip


@given(rows=labels, columns=labels, extension=st.sampled_from(["csv", "tsv", "csv.gz"]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_of_lines_does_not_matter(tmp_path_factory, rows, columns, extension, data):
    folder = tmp_path_factory.mktemp("order")
    cells = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
    values = data.draw(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=len(cells), max_size=len(cells))
    )
    entries = Entries(*np.array(cells).T, values, (len(rows), len(columns)))
    labels = dict(row_labels=np.unique(rows), column_labels=np.unique(columns))
    source = Table(entries=entries, **labels, format="csv", names=("r", "c", "v"))
    path = write(folder / f"a.{extension}", source.dense(), source)
    header, *lines = unpacked(path).splitlines(keepends=True)
    shuffled = "".join([header, *data.draw(st.permutations(lines))]).encode()
    path.write_bytes(gzip.compress(shuffled) if extension.endswith("gz") else shuffled)
    table = read(path)
    for field in ("rows", "columns", "values", "row_labels", "column_labels"):
        np.testing.assert_array_equal(getattr(table, field), getattr(source, field))


def unpacked(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


@given(st.binary(max_size=60), st.sampled_from([*LONG, *DENSE]))
@settings(max_examples=300, deadline=None)
def test_no_bytes_lead_to_anything_but_an_input_error(tmp_path_factory, content, extension):
    starts = {"csv": b"r,c,v\n", "mtx": BANNER.encode() + b"2 2 2\n", "npy": b"\x93NUMPY\x01\x00", "npz": b"PK\x03\x04"}
    path = text(tmp_path_factory.mktemp("noise"), starts.get(extension, b"") + content, f"a.{extension}")
    with contextlib.suppress(InputError, FallbackWarning):
        read(path)


# --- writing safely -------------------------------------------------------------------------------------------


def test_check_writable_before_any_work(tmp_path, monkeypatch):
    assert check_writable(tmp_path / "a.csv") == tmp_path / "a.csv"
    assert list(tmp_path.iterdir()) == []
    with expect(InputError, "'.docx' is not known"):
        check_writable(tmp_path / "a.docx")
    with expect(InputError, "no directory", "create it first"):
        check_writable(tmp_path / "nowhere" / "a.csv")
    (tmp_path / "a.npy").mkdir()
    with expect(InputError, "is a directory"):
        check_writable(tmp_path / "a.npy")

    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "touch", refuse)
    with expect(StorageError, tmp_path, "cannot be written to", "Permission denied"):
        check_writable(tmp_path / "a.csv")


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    path = text(tmp_path, RATINGS)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with expect(StorageError, "is read-only"):
        check_writable(path)


def test_the_matrix_must_be_complete_and_fit(tmp_path, ratings):
    with expect(InputError, "shape (2, 2)", "(3, 2)"):
        write(tmp_path / "a.csv", np.ones((3, 2)), ratings)
    with expect(InputError, "not complete", "nan", "row 1, column 0"):
        write(tmp_path / "a.csv", [[1, 2], [NAN, 4]], ratings)
    with expect(InputError, "must hold real numbers", "row 0, column 0"):
        write(tmp_path / "a.csv", np.ones((2, 2), complex), ratings)


def precious(extension: str) -> bytes:
    """What may be replaced under such a name: the beginning of a file of that kind, or an archive of arrays."""
    promised = ENDINGS["." + extension.split(".")[-1]]
    if promised == ("an archive of arrays",):
        archive = io.BytesIO()
        np.savez(archive, X=np.eye(2))
        return archive.getvalue()
    return next((begin for begin, kind in BEGINNINGS if kind in promised), b"") + b"precious"


@pytest.mark.parametrize("extension", LONG + DENSE)
@pytest.mark.parametrize("there_before", [True, False])
def test_a_full_disk_leaves_what_was_there(tmp_path, ratings, monkeypatch, extension, there_before):
    folder = tmp_path / "out"
    folder.mkdir()
    path = folder / f"a.{extension}"
    if there_before:
        path.write_bytes(precious(extension))

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    state = "the file that was there is intact" if there_before else "nothing was left behind"
    with expect(StorageError, path, "No space left on device", state):
        write(path, np.ones((2, 2)), ratings)
    assert [other.name for other in folder.iterdir()] == ([path.name] if there_before else [])
    assert not there_before or path.read_bytes() == precious(extension)


FULL_DISK = """
import resource, sys, numpy as np
from rankscape.entries import Entries
from rankscape.files import Table, write
from rankscape.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # no file may grow beyond 4 kB: a write fails half-way
source = Table(entries=Entries([0], [0], [1.0], (300, 300)), format="npy")
try:
    write(sys.argv[1], np.random.default_rng(0).normal(size=(300, 300)), source)
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
@pytest.mark.parametrize("extension", LONG + DENSE)
def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path, extension):
    path = text(tmp_path, precious(extension), f"a.{extension}")
    run = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True)
    assert "File too large; the file that was there is intact" in run.stdout
    assert [other.read_bytes() for other in tmp_path.iterdir()] == [precious(extension)]


def test_an_interrupt_leaves_no_temporary_file(tmp_path, ratings, monkeypatch):
    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.npy", np.ones((2, 2)), ratings)
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.csv"]


def test_a_link_stays_a_link(tmp_path, ratings):
    target = text(tmp_path, precious("npy"), "target.npy")
    link = tmp_path / "link.npy"
    link.symlink_to(target)
    write(link, np.ones((2, 2)), ratings)
    assert link.is_symlink()
    assert np.load(target).sum() == 4
