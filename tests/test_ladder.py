"""Small tables with hardly any noise: rungs, their choice, the cells they may fill, and levels of exact fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.competition.ladder import NEAR, Ladder, Rung
from rankscape.estimators.completion.competition.ladder import ladder as climbed
from rankscape.estimators.completion.competition.near_exact import closer
from rankscape.estimators.completion.models.determined import Determined


def near(seed: int, share: float, shape: tuple[int, int] = (40, 8), noise: float = 1e-3):
    """Rank 3 and a constant, with hardly any noise and some cells hidden."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(shape[0], 3)) @ rng.normal(size=(3, shape[1])) + 5
    return W, np.where(rng.random(shape) < share, np.nan, W + noise * rng.normal(size=shape))


def affine(seed: int, columns: int, rows: int = 60):
    """x, a x + b, c x + d, ...: levels and one direction; every row has an entry."""
    rng = np.random.default_rng(seed)
    W = rng.uniform(0, 50, (rows, 1)) * 2 * rng.normal(size=columns) + 40 * rng.normal(size=columns)
    X = np.where(rng.random(W.shape) < 0.2, np.nan, W)
    some = ~np.isnan(X).all(axis=1)
    return W[some], X[some]


def ladder(entries: Entries, held: list[np.ndarray]) -> Ladder:
    found = climbed(entries, held, max_rank=20)
    assert found is not None
    return found


def splits(entries: Entries, count: int = 5) -> list[np.ndarray]:
    order = np.random.default_rng(0).permutation(entries.count)
    return [np.isin(np.arange(entries.count), order[k :: 2 * count]) for k in range(count)]


def error(W: np.ndarray, X: np.ndarray, done) -> float:
    return float(np.sqrt(np.mean((done.matrix - W)[np.isnan(X) & done.determined] ** 2)))


# -- the ladder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flipped", [False, True])
def test_the_simplest_rung_near_the_best_median_is_chosen(flipped):
    X = near(0, 0.25)[1]
    entries = Entries.from_array(X.T if flipped else X)
    found = ladder(entries, splits(entries))
    assert found.chosen == Rung("row" if flipped else "column", 3)
    assert found.median(found.chosen) < 2e-3
    best = min(found.median(rung) for rung in found.errors)
    for rung in found.errors:  # by hand: nothing near the best has fewer parameters
        if found.median(rung) <= NEAR * best:
            assert rung.parameters(entries.shape) >= found.chosen.parameters(entries.shape)


def test_errors_are_those_of_fits_that_did_not_see_the_entries():
    entries = Entries.from_array(near(1, 0.2)[1])
    held = splits(entries)
    found = ladder(entries, held)
    fit, away = found.fits[found.chosen][2], entries.part(held[2])
    W = (fit.modes.U * fit.modes.s) @ fit.modes.V.T + fit.row[:, None] + fit.column
    np.testing.assert_allclose(found.errors[found.chosen][2], away.at(W) - away.values, atol=1e-13)
    assert all(len(missed) == len(held) for missed in found.errors.values())


def test_a_table_that_holds_no_direction_has_no_ladder():
    assert climbed(Entries([0, 1], [0, 0], [1.0, 2.0], (2, 1)), [np.array([True, False])], max_rank=20) is None


@given(st.integers(0, 50), st.integers(-9, 9))
@settings(max_examples=8, deadline=None)
def test_units_levels_and_order_do_not_change_the_choice(seed, power):
    rng = np.random.default_rng(seed)
    X = near(seed, 0.2)[1]
    i, j = rng.permutation(40), rng.permutation(8)
    chosen = []
    for Y in (X, 10.0**power * X, X + 100 * rng.normal(size=8)):
        entries = Entries.from_array(Y)
        chosen.append(ladder(entries, splits(entries)))
    assert chosen[0].chosen == chosen[1].chosen == chosen[2].chosen
    for found in chosen[:2]:
        unit = 1.0 if found is chosen[0] else 10.0**power
        # A fit ends where a step gains a millionth.
        assert found.median(found.chosen) / unit == pytest.approx(chosen[0].median(chosen[0].chosen), rel=1e-2)
    # In another order the same splits are drawn by hand: each entry keeps its place in them.
    marks = np.full(X.shape, -1)
    first = Entries.from_array(X)
    for k, held in enumerate(splits(first)):
        marks[first.rows[held], first.columns[held]] = k
    moved = Entries.from_array(X[i][:, j])
    again = ladder(moved, [moved.at(marks[i][:, j]) == k for k in range(5)])
    assert again.chosen == chosen[0].chosen
    assert again.median(again.chosen) == pytest.approx(chosen[0].median(chosen[0].chosen), rel=1e-2)


