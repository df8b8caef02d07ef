"""Completion without a rank: exact ranks, honest errors, and every input that people have."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from rankscape.entries import Entries
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import CompletedMatrix, complete
from rankscape.estimators.completion.ready.baselines import baseline_errors
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.ground.modes import Modes, balanced_factors, modes_of
from rankscape.problem import Completion
from rankscape.run.outcome import Outcome
from rankscape.solvers.descent.quasi_newton import minimise_smooth
from rankscape.solvers.descent.ridge_minimum import killing_ridge, live_rank


def planted(n_out, n_in, rank, share, seed, noise=0.0, condition=1.0):
    """A matrix of exact rank with rms-1 entries, and what is seen of it (NaN elsewhere)."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((n, rank)))[0] for n in (n_out, n_in))
    W = (left * np.geomspace(1, 1 / condition, rank)) @ right.T
    W *= np.sqrt(W.size) / np.linalg.norm(W)
    seen = np.where(rng.random(W.shape) < share, W + noise * rng.standard_normal(W.shape), np.nan)
    return W, seen


def relative(found, truth):
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


@pytest.fixture(scope="module")
def small():
    return planted(30, 20, 2, 0.6, 0)[1]


@pytest.fixture(scope="module")
def done(small):
    return complete(small)


# -- the rank ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_rank_is_exact_at_a_tenth_of_the_entries(seed):
    truth, seen = planted(200, 200, 5, 0.1, seed)
    result = complete(seen)
    assert result.rank == 5
    assert result.outcome is Outcome.CONVERGED
    enough = (~np.isnan(seen)).sum(1)[:, None] > 5, (~np.isnan(seen)).sum(0)[None, :] > 5
    known = np.broadcast_to(enough[0] & enough[1], truth.shape)  # a row with fewer entries than the rank is lost
    assert relative(result.fitted[known], truth[known]) < 1e-8


@pytest.mark.parametrize(
    ("n_out", "n_in", "rank", "share"),
    [(200, 200, 5, 0.5), (100, 80, 1, 0.2), (100, 80, 2, 0.3), (100, 80, 10, 0.5), (60, 40, 3, 0.5), (10, 8, 1, 0.8)],
)
def test_rank_is_exact_for_other_shapes(n_out, n_in, rank, share):
    truth, seen = planted(n_out, n_in, rank, share, 3)
    result = complete(seen)
    assert result.rank == rank
    assert relative(result.fitted, truth) < 1e-8


@pytest.mark.parametrize("seed", range(2))
def test_small_modes_of_a_badly_conditioned_matrix_are_found(seed):
    truth, seen = planted(120, 100, 5, 0.3, seed, condition=100)
    result = complete(seen)
    assert result.rank == 5
    assert relative(result.fitted, truth) < 1e-8


@pytest.mark.parametrize(("share", "seed"), [(0.1, 0), (0.2, 1)])
def test_rank_is_true_under_noise_and_the_error_near_the_floor(share, seed):
    truth, seen = planted(200, 200, 5, share, seed, noise=0.1)
    result = complete(seen)
    assert result.rank == 5
    floor = 0.1 * np.sqrt(5 * 395 / (share * 200 * 200))  # noise times sqrt(parameters / observed)
    assert relative(result.fitted, truth) < 2.2 * floor


def test_pure_noise_has_rank_zero(rng):
    result = complete(rng.standard_normal((40, 30)))
    assert result.rank == 0
    assert "offset alone" in result.reason
    assert len(result.singular_values) == 0


def test_spectrum_and_factors_agree_with_the_model():
    _, seen = planted(60, 40, 3, 0.5, 0)
    result = complete(seen, offset="none", depth=4)
    product = np.linalg.multi_dot(result.factors[::-1])
    np.testing.assert_allclose(product, result.fitted, atol=1e-10)
    np.testing.assert_allclose(np.linalg.svd(product)[1][:3], result.singular_values, rtol=1e-10)
    assert len(result.factors) == 4
    W_1, W_2 = result.factors[:2]
    np.testing.assert_allclose(W_2.T @ W_2, W_1 @ W_1.T, atol=1e-8)  # balanced


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_every_depth_completes(small, depth):
    assert complete(small, depth=depth).rank == 2


