"""Tables as people have them that no generator of ours made: each read rightly, or refused with what to do."""

import bz2
import gzip
import io
import lzma
import subprocess
import sys

import numpy as np
import pytest

import rankscape as rs
from rankscape.errors import FallbackWarning, FileFormatError, InputError
from rankscape.files import read, write
from rankscape.files.reading import read_stream
from rankscape.files.wanted import Wanted

NAN = np.nan
CELLS = [[1.5, 2, 3], [4, NAN, 6.25], [7, 8.5, 9]]
ROWS, COLUMNS = ["a", "b", "c"], ["x", "y", "z"]
TAIL = "b,4,,6.25\nc,7,8.5,9\n"
GEO = (
    '!Series_title\t"Expr"\n!Sample_x\t"s1"\t"s2"\t"s3"\n!series_matrix_table_begin\n"ID_REF"\t"x"\t"y"\t"z"\n'
    '"a"\t1.5\t2\t3\n"b"\t4\tnull\t6.25\n"c"\t7\t8.5\t9\n!series_matrix_table_end\n'
)
GCT = "#1.2\n3\t3\nNAME\tDescription\tx\ty\tz\na\tp\t1.5\t2\t3\nb\tq\t4\t\t6.25\nc\tr\t7\t8.5\t9\n"
EUROSTAT = "geo\\time\tx \ty \tz \na\t1.5 \t2 \t3 \nb\t4 \t: \t6.25 \nc\t7 \t8.5 \t9 \n"

# Name of the file, its text, names of the rows, and of the columns; the cells are CELLS.
READ = {
    "GEO": ("t.txt", GEO, ROWS, COLUMNS),
    "GCT": ("t.txt", GCT, ROWS, COLUMNS),
    "Eurostat": ("t.tsv", EUROSTAT, ROWS, COLUMNS),
    "MATLAB": ("t.txt", "% x y z\n1.5 2 3\n4 NaN 6.25\n7 8.5 9\n", None, COLUMNS),
    "slashes": ("t.txt", "// made by X\nx,y,z\n1.5,2,3\n4,,6.25\n7,8.5,9\n", None, COLUMNS),
    "Fortran": ("t.txt", "1.5D+00 .2D1 3.D0\n4.0d+00 NaN 62.5D-01\n7. 8.5D0 9.0D+0\n", None, None),
    "Fortran with names": ("t.csv", "id,x,y,z\na,1.5D+00,2.0D+00,3.0D+00\n" + TAIL, ROWS, COLUMNS),
    "barcodes": (
        "t.csv", "id,x,y,z\n1E5,1.5,2,3\n2E5,4,,6.25\n10E5,7,8.5,9\n", ["1E5", "2E5", "10E5"], COLUMNS,
    ),
    "decimals": ("t.csv", "t,x,y,z\n0.50,1.5,2,3\n1.00,4,,6.25\n1.50,7,8.5,9\n", None, None),
    "post codes": (
        "t.csv", "zip,x,y,z\n01234,1.5,2,3\n00987,4,,6.25\n10115,7,8.5,9\n", ["01234", "00987", "10115"], COLUMNS,
    ),
    "no header": ("t.csv", "001,1.5,2,3\n002,4,,6.25\n003,7,8.5,9\n", ["001", "002", "003"], None),
    "codes inside": ("t.csv", "id,code,x,y,z\na,007,1.5,2,3\nb,012,4,,6.25\nc,100,7,8.5,9\n", ROWS, COLUMNS),
    "Excel in German": (
        "t.csv", "sep=;\r\n;x;y;z\r\na;1,5;2;3\r\nb;4;;6,25\r\nc;7;8,5;9\r\n", ROWS, COLUMNS,
    ),
    "R": ("t.txt", '"x" "y" "z"\n"a" 1.5 2 3\n"b" 4 NA 6.25\n"c" 7 8.5 9\n', ROWS, COLUMNS),
}  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in READ if kind != "decimals"])
def test_tables_of_programs_are_read_and_given_back(tmp_path, kind):
    name, text, rows, columns = READ[kind]
    path = tmp_path / name
    path.write_text(text, newline="")
    table = read(path)
    np.testing.assert_array_equal(table.dense(), CELLS)
    assert rows == (None if table.row_labels is None else table.row_labels.tolist())
    assert columns == (None if table.column_labels is None else table.column_labels.tolist())
    back = write(tmp_path / f"back.{name[2:]}", np.where(np.isnan(table.dense()), 0.5, CELLS), table)
    filled = next(word for word in ("null", "\t\t", ": ", "NaN", ",,", ";;", "NA") if word in text)
    half = "0,5" if kind == "Excel in German" else "0.5"
    mended = filled[0] + half + filled[-1] if filled in ("\t\t", ",,", ";;") else half + (" " if filled == ": " else "")
    assert back.read_bytes().decode() == text.replace(filled, mended)


