"""Quantities of which all entries are equal: their missing cells are that number."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.ready.constants import constants


def table(seed: int, units: bool) -> np.ndarray:
    """Two directions with noise, and a column of sevens; a fifth of the cells is hidden."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 8)) + 0.3 * rng.normal(size=(40, 8))
    X = X * 10.0 ** rng.integers(-3, 4, 8) if units else X
    X[:, 2] = 7.0
    return np.where(rng.random(X.shape) < 0.2, np.nan, X)


@pytest.mark.parametrize("units", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_constant_column_is_filled_with_its_number(seed, units, tmp_path):
    X = table(seed, units)
    model = DeepMatrixCompletion().fit(X)
    done = model.completed_
    np.testing.assert_array_equal(done.matrix[:, 2], 7.0)
    np.testing.assert_array_equal(done.predict(np.arange(40), np.full(40, 2)), 7.0)
    np.testing.assert_array_equal(model.transform(X[:5] * 1.0)[:, 2], 7.0)
    np.testing.assert_array_equal(rs.complete(X.T, seed=0).matrix[2], 7.0)
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz").completed_
    np.testing.assert_array_equal(again.fitted[:, 2], 7.0)


def test_it_is_known_where_nothing_else_is():
    """In a row that has only one entry, of a column that no other row has."""
    X = np.hstack([table(0, True), np.full((40, 1), np.nan)])
    X[0], X[0, 8], X[1:, 2] = np.nan, 3.0, 7.0
    done = rs.complete(X, seed=0)
    assert not done.determined[0, 0]
    assert done.determined[:, 2].all()
    np.testing.assert_array_equal(done.matrix[:, 2], 7.0)


def test_equal_ratings_are_no_constant():
    """Five stars by chance, and five stars where all give one to five; columns of zeros among counts."""
    rng = np.random.default_rng(0)
    stars = rng.integers(1, 6, (50, 12)).astype(float)
    stars[3, :] = 5.0
    assert constants(Entries.from_array(stars), "none") == (None, None)
    rows, columns = constants(Entries.from_array(stars), "row")
    assert columns is None
    np.testing.assert_array_equal(np.isfinite(rows), np.arange(50) == 3)


def test_two_equal_numbers_say_nothing():
    X = np.array([[1.0, 7.0], [2.0, 7.0], [4.0, np.nan], [3.0, np.nan]])
    assert constants(Entries.from_array(X), "both") == (None, None)
