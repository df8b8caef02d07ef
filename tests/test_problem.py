"""Problems: made from what people have, checked, and differentiable as they say."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from catalogue import FITS
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import FallbackWarning, InputError

every_fit = pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())

# -- losses ----------------------------------------------------------------------------------------------


@every_fit
def test_the_gradient_is_the_derivative_of_the_loss(fit, rng):
    W, D = rng.normal(size=fit.problem.shape), rng.normal(size=fit.problem.shape)
    h = 1e-6
    slope = (fit.problem.loss(W + h * D) - fit.problem.loss(W - h * D)) / (2 * h)
    assert np.sum(fit.problem.gradient(W) * D) == pytest.approx(slope, rel=1e-7, abs=1e-8)


@every_fit
def test_the_gradient_is_the_formula(fit, rng):
    W = rng.normal(size=fit.problem.shape)
    np.testing.assert_allclose(fit.problem.gradient(W), fit.gradient(W), rtol=1e-12, atol=1e-14)


def test_the_losses_are_their_formulas(rng):
    W, target, A, y = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(5, 3, 4)), rng.normal(size=5)
    assert rs.Estimation(target).loss(W) == pytest.approx(np.linalg.norm(W - target) ** 2 / 2, rel=1e-13)
    expected = sum((np.trace(A_k.T @ W) - y_k) ** 2 for A_k, y_k in zip(A, y, strict=True)) / 2
    assert rs.Sensing(A, y).loss(W) == pytest.approx(expected, rel=1e-12)
    entries = {(0, 1): 2.0, (2, 0): -1.0, (1, 3): 0.5}
    with pytest.warns(FallbackWarning):
        problem = rs.Completion(*zip(*entries, strict=True), list(entries.values()), (3, 4))
    expected = sum((W[at] - value) ** 2 for at, value in entries.items()) / (2 * 3)
    assert problem.loss(W) == pytest.approx(expected, rel=1e-13)


@every_fit
def test_the_smoothness_bounds_the_gradients_change_and_is_reached(fit, rng):
    problem = fit.problem
    if problem.smoothness() is None:
        return
    zero = np.zeros(problem.shape)
    base = problem.gradient(zero)
    columns = [(problem.gradient(E.reshape(problem.shape)) - base).ravel() for E in np.eye(zero.size)]
    tolerance = 1e-10
    if isinstance(problem, rs.Classification):  # it bends less away from zero, so only small steps reach the bound
        columns = [1e5 * (problem.gradient(1e-5 * E[None])[0] - base[0]) for E in np.eye(zero.size)]
        tolerance = 1e-5
    assert problem.smoothness() == pytest.approx(np.linalg.norm(np.stack(columns), 2), rel=tolerance)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_loss_of_factors_needs_no_dense_product(depth, rng):
    n_out, n_in, m = 60, 50, 90
    at = rng.choice(n_out * n_in, m, replace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        problem = rs.Completion(at // n_in, at % n_in, rng.normal(size=m), (n_out, n_in))
    widths = [*[n_in, 3, 4][:depth], n_out]
    factors = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
    assert n_out * n_in > 4 * m  # the thin way is taken
    assert problem.loss_of_factors(factors) == pytest.approx(float(problem.loss(rs.product(factors))), rel=1e-12)
    by_blocks = problem.residual_of_factors(factors, block=7)
    np.testing.assert_allclose(by_blocks, rs.product(factors)[problem.rows, problem.columns] - problem.values)


def test_the_same_loss_of_factors_when_most_entries_are_seen(rng):
    problem = FITS["completion"].problem
    factors = [rng.normal(size=(3, 4)), rng.normal(size=(5, 3))]
    assert problem.loss_of_factors(factors) == pytest.approx(float(problem.loss(factors[1] @ factors[0])), rel=1e-13)


# -- constructors ----------------------------------------------------------------------------------------

HOLES = np.array([[1.0, np.nan, 0.0], [np.nan, -2.0, 3.0]])
TRIPLETS = {(0, 0): 1.0, (0, 2): 0.0, (1, 1): -2.0, (1, 2): 3.0}


def _entries(problem):
    return {(int(i), int(j)): float(y) for i, j, y in zip(problem.rows, problem.columns, problem.values, strict=True)}


def _sparse(kind):
    i, j = zip(*TRIPLETS, strict=True)
    return kind(sp.coo_array((list(TRIPLETS.values()), (i, j)), shape=(2, 3)))


@pytest.mark.parametrize(
    "problem",
    [
        rs.Completion.from_array(HOLES),
        rs.Completion.from_array(HOLES.tolist()),
        rs.Completion.from_array(pd.DataFrame(HOLES)),
        rs.Completion.from_array(np.ma.masked_invalid(HOLES)),
        rs.Completion.from_array(np.ma.masked_array(np.nan_to_num(HOLES, nan=9.0), np.isnan(HOLES))),
        rs.Completion([0, 0, 1, 1], [0, 2, 1, 2], [1, 0, -2, 3], (2, 3)),
        rs.Completion(np.uint8([1, 1, 0, 0]), np.int32([2, 1, 2, 0]), np.float32([3, -2, 0, 1]), (2, 3)),
        *(rs.Completion.from_sparse(_sparse(kind)) for kind in (sp.coo_array, sp.csr_array, sp.csc_matrix)),
    ],
    ids=["NaN", "list", "frame", "masked NaN", "mask", "triplets", "other dtypes", "coo", "csr", "csc"],
)
def test_every_way_to_give_a_matrix_with_holes_gives_its_entries(problem):
    assert problem.shape == (2, 3)
    assert _entries(problem) == TRIPLETS


LONG = {"who": ["eve", "adam", "eve", "adam"], "what": [30, 30, 10, 20], "score": [1.0, -2.0, 0.0, 3.5]}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_a_long_frame_gives_labelled_entries(frame):
    problem = rs.Completion.from_frame(frame(LONG), rows="who", columns="what", values="score")
    assert problem.row_labels.tolist() == ["adam", "eve"]
    assert problem.column_labels.tolist() == [10, 20, 30]
    assert _entries(problem) == {(1, 2): 1.0, (0, 2): -2.0, (1, 0): 0.0, (0, 1): 3.5}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("column", ["who", "what"])
def test_a_frame_with_a_missing_label_is_refused(frame, column):
    holed = LONG | {column: [LONG[column][0], None, *LONG[column][2:]]}
    with pytest.raises(InputError, match=f"{column}.* line 1"):
        rs.Completion.from_frame(frame(holed), rows="who", columns="what", values="score")


def test_a_target_may_be_anything_that_converts_to_a_matrix():
    for given_target in ([[1, 2], [3, 4]], np.float32([[1, 2], [3, 4]]), pd.DataFrame([[1, 2], [3, 4]])):
        np.testing.assert_array_equal(rs.Estimation(given_target).target, [[1.0, 2.0], [3.0, 4.0]])


def test_given_eigenvalues_make_a_diagonal_target():
    problem = rs.Estimation(eigenvalues=[1, -2])
    np.testing.assert_array_equal(problem.target, [[1, 0], [0, -2]])
    assert problem.symmetric


def test_the_eigenbasis_of_a_symmetric_target(rng):
    G = rng.normal(size=(5, 5))
    lam, V = rs.Estimation(G + G.T).eigenbasis
    assert np.all(np.diff(lam) <= 0)
    np.testing.assert_allclose((V * lam) @ V.T, G + G.T, atol=1e-13)
    np.testing.assert_allclose(V.T @ V, np.eye(5), atol=1e-14)
    with pytest.raises(InputError, match="not symmetric"):
        _ = rs.Estimation(G).eigenbasis


@every_fit
def test_what_a_problem_keeps_cannot_be_changed_from_outside(fit):
    for name in fit.problem.data:
        assert not getattr(fit.problem, name).flags.writeable


def test_the_callers_arrays_are_copied():
    i, y, shape = np.array([0, 1]), np.array([1.0, 2.0]), (2, 2)
    target, operators = np.eye(2), np.ones((2, 2, 2))
    entries, whole, sensed = rs.Completion(i, i, y, shape), rs.Estimation(target), rs.Sensing(operators, y)
    for mine in (i, y, target, operators):
        assert mine.flags.writeable
        mine += 5
    assert _entries(entries) == {(0, 0): 1.0, (1, 1): 2.0}
    np.testing.assert_array_equal(whole.target, np.eye(2))
    np.testing.assert_array_equal(sensed.operators, np.ones((2, 2, 2)))
    np.testing.assert_array_equal(sensed.measurements, [1.0, 2.0])


def test_a_sparse_matrix_is_not_modified():
    matrix = _sparse(sp.csr_array)
    before = matrix.data.copy()
    rs.Completion.from_sparse(matrix)
    matrix.data += 0.0  # still writeable
    np.testing.assert_array_equal(matrix.data, before)


# -- duplicates and empty rows ---------------------------------------------------------------------------

TWICE = ([0, 1, 0, 1], [1, 0, 1, 1], [2.0, 5.0, 4.0, 7.0], (2, 2))


def test_a_duplicate_is_an_error_that_names_both_positions():
    with pytest.raises(InputError, match=r"row 0, column 1.* given twice, at positions 0 and 2"):
        rs.Completion(*TWICE)


@pytest.mark.parametrize(("policy", "value"), [("mean", 3.0), ("last", 4.0)])
def test_duplicates_are_merged_by_the_policy(policy, value):
    problem = rs.Completion(*TWICE, duplicates=policy)
    assert _entries(problem) == {(0, 1): value, (1, 0): 5.0, (1, 1): 7.0}
    assert len(problem.values) == 3


def test_duplicates_in_a_frame_are_merged_by_the_policy():
    frame = pd.DataFrame({"i": ["a", "a", "b"], "j": ["x", "x", "x"], "y": [1.0, 3.0, 5.0]})
    problem = rs.Completion.from_frame(frame, "i", "j", "y", duplicates="mean")
    assert _entries(problem) == {(0, 0): 2.0, (1, 0): 5.0}


def test_empty_rows_and_columns_give_one_warning_that_counts_them():
    with pytest.warns(FallbackWarning) as caught:
        rs.Completion([1, 1], [0, 2], [1.0, 2.0], (8, 3))
    assert len(caught) == 1
    assert "7 row(s) (0, 2, 3, 4, 5, ...) and 1 column(s) (1)" in str(caught[0].message)


# -- bad input -------------------------------------------------------------------------------------------

OPERATORS = np.ones((3, 2, 2))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: rs.Completion.from_array(np.full((2, 2), np.nan)), "No entry .* is observed: all are missing"),
        (lambda: rs.Completion.from_array([[1.0, np.inf]]), r"`array` holds inf at row 0, column 1"),
        (lambda: rs.Completion.from_array([1.0, 2.0]), r"two dimensions, got shape \(2,\)"),
        (lambda: rs.Completion.from_array([["a", "b"]]), "must hold real numbers"),
        (lambda: rs.Completion.from_array(np.array([[1.0, 2j]])), "must hold real numbers"),
        (lambda: rs.Completion([], [], [], (2, 2)), "`values` is empty"),
        (lambda: rs.Completion.from_sparse(sp.csr_array((2, 2))), "No entry .* is observed"),
        (lambda: rs.Completion([0, 1], [0, 1], [1.0, np.nan], (2, 2)), r"`values` holds nan at position \(1,\)"),
        (lambda: rs.Completion([0, 2], [0, 1], [1.0, 2.0], (2, 2)), r"`rows\[1\]` is 2, outside 0..1"),
        (lambda: rs.Completion([0, 1], [-1, 1], [1.0, 2.0], (2, 2)), r"`columns\[0\]` is -1, outside 0..1"),
        (lambda: rs.Completion([0.0, 1.0], [0, 1], [1.0, 2.0], (2, 2)), "`rows` must hold integers, got float64"),
        (lambda: rs.Completion([0], [0, 1], [1.0, 2.0], (2, 2)), "`rows` must hold one index for each of the 2"),
        (lambda: rs.Completion([0], [0], [1.0], (2,)), "`shape` must be two numbers"),
        (lambda: rs.Completion([0], [0], [1.0], (10**13, 10**13)), "Counting the entries .* takes 160 TB"),
        (lambda: rs.Completion([0], [0], [1.0], (0, 2)), "`shape` must be a whole number of at least 1, got 0"),
        (lambda: rs.Completion([0], [0], [1.0], (1, 1), duplicates="first"), "must be 'error', 'mean' or 'last'"),
        (lambda: rs.Completion([0], [0], [1.0], (1, 1), row_labels=["a", "b"]), "`row_labels` must name all 1"),
        (lambda: rs.Completion.from_frame(pd.DataFrame(LONG), "whom", "what", "score"), "no column 'whom'.*'who'"),
        (lambda: rs.Completion.from_frame(LONG, "who", "what", "score"), "frame"),
        (lambda: rs.Completion.from_sparse(np.eye(2)), "sparse"),
        (lambda: rs.Estimation(), "either `target` or `eigenvalues`"),
        (lambda: rs.Estimation(np.eye(2), eigenvalues=[1.0]), "and not both"),
        (lambda: rs.Estimation([[1.0, np.nan]]), r"nan at position \(0, 1\).*use Completion.from_array"),
        (lambda: rs.Estimation([1.0, 2.0]), r"must have 2 dimension\(s\), got shape \(2,\)"),
        (lambda: rs.Estimation(np.empty((0, 3))), r"`target` is empty: shape \(0, 3\)"),
        (lambda: rs.Estimation(np.array([[1.0, 2j]])), "must hold real numbers"),
        (lambda: rs.Estimation(eigenvalues=[1.0, -np.inf]), r"`eigenvalues` holds -inf at position \(1,\)"),
        (lambda: rs.Estimation([[1.0], [1.0, 2.0]]), "must hold real numbers"),
        (lambda: rs.Sensing(OPERATORS, [1.0]), "3 operators but 1 measurements"),
        (lambda: rs.Sensing(OPERATORS[0], [1.0]), r"`operators` must have 3 dimension\(s\)"),
        (lambda: rs.Sensing(OPERATORS, [1.0, 2.0, np.nan]), r"`measurements` holds nan at position \(2,\)"),
        (lambda: rs.Objective("f", (2, 2)), "`function` must be callable, got str"),
        (lambda: rs.Objective(abs, (2, 0)), "`shape` must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_with_the_place(make, text):
    with pytest.raises(InputError, match=text):
        make()


# -- held-out entries ------------------------------------------------------------------------------------


def _grid(rng, n_out, n_in, share=1.0):
    i, j = np.nonzero(rng.random((n_out, n_in)) < share)
    return i, j, rng.normal(size=len(i))


def test_a_split_divides_the_entries(rng):
    problem = rs.Completion(*_grid(rng, 20, 30), (20, 30))
    train = problem.split(0.2, seed=1)
    seen, held = _entries(train), _entries(train.heldout)
    assert seen.keys().isdisjoint(held)
    assert seen | held == _entries(problem)
    assert train.heldout.heldout is None


def test_a_split_does_not_depend_on_the_order_of_the_entries(rng):
    i, j, y = _grid(rng, 20, 30, 0.6)
    mixed = rng.permutation(len(i))
    one = rs.Completion(i, j, y, (20, 30)).split(0.3, seed=5)
    other = rs.Completion(i[mixed], j[mixed], y[mixed], (20, 30)).split(0.3, seed=5)
    assert _entries(one.heldout) == _entries(other.heldout)
    assert _entries(one) == _entries(other)


def test_another_seed_holds_out_other_entries(rng):
    problem = rs.Completion(*_grid(rng, 20, 30), (20, 30))
    one, other = (_entries(problem.split(0.2, seed=seed).heldout).keys() for seed in (0, 1))
    assert len(one & other) < 0.5 * len(one)


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.7])
def test_the_held_out_share_is_about_the_fraction(fraction, rng):
    problem = rs.Completion(*_grid(rng, 100, 120), (100, 120))
    share = len(problem.split(fraction).heldout.values) / 12_000
    assert share == pytest.approx(fraction, abs=4 * np.sqrt(fraction * (1 - fraction) / 12_000))


@given(st.floats(0.3, 0.99), st.integers(0, 2**70), st.integers(0, 1000))
def test_every_row_and_column_keeps_an_entry_for_training(fraction, seed, which):
    rng = np.random.default_rng(which)
    seen = rng.random((6, 8)) < 0.4
    seen[np.arange(6), np.arange(6)] = True
    seen[0, :] = True
    i, j = np.nonzero(seen)
    train = rs.Completion(i, j, np.ones(len(i)), (6, 8)).split(fraction, seed)
    assert set(train.rows.tolist()) == set(range(6))
    assert set(train.columns.tolist()) == set(range(8))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, np.nan])
def test_a_fraction_that_is_no_share_is_refused(fraction):
    with pytest.raises(InputError, match="`fraction` must lie between 0 and 1"):
        FITS["completion"].problem.split(fraction)


def test_a_split_that_leaves_nothing_to_judge_by_is_refused():
    with pytest.raises(InputError, match="leaves none to judge by"):
        rs.Completion([0, 1], [0, 1], [1.0, 2.0], (2, 2)).split(0.5)


def test_the_held_out_loss_is_recorded_and_does_not_touch_training(rng):
    whole = rs.Completion(*_grid(rng, 8, 9), (8, 9))
    train = whole.split(0.3)
    setting = dict(depth=2, initialization=rs.Gaussian(0.3), dynamics=rs.SGD(0.05), steps=300, record=[0, 300])
    run = rs.simulate(train, **setting)
    W, held = run.product, train.heldout
    expected = np.mean((W[held.rows, held.columns] - held.values) ** 2) / 2
    assert float(run.heldout_loss[-1]) == pytest.approx(expected, rel=1e-12)
    alone = rs.simulate(rs.Completion(train.rows, train.columns, train.values, (8, 9)), **setting)
    assert "heldout_loss" not in alone.dataset
    np.testing.assert_array_equal(alone.product, W)