@pytest.mark.parametrize("thousands", ["\u2009", "\u202f", "\xa0", " ", "\u2019"])
def test_marks_between_thousands(tmp_path, thousands):
    (tmp_path / "t.csv").write_text(f"id;x;y\na;1{thousands}234,5;2\nb;4;12{thousands}000\n", encoding="utf-8")
    assert read(tmp_path / "t.csv").dense().tolist() == [[1234.5, 2], [4, 12000]]


@pytest.mark.parametrize(
    "text", ["1::10::4::964982703\n1::20::3::964982931\n2::10::5::964983815\n2::20::1::964983000\n",
             "1\t10\t4\t964982703\n1\t20\t3\t964982931\n2\t10\t5\t964983815\n2\t20\t1\t964983000\n"],
)  # fmt: skip
def test_a_few_ratings_with_times_are_long(tmp_path, text):
    (tmp_path / "u.data").write_text(text)
    assert read(tmp_path / "u.data").dense().tolist() == [[4, 3], [5, 1]]


def test_times_of_a_long_table_keep_their_digits_and_their_order(tmp_path):
    lines = ["0.50,a,1", "10.00,b,2", "2.00,a,3", "0.50,b,4"]
    (tmp_path / "t.csv").write_text("\n".join(["time,sensor,value", *lines]) + "\n")
    table = read(tmp_path / "t.csv")
    assert table.row_labels.tolist() == ["0.50", "2.00", "10.00"]
    matrix = np.where(np.isnan(table.dense()), 0.25, table.dense())
    back = write(tmp_path / "o.csv", matrix, table).read_text().splitlines()
    assert {line.removesuffix(",true") for line in back} >= set(lines)


def test_what_is_filled_in_is_read_again(tmp_path):
    (tmp_path / "t.tsv").write_text("id\tx\ty\na\t12\t\nb\t3\t4\n")
    table = read(tmp_path / "t.tsv")
    back = write(tmp_path / "o.tsv", [[12, 77.125], [3, 4]], table)
    assert read(back).dense().tolist() == [[12, 77.125], [3, 4]]  # 77.125 alone might be a thousand of something