# -- offsets and units ---------------------------------------------------------------------------------------


def test_exactly_low_rank_keeps_its_rank_without_offset(done):
    assert done.offset == "nothing was removed"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("mean", "the mean of the observed entries"),
        ("row", "the mean and damped row biases"),
        ("column", "the mean and damped column biases"),
        ("row+column", "the mean and damped row and column biases"),
    ],
)
def test_offset_is_chosen_when_the_data_have_one(rng, kind, words):
    noise = 0.05 * rng.standard_normal((50, 40))
    row, column = rng.standard_normal((50, 1)) * ("row" in kind), rng.standard_normal(40) * ("column" in kind)
    seen = np.where(rng.random((50, 40)) < 0.5, 5 + row + column + noise, np.nan)
    result = complete(seen)
    assert result.offset.startswith(words)
    assert result.removed.sides == ("row" in kind, "column" in kind)
    assert result.rank == 0
    assert result.heldout_rmse < 0.2


@pytest.mark.parametrize("kind", ["row", "column"])
def test_biases_of_one_side_are_those_of_the_transposed_matrix(kind):
    W, seen = planted(60, 40, 2, 0.6, 5, noise=0.5)
    W, seen = (X + np.linspace(-4, 4, 60)[:, None] for X in (W, seen))
    X = seen if kind == "row" else seen.T
    done = complete(X, offset=kind)
    fitted = done.fitted if kind == "row" else done.fitted.T
    assert done.rank == 2
    assert np.sqrt(np.mean((fitted - W) ** 2)) < 0.3
    assert not done.removed.column.any() if kind == "row" else not done.removed.row.any()


def test_given_offset_is_used(small):
    assert "mean" in complete(small, offset="mean").offset


@pytest.mark.parametrize("factor", [1e-200, 1e-8, 2.0, 1e9, 1e200])
def test_result_scales_with_the_data(factor):
    _, seen = planted(40, 30, 2, 0.5, 1, noise=0.2)
    one, other = complete(seen), complete(seen * factor)
    assert other.rank == one.rank
    assert other.heldout_rmse == pytest.approx(factor * one.heldout_rmse, rel=1e-3)
    np.testing.assert_allclose(other.fitted, factor * one.fitted, rtol=0, atol=1e-2 * factor)


def test_offsets_on_a_table_done_by_hand():
    entries = Entries(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([1.0, 3.0, 5.0]), (2, 2))
    assert fit_offset("mean", entries).mean == 3.0
    assert fit_offset("none", entries).dense().tolist() == [[0, 0], [0, 0]]
    held = Entries(np.array([1]), np.array([1]), np.array([4.0]), (2, 2))
    assert baseline_errors(entries, held)["column_mean"] == pytest.approx(1.0)


# -- what comes back -----------------------------------------------------------------------------------------


def test_matrix_keeps_what_was_given_and_fitted_is_the_model(rng):
    _, seen = planted(40, 30, 2, 0.5, 1, noise=0.2)
    result = complete(seen)
    given = ~np.isnan(seen)
    assert (result.matrix[given] == seen[given]).all()
    assert (result.matrix[~given] == result.fitted[~given]).all()
    rows, columns = rng.integers(0, 40, 9), rng.integers(0, 30, 9)
    np.testing.assert_allclose(result.predict(rows, columns), result.fitted[rows, columns], rtol=1e-12, atol=1e-12)
    with pytest.raises(InputError, match="rows"):
        result.predict([40], [0])


