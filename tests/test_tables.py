"""Tables as people write them: read rightly or refused with the calls that settle it, and given back to the byte."""

import gzip
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from table_files import Made, make

from rankscape.errors import FallbackWarning, FileFormatError, InputError
from rankscape.files import check_writable, has_errors, read, write, write_errors

pytestmark = pytest.mark.usefixtures("hasty_file")

NAN = np.nan
FILL = 7.03125  # short, so that it is written as it is


def text(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# --- the generator ------------------------------------------------------------------------------------------------


def outcome(folder: Path, seed: int) -> str:
    """What became of one file: ``right``, ``refused``, or what is wrong."""
    made = make(seed)
    path = text(folder, made.content, made.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            table = read(path)
    except InputError as error:
        if path.name not in str(error):
            return f"an error without the file: {error}"
        return "refused though clear" if made.clear else "refused"
    labels = [
        None if names is None else [str(name) for name in names] for names in (table.row_labels, table.column_labels)
    ]
    assert (table.wide is not None) == (made.layout == "wide"), (seed, made.about)
    assert labels == [made.rows, made.columns], (seed, made.about)
    np.testing.assert_array_equal(table.dense(), made.values, err_msg=f"{seed} {made.about}")
    if made.layout == "wide":
        assert given_back(folder, made, table) == wanted(made, table), (seed, made.about)
    return "right"


def given_back(folder: Path, made: Made, table) -> bytes:
    matrix = np.where(np.isnan(made.values), FILL, made.values)
    content = write(folder / f"out-{made.name}", matrix, table).read_bytes()
    return gzip.decompress(content) if made.name.endswith(".gz") else content


def wanted(made: Made, table) -> bytes:
    fill = str(FILL).replace(".", table.wide.numerals.decimal)
    rows = zip(made.cells, np.isnan(made.values), strict=True)
    content = made.render([[fill if m else cell for cell, m in zip(*row, strict=True)] for row in rows])
    return gzip.decompress(content) if made.name.endswith(".gz") else content


def check(folder: Path, seeds: range) -> None:
    counts = Counter(outcome(folder, seed) for seed in seeds)
    assert set(counts) <= {"right", "refused", "refused though clear"}
    clear = counts["right"] + counts["refused though clear"]
    assert counts["refused though clear"] <= 0.05 * clear, counts
    assert counts["right"] > 0.7 * len(seeds), counts  # to refuse everything is no answer


def test_generated_tables_are_read_rightly_or_refused(tmp_path):
    check(tmp_path, range(300))


@pytest.mark.slow
def test_thousands_of_generated_tables(tmp_path):
    check(tmp_path, range(10_000, 15_000))


# --- wide tables, one by one ---------------------------------------------------------------------------------------

WIDE = {
    "pandas": (",s0,s1\na,1.5,{}\nb,{},2.25\n", ""),
    "words for missing": ("gene,s0,s1\na,1.5,{}\nb,{},2.25\n", "NA"),
    "R": ("s0 s1\na 1.5 {}\nb {} 2.25\n", "NA"),
    "decimal commas": ("gene;s0;s1\na;1,5;{}\nb;{};2,25\n", "?"),
    "quoted": ('"gene","s0","s1"\n"a","1.5","{}"\n"b","{}","2.25"\n', ""),
    "blanks around": ("gene , s0 , s1\na , 1.5 , {}\nb , {} , 2.25\n", "-"),
    "comment above": ("# written by hand\ngene\ts0\ts1\na\t1.5\t{}\nb\t{}\t2.25\n", ""),
    "names in a comment": ("#gene\ts0\ts1\na\t1.5\t{}\nb\t{}\t2.25\n", "null"),
    "carriage returns": ("gene,s0,s1\r\na,1.5,{}\r\nb,{},2.25\r\n", "."),
    "blank lines": ("gene,s0,s1\n\na,1.5,{}\n\nb,{},2.25\n\n", ""),
    "over two lines": ('"gene\nname",s0,s1\na,1.5,{}\nb,{},2.25\n', ""),
}


@pytest.mark.parametrize("case", WIDE)
def test_wide_tables_are_read_and_only_their_holes_are_filled(tmp_path, case):
    template, hole = WIDE[case]
    table = read(text(tmp_path, template.format(hole, hole)))
    np.testing.assert_array_equal(table.dense(), [[1.5, NAN], [NAN, 2.25]])
    assert (table.row_labels.tolist(), table.column_labels.tolist()) == (["a", "b"], ["s0", "s1"])
    assert table.read_as.startswith("a wide table, 2 rows x 2 columns, cut at ")
    written = write(tmp_path / "out.csv", [[1.5, 3.5], [4.5, 2.25]], table).read_bytes()
    mark = "," if case == "decimal commas" else "."
    assert written.decode() == template.format(f"3{mark}5", f"4{mark}5")


def test_without_header_and_names(tmp_path):
    table = read(text(tmp_path, "1.5\t-2\t3e2\n4\t\t6\n7\t8.25\t9\n", "a.data"))
    np.testing.assert_array_equal(table.dense(), [[1.5, -2, 300], [4, NAN, 6], [7, 8.25, 9]])
    assert (table.row_labels, table.column_labels) == (None, None)


def test_what_was_given_keeps_its_digits_and_a_changed_value_is_written(tmp_path):
    table = read(text(tmp_path, "gene,s0,s1\na,1.50,+2\nb,1e1,0003\nc,,1\n"))
    path = write(tmp_path / "out.csv", [[1.5, 2], [10, 4], [5, 1]], table)
    assert path.read_text() == "gene,s0,s1\na,1.50,+2\nb,1e1,4\nc,5,1\n"


def test_text_between_numbers_is_kept_aside_and_given_back(tmp_path):
    content = "who,age,city,weight,when\nann,33,Oslo,,2020-01-02\nbob,,Rio,71.5,2020-01-03\ncyd,45,Oslo,64,\n"
    table = read(text(tmp_path, content))
    np.testing.assert_array_equal(table.dense(), [[33, NAN], [NAN, 71.5], [45, 64]])
    assert table.column_labels.tolist() == ["age", "weight"]
    assert "kept aside" in table.read_as
    assert "'city', 'when'" in table.read_as
    completed = write(tmp_path / "out.csv", [[33, 60], [40, 71.5], [45, 64]], table).read_text()
    assert completed == content.replace("Oslo,,", "Oslo,60,").replace("bob,,", "bob,40,")


def test_into_another_text_format_and_into_columns_with_types(tmp_path):
    table = read(text(tmp_path, "gene;s, 0;s1\na;1,5;\nb;;2,25\n"))
    matrix = [[1.5, 3.5], [4.5, 2.25]]
    assert write(tmp_path / "out.tsv", matrix, table).read_text() == "gene\ts, 0\ts1\na\t1.5\t3.5\nb\t4.5\t2.25\n"
    again = read(write(tmp_path / "out.parquet", matrix, table))
    assert again.dense().tolist() == matrix
    assert (again.row_labels.tolist(), again.column_labels.tolist()) == (["a", "b"], ["s, 0", "s1"])


def test_standard_errors_in_the_same_layout(tmp_path):
    table = read(text(tmp_path, "gene,s0,s1\na,1.5,\nb,,2.25\n"))
    errors = np.array([[NAN, 0.5], [0.25, NAN]])
    assert write_errors(tmp_path / "e.csv", errors, table).read_text() == "gene,s0,s1\na,,0.5\nb,0.25,\n"
    long = read(text(tmp_path, "user,item,score\na,x,1\nb,y,2\n", "long.csv"))
    assert has_errors("e.csv", long)
    assert not has_errors("e.csv", table)
    with pytest.raises(InputError, match="in a column"):
        check_writable(tmp_path / "e.csv", long, wide=True)
    written = write(tmp_path / "o.csv", [[1, 3], [4, 2]], long, errors=errors).read_text()
    assert written.splitlines()[:3] == ["user,item,score,observed,std_error", "a,x,1,true,", "a,y,3,false,0.5"]


def test_a_long_table_keeps_its_dialect_and_the_digits_of_what_was_given(tmp_path):
    table = read(text(tmp_path, "user;item;score\nb;x;1,50\na;y;2,0\n"))
    written = write(tmp_path / "o.csv", [[3.25, 2], [1.5, 4]], table).read_text()
    assert written.splitlines()[1:] == ["a;x;3,25;false", "a;y;2,0;true", "b;x;1,50;true", "b;y;4;false"]


@pytest.mark.parametrize(
    ("content", "option", "answers"),
    [
        ("1,2,3\n4,5,6\n2,8,8\n", "header", {True: (2, 3), False: (3, 3)}),
        ("thing,a,b\n1,1.5,2\n2,2.5,3\n3,3.5,1\n", "index", {True: (3, 2), False: (3, 3)}),
        ("a;b\n1,234;2,345\n3,456;4,567\n", "decimal", {",": (2, 2), ".": (2, 2)}),
        ("3,2,5\n1,2,4\n3,1,2\n1,1,3\n", "layout", {"wide": (4, 3), "long": (2, 2)}),
    ],
)
def test_two_plausible_readings_are_refused_with_both_calls(tmp_path, content, option, answers):
    path = text(tmp_path, content)
    with pytest.raises(FileFormatError) as caught:
        read(path, **({"header": False} if option == "layout" else {}))
    for answer, shape in answers.items():
        word = {True: "yes", False: "no"}.get(answer, answer)
        assert f"--{option} {word}" in str(caught.value).replace("'", "")
        assert read(path, **{option: answer}, **({"header": False} if option == "layout" else {})).shape == shape
    if option == "decimal":
        assert read(path, decimal=".").values.max() == 4567
        assert read(path, decimal=",").values.max() == 4.567


REFUSED = {
    "ragged": ("gene,a,b\ng1,1,2\ng2,3\ng3,4,5\n", ["line 3", "2 cell(s)", "header has 3"]),
    "two columns of one name": ("gene,a,a\ng1,1,2\ng2,3,4\n", ["'a'", "columns 2 and 3"]),
    "header twice": ("gene,a,b\ng1,1,2\ngene,a,b\ng3,4,5\n", ["line 3", "'a'", "header once more"]),
    "total": ("gene,a,b\ng1,1,2\ng2,3,4\nTotal,4,6\n", ["line 4", "'Total'", "delete"]),
    "unit in a cell": ("gene,a,b\ng1,3.5 mg,2\ng2,3,4\ng3,3,4\n", ["line 2", "'a'", "'3.5 mg'", "'mg'"]),
    "units in all cells": ("gene,a,b,c\ng1,3 mg,2,1\ng2,4 mg,4,2\n", ["line 2", "'a'", "'3 mg'"]),
    "date": ("gene,a,b\ng1,2020-01-02,2\ng2,3,4\ng3,3,4\n", ["line 2", "'a'", "'2020-01-02'", "date"]),
    "word": ("gene,a,b\ng1,1,2\ng2,3,n.d.\ng3,4,1\n", ["line 3", "'b'", "'n.d.'", "--missing 'n.d.'"]),
    "infinite": ("gene,a,b\ng1,1,2\ng2,3,inf\n", ["line 3", "'b'", "'inf'"]),
    "too large": ("gene,a,b\ng1,1,2\ng2,3,1e999\n", ["line 3", "'b'", "'1e999'", "too large"]),
    "python number": ("gene,a,b\ng1,1,2\ng2,3,1_000\n", ["line 3", "'b'", "'1_000'"]),
    "row without a name": ("gene,a,b\ng1,1,2\n,3,4\ng3,5,6\n", ["line 3", "'gene'", "empty"]),
    "one name for two rows": ("gene,a,b\ng1,.1,2\ng2,3,4\ng3,5,6\ng1,3,4\n", ["line 5", "'g1'", "line 2"]),
    "row or comment": ("gene,a,b\ng1,1,2\n#g2,3,4\ng3,5,6\n", ["line 3", "'#g2,3,4'", "comment"]),
    "nothing observed": ("gene,a,b\ng1,,\ng2,,\n", ["all 4 cells"]),
    "one column": ("gene,a\ng1,1\ng2,2\n", ["'gene', 'a'", "--layout wide"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_named(tmp_path, case):
    content, parts = REFUSED[case]
    path = text(tmp_path, content)
    with pytest.raises(FileFormatError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert [part for part in parts if part not in message] == [], message


def test_a_word_for_missing_can_be_named(tmp_path):
    path = text(tmp_path, "gene,a,b\ng1,1,2\ng2,3,n.d.\ng3,-999,1\n")
    np.testing.assert_array_equal(read(path, missing=("n.d.", "-999")).dense(), [[1, 2], [3, NAN], [NAN, 1]])


def test_bytes_that_are_not_utf8_are_read_as_windows_1252_and_that_is_said(tmp_path):
    path = text(tmp_path, "stadt;x;y\nKöln;1,5;\nLübeck;2,5;3,5\n".encode("cp1252"))
    with pytest.warns(FallbackWarning, match="line 2.*not UTF-8.*Windows-1252"):
        table = read(path)
    assert table.row_labels.tolist() == ["Köln", "Lübeck"]
    written = write(tmp_path / "o.csv", [[1.5, 9], [2.5, 3.5]], table).read_bytes()
    assert written == "stadt;x;y\nKöln;1,5;9\nLübeck;2,5;3,5\n".encode("cp1252")


@pytest.mark.parametrize("names", [True, False])
def test_ratings_without_a_header_and_with_more_columns(tmp_path, names):
    rng = np.random.default_rng(0)
    cells = rng.choice(40 * 25, 300, replace=False)
    records = [(k // 25 + 1, k % 25 + 1, rng.integers(1, 6), 880_000_000 + t) for t, k in enumerate(cells.tolist())]
    header = "userId,movieId,rating,timestamp\n" if names else ""
    mark, name = ("," if names else "\t"), ("ratings.csv" if names else "u.data")
    table = read(text(tmp_path, header + "".join(mark.join(map(str, record)) + "\n" for record in records), name))
    assert len(table.values) == 300
    expected = {(i, j): r for i, j, r, _ in records}
    labels = zip(table.row_labels[table.rows].tolist(), table.column_labels[table.columns].tolist(), strict=True)
    assert dict(zip(labels, table.values.tolist(), strict=True)) == expected
    assert table.read_as.startswith("a long table")


def test_an_extension_that_says_nothing_needs_the_format(tmp_path):
    path = text(tmp_path, "gene,a,b\ng1,1,2\ng2,3,4\n", "table.xyz")
    with pytest.raises(InputError, match=r"'\.xyz' is not known"):
        read(path)
    assert read(path, format="csv").shape == (2, 2)
    with pytest.raises(InputError, match="csv, tsv, txt"):
        read(path, format="cvs")


def test_what_a_format_does_not_look_at_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 2)))
    with pytest.raises(InputError, match=r"NPY file, which needs no --decimal"):
        read(tmp_path / "a.npy", decimal=",")


# --- other files ---------------------------------------------------------------------------------------------------


@pytest.fixture
def frame():
    import pandas as pd

    return pd.DataFrame(
        {"a": [1.5, NAN, 3.0], "city": ["x", None, "z"], "b": [1, 2, 3], "c": [NAN, 2, 5]}, index=["g1", "g2", "g3"]
    ).rename_axis("gene")


@pytest.mark.parametrize("extension", ["parquet", "feather"])
def test_wide_frames_come_back_with_types_index_and_order(tmp_path, frame, extension):
    import pandas as pd

    frame["a"] = frame["a"].astype("float32")
    path = tmp_path / f"a.{extension}"
    getattr(frame, f"to_{extension}")(path)
    table = read(path)
    np.testing.assert_array_equal(table.dense(), frame[["a", "b", "c"]].to_numpy(float))
    assert (table.row_labels.tolist(), table.column_labels.tolist()) == (["g1", "g2", "g3"], ["a", "b", "c"])
    matrix = np.where(np.isnan(table.dense()), 7.5, table.dense())
    done = getattr(pd, f"read_{extension}")(write(tmp_path / f"o.{extension}", matrix, table))
    pd.testing.assert_frame_equal(done, frame.fillna({"a": 7.5, "c": 7.5}))
    long = read(write(tmp_path / "l.csv", matrix, table))
    assert long.dense().tolist() == matrix.tolist()


def test_excel_is_given_back_as_the_workbook_it_was(tmp_path, frame):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    path = tmp_path / "a.xlsx"
    frame.to_excel(path, sheet_name="Data")
    book = openpyxl.load_workbook(path)
    book["Data"]["B2"].number_format = "0.00"
    book.create_sheet("Notes")["A1"] = "hello"
    book.save(path)
    table = read(path)
    np.testing.assert_array_equal(table.dense(), frame[["a", "b", "c"]].to_numpy(float))
    assert "the sheet 'Data'" in table.read_as
    assert table.row_labels.tolist() == ["g1", "g2", "g3"]
    matrix = np.where(np.isnan(table.dense()), 7.5, table.dense())
    done = openpyxl.load_workbook(write(tmp_path / "o.xlsx", matrix, table))
    assert [[cell.value for cell in row] for row in done["Data"]] == [
        ["gene", "a", "city", "b", "c"], ["g1", 1.5, "x", 1, 7.5], ["g2", 7.5, None, 2, 2], ["g3", 3, "z", 3, 5],
    ]  # fmt: skip
    assert (done["Data"]["B2"].number_format, done["Notes"]["A1"].value) == ("0.00", "hello")
    with pytest.raises(InputError, match=r"no sheet 'Dta'; it has 'Data', 'Notes' - did you mean 'Data'"):
        read(path, sheet="Dta")
    with pytest.raises(FileFormatError, match=r"'Notes' is empty|has only"):
        read(path, sheet="Notes")


def test_workbooks_that_cannot_be_read(tmp_path):
    pytest.importorskip("python_calamine")
    with pytest.raises(FileFormatError, match="password"):
        read(text(tmp_path, bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "a.xlsx"))
    with pytest.raises(FileFormatError, match="no workbook"):
        read(text(tmp_path, b"PK\x03\x04nothing", "a.xlsx"))


def test_a_long_table_in_excel_and_a_table_written_as_one(tmp_path):
    pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    table = read(text(tmp_path, "user,item,score\na,x,1\nb,y,2\n"))
    again = read(write(tmp_path / "o.xlsx", [[1, 3.5], [4, 2]], table))
    assert again.dense().tolist() == [[1, 3.5], [4, 2]]
    assert again.names == ("user", "item", "score")


def test_a_missing_package_is_one_sentence_with_the_command(tmp_path, monkeypatch):
    for name, package in (("a.xlsx", "python-calamine"), ("a.h5ad", "h5py"), ("a.parquet", "pyarrow")):
        monkeypatch.setitem(sys.modules, package.replace("-", "_"), None)
        with pytest.raises(InputError, match=rf"{name} needs the package {package}: pip install 'rankscape\[files\]'"):
            read(text(tmp_path, b"x", name))


def test_matlab(tmp_path):
    import scipy.io
    import scipy.sparse

    X = np.array([[1.5, NAN], [2, 3]])
    scipy.io.savemat(tmp_path / "a.mat", {"ratings": X, "n": 3})
    table = read(tmp_path / "a.mat")
    np.testing.assert_array_equal(table.dense(), X)
    assert scipy.io.loadmat(write(tmp_path / "o.mat", np.ones((2, 2)), table))["ratings"].sum() == 4
    scipy.io.savemat(tmp_path / "b.mat", {"A": X, "B": scipy.sparse.csc_array([[0, 2.0], [1, 0]])})
    np.testing.assert_array_equal(read(tmp_path / "b.mat", values="B").dense(), [[NAN, 2], [1, NAN]])
    with pytest.raises(InputError, match="'A', 'B'"):
        read(tmp_path / "b.mat")
    with pytest.raises(FileFormatError, match="no MATLAB file"):
        read(text(tmp_path, b"nothing at all" * 20, "c.mat"))


@pytest.mark.parametrize("sparse", [True, False])
def test_anndata(tmp_path, sparse):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5ad"
    with h5py.File(path, "w") as file:
        if sparse:
            group = file.create_group("X")
            group.attrs.update({"encoding-type": "csr_matrix", "shape": [2, 3]})
            for name, values in (("data", [1.5, 2.0]), ("indices", [2, 0]), ("indptr", [0, 1, 2])):
                group[name] = values
        else:
            file["X"] = [[NAN, NAN, 1.5], [2, NAN, NAN]]
        file["layers/raw"] = np.ones((2, 3))
        for axis, names in (("obs", ["c1", "c2"]), ("var", ["g1", "g2", "g3"])):
            group = file.create_group(axis)
            group.attrs["_index"] = "_index"
            group.create_dataset("_index", data=names, dtype=h5py.string_dtype())
    table = read(path)
    np.testing.assert_array_equal(table.dense(), [[NAN, NAN, 1.5], [2, NAN, NAN]])
    assert (table.row_labels.tolist(), table.column_labels.tolist()) == (["c1", "c2"], ["g1", "g2", "g3"])
    assert read(path, values="raw").values.sum() == 6
    with pytest.raises(InputError, match="no layer 'rwa'"):
        read(path, values="rwa")
    again = read(write(tmp_path / "o.h5ad", np.full((2, 3), 0.5), table))
    assert (again.values.sum(), again.column_labels.tolist()) == (3, ["g1", "g2", "g3"])


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zst"])
def test_packed_tables(tmp_path, packing):
    table = read(text(tmp_path, "gene,s0,s1\na,1.5,\nb,,2.25\n"))
    path = write(tmp_path / f"o.csv{packing}", [[1.5, 3.5], [4.5, 2.25]], table)
    assert read(path).dense().tolist() == [[1.5, 3.5], [4.5, 2.25]]
    with pytest.raises(FileFormatError, match="no compressed file"):
        read(text(tmp_path, path.read_bytes()[:-9], f"cut.csv{packing}"))


def test_a_pipe_is_refused_with_the_call(tmp_path):
    import os

    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"is a pipe; .*complete - --format csv"):
        read(tmp_path / "a.csv")


# --- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command line beside a wide table of rank 1 with a hole in each row."""
    from rankscape.cli.app import start

    monkeypatch.chdir(tmp_path)
    lines = ["gene;" + ";".join(f"s{j}" for j in range(6))]
    for i in range(8):
        cells = [f"{(i + 1) * (j + 1) / 2:g}".replace(".", ",") if (i + j) % 6 else "" for j in range(6)]
        lines.append(";".join([f"g{i}", *cells]))
    text(tmp_path, "\r\n".join(lines) + "\r\n", "a.csv")

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = start(["complete", *arguments])
        return code, *capsys.readouterr()

    return run


def test_the_command_gives_a_wide_table_back(call):
    code, out, err = call("a.csv", "--standard-errors", "e.csv")
    assert (code, err) == (0, "")
    assert "a wide table, 8 rows x 6 columns" in " ".join(out.split())
    given, done, errors = (
        Path(name).read_bytes().decode().split("\r\n") for name in ("a.csv", "a-completed.csv", "e.csv")
    )
    assert [line.split(";")[0] for line in given] == [line.split(";")[0] for line in done]
    for i, lines in enumerate(zip(given[1:-1], done[1:-1], errors[1:-1], strict=True)):
        for j, (old, new, error) in enumerate(zip(*(line.split(";")[1:] for line in lines), strict=True)):
            assert new == old if old else abs(float(new.replace(",", ".")) - (i + 1) * (j + 1) / 2) < 1e-6
            assert (error == "") == bool(old)


def test_the_command_reads_standard_input(call, monkeypatch):
    import io
    import json
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("a.csv").read_bytes())))
    code, out, err = call("-", "--format", "csv", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["output"] == "stdin-completed.csv"
    assert Path("stdin-completed.csv").read_bytes().startswith(b"gene;s0;")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"gene,a,b\ng1,1,2\ng2,3\n")))
    code, out, err = call("-", "--format", "csv")
    assert (code, out) == (2, "")
    assert err.startswith("error: standard input, line 3: 2 cell(s)")
    assert call("-")[0] == 2


def test_the_command_shows_the_calls_and_takes_their_answers(call):
    Path("b.csv").write_text("1,2,3\n4,5,6\n2,8,8\n7,1,2\n")
    code, out, err = call("b.csv")
    assert (code, out) == (2, "")
    assert "`rankscape complete b.csv --header yes` or `rankscape complete b.csv --header no`" in err
    assert not Path("b-completed.csv").exists()
    assert call("b.csv", "--header", "no")[0] == 0
    Path("c.csv").write_text("gene,a,b\ng1,1,-9\ng2,2,n.d.\ng3,3,4\ng4,4,5\n")
    assert call("c.csv", "--missing", "n.d.", "--missing", "-9", "--json")[0] == 0
    assert "g4,4,5" in Path("c-completed.csv").read_text()


def test_two_rows_of_one_name_are_found_however_far_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("rankscape.files.text.columns.LOOK", 10)
    lines = [f"g{k % 40},{k}.5,2" for k in range(41)]
    with pytest.raises(FileFormatError, match=r"line 42, column 'gene': the name 'g0' is that of line 2 too"):
        read(text(tmp_path, "gene,a,b\n" + "\n".join(lines) + "\n"))
