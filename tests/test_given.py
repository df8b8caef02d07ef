"""A matrix as people have it: one door for every kind of table, and the same kind back."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.entries.given import given_of
from rankscape.errors import FallbackWarning, InputError

# One matrix of whole numbers, truth values and fractions: None is missing.
CELLS = {"age": [31, None, 45], "member": [True, False, None], "share": [0.25, None, 1.5], "full": [3, 4, 5]}
DENSE = np.array([[31, 1, 0.25, 3], [np.nan, 0, np.nan, 4], [45, np.nan, 1.5, 5]])
FILLED = np.where(np.isnan(DENSE), 7.5, DENSE)

INDEXED = pd.DataFrame(CELLS, index=["p", "q", "r"])
KINDS = {
    "pandas": INDEXED,
    "pandas, nullable": INDEXED.convert_dtypes(),
    "pandas, Arrow": INDEXED.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, objects": INDEXED.astype(object).where(INDEXED.notna(), None),
    "polars": pl.DataFrame(CELLS),
    "pyarrow": pa.table(CELLS),
    "pyarrow from pandas": pa.Table.from_pandas(INDEXED),
    "xarray": xr.DataArray(DENSE, dims=("who", "what"), coords={"who": ["p", "q", "r"], "what": list(CELLS)}, name="t"),
    "masked": np.ma.MaskedArray(np.nan_to_num(DENSE, nan=-99), np.isnan(DENSE)),
    "masked whole": np.ma.MaskedArray(np.nan_to_num(4 * DENSE, nan=2**60).astype(np.int64), np.isnan(DENSE)),
    "array": DENSE,
    "array of objects": np.array([[None if np.isnan(x) else x for x in row] for row in DENSE], dtype=object),
    "list": [[None if np.isnan(x) else x for x in row] for row in DENSE],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_holds_the_same_entries(kind):
    scale = 4 if kind == "masked whole" else 1
    np.testing.assert_array_equal(given_of(KINDS[kind]).dense() / scale, DENSE)
    np.testing.assert_array_equal(rs.Completion.from_array(KINDS[kind]).entries.dense() / scale, DENSE)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith(("pandas", "polars", "pyarrow", "xarray"))])
def test_the_same_kind_comes_back_with_names_and_given_values(kind):
    table = KINDS[kind]
    back = given_of(table).like(FILLED)
    assert type(back) is type(table)
    names = {"polars": "columns", "pyarrow": "column_names"}
    if kind == "xarray":
        xr.testing.assert_identical(back, table.copy(data=FILLED))
        return
    columns = getattr(back, names.get(kind.split()[0], "columns"))
    assert list(columns)[:4] == list(CELLS)
    plain = back if isinstance(back, pd.DataFrame) else back.to_pandas()
    np.testing.assert_array_equal(plain[list(CELLS)].to_numpy(np.float64), FILLED)
    if "polars" not in kind and kind != "pyarrow":
        assert list(plain.index) == ["p", "q", "r"]


def test_what_was_full_keeps_its_type_and_what_was_filled_is_floating():
    back = {kind: given_of(KINDS[kind]).like(FILLED) for kind in KINDS}
    assert [str(t) for t in back["pandas"].dtypes] == ["float64", "float64", "float64", "int64"]
    assert [str(t) for t in back["pandas, nullable"].dtypes] == ["Float64", "Float64", "Float64", "Int64"]
    assert [str(t) for t in back["pandas, Arrow"].dtypes] == ["double[pyarrow]"] * 3 + ["int64[pyarrow]"]
    assert back["polars"].dtypes == [pl.Float64, pl.Float64, pl.Float64, pl.Int64]
    assert back["pyarrow"].schema.types == [pa.float64()] * 3 + [pa.int64()]


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32", "float[pyarrow]"])
def test_narrow_columns_stay_narrow_unless_what_is_filled_does_not_fit(dtype):
    frame = pd.DataFrame({"a": pd.array([1.5, None, 2.0], dtype="Float64")}).astype(dtype)
    matrix = np.array([[1.5], [3.25], [2.0]])
    back = given_of(frame).like(matrix)
    assert back.dtypes.equals(frame.dtypes)
    assert back["a"].tolist() == [1.5, 3.25, 2.0]
    matrix[1] = 1e300
    assert given_of(frame).like(matrix)["a"].tolist() == [1.5, 1e300, 2.0]


def test_names_of_any_kind_come_back():
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["site", "day"])
    columns = pd.MultiIndex.from_tuples([("x", 2020), ("x", 2021)], names=["what", "year"])
    frame = pd.DataFrame([[1.0, np.nan], [2.0, 3.0]], index=index, columns=columns)
    frame.attrs["source"] = "here"
    given = given_of(frame)
    assert given.row_labels.tolist() == [("a", 1), ("a", 2)]
    assert given.column_labels.tolist() == [("x", 2020), ("x", 2021)]
    back = given.like(np.array([[1.0, 9.0], [2.0, 3.0]]))
    pd.testing.assert_frame_equal(back, frame.fillna(9.0))
    assert back.attrs == frame.attrs
    counted = given_of(pd.DataFrame([[1.0, 2.0]]))
    assert counted.row_labels is None
    assert counted.column_labels is None


@settings(max_examples=25)
@given(st.data())
def test_frames_of_mixed_types_are_read_and_given_back(data):
    """Against the cells themselves, kept as Python objects."""
    count = data.draw(st.integers(1, 5))
    whole = st.none() | st.integers(-(2**53), 2**53)
    real = st.none() | st.floats(-1e9, 1e9)
    kinds = {
        "Int64": whole,
        "Float64": real,
        "int64[pyarrow]": whole,
        "boolean": st.none() | st.booleans(),
        "object": real,
    }
    chosen = data.draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=5))
    cells = [data.draw(st.lists(kinds[kind], min_size=count, max_size=count)) for kind in chosen]
    frame = pd.concat([pd.Series(c, dtype=k) for c, k in zip(cells, chosen, strict=True)], axis=1)
    frame.columns = [f"c{k}" for k in range(len(chosen))]
    taken = given_of(frame)
    expected = np.array([[np.nan if x is None else float(x) for x in column] for column in cells]).T
    np.testing.assert_array_equal(taken.dense(), expected)
    back = taken.like(np.where(np.isnan(expected), 0.5, expected))
    for k, column in enumerate(cells):
        assert [0.5 if x is None else x for x in column] == back.iloc[:, k].tolist()


# -- text beside the numbers -----------------------------------------------------------------------------------

TEXTS = {"city": ["Bern", None, "Oslo"], "a": [1.0, None, 3.0], "site": ["12 Main St", "2b", "x"], "b": [1, 2, 3]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_columns_of_text_are_kept_aside_and_given_back(make):
    with pytest.warns(FallbackWarning, match="'city', 'site'.* hold text"):
        taken = given_of(make(TEXTS), aside=True)
    assert taken.aside == ("city", "site")
    assert taken.column_labels.tolist() == ["a", "b"]
    back = taken.like(np.array([[1.0, 1], [2.5, 2], [3.0, 3]]))
    rows = (
        back.to_pylist() if make is pa.table else back.to_dict("records") if make is pd.DataFrame else back.to_dicts()
    )
    assert [list(row) for row in rows] == [list(TEXTS)] * 3
    assert [row["a"] for row in rows] == [1.0, 2.5, 3.0]
    assert [row["site"] for row in rows] == TEXTS["site"]


def test_categories_are_names_even_where_they_are_numbers():
    frame = pd.DataFrame({"a": [1.0, 2.0], "kind": pd.Categorical([1, 2])})
    with pytest.warns(FallbackWarning, match="'kind'"):
        assert given_of(frame, aside=True).shape == (2, 1)
    with pytest.raises(InputError, match=r"'kind'.*categories"):
        given_of(frame)


def test_a_frame_of_nothing_but_text_holds_no_matrix():
    with pytest.raises(InputError, match="no numbers: all of its 1 columns are text"):
        given_of(pd.DataFrame({"a": ["x", "y"]}), aside=True)


# -- what is refused, with column and row ----------------------------------------------------------------------

NAMED = {
    "text": (["x", None, "y"], "'z' .* text .'x'. in row 'p'"),
    "numbers as text": (["1.5", "2", "3"], "'z' .* text .'1.5'. in row 'p'"),
    "a question mark": ([1.5, "?", 3.0], "'z' .* text .'[?]'. in row 'q'"),
    "units": (["3.5 mg", "4 mg", "1 g"], "'z' .* text .'3.5 mg'. in row 'p'"),
    "dates": (pd.to_datetime([None, "2020-01-02", None]), "'z' .* dates .2020-01-02.* in row 'q'"),
    "only NaT": (pd.to_datetime([None, None, None]), "'z' .* dates"),
    "NaT among numbers": ([1.0, 2.0, pd.NaT], "'z' .* date .NaT. in row 'r'"),
    "days": ([1.0, datetime.date(2020, 1, 1), 2.0], "'z' .* date .2020-01-01. in row 'q'"),
    "time spans": (pd.to_timedelta([1, 2, 3], unit="s"), "'z' .* time spans"),
    "complex": ([1j, 2, 3], "'z' .* complex numbers .1j. in row 'p'"),
    "identifiers": ([1, 2, 2**53 + 1], "'z' .* 9007199254740993, which is beyond 2.53 .* in row 'r'"),
    "large, nullable": (pd.array([None, 1, -(2**60)], dtype="Int64"), "'z' .* -1152921504606846976.* in row 'r'"),
    "infinity": ([1.0, -np.inf, 2.0], "'z' .* -inf in row 'q'"),
    "lists": ([[1], [2], [3]], "'z' .* list"),
}


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize("what", NAMED)
def test_what_is_no_real_number_is_refused_with_its_column_and_row(what, aside):
    column, words = NAMED[what]
    if what == "text" and aside:
        return
    frame = pd.DataFrame({"a": [1.0, 2.0, None]}, index=list("pqr")).assign(z=column)
    if what in ("a question mark", "NaT among numbers", "days"):
        frame["z"] = pd.Series(column, index=frame.index, dtype=object)
    with pytest.raises(InputError, match=words):
        given_of(frame, aside=aside)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.array([["2020-01-01", "NaT"]], "M8[s]"), "`X` must hold real numbers, got dates"),
        (np.array([[1, 2**60]]), "whole number 1152921504606846976, .* at row 0, column 1"),
        ([[0.5, 2**60 + 1]], "whole number 1152921504606846977, .* at row 0, column 1"),
        ([[1, None], [2, "x"]], "text .'x'. at row 1, column 1"),
        (np.array([["1", "2"]]), "text .'1'. at row 0, column 0"),
        (np.ones((2, 2)) * 1j, "complex numbers"),
        (np.array([[1.0, np.inf]]), "`X` holds inf at row 0, column 1"),
        (sp.csr_array(np.array([[1.0, np.inf]])), "`X` holds inf at row 0, column 1"),
        (np.zeros(2, dtype=[("a", float)]), "records"),
        (np.ones(3), "two dimensions"),
        (np.ones((0, 3)), "empty"),
        ([[1.0], [1.0, 2.0]], "real numbers"),
        (None, "got NoneType"),
        ({"a": [1]}, "got dict"),
        (pd.Series([1.0, 2.0]), "one column"),
        (pl.Series([1.0, 2.0]), "one column"),
        (pl.LazyFrame({"a": [1]}), "collect"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Two columns of `X` are called 'a'"),
        (pd.DataFrame({"a": []}), "empty"),
        (xr.Dataset({"a": 1}), "Dataset of 1 variables"),
        (xr.DataArray(np.ones(3)), "two dimensions, got 1"),
        (pl.DataFrame({"a": [[1], [2]]}), "'a' of `X` holds"),
    ],
)
def test_what_is_no_matrix_is_refused_in_words(data, words):
    with pytest.raises(InputError, match=words):
        given_of(data)


def test_numbers_of_other_kinds_are_numbers():
    exact = [decimal.Decimal("0.5"), 2**53, np.float32(1.5), True]
    np.testing.assert_array_equal(given_of(np.array([exact], dtype=object)).dense(), [[0.5, 2.0**53, 1.5, 1.0]])
    stored = sp.csr_array((np.array([0.0, np.nan, 2.0]), ([0, 0, 1], [0, 1, 1])))
    assert given_of(stored).values.tolist() == [0.0, 2.0]  # a stored zero is seen, a stored NaN is not


# -- long frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", [None, "numpy_nullable", "pyarrow"])
def test_blank_values_of_a_long_frame_are_missing(backend):
    long = pd.DataFrame({"who": ["a", "b", "c"], "what": [10, 20, 10], "score": [1.0, None, 3.0]})
    long = long if backend is None else long.convert_dtypes(dtype_backend=backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)  # nothing is known of b and of 20
        problem = rs.Completion.from_frame(long, "who", "what", "score")
    assert problem.row_labels.tolist() == ["a", "b", "c"]
    assert problem.column_labels.tolist() == [10, 20]
    np.testing.assert_array_equal(problem.entries.dense(), [[1, np.nan], [np.nan, np.nan], [3, np.nan]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": ["x", "y"]}, "'score' of `frame` holds text .'x'. in line 0"),
        ({"score": [None, None]}, "'score' .* holds no value"),
        ({"who": ["a", None]}, "'who' .* no value at line 1"),
        ({"who": ["a", 1]}, "'who' .* mixes text and numbers"),
    ],
)
def test_long_frames_are_refused_with_column_and_line(change, words):
    frame = pd.DataFrame({"who": ["a", "b"], "what": [1, 2], "score": [1.0, 2.0]} | change)
    with pytest.raises(InputError, match=words):
        rs.Completion.from_frame(frame, "who", "what", "score")