def test_the_width_is_the_largest_rank():
    entries = Entries.from_array(near(0, 0.25)[1])
    found = climbed(entries, splits(entries), max_rank=2)
    assert found is not None
    assert max(rung.rank for rung in found.errors) == 2


def test_what_is_closer():
    rng = np.random.default_rng(2)
    theirs = rng.normal(size=200)
    assert closer(0.5 * theirs / 100, theirs / 100, 1.0)
    assert not closer(0.5 * theirs, theirs, 1.0)  # that much noise is not next to none
    assert closer(theirs / 1e3, theirs / 1e3, 1.0)  # as good, and next to nothing left: the simpler one
    assert not closer(theirs / 1e3, 0.9 * theirs / 1e3, 1.0)
    wild = np.where(np.arange(200) % 20 == 0, 30 * theirs, 0.5 * theirs)
    assert not closer(wild / 100, theirs / 100, 1.0)
    assert closer(np.full(200, 1e-15), np.full(200, 3e-15), 1.0)  # rounding does not tell exact models apart


# -- what a completion makes of it ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_a_near_exact_table_is_completed_to_its_noise(seed):
    W, X = near(seed, 0.2)
    done = rs.complete(X)
    assert (done.method, done.rank) == ("joint", 3)
    assert error(W, X, done) < 5e-3
    assert "levels of columns" in done.offset
    assert 0.3 < done.expected_error / np.hypot(error(W, X, done), 1e-3) < 4 or not done.determined.all()


def test_a_near_exact_table_in_any_units_and_lying_on_its_side():
    W, X = near(13, 0.2)
    size = np.logspace(-4, 5, 8)
    done = rs.complete((X * size).T)
    assert (done.rank, done.scaling.kind) == (3, "row")
    missed = np.abs(done.matrix.T / size - W)[np.isnan(X) & done.determined.T]
    assert np.sqrt(np.mean(missed**2)) < 5e-3


@pytest.mark.parametrize(("columns", "seed"), [(3, 0), (5, 1), (4, 2)])
def test_affine_columns_need_one_entry_a_row(columns, seed):
    W, X = affine(seed, columns)
    done = rs.complete(X)
    assert (done.method, done.rank) == ("joint", 1)
    assert done.determined.all()
    assert np.abs(done.matrix - W).max() < 1e-10 * np.abs(W).max()
    flipped = rs.complete(X.T)
    assert np.abs(flipped.matrix.T - W).max() < 1e-10 * np.abs(W).max()


def test_exact_ranks_without_levels_stay_as_they_are():
    rng = np.random.default_rng(3)
    W = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 5))
    done = rs.complete(np.where(rng.random(W.shape) < 0.3, np.nan, W))
    assert (done.method, done.rank) == ("climbed", 2)


def test_a_noisy_table_is_left_to_others():
    rng = np.random.default_rng(4)
    W = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 8))
    X = np.where(rng.random(W.shape) < 0.25, np.nan, W + 0.6 * rng.normal(size=W.shape))
    assert rs.complete(X).method != "joint"


def test_it_is_saved_predicts_new_rows_and_goes_on(tmp_path):
    W, X = near(14, 0.2, (48, 8))
    model = DeepMatrixCompletion().fit(X[:40])
    assert model.completed_.method == "joint"
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.completed_.fitted, model.completed_.fitted)
    assert again.completed_.offset == model.completed_.offset
    known = (~np.isnan(X[40:])).sum(axis=1) > 4
    missed = np.abs(again.transform(X[40:]) - W[40:])[known]
    assert np.median(missed[np.isnan(X[40:][known])]) < 0.02
    rows, columns = np.nonzero(np.isnan(X[:40]) & model.completed_.determined)
    values, errors = model.predict(rows, columns, return_std=True)
    assert np.median(np.abs(values - W[rows, columns]) / errors) < 2
    model.partial_fit(X)
    assert error(W, X, model.completed_) < 0.01


def test_cells_that_are_left_open_are_not_filled_by_the_ladder():
    W, X = near(1103, 0.3, (8, 40))
    X[:, 5] = np.nan
    X[3, 5] = W[3, 5]
    done = rs.complete(X)
    assert done.method == "joint"
    model = done.model.model
    assert isinstance(model, Determined)
    assert not done.determined[[0, 1, 2, 4, 5, 6, 7], 5].any()
    assert np.abs(done.matrix[:, 5] - W[:, 5]).max() < 12
    assert error(W, X, done) < 0.02