def test_path_is_a_labelled_trajectory():
    _, seen = planted(40, 30, 2, 0.5, 1, noise=0.2)
    result = complete(seen)
    path = result.path.dataset()
    assert set(path.data_vars) == {
        "ridge", "depth", "rank", "singular_values", "effective_rank", "train_rmse", "heldout_rmse", "phase",
    }  # fmt: skip
    assert path.singular_values.dims == ("step", "index")
    assert (np.diff(path.step) > 0).all()
    assert len(path.step) > 10
    assert path.attrs["chosen"] in path.step
    chosen = path.sel(step=path.attrs["chosen"])
    assert float(chosen.heldout_rmse) == pytest.approx(result.heldout_rmse)
    assert int(chosen["rank"]) == result.rank
    assert all(np.isfinite(path[name]).all() for name in set(path.data_vars) - {"phase"})
    assert set(result.baselines) == {"column_mean", "row_column_bias"}
    assert result.heldout_rmse < min(result.baselines.values())
    assert str(result.rank) in result.reason
    assert repr(result).startswith("CompletedMatrix(shape=(40, 30), rank=2")


def test_progress_never_goes_back(small):
    seen = []
    complete(planted(40, 30, 2, 0.5, 1, noise=0.2)[1], progress=seen.append)
    steps = [now.step for now in seen]
    assert steps == sorted(steps)
    assert seen[-1].phase == "done"
    assert dataclasses.is_dataclass(seen[0])
    assert len({p.phase for p in seen}) > 3


def test_same_input_same_bits_and_no_array_is_touched():
    _, seen = planted(40, 30, 2, 0.5, 1, noise=0.2)
    before = seen.copy()
    one, other = complete(seen), complete(seen)
    assert np.array_equal(seen, before, equal_nan=True)
    assert (one.fitted == other.fitted).all()
    assert one.path.dataset().identical(other.path.dataset())


def test_order_of_the_entries_changes_nothing(rng):
    _, seen = planted(40, 30, 2, 0.5, 1, noise=0.2)
    i, j = np.nonzero(~np.isnan(seen))
    order = rng.permutation(len(i))
    one = complete(Completion(i, j, seen[i, j], seen.shape))
    other = complete(Completion(i[order], j[order], seen[i, j][order], seen.shape))
    assert one.heldout_rmse == other.heldout_rmse
    assert (one.fitted == other.fitted).all()


def test_all_kinds_of_input_agree(small, done):
    i, j = np.nonzero(~np.isnan(small))
    stored = sparse.coo_array((small[i, j], (i, j)), shape=small.shape)
    for data in (pd.DataFrame(small), stored, sparse.csr_array(stored), Completion.from_array(small)):
        assert (complete(data).fitted == done.fitted).all()


def test_a_given_split_is_kept(small):
    problem = Completion.from_array(small).split(0.1, 0)
    result = complete(problem)
    assert result.heldout_rmse == complete(problem, validation_fraction=0.4).heldout_rmse
    assert len(result.observed.values) == (~np.isnan(small)).sum()
    assert complete(problem.training).heldout_rmse != complete(problem.training, validation_fraction=0.4).heldout_rmse


# -- edges ---------------------------------------------------------------------------------------------------


def finite(result: CompletedMatrix) -> CompletedMatrix:
    assert np.isfinite(result.fitted).all()
    assert np.isfinite(result.matrix).all()
    assert result.heldout_rmse is None or np.isfinite(result.heldout_rmse)
    return result


@pytest.mark.parametrize("value", [0.0, 3.0, 1e-320, -1e200])
def test_equal_entries(small, value):
    result = finite(complete(np.where(np.isnan(small), np.nan, value)))
    assert result.rank == 0
    assert "equal" in result.reason
    np.testing.assert_allclose(result.fitted, value)


@pytest.mark.parametrize("shape", [(1, 2), (1, 6), (6, 1), (2, 2)])
def test_too_few_entries_to_hold_any_out(shape):
    result = finite(complete(np.arange(1.0, 1 + np.prod(shape)).reshape(shape)))
    assert result.rank == 0
    assert result.heldout_rmse is None
    assert "too few" in result.reason


