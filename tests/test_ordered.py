"""Ordered axes: how they are noticed, what lies between neighbours, factors that walk, and the candidates."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.candidates.axes import ordered_axes
from rankscape.estimators.completion.candidates.base import Trained
from rankscape.estimators.completion.candidates.interpolated import Interpolation
from rankscape.estimators.completion.candidates.smoothed import Smoothed
from rankscape.estimators.completion.candidates.walking import Walking
from rankscape.estimators.completion.models import packing
from rankscape.estimators.completion.models.interpolated import Interpolated
from rankscape.estimators.completion.models.local import Local
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.models.stepwise import Stepwise
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.neighbours.between import between
from rankscape.solvers.neighbours.local_regression import local_polynomial
from rankscape.solvers.neighbours.order import in_order
from rankscape.solvers.neighbours.random_walk import fit_random_walk, walk


def walks(n, p, rng):
    """Rows that change little from column to column."""
    return np.cumsum(rng.normal(size=(n, p)), axis=1)


def holes(X, rng, hidden=0.3):
    return np.where(rng.random(X.shape) < hidden, np.nan, X)


# -- between neighbours -----------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6), n=st.integers(1, 6), p=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_each_cell_lies_between_the_other_entries_of_its_row(seed, n, p):
    rng = np.random.default_rng(seed)
    X = holes(rng.normal(size=(n, p)), rng, 0.5)
    X[0, 0] = 1.0
    i, j = np.indices(X.shape).reshape(2, -1)
    found = between(Entries.from_array(X), i, j).reshape(X.shape)
    for row, column in np.ndindex(X.shape):
        seen = np.flatnonzero(np.isfinite(X[row]))
        seen = seen[seen != column]
        expected = np.interp(column, seen, X[row, seen]) if len(seen) else np.nan
        np.testing.assert_allclose(found[row, column], expected, rtol=1e-12, atol=1e-12)


# -- around a cell ----------------------------------------------------------------------------------------


def regression_at(entries, cell, steps, count, degree):
    """The local polynomial of one cell by a solver of its own: neighbours sorted, weighted rows, least squares."""
    ordered = np.isfinite(steps)
    places = np.column_stack([entries.rows, entries.columns]) - cell
    near = (places[:, ~ordered] == 0).all(1) & (places != 0).any(1)
    x, y = (places * np.where(ordered, steps, 0.0))[near][:, ordered], entries.values[near]
    distance = np.sqrt((x**2).sum(1))
    nearest = np.argsort(distance, kind="stable")[:count]
    x, y, distance = x[nearest], y[nearest], distance[nearest]
    reach = distance.max() * (1 + 1e-3)
    root = (1 - (distance / reach) ** 3) ** 1.5
    powers = [p for p in np.ndindex(*(degree + 1,) * x.shape[1]) if sum(p) <= degree]
    design = np.array([np.prod((x / reach) ** p, axis=1) for p in powers]).T
    return np.linalg.lstsq(root[:, None] * design, root * y, rcond=None)[0][powers.index((0,) * x.shape[1])]


@pytest.mark.parametrize(
    ("steps", "count", "degree"),
    [((1.0, 1.0), 30, 2), ((1.7, 0.4), 16, 1), ((np.inf, 1.0), 9, 2), ((2.0, np.inf), 9, 3)],
)
def test_a_cell_is_the_local_regression_on_the_entries_around_it(steps, count, degree):
    rng = np.random.default_rng(2)
    X = holes(rng.normal(size=(25, 31)), rng)
    entries = Entries.from_array(X)
    i, j = np.nonzero(np.isnan(X))
    # Where several entries are the farthest, any of them may be the last one; hardly any weight is on it.
    expected = [regression_at(entries, cell, steps, count + 1, degree) for cell in zip(i, j, strict=True)]
    found = local_polynomial(entries, i, j, steps, count, degree)
    size = np.array([entries.values.min(), entries.values.max()])
    inside = (expected > size[0]) & (expected < size[1])
    assert inside.mean() > 0.8
    np.testing.assert_allclose(np.median(np.abs(found - expected)[inside]), 0, atol=1e-4)
    assert np.mean(np.abs(found - expected)[inside] < 0.02) > 0.9


def test_an_entry_is_not_used_to_predict_itself():
    rng = np.random.default_rng(3)
    X = holes(np.add.outer(np.arange(12.0), np.arange(9.0) ** 2), rng)
    wild = X.copy()
    i, j = map(int, np.argwhere(~np.isnan(X))[40])
    wild[i, j] = 1e6
    at = np.array([i]), np.array([j])
    steps = (1.0, 1.0)
    found = [local_polynomial(Entries.from_array(Y), *at, steps, 20, 2) for Y in (X, wild)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
    np.testing.assert_allclose(found[0], i + j**2, atol=0.05)


def test_where_nothing_is_near_there_is_nothing():
    X = np.full((4, 9), np.nan)
    X[0, :3] = 1.0, 2.0, 4.0
    found = local_polynomial(Entries.from_array(X), np.array([0, 2]), np.array([8, 8]), (np.inf, 1.0), 4, 2)
    assert np.isnan(found[1])
    assert 1 - 0.5 * 3 <= found[0] <= 4 + 0.5 * 3  # far out it does not run away
    model = Local(Entries.from_array(X), (np.inf, 1.0), 4, 2)
    assert np.isfinite(model.dense()).all()
    np.testing.assert_array_equal(model.dense()[0, 8], found[0])
    # New rows of which nothing is seen have the levels of their columns.
    empty = Entries(np.zeros(0, int), np.zeros(0, int), np.zeros(0), shape=(2, 9))
    np.testing.assert_array_equal(model.folded(empty), Interpolated(model.entries, ("columns",)).folded(empty))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_smooth_surface_with_noise_is_averaged_around_each_cell(seed, tmp_path):
    rng = np.random.default_rng(seed)
    x, y = np.linspace(0, 1, 70)[:, None], np.linspace(0, 1, 60)
    truth = np.cos(5 * x * y + seed) + np.exp(-6 * np.abs(x - y)) + x**2
    X = holes(truth + 0.03 * truth.std() * rng.normal(size=truth.shape), rng, 0.5)
    model, hidden = DeepMatrixCompletion().fit(X), np.isnan(X)
    done, entries, places = model.completed_, Entries.from_array(X), np.nonzero(hidden)
    means = Interpolated(entries, ("rows", "columns")).at(*places)
    assert np.sum((done.fitted[hidden] - truth[hidden]) ** 2) < 0.5 * np.sum((means - truth[hidden]) ** 2)
    assert "parabolas through the" in done.reason
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.completed_.fitted, done.fitted)
    np.testing.assert_array_equal(again.predict(X[:4]), model.predict(X[:4]))


# -- whether an axis is ordered ---------------------------------------------------------------------------


def test_time_is_noticed_and_what_is_shuffled_is_not():
    rng = np.random.default_rng(0)
    X = holes(walks(40, 30, rng), rng)
    for Y, axis, other in ((X, "columns", "rows"), (X.T, "rows", "columns")):
        assert in_order(Entries.from_array(Y), axis)
        assert not in_order(Entries.from_array(Y), other)
    assert not in_order(Entries.from_array(X[:, rng.permutation(30)]), "columns")


def test_chance_seldom_looks_like_an_order():
    noticed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n, p = rng.integers(1, 9), rng.integers(2, 9)
        X = rng.normal(size=(n, 1)) * rng.normal(size=p) + 10 * rng.normal(size=p) + 0.1 * rng.normal(size=(n, p))
        noticed += in_order(Entries.from_array(holes(X, rng, 0.2)), "columns")
    assert noticed <= 14  # one in twenty expected, and fewer because the gain must be large


@pytest.mark.parametrize(
    "X",
    [
        np.full((8, 9), 0.1),
        np.outer(np.ones(7), np.arange(9.0) * 0.1),
        np.arange(4.0)[None],
        np.ones((1, 1)),
    ],
    ids=["constant", "equal rows", "four columns", "one cell"],
)
def test_nothing_is_noticed_where_nothing_is_to_be_gained(X):
    for axis in ("rows", "columns"):
        assert not in_order(Entries.from_array(X), axis)


def test_in_few_ratings_no_order_is_seen():
    rng = np.random.default_rng(2)
    for _ in range(20):
        rows, columns = rng.integers(0, 1500, 30_000), rng.integers(0, 2000, 30_000)
        ratings = Entries(rows, columns, rng.integers(1, 6, 30_000), (1500, 2000), duplicates="last")
        assert not in_order(ratings, "rows")
        assert not in_order(ratings, "columns")


def test_a_single_series_is_noticed():
    series = Entries.from_array(np.arange(40.0)[:, None])
    assert in_order(series, "rows")
    assert not in_order(series, "columns")


@pytest.mark.parametrize("shape", [(2000, 40), (40, 20_000)])
def test_of_large_matrices_a_part_is_looked_at(shape):
    rng = np.random.default_rng(1)
    rough, smooth = Entries.from_array(rng.normal(size=shape)), Entries.from_array(walks(*shape, rng))
    assert [in_order(entries, "columns") for entries in (rough, smooth)] == [False, True]
    assert [in_order(entries.transposed(), "rows") for entries in (rough, smooth)] == [False, True]


def test_the_user_may_say_which_axes_are_ordered():
    entries = Entries.from_array(np.random.default_rng(2).normal(size=(9, 8)))
    assert ordered_axes(entries, Settings()) == ordered_axes(entries, Settings(ordered=None)) == ()
    assert ordered_axes(entries, Settings(ordered="rows")) == ("rows",)
    assert ordered_axes(entries, Settings(ordered="both")) == ("rows", "columns")
    with pytest.raises(InputError, match="one row only"):
        rs.complete(np.array([[1.0, 3.0, 2.0]]), ordered="both")


# -- the models -------------------------------------------------------------------------------------------


def test_rows_columns_and_the_mean_of_both():
    X = np.array([[0.0, 2, np.nan, 6], [np.nan, 3, 1, 0], [8.0, np.nan, 5, 2]])
    entries, cell = Entries.from_array(X), (np.array([0, 2, 1]), np.array([2, 1, 1]))
    columns = Interpolated(entries, ("columns",)).at(*cell)
    rows = Interpolated(entries, ("rows",)).at(*cell)
    np.testing.assert_allclose(columns, [4.0, 6.5, 1.0])
    np.testing.assert_allclose(rows, [1.0, 3.0, 2.0])
    both = Interpolated(entries, ("rows", "columns"))
    np.testing.assert_allclose(both.at(*cell), (columns + rows) / 2)
    np.testing.assert_allclose(both.dense()[cell], (columns + rows) / 2)


def test_an_empty_row_has_the_levels_of_its_columns():
    rng = np.random.default_rng(3)
    X = walks(12, 9, rng)
    X[4], X[:, 3] = np.nan, np.nan
    entries = Entries.from_array(X)
    levels = fit_offset("row+column", entries).dense()
    along = Interpolated(entries, ("columns",))
    np.testing.assert_array_equal(along.dense()[4], levels[4])
    both = Interpolated(entries, ("rows", "columns")).dense()
    np.testing.assert_allclose(both[4, 0], (X[3, 0] + X[5, 0]) / 2)  # from row to row there are neighbours
    assert both[4, 3] == levels[4, 3]


def test_new_rows_are_interpolated_from_column_to_column():
    rng = np.random.default_rng(4)
    known, new = Entries.from_array(walks(10, 8, rng)), holes(walks(3, 8, rng), rng)
    new[1] = np.nan
    asked = Entries.from_array(new)
    folded = Interpolated(known, ("columns",)).folded(asked)
    own = between(asked, *np.indices(new.shape).reshape(2, -1)).reshape(new.shape)
    np.testing.assert_array_equal(folded[[0, 2]], own[[0, 2]])
    np.testing.assert_allclose(folded[1], fit_offset("row+column", known).dense().mean(0), rtol=1e-9)
    assert np.isfinite(Interpolated(known, ("rows",)).folded(asked)).all()


def stepwise(seed=5):
    rng = np.random.default_rng(seed)
    U, V, X = rng.normal(size=(12, 2)), rng.normal(size=(9, 2)), holes(walks(12, 9, rng), rng)
    first = LowRank(modes_of(U, V), fit_offset("none", Entries.from_array(X)), 0.1)
    return first, Interpolated(Entries.from_array(X - U @ V.T), ("rows", "columns"))


def test_one_step_after_another():
    first, second = stepwise()
    both, (i, j) = Stepwise(first, second), (np.array([0, 11]), np.array([8, 2]))
    np.testing.assert_array_equal(both.dense(), first.dense() + second.dense())
    np.testing.assert_allclose(both.at(i, j), both.dense()[i, j], rtol=1e-12)
    new = Entries.from_array(holes(np.random.default_rng(6).normal(size=(3, 9)), np.random.default_rng(7)))
    rest = new.with_values(new.values - new.at(first.folded(new)))
    np.testing.assert_array_equal(both.folded(new), first.folded(new) + second.folded(rest))
    arrays = {}
    np.testing.assert_array_equal(packing.unpack(packing.pack(both, arrays), arrays).dense(), both.dense())


# -- factors that walk ------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**6), p=st.integers(1, 7), k=st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_a_walk_is_the_dense_least_squares_solution(seed, p, k):
    rng = np.random.default_rng(seed)
    X, left, stiffness = holes(rng.normal(size=(6, p)), rng), rng.normal(size=(6, k)), 0.7
    X[0] = 1.0
    X[:k, 0] = rng.normal(size=k)
    entries = Entries.from_array(X)
    entries = entries.with_weights(rng.uniform(0.5, 2, entries.count))
    root = np.sqrt(entries.weights)
    rows = np.zeros((entries.count + (p - 1) * k, p * k))
    for e, (i, j) in enumerate(zip(entries.rows, entries.columns, strict=True)):
        rows[e, j * k : (j + 1) * k] = root[e] * left[i]
    for step in range((p - 1) * k):
        rows[entries.count + step, [step, step + k]] = -np.sqrt(stiffness), np.sqrt(stiffness)
    expected = np.linalg.lstsq(rows, np.append(root * entries.values, np.zeros((p - 1) * k)), rcond=None)[0]
    np.testing.assert_allclose(walk(entries.prepared(), left, stiffness), expected.reshape(p, k), atol=1e-6)


def test_smooth_factors_carry_on_where_the_end_of_rows_is_missing():
    rng = np.random.default_rng(8)
    place = np.linspace(0, 1, 40)
    curves = np.stack([np.sin(3 * place), np.cos(5 * place)])
    truth = 2 * place + rng.normal(size=(60, 2)) @ curves
    X = truth + 0.05 * rng.normal(size=truth.shape)
    X[:20, 28:] = np.nan
    U, V, curve = fit_random_walk(Entries.from_array(X).prepared(), 2, 0.003, 3.0)
    missed = (U @ V.T + curve - truth)[:20, 28:]
    assert np.sqrt(np.mean(missed**2)) < 0.1
    np.testing.assert_allclose(np.sqrt(np.mean(U**2, axis=0)), 1.0)


# -- the candidates ---------------------------------------------------------------------------------------


def halves(X, seed=0):
    entries = Entries.from_array(X)
    return entries.split(np.random.default_rng(seed).random(entries.count) < 0.1)


def one_direction(training, heldout):
    """Stands in for the low-rank search: one direction without an offset, by imputing and truncating in turn."""

    def again(entries):
        X, seen = entries.dense(fill=0.0), np.isfinite(entries.dense())
        for _ in range(50):
            U, s, Vt = np.linalg.svd(X, full_matrices=False)
            modes = Modes(U, s, Vt.T).head(1)
            X = np.where(seen, X, (modes.U * modes.s) @ modes.V.T)
        return LowRank(modes, fit_offset("none", entries), 0.1)

    return Trained("low rank", again(training), again, "rank 1")


def error(trained, X, truth):
    hidden = np.isnan(X)
    return np.sqrt(np.mean((trained.again(Entries.from_array(X)).dense() - truth)[hidden] ** 2))


@pytest.mark.parametrize("flipped", [False, True])
def test_what_neighbours_miss_is_shared_by_lines_that_move_together(flipped):
    rng = np.random.default_rng(9)
    steps = rng.normal(size=(1, 600)) + 0.2 * rng.normal(size=(8, 600))
    truth = np.cumsum(steps, axis=1)
    truth = truth.T if flipped else truth
    X = holes(truth, rng)
    trained = Interpolation().fit(*halves(X), Settings(), one_direction)
    axis = "rows" if flipped else "columns"
    assert trained.model.first.axes == (axis,)
    assert "a Gaussian" in trained.words
    assert "of what it misses" in trained.words
    between_neighbours = Trained("", trained.model, partial(Interpolated, axes=(axis,)), "")
    assert error(trained, X, truth) < 0.7 * error(between_neighbours, X, truth)


def test_two_smooth_axes_are_averaged():
    rng = np.random.default_rng(10)
    y, x = np.indices((40, 50))
    truth = np.sin(x / 5) * np.cos(y / 4) + 0.1 * rng.normal(size=x.shape)
    X = holes(truth, rng)
    trained = Interpolation().fit(*halves(X), Settings(), one_direction)
    assert trained.model.axes == ("rows", "columns")
    assert trained.words == "interpolation from row to row and column to column"


def test_a_residual_that_changes_slowly_is_added():
    rng = np.random.default_rng(11)
    place = np.linspace(0, 1, 60)
    truth = 9 * np.outer(rng.normal(size=50), np.sin(9 * place)) + 0.05 * walks(50, 60, rng)
    X = holes(truth, rng, 0.2)
    training, heldout = halves(X)
    trained = Smoothed().fit(training, heldout, Settings(ordered="columns"), one_direction)
    assert trained.words == "rank 1 with its residual smoothed along the columns"
    assert error(trained, X, truth) < 0.8 * error(one_direction(training, heldout), X, truth)


@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_walking_factors_know_their_axis(axis):
    rng = np.random.default_rng(12)
    place = np.linspace(0, 1, 40)
    truth = 2 * place + rng.normal(size=(30, 2)) @ np.stack([np.sin(3 * place), np.cos(5 * place)])
    X = holes(truth + 0.05 * rng.normal(size=truth.shape), rng)
    if axis == "rows":
        X, truth = X.T, truth.T
    trained = Walking().fit(*halves(X), Settings(ordered="both"), one_direction)
    assert axis in trained.words
    assert error(trained, X, truth) < 0.05
    new = Entries.from_array(X[:5])
    folded = trained.again(Entries.from_array(X)).folded(new)
    assert np.sqrt(np.mean((folded - truth[:5]) ** 2)) < 0.3


def test_nobody_is_wanted_without_an_order():
    entries = Entries.from_array(np.random.default_rng(13).normal(size=(30, 20)))
    for candidate in (Interpolation(), Smoothed(), Walking()):
        assert not candidate.wanted(entries, Settings())
        assert candidate.wanted(entries, Settings(ordered="rows"))


def test_prices_are_told_by_the_days_around_them():
    rng = np.random.default_rng(14)
    truth = np.cumsum(rng.normal(size=(150, 1)) + 0.5 * rng.normal(size=(150, 8)), axis=0)
    X = holes(truth, rng)
    done = rs.complete(X)
    assert "interpolation from row to row" in done.reason
    hidden, alone = np.isnan(X), Interpolated(Entries.from_array(X), ("rows",)).dense()
    ours, theirs = (np.sqrt(np.mean((guess - truth)[hidden] ** 2)) for guess in (done.fitted, alone))
    assert ours < 0.8 * theirs
