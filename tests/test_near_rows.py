"""Near rows: the solver, its model, the candidates and the baseline."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import KNNImputer

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates.near import NearColumns, NearRows
from rankscape.estimators.completion.models import packing
from rankscape.estimators.completion.models.near_lines import NearLines
from rankscape.estimators.completion.ready.baselines import baseline_errors
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.estimators.completion.settings import Settings
from rankscape.solvers.neighbours import near_rows
from rankscape.solvers.neighbours.near_rows import Donors, near_means, nearest


def table(n, p, rng, hidden=0.4):
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, p)) + 0.3 * rng.normal(size=(n, p))
    X[rng.random(X.shape) < hidden] = np.nan
    return X


def brute(row, donors):
    """Mean squared difference over what both show, of one row to each donor."""
    shared = np.isfinite(row) & np.isfinite(donors)
    total = np.where(shared, (row - donors) ** 2, 0.0).sum(1)
    return np.divide(total, shared.sum(1), out=np.full(len(donors), np.inf), where=shared.any(1))


@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), p=st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_the_nearest_are_the_nearest(seed, n, p):
    rng = np.random.default_rng(seed)
    X = table(n, p, rng)
    X[0, 0] = 1.0
    entries = Entries.from_array(X)
    donors = Donors.of(entries)
    found = nearest(entries, np.arange(n), donors)
    for i in range(n):
        squares = np.delete(brute(X[i], X), i)
        expected = np.append(np.sort(squares[np.isfinite(squares)]), np.full(n, np.inf))[: donors.kept]
        np.testing.assert_allclose(found.squares[i], expected, rtol=1e-12)
        near = donors.rows[found.donors[i][np.isfinite(expected)]]
        np.testing.assert_allclose(brute(X[i], X[near]), expected[np.isfinite(expected)], rtol=1e-12)
        assert i not in near


def test_blocks_of_donors_change_nothing(monkeypatch):
    entries = Entries.from_array(table(300, 5, np.random.default_rng(0)))
    whole = nearest(entries, np.arange(300), Donors.of(entries))
    monkeypatch.setattr(near_rows, "BLOCK", 100)
    blocks = nearest(entries, np.arange(300), Donors.of(entries))
    np.testing.assert_array_equal(whole.squares, blocks.squares)
    np.testing.assert_array_equal(whole.donors, blocks.donors)


@pytest.mark.parametrize("count", [1, 5])
def test_means_of_near_rows_are_those_of_scikit_learn(count, monkeypatch):
    monkeypatch.setattr(near_rows, "KEPT", 1000)
    X = table(120, 6, np.random.default_rng(1))
    X[7] = np.nan
    entries, (i, j) = Entries.from_array(X), np.nonzero(np.isnan(X))
    donors = Donors.of(entries)
    means = near_means(nearest(entries, np.arange(120), donors), donors.table, i, j, np.array([count]), 0.0)[:, 0]
    expected = KNNImputer(n_neighbors=count).fit_transform(X)[i, j]
    np.testing.assert_allclose(means[i != 7], expected[i != 7], rtol=1e-12)
    assert np.isnan(means[i == 7]).all()  # an empty row is near to none


def test_weights_fall_with_the_distance():
    X = np.array([[0.0, np.nan], [1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    entries = Entries.from_array(X)
    donors = Donors.of(entries)
    near = nearest(entries, np.arange(4), donors)
    one, two, many = near_means(near, donors.table, np.array([0]), np.array([1]), np.array([1, 2, 9]), 2.0)[0]
    w = 1 / np.array([1.0, 4.0, 16.0])
    np.testing.assert_allclose([one, two, many], [10.0, (10 + 20 / 4) / 1.25, w @ [10, 20, 40] / w.sum()], rtol=1e-9)


def test_of_many_rows_some_donate(monkeypatch):
    monkeypatch.setattr(near_rows, "WORK", 0.0)
    monkeypatch.setattr(near_rows, "FEW", 50)
    entries = Entries.from_array(table(400, 4, np.random.default_rng(2)))
    donors = Donors.of(entries)
    assert len(donors.rows) == 50
    np.testing.assert_array_equal(donors.rows, Donors.of(entries).rows)
    found = nearest(entries, np.arange(400), donors)
    assert not (donors.rows[found.donors] == np.arange(400)[:, None])[np.isfinite(found.squares)].any()


# -- the model --------------------------------------------------------------------------------------------


def model(flipped, kind="row+column", seed=0):
    X = table(25, 8, np.random.default_rng(seed))
    X[3] = np.nan
    upright = Entries.from_array(X)
    seen = upright.transposed() if flipped else upright
    size = np.linspace(0.5, 2, 8)
    return NearLines(seen, flipped, fit_offset(kind, seen), size, 3, 2.0)


def test_near_columns_are_near_rows_of_the_transposed():
    upright, flipped = model(False, "mean"), model(True, "mean")
    np.testing.assert_allclose(flipped.dense().T, upright.dense(), rtol=1e-9)
    assert flipped.shape == (8, 25)
    i, j = np.array([0, 7, 3]), np.array([1, 20, 3])
    np.testing.assert_array_equal(flipped.at(i, j), flipped.dense()[i, j])


def test_a_row_that_is_near_to_none_is_the_offset():
    made = model(False)
    np.testing.assert_allclose(made.dense()[3], made.offset.dense()[3], rtol=1e-15)


def test_a_cell_is_a_mean_of_what_the_nearest_rows_leave_over():
    made, X = model(False), model(False).entries.dense()
    rest = (X - made.offset.dense()) / made.size
    distance = brute(rest[5], rest)
    for j in range(8):
        near = [k for k in np.argsort(distance) if k != 5 and np.isfinite(rest[k, j]) and np.isfinite(distance[k])][:3]
        w = 1 / distance[near]
        expected = made.offset.dense()[5, j] + made.size[j] * (w @ rest[near, j] / w.sum())
        assert made.at(np.array([5]), np.array([j]))[0] == pytest.approx(expected, rel=1e-9)


def test_new_rows_are_told_by_known_rows_and_known_columns():
    rng = np.random.default_rng(3)
    kinds = rng.normal(size=(6, 30))
    X = np.repeat(kinds, 5, axis=0)
    seen = Entries.from_array(np.where(rng.random(X.shape) < 0.7, X, np.nan))
    new = Entries.from_array(np.where(rng.random(kinds.shape) < 0.5, kinds, np.nan))
    rows = NearLines(seen, False, fit_offset("column", seen), np.ones(30), 3, 2.0)
    np.testing.assert_allclose(rows.folded(new), kinds, atol=1e-6)
    columns = NearLines(seen.transposed(), True, fit_offset("row", seen.transposed()), np.ones(30), 3, 2.0)
    X2 = rng.normal(size=(2, 6))
    wide = Entries.from_array(np.where(rng.random((2, 30)) < 0.8, np.repeat(X2, 5, axis=1), np.nan))
    np.testing.assert_allclose(columns.folded(wide), np.repeat(X2, 5, axis=1), atol=0.02)


def test_packed_and_unpacked():
    made, arrays = model(True), {}
    again = packing.unpack(packing.pack(made, arrays), arrays)
    np.testing.assert_array_equal(again.dense(), made.dense())


# -- the candidates, and the baseline ---------------------------------------------------------------------


def no_search(training, heldout):
    raise AssertionError("near rows need no low rank")


def halves(X, seed=0):
    entries = Entries.from_array(X)
    return entries.split(np.random.default_rng(seed).random(entries.count) < 0.1)


@pytest.mark.parametrize("candidate", [NearRows(), NearColumns()])
def test_repeated_lines_find_each_other(candidate):
    rng = np.random.default_rng(4)
    X = np.repeat(rng.normal(size=(30, 40)), 6, axis=0)
    truth = X.T if candidate.flipped else X
    seen = np.where(rng.random(truth.shape) < 0.6, truth, np.nan)
    trained = candidate.fit(*halves(seen), Settings(), no_search)
    missed = (trained.again(Entries.from_array(seen)).dense() - truth)[np.isnan(seen)]
    assert np.sqrt(np.mean(missed**2)) < 0.2
    assert ("near columns" if candidate.flipped else "near rows") in trained.words


def test_levels_of_rows_are_taken_away_where_that_helps():
    rng = np.random.default_rng(5)
    shapes = np.repeat(rng.normal(size=(8, 12)), 10, axis=0)
    X = shapes + 5 * rng.normal(size=(80, 1))  # rows of one shape on levels of their own
    X[rng.random(X.shape) < 0.3] = np.nan
    assert NearRows().fit(*halves(X), Settings(), no_search).model.offset.kind == "row+column"
    groups = np.repeat(rng.normal(size=(8, 1)), 10, axis=0) * np.linspace(1, 3, 12)  # here the level is all
    X = np.where(rng.random((80, 12)) < 0.7, groups, np.nan)
    assert NearRows().fit(*halves(X), Settings(), no_search).model.offset.kind == "column"


def test_columns_in_other_units_get_equal_sizes():
    rng = np.random.default_rng(6)
    X = np.repeat(rng.normal(size=(20, 12)), 6, axis=0)
    X[:, 0] = 300 * rng.normal(size=120)  # large, and says nothing
    X[rng.random(X.shape) < 0.3] = np.nan
    training, heldout = halves(X)
    trained = NearRows().fit(training, heldout.part(heldout.columns > 0), Settings(), no_search)
    assert np.ptp(trained.model.size) > 100


def test_wanted_where_lines_share_entries():
    rng = np.random.default_rng(7)
    dense = Entries.from_array(table(200, 30, rng))
    sparse = Entries.from_array(table(200, 30, rng, hidden=0.95))
    assert NearRows().wanted(dense, Settings())
    assert not NearRows().wanted(sparse, Settings())
    assert not NearColumns().wanted(Entries.from_array(table(200, 4, rng)), Settings())


def test_the_baseline_of_many_rows_is_measured_on_some():
    rng = np.random.default_rng(8)
    X = np.repeat(rng.normal(size=(200, 20)), 40, axis=0) + 0.1 * rng.normal(size=(8000, 20))
    training, heldout = halves(X)
    errors = baseline_errors(training, heldout)
    assert errors["nearest_rows"] == pytest.approx(0.1 * np.sqrt(1.2), rel=0.05)
    assert errors["column_mean"] == pytest.approx(X.std(), rel=0.1)