REFUSED = {
    "a title of Excel": ("My table,,,\nid,x,y,z\na,1.5,2,3\n" + TAIL, "line 1: 'My table' stands alone", "--header no"),
    "a line of units": ("id,x,y,z\n,mg/L,kg,%\na,1.5,2,3\n" + TAIL, "line 2, column 'x'", "line of units"),
    "two headers": (",A,A2,B\n,x,y,x\na,1.5,2,3\n" + TAIL, "line 2", "second header"),
    "an error": ("id,x,y,z\na,1.5±0.1,2,3\n" + TAIL, "line 2, column 'x': '1.5±0.1'", "number alone"),
    "a trailing minus": ("id,x,y,z\na,1.5-,2,3\n" + TAIL, "line 2, column 'x': '1.5-'", "write it in digits"),
    "a fraction": ("id,x,y,z\na,1/2,2,3\n" + TAIL, "'1/2'", "write it in digits"),
    "Indian groups": ('id,x,y,z\na,"1,23,456",2,3\n' + TAIL, "'1,23,456'", "write it in digits"),
    "missing in SAS": ("id,x,y,z\na,.A,2,3\n" + TAIL, "'.A'", "--missing '.A'"),
    "full width": ("id,x,y\na,\uff11,\uff12\nb,\uff13,\uff14\n", "'x' holds '\uff11', which is no number", "wide one"),
    "JSON": ('[{"id": "a", "x": 1.5}]\n', "holds JSON", "save the table as CSV"),
    "lines of JSON": ('{"id": "a", "x": 1.5}\n{"id": "b", "x": 2}\n', "holds JSON", "CSV"),
    "a web page": ("<table><tr><td>1</td></tr></table>\n", "holds a web page", "CSV"),
    "dates in Excel's way": ("id,x,y,z\na,1-2,2,3\n" + TAIL, "'1-2'", "write it in digits"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_number_is_said_with_the_remedy(tmp_path, kind):
    text, *said = REFUSED[kind]
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        read(tmp_path / "t.csv")
    assert all(part in str(caught.value) for part in said), caught.value


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14\0\x06\0", gzip.compress(b"a,b\n1,2\n"), b"PAR1\x15\0\x15"])
def test_a_binary_file_under_the_name_of_a_text(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(FileFormatError, match="not a text as its name says"):
        read(tmp_path / "t.csv")


@pytest.mark.parametrize(("module", "packing"), [(gzip, "gz"), (bz2, "bz2"), (lzma, "xz")])
def test_a_packed_stream_is_named_by_its_format(module, packing):
    content = module.compress(b"a,b,c\n1,2,3\n4,,6\n")
    with pytest.raises(FileFormatError, match=r"standard input is compressed .* as in `--format csv.gz`"):
        read_stream(io.BytesIO(content), "csv", Wanted(), "error")
    assert read_stream(io.BytesIO(content), f"csv.{packing}", Wanted(), "error").entries.count == 5


def test_digits_with_zeros_before_them_are_numbers_where_all_are(tmp_path):
    (tmp_path / "t.txt").write_text("01 02 03\n04 05 06\n07 08 09\n11 02 13\n")
    assert read(tmp_path / "t.txt", header=False).dense()[0].tolist() == [1, 2, 3]


def test_frames_that_hold_more_than_numbers():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, None]})
    for nested in (pl.struct("a", "b"), pl.concat_list("a", "b")):
        with pytest.raises(InputError, match="Column 's' of `data` holds nested values"):
            rs.complete(frame.with_columns(s=nested))
    batch = pa.RecordBatch.from_pydict({"a": [1.0, 2.0, 3.0, 5.0], "b": [2.0, 4.0, None, 10.0]})
    completed = rs.complete(batch).frame
    assert completed.column_names == ["a", "b"]
    assert completed.column("b").null_count == 0


MISUSES = """
import numpy as np, rankscape as rs
from rankscape import phases, plot, reports
from rankscape.errors import InputError
from rankscape.files import has_errors, write, write_errors
calls = [
    lambda: rs.Sweep(3), lambda: rs.sweep({1, 2}), lambda: plot.save(5, 5), lambda: plot.save(5, "a.png"),
    lambda: plot.draw(3), lambda: plot.draw([3]), lambda: plot.completion_images("auto", 1, None),
    lambda: plot.trajectory_panels(b"q"), lambda: plot.denoising_panels([1.0], 3), lambda: plot.check_figure(5),
    lambda: rs.rates.pulse("a", 0, "b", 3), lambda: rs.rates.periodic(np.array(3), range(3)),
    lambda: rs.relax(3, [np.eye(2)], 0.1), lambda: rs.jump_law(3, 5, 0.1, 0.1),
    lambda: rs.estimators.entry_cross_validate(True, np.eye(3)), lambda: phases.check(1.0),
    lambda: phases.check(np.eye(2)), lambda: rs.papers.figure_names((3, 3)), lambda: rs.papers.check(np.eye(2)),
    lambda: reports.explain(-1), lambda: reports.check_report(1.5), lambda: rs.PauliOperators(True),
    lambda: rs.PauliOperators([1.0, 2.0]), lambda: write(3, np.eye(2), 0), lambda: write("a.csv", np.eye(2), "auto"),
    lambda: has_errors("a.csv", 3), lambda: write_errors("a.csv", 3, 3),
]
for k, call in enumerate(calls):
    try:
        call()
    except InputError as error:
        assert len(str(error)) > 20
    else:
        raise AssertionError(k)
print(len(calls))
"""


