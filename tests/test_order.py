"""No result depends on the order in which entries are given, random draws included."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import rankscape as rs

N_OUT, N_IN = 9, 7


def triplets(seed: int, noise: float = 0.0):
    """A matrix of rank 1 with holes, in row order."""
    rng = np.random.default_rng(seed)
    matrix = np.outer(rng.normal(size=N_OUT), rng.normal(size=N_IN)) + noise * rng.normal(size=(N_OUT, N_IN))
    seen = rng.random(matrix.shape) < 0.7
    np.fill_diagonal(seen[:N_IN], True)
    seen[N_IN:, 0] = True
    rows, columns = np.nonzero(seen)
    return rows, columns, matrix[rows, columns]


def both(seed: int, order: int, noise: float = 0.0):
    """The same problem twice, from triplets in two orders."""
    given = triplets(seed, noise)
    other = np.random.default_rng(order).permutation(len(given[0]))
    return [rs.Completion(*(array[p] for array in given), (N_OUT, N_IN)) for p in (slice(None), other)]


@given(st.integers(0, 99), st.integers(0, 99))
def test_a_completion_and_its_split_are_the_same(seed, order):
    one, two = both(seed, order)
    for a, b in ((one, two), (one.split(0.2, 3), two.split(0.2, 3)), (one.split(0.2).heldout, two.split(0.2).heldout)):
        assert a is not None
        assert b is not None
        for name in ("rows", "columns", "values", "weights", "filled"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_the_type_of_indices_is_no_part_of_a_problem():
    rows, columns, values = triplets(0)
    small, large = (rs.Completion(rows.astype(k), columns.astype(k), values, (N_OUT, N_IN)) for k in ("i4", "i8"))
    sparse = rs.Completion.from_sparse(csr_array((values, (rows, columns)), shape=(N_OUT, N_IN)))
    assert small.describe() == large.describe() == sparse.describe()
    assert small.entries.rows.dtype == np.int32  # and memory stays as it was given


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), order=st.integers(0, 99), replacement=st.booleans())
def test_sgd_draws_the_same_entries(seed, order, replacement):
    how = dict(depth=3, width=3, initialization=rs.Gaussian(0.3), steps=60, seed=1)
    how["dynamics"] = rs.SGD(0.05, ridge=1e-3, batch_size=2, replacement=replacement)
    runs = [rs.simulate(problem, **how) for problem in both(seed, order)]
    for A, B in zip(*(run.factors for run in runs), strict=True):
        np.testing.assert_array_equal(A, B)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 99), order=st.integers(0, 99))
def test_a_completed_matrix_is_the_same(seed, order):
    one, two = (rs.complete(problem, seed=0) for problem in both(seed, order, noise=0.1))
    np.testing.assert_array_equal(one.matrix, two.matrix)
    assert (one.rank, one.method, one.heldout_rmse, one.reason) == (two.rank, two.method, two.heldout_rmse, two.reason)