def test_rows_and_columns_without_entries_take_the_offset_and_warn_once(small):
    holes = small.copy()
    holes[3], holes[:, 5] = np.nan, np.nan
    with pytest.warns(FallbackWarning) as caught:
        result = finite(complete(holes))
    assert len(caught) == 1
    assert result.rank == 2
    levels = fit_offset("row+column", Entries.from_array(holes))
    np.testing.assert_allclose(result.fitted[3], levels.dense()[3], rtol=1e-6, atol=1e-9)
    assert not result.determined[3].any()
    assert not result.determined[:, 5].any()


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: rng.integers(0, 5, (20, 10)),
        lambda rng: np.eye(20),
        lambda rng: rng.standard_normal((2, 9)),
        lambda rng: rng.standard_normal((3, 3)),
        lambda rng: rng.standard_normal((15, 12)) * np.where(rng.random((15, 12)) < 0.03, 1e6, 1),
        lambda rng: rng.standard_normal((300, 2)) @ rng.standard_normal((2, 6)),
        lambda rng: np.outer(np.arange(6.0), np.ones(5)).astype(np.float32),
    ],
    ids=["integers", "identity", "two rows", "3 x 3", "outliers", "tall", "float32"],
)
@pytest.mark.usefixtures("hasty")
def test_unusual_matrices(rng, make):
    finite(complete(make(rng)))


@pytest.mark.parametrize("max_rank", [1, 3, 500])
def test_the_largest_rank_is_a_limit(small, max_rank):
    assert finite(complete(small, max_rank=max_rank)).rank <= max_rank


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"depth": 1}, "depth"),
        ({"depth": 2.5}, "depth"),
        ({"max_rank": 0}, "max_rank"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"validation_fraction": "some"}, "validation_fraction"),
        ({"offset": "median"}, "offset"),
    ],
)
def test_bad_options_are_named(small, options, word):
    with pytest.raises(InputError, match=word):
        complete(small, **options)


@pytest.mark.parametrize("data", [[["a"]], np.full((3, 3), np.nan), [[np.inf, 1.0]], [1.0, 2.0]])
def test_bad_data_are_refused(data):
    with pytest.raises(InputError):
        complete(data)


# -- the parts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_killing_ridge_is_where_the_one_mode_problem_prefers_zero(depth):
    a, shape = 7.0, (6, 4)
    ridge = killing_ridge(a, shape, depth)
    s = np.linspace(0, 2 * a, 200_001)
    change = lambda r: ((s - a) ** 2 / (2 * 24) + r * depth * s ** (2 / depth)).argmin()
    assert s[change(1.001 * ridge)] < 1e-3 * a
    assert s[change(0.99 * ridge)] > 1e-3 * a


def test_live_rank_counts_above_the_bound():
    modes = Modes(np.eye(4), np.array([5.0, 1.0, 0.05, 0.0]), np.eye(4))
    assert live_rank(modes, 0.5, 1.0, 3) == 2  # bound (2 * 0.5 / 1)^3 = 1, a tenth of it counts as dead
    assert live_rank(modes, 0.0, 0.0, 3) == 3
    assert live_rank(modes, 0.5, 1.0, 2) == 3


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balanced_factors_multiply_to_the_matrix(rng, depth):
    modes = modes_of(rng.standard_normal((6, 3)), rng.standard_normal((5, 3)))
    W = np.linalg.multi_dot(balanced_factors(modes, [3] * (depth - 1))[::-1])
    np.testing.assert_allclose(W, (modes.U * modes.s) @ modes.V.T, atol=1e-12)


def test_quasi_newton_on_the_rosenbrock_valley():
    def valley(x):
        a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        gradient = np.zeros_like(x)
        gradient[:-1] = -400 * x[:-1] * a - 2 * b
        gradient[1:] += 200 * a
        return float((100 * a**2 + b**2).sum()), gradient

    start = np.full(10, -1.0)
    found = minimise_smooth(valley, start, 500, 1e-14)
    np.testing.assert_allclose(found.x, 1, atol=1e-5)
    assert found.converged
    assert (start == -1).all()
    assert not minimise_smooth(valley, start, 3, 1e-14).converged