def test_no_foreign_error_of_a_public_function():
    """In an interpreter of its own: here the types of all arguments are checked by others."""
    run = subprocess.run([sys.executable, "-c", MISUSES], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "27\n"), run.stderr


# --- workbooks and typed tables ---------------------------------------------------------------------------------------


def workbook(path, change, at=(1, 1)):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for i, row in enumerate([["id", *COLUMNS], *([name, *cells] for name, cells in zip(ROWS, CELLS, strict=True))]):
        for j, cell in enumerate(row):
            book.active.cell(i + at[0], j + at[1]).value = None if cell != cell else cell
    change(book.active)
    book.save(path)
    return path


def test_a_table_in_the_middle_of_a_sheet(tmp_path):
    table = read(workbook(tmp_path / "t.xlsx", lambda sheet: None, at=(4, 3)))
    np.testing.assert_array_equal(table.dense(), CELLS)
    assert (table.row_labels.tolist(), table.column_labels.tolist()) == (ROWS, COLUMNS)
    back = write(tmp_path / "o.xlsx", np.where(np.isnan(table.dense()), 5.0, CELLS), table)
    openpyxl = pytest.importorskip("openpyxl")
    assert openpyxl.load_workbook(back).active["E6"].value == 5
    assert read(back).dense()[1, 1] == 5


def test_cells_that_only_look_empty_are_refused(tmp_path):
    for text, said in (("=B3*2", "formula has no value"), ("#DIV/0!", "error of a formula")):
        path = workbook(tmp_path / "t.xlsx", lambda sheet, text=text: sheet.__setitem__("C3", text))
        with pytest.raises(FileFormatError, match=f"cell C3 of 'Sheet': .*{said}"):
            read(path)
    missing = workbook(tmp_path / "t.xlsx", lambda sheet: sheet.__setitem__("C3", "#N/A"))
    np.testing.assert_array_equal(read(missing).dense(), CELLS)


def test_merged_cells_are_taken_apart_aloud(tmp_path):
    table = read(workbook(tmp_path / "t.xlsx", lambda sheet: sheet.merge_cells("B3:C3")))
    with pytest.warns(FallbackWarning, match="merged cells B3:C3"):
        back = write(tmp_path / "o.xlsx", np.where(np.isnan(table.dense()), 5.0, table.dense()), table)
    assert read(back).dense()[1].tolist() == [4, 5, 6.25]


def test_levels_of_an_index_are_no_data(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    levels = pd.MultiIndex.from_product([["u", "v"], [1, 2]], names=["group", "k"])
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), index=levels, columns=COLUMNS)
    frame.iloc[1, 1] = NAN
    frame.to_parquet(tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    np.testing.assert_array_equal(table.dense(), frame.to_numpy())
    write(tmp_path / "o.parquet", frame.fillna(0.5).to_numpy(), table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "o.parquet"), frame.fillna(0.5))


def test_arrays_beside_the_one_that_is_read_are_named(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(3), mask=np.eye(3) > 0)
    assert read(tmp_path / "t.npz").read_as == "the array 'X', and nothing else of the file: not 'mask'"


def test_what_is_no_archive_is_no_invitation_to_unpickle(tmp_path):
    (tmp_path / "s.csv").write_text("id,x,y\na,1,2\n")
    with pytest.raises(InputError, match="is no NPZ file") as caught:
        rs.estimators.CompletedMatrix.load(tmp_path / "s.csv")
    assert "pickle" not in str(caught.value)
    with pytest.raises(InputError, match=r"no Parquet file: read it first, .*files\.read"):
        rs.complete(str(tmp_path / "s.csv"))


@pytest.mark.parametrize("first", [0, 1])
def test_a_long_table_of_pandas_with_nothing_but_numbers(tmp_path, first):
    matrix = np.random.default_rng(0).normal(size=(1500, 4)).round(3)
    lines = [",0,1,2,3", *(f"{k + first}," + ",".join(map(str, row)) for k, row in enumerate(matrix.tolist()))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    table = read(tmp_path / "t.csv")
    np.testing.assert_array_equal(table.dense(), matrix)
    assert table.row_labels.tolist() == [*range(first, 1500 + first)]
    assert table.column_labels.tolist() == ["0", "1", "2", "3"]
