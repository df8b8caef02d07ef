"""Completions in many files: their parts say what the whole says."""

import pickle

import numpy as np
import pandas as pd
import pytest

import rankscape as rs
from rankscape.errors import InputError
from rankscape.estimators import Spread
from rankscape.estimators.completion.completed import spread as module


@pytest.fixture
def completed(monkeypatch):
    """Named rows and columns of different size, with levels, within bounds."""
    monkeypatch.setattr(module, "ROWS", 25)
    random = np.random.default_rng(0)
    X = random.standard_normal((60, 3)) @ random.standard_normal((3, 20)) + random.standard_normal((60, 1)) + 5
    X *= 10.0 ** np.arange(-10, 10)
    X[random.random(X.shape) < 0.3] = np.nan
    names = {"index": [f"user {k}" for k in range(60)][::-1], "columns": [f"item {k}" for k in range(20)]}
    return rs.complete(pd.DataFrame(X, **names), scale="column", values="real", clip="observed")


def test_parts_predict_and_rank_as_the_whole(completed, tmp_path):
    spread = pickle.loads(pickle.dumps(completed.spread(tmp_path / "done")))
    assert len(spread.parts) == 3
    random = np.random.default_rng(1)
    i, j = random.integers(0, 60, 500), random.integers(0, 20, 500)
    rows, columns = completed.names.rows[i], completed.names.columns[j]
    expected = completed.predict(rows, columns)
    size = 10.0 ** np.arange(-10, 10)[j]
    assert np.abs(spread.predict(rows, columns) - expected).max() < 1e-9 * size.max()
    whole = completed.top(3)
    found = pd.concat([spread.top(part, 3) for part in spread.parts])
    assert found["row"].tolist() == completed.names.rows[whole.rows].tolist()
    assert found["column"].tolist() == completed.names.columns[whole.columns].tolist()
    assert np.allclose(found["value"], whole.values, rtol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_partitions_are_predicted_where_they_are(completed, tmp_path):
    from dask import dataframe

    spread, (rows, columns) = completed.spread(tmp_path), (completed.names.rows, completed.names.columns)
    asked = pd.DataFrame({"user": np.repeat(rows, 20), "item": np.tile(columns, 60)})
    frame = dataframe.from_pandas(asked, npartitions=4, sort=False)
    filled = lambda part: part.assign(y=spread.predict(part["user"], part["item"]))
    found = frame.map_partitions(filled, meta=frame._meta.assign(y=0.0)).compute()
    assert np.allclose(found["y"], completed.predict(asked["user"], asked["item"]), rtol=1e-9, atol=0)
    best = dataframe.from_map(spread.top, spread.parts, count=2).compute()
    assert best["row"].tolist() == rows[completed.top(2).rows].tolist()


def test_positions_where_there_are_no_names(tmp_path):
    X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    X[np.arange(8), np.arange(8) % 6] = np.nan
    done = rs.complete(X)
    spread = done.spread(tmp_path)
    assert np.allclose(spread.predict([7, 0], [1, 0]), done.predict([7, 0], [1, 0]))
    with pytest.raises(InputError, match="Rows are called by int64, and not so in `rows`: 'a', for one"):
        spread.predict(["a"], [0])
    assert spread.top(spread.parts[0], 1)["column"].tolist() == done.top(1).columns.tolist()


def test_what_is_not_there_is_named(completed, tmp_path):
    with pytest.raises(InputError, match="holds no completion"):
        Spread(tmp_path)
    spread = completed.spread(tmp_path)
    with pytest.raises(InputError, match="No row is called 'nobody'"):
        spread.predict(["user 1", "nobody"], ["item 1", "item 2"])
    with pytest.raises(InputError, match="No row is called"):
        spread.predict(["user 1", None], ["item 1", "item 2"])
    with pytest.raises(InputError, match="No row is called 5"):
        spread.predict([5], ["item 1"])
    with pytest.raises(InputError, match="No column is called 'nothing'"):
        spread.predict(["user 1"], ["nothing"])
    with pytest.raises(InputError, match="of one length, got 1 and 2"):
        spread.predict(["user 1"], ["item 1", "item 2"])
    with pytest.raises(InputError, match="count"):
        spread.top(spread.parts[0], 0)


def test_what_is_no_product_of_factors_is_kept_otherwise(tmp_path):
    random = np.random.default_rng(0)
    X = random.poisson(np.exp(random.standard_normal((60, 2)) @ random.standard_normal((2, 30)))).astype(float)
    X[random.random(X.shape) < 0.2] = np.nan
    done = rs.complete(X, values="count")
    if isinstance(done.model.model, module.LowRank):
        pytest.skip("a low rank predicts as well")
    with pytest.raises(InputError, match="no product of thin factors"):
        done.spread(tmp_path)
    assert not list(tmp_path.iterdir())
