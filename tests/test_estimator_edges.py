"""Eighteen kinds of input that people have, each with its stated behaviour."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixCompletion

pytestmark = pytest.mark.usefixtures("hasty_file")


def filled(X, **parameters):
    """The completed matrix, checked for shape and for holes; the input stays as it was."""
    dense = not sparse.issparse(X)
    before = X.copy()
    result = DeepMatrixCompletion(**parameters).fit_transform(X)
    assert result.shape == X.shape
    assert np.isfinite(result).all()
    if dense and not isinstance(X, pd.DataFrame):
        np.testing.assert_array_equal(X, before)
    return result


@pytest.fixture
def low_rank(rng):
    W = rng.standard_normal((40, 2)) @ rng.standard_normal((2, 30))
    return np.where(rng.random(W.shape) < 0.6, W, np.nan)


def test_infinity_is_refused_with_its_place(low_rank):
    low_rank[3, 4] = -np.inf
    with pytest.raises(InputError, match="-inf at row 3, column 4"):
        DeepMatrixCompletion().fit(low_rank)
    matrix = sparse.csr_array(np.diag([1.0, np.inf, 3.0]))
    with pytest.raises(InputError, match="row 1, column 1"):
        DeepMatrixCompletion().fit(matrix)


def test_nothing_observed_is_refused():
    with pytest.raises(InputError, match="No entry"):
        DeepMatrixCompletion().fit(np.full((4, 3), np.nan))
    with pytest.raises(InputError, match="No entry"):
        DeepMatrixCompletion().fit(sparse.csr_array((4, 3)))


@pytest.mark.parametrize("axis", ["row", "column"])
def test_empty_rows_and_columns_are_filled_with_one_warning(low_rank, axis):
    low_rank[(5, slice(None)) if axis == "row" else (slice(None), 5)] = np.nan
    with pytest.warns(FallbackWarning, match=rf"1 {axis}\(s\) \(5\)") as caught:
        result = DeepMatrixCompletion().fit_transform(low_rank)
    assert len(caught) == 1
    assert result.shape == low_rank.shape
    assert np.isfinite(result).all()


@pytest.mark.parametrize("shape", [(1, 12), (12, 1)])
def test_one_row_and_one_column_take_the_mean(shape):
    X = np.arange(12.0)
    X[4] = np.nan
    with pytest.warns(FallbackWarning, match="1 "):
        result = filled(X.reshape(shape))
    assert result.ravel()[4] == pytest.approx(np.nanmean(X))


def test_a_constant_matrix_stays_constant(low_rank):
    low_rank[~np.isnan(low_rank)] = 7.5
    np.testing.assert_allclose(filled(low_rank), 7.5)


def test_a_full_matrix_comes_back(rng):
    X = rng.standard_normal((6, 4))
    np.testing.assert_array_equal(filled(X), X)


def test_duplicates_of_a_coordinate_list_are_summed_as_scipy_does():
    W = np.outer(np.arange(1.0, 9), np.arange(1.0, 7))
    i, j = np.indices(W.shape).reshape(2, -1)
    halves = sparse.coo_array((np.r_[W.ravel(), W.ravel()] / 2, (np.r_[i, i], np.r_[j, j])), shape=W.shape)
    np.testing.assert_allclose(filled(halves), W)


@pytest.mark.parametrize("factor", [1e12, 1e-12, -1e150, 1e-150])
def test_huge_and_tiny_scales(low_rank, factor):
    np.testing.assert_allclose(filled(low_rank * factor), filled(low_rank) * factor, rtol=1e-6, atol=1e-8 * abs(factor))


def test_half_precision_becomes_double(low_rank):
    result = filled(low_rank.astype(np.float16))
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, filled(low_rank), atol=0.05)


@pytest.mark.parametrize("dtype", [int, np.int8, np.uint16, bool])
def test_whole_numbers_and_booleans(rng, dtype):
    X = (rng.random((6, 4)) * 5).astype(dtype)
    result = filled(X)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, X.astype(float))


def test_objects_are_read_as_numbers(low_rank):
    objects = low_rank.astype(object)
    objects[np.isnan(low_rank)] = None
    np.testing.assert_array_equal(DeepMatrixCompletion().fit_transform(objects), filled(low_rank))
    objects[0, 0] = "word"
    with pytest.raises(ValueError, match="word"):
        DeepMatrixCompletion().fit(objects)


def test_read_only_arrays_are_only_read(low_rank):
    low_rank.setflags(write=False)
    filled(low_rank)


def test_the_order_in_memory_changes_nothing(low_rank):
    np.testing.assert_array_equal(filled(np.asfortranarray(low_rank)), filled(low_rank))
    np.testing.assert_array_equal(filled(low_rank[::-1][::-1]), filled(low_rank))


def test_frames_of_mixed_types(low_rank):
    frame = pd.DataFrame(low_rank)
    frame[0] = np.arange(40)
    frame[1] = frame[1].astype(np.float32)
    frame["flag"] = np.arange(40) % 2 == 0
    frame.columns = [f"c{k}" for k in range(31)]
    assert np.isfinite(DeepMatrixCompletion().fit_transform(frame)).all()
    frame["name"] = "a"
    with pytest.raises(ValueError, match="a"):
        DeepMatrixCompletion().fit(frame)


def test_explicit_zeros_of_a_sparse_matrix_are_observed():
    stored = sparse.csr_array((np.zeros(12), (np.arange(12) % 4, np.arange(12) // 4)), shape=(4, 3))
    model = DeepMatrixCompletion().fit(stored)
    assert len(model.completed_.observed.values) == 12
    np.testing.assert_array_equal(model.completed_.fitted, np.zeros((4, 3)))


def test_too_few_entries_fall_back_to_the_offset_and_say_so():
    X = np.diag(np.arange(1.0, 6))
    X[X == 0] = np.nan
    model = DeepMatrixCompletion()
    np.testing.assert_allclose(model.fit_transform(X)[0, 1], 3)
    assert model.rank_ == 0
    assert "too few" in model.completed_.reason
    assert not model.certificate_.trusted


def test_vectors_and_cubes_are_refused():
    for X in (np.arange(4.0), np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match=r"2D|dim"):
            DeepMatrixCompletion().fit(X)
