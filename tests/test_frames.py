"""Completing frames: what goes in with names comes out with them, from `complete` and from the estimator."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import xarray as xr

import rankscape as rs
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.ready.names import Names

pytestmark = pytest.mark.usefixtures("hasty_file")

ROWS, COLUMNS = [f"u{i}" for i in range(30)], [f"m{j}" for j in range(12)]


@pytest.fixture(scope="module")
def seen():
    rng = np.random.default_rng(3)
    truth = np.round(4 * (rng.normal(size=(30, 2)) @ rng.normal(size=(2, 12)) + 3))
    return np.where(rng.random(truth.shape) < 0.7, truth, np.nan)


@pytest.fixture(scope="module")
def frame(seen):
    return pd.DataFrame(seen, ROWS, COLUMNS)


@pytest.fixture(scope="module")
def plain(seen):
    return rs.complete(seen)


def kinds(frame):
    return {
        "pandas": frame,
        "Int64": frame.astype("Int64"),
        "Arrow": frame.convert_dtypes(dtype_backend="pyarrow"),
        "polars": pl.from_pandas(frame, nan_to_null=True),
        "pyarrow": pa.Table.from_pandas(frame, preserve_index=False),
        "xarray": xr.DataArray(frame, dims=("who", "what")),
        "masked": np.ma.masked_invalid(frame.to_numpy()),
    }


@pytest.mark.parametrize("kind", ["pandas", "Int64", "Arrow", "polars", "pyarrow", "xarray", "masked"])
def test_every_kind_is_completed_alike_and_given_back(kind, frame, plain):
    given = kinds(frame)[kind]
    done = rs.complete(given)
    np.testing.assert_array_equal(done.matrix, plain.matrix)
    assert type(done.frame) is type(given)
    np.testing.assert_array_equal(np.asarray(done.frame, dtype=float), plain.matrix)
    if kind in ("pandas", "Int64", "Arrow"):
        pd.testing.assert_index_equal(done.frame.index, given.index)
        pd.testing.assert_index_equal(done.frame.columns, given.columns)
    model = DeepMatrixCompletion().fit(given)
    np.testing.assert_array_equal(model.completed_.matrix, plain.matrix)
    np.testing.assert_array_equal(model.transform(given), plain.matrix)
    assert hasattr(model, "feature_names_in_") == (kind not in ("xarray", "masked"))


def test_cells_are_asked_for_by_name(frame, plain):
    done = rs.complete(frame)
    i, j = [3, 0, 29], [11, 4, 0]
    named = [ROWS[k] for k in i], [COLUMNS[k] for k in j]
    expected = plain.fitted[i, j]
    assert done.predict(*named).tolist() == expected.tolist()
    assert done.predict(i, j).tolist() == expected.tolist()
    assert done.predict("u3", "m11").tolist() == expected[:1].tolist()
    assert done.standard_errors(*named).tolist() == plain.standard_errors(i, j).tolist()
    assert [x.tolist() for x in done.interval(*named)] == [x.tolist() for x in plain.interval(i, j)]
    model = DeepMatrixCompletion().fit(frame)
    assert model.predict(*named).tolist() == expected.tolist()
    with pytest.raises(InputError, match="No row is called 'u33' - did you mean 'u3'"):
        done.predict(["u33"], ["m1"])
    with pytest.raises(InputError, match="The rows of this matrix have no names"):
        plain.predict(["u3"], [1])
    with pytest.raises(InputError, match="`by` must be"):
        plain.predict([1], [1], by="label")  # pyright: ignore


def test_names_that_are_whole_numbers_are_never_taken_for_positions_in_silence():
    names = Names(np.array([1, 2, 3, 0]), np.array([2020, "total"], dtype=object))
    assert [x.tolist() for x in names.positions([1, 0], ["total", 2020], (4, 2), "names")] == [[0, 3], [1, 0]]
    assert names.positions([1, 0], [0, 1], (4, 2), "positions")[0].tolist() == [1, 0]
    with pytest.raises(InputError, match="is 1 a name or a position"):
        names.positions([1], ["total"], (4, 2), "auto")
    with pytest.raises(InputError, match="No column is called 2021"):
        names.positions([1], [2021], (4, 2), "names")
    same = Names(np.arange(4), None)  # name and position agree
    assert same.positions([2, 3], [0, 1], (4, 2), "auto")[0].tolist() == [2, 3]
    with pytest.raises(InputError, match="2 rows are called 'a'"):
        Names(np.array(["a", "a"])).positions(["a"], [0], (2, 1), "auto")
    levels = Names(pd.MultiIndex.from_product([["a"], [1, 2]]).to_numpy())
    assert levels.positions([("a", 2)], [0], (2, 1), "auto")[0].tolist() == [1]
    assert levels.positions(("a", 2), [0], (2, 1), "auto")[0].tolist() == [1]


def test_text_is_kept_aside_by_complete_and_refused_by_the_estimator(frame, plain):
    mixed = frame.copy()
    mixed.insert(2, "city", ["Bern"] * 30)
    with pytest.warns(FallbackWarning, match="'city' of `data` hold text") as told:
        done = rs.complete(mixed)
    assert told[0].filename == __file__
    assert list(done.frame.columns) == list(mixed.columns)
    assert done.frame["city"].tolist() == ["Bern"] * 30
    np.testing.assert_array_equal(done.matrix, plain.matrix)
    with pytest.raises(InputError, match=r"Column 'city' of `X` holds text .'Bern'. in row 'u0'"):
        DeepMatrixCompletion().fit(mixed)


def test_a_problem_with_names_gives_a_frame(frame, plain):
    long = frame.reset_index(names="user").melt("user", var_name="movie", value_name="score")
    done = rs.complete(rs.Completion.from_frame(long, "user", "movie", "score"))
    pd.testing.assert_frame_equal(done.frame, rs.complete(frame.loc[sorted(ROWS), sorted(COLUMNS)]).frame)
    assert isinstance(plain.frame, np.ndarray)


def test_results_and_models_with_names_are_kept(frame, tmp_path):
    done = rs.complete(frame)
    again = pickle.loads(pickle.dumps(done))
    pd.testing.assert_frame_equal(again.frame, done.frame)
    model = DeepMatrixCompletion(clip=(-100, None)).fit(frame)
    model.save(tmp_path / "model.npz")
    loaded = DeepMatrixCompletion.load(tmp_path / "model.npz")
    assert loaded.predict(["u3"], ["m11"]).tolist() == model.predict(["u3"], ["m11"]).tolist()
    assert loaded.completed_.bounds.low == -100


def test_dates_and_the_like_are_refused_by_both_doors(frame):
    for column, words in ((pd.Timestamp("2020-01-01"), "dates"), (2**60, "beyond 2.53"), (1j, "complex")):
        wrong = frame.assign(m3=column)
        for call in (rs.complete, DeepMatrixCompletion().fit):
            with pytest.raises(InputError, match=f"Column 'm3' of .* holds .*{words}.* in row 'u0'"):
                call(wrong)
    for array in (np.full((5, 4), "x"), np.full((5, 4), np.datetime64("NaT", "s")), np.full((5, 4), 2**60)):
        with pytest.raises(InputError, match="must hold real numbers"):
            DeepMatrixCompletion().fit(array)


# -- bounds ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shares():
    rng = np.random.default_rng(0)
    X = rng.random((40, 3)) * [120, 1, 5]
    X[rng.random(X.shape) < 0.2] = np.nan
    return X


def test_bounds_of_each_column():
    rng = np.random.default_rng(4)
    W = rng.uniform(1, 2, (40, 2)) @ rng.uniform(0, 1, (2, 6)) * [120.0, 1.0, 5.0, 30.0, 1.0, 2.0]
    X = np.where((rng.random(W.shape) < 0.1) | (0.95 * W.max(axis=0) < W), np.nan, W)  # the largest are hidden
    X[:, 3:] = np.where(np.isnan(X[:, :3]), W[:, 3:], X[:, 3:])  # every row keeps some
    low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
    i, j = np.nonzero(np.isnan(X))
    assert (rs.complete(X).predict(i, j) > high[j]).any()
    for done in (rs.complete(X, clip=(low, high)), DeepMatrixCompletion(clip=(low, high)).fit(X).completed_):
        for values in (done.predict(i, j), done.fitted[i, j], done.folded(done.observed)[i, j], *done.interval(i, j)):
            assert ((values >= low[j]) & (values <= high[j])).all()


def test_one_bound_may_be_open(shares):
    done = rs.complete(shares, clip=(0, None))
    assert done.fitted.min() >= 0
    assert done.fitted.max() == rs.complete(shares).fitted.max()


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        ((0, 100), "entry .* at row .*, column 0 is beyond 100"),
        ((0, [120, 1]), "one number for each of the 3 columns"),
        (([0, 0], [200, 200]), "one number for each of the 3 columns"),
        ((5, 5), "smaller and larger"),
        ((0, np.nan), "smaller and larger"),
        ("seen", "'observed' or None"),
        ((0, "many"), "'observed' or None"),
    ],
)
def test_bounds_that_cannot_be_are_refused(shares, clip, words):
    with pytest.raises(InputError, match=words):
        rs.complete(shares, clip=clip)
