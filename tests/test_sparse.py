"""The sparse objective against a dense oracle written with other means."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankscape.entries import Entries
from rankscape.entries import prepared as sparse
from rankscape.entries.prepared import entries_of_product, outer_factors, value_and_gradient


def oracle(rows, columns, values, factors, ridge):
    """Loss and gradient through the dense product: one chain of matrices for each layer."""
    W = factors[0]
    for factor in factors[1:]:
        W = factor @ W
    m = len(values)
    R = np.zeros_like(W)
    R[rows, columns] = (W[rows, columns] - values) / m
    value = 0.5 * m * (R**2).sum() + ridge * sum((F**2).sum() for F in factors)
    gradient = []
    for k, factor in enumerate(factors):
        left = np.eye(W.shape[0])
        for above in reversed(factors[k + 1 :]):
            left = left @ above
        right = np.eye(factor.shape[1])
        if k:
            right = factors[0]
            for below in factors[1:k]:
                right = below @ right
        else:
            right = np.eye(W.shape[1])
        gradient.append(left.T @ R @ right.T + 2 * ridge * factor)
    return value, gradient


def instance(n_out, n_in, widths, share, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((n_out, n_in)) < share
    mask[rng.integers(n_out), rng.integers(n_in)] = True
    rows, columns = np.nonzero(mask)
    order = rng.permutation(len(rows))
    sizes = [n_in, *widths, n_out]
    factors = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(sizes)]
    return rows[order], columns[order], rng.standard_normal(len(rows)), factors


@settings(max_examples=60, deadline=None)
@given(
    n_out=st.integers(1, 12),
    n_in=st.integers(1, 12),
    widths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    share=st.floats(0.05, 1),
    ridge=st.sampled_from([0.0, 1e-3, 0.7]),
    method=st.sampled_from(["sparse", "dense", "auto"]),
    seed=st.integers(0, 1000),
)
def test_value_and_gradient_equal_the_dense_oracle(n_out, n_in, widths, share, ridge, method, seed):
    rows, columns, values, factors = instance(n_out, n_in, widths, share, seed)
    entries = Entries(rows, columns, values, (n_out, n_in)).prepared(method)
    value, gradient = value_and_gradient(entries, factors, ridge)
    expected, expected_gradient = oracle(rows, columns, values, factors, ridge)
    assert value == pytest.approx(expected, rel=1e-13)
    for G, E in zip(gradient, expected_gradient, strict=True):
        assert G.shape == E.shape
        np.testing.assert_allclose(G, E, rtol=1e-12, atol=1e-13 * max(1.0, np.abs(E).max()))


def test_gradient_is_the_derivative():
    rows, columns, values, factors = instance(7, 5, [3, 4], 0.6, 1)
    entries = Entries(rows, columns, values, (7, 5)).prepared()
    _, gradient = value_and_gradient(entries, factors, 0.1)
    h = 1e-6
    for k, G in enumerate(gradient):
        at = (1, 2)
        pair = []
        for sign in (1, -1):
            moved = [F.copy() for F in factors]
            moved[k][at] += sign * h
            pair.append(value_and_gradient(entries, moved, 0.1)[0])
        assert (pair[0] - pair[1]) / (2 * h) == pytest.approx(G[at], rel=1e-7, abs=1e-8)


def test_order_of_the_entries_changes_no_bit():
    rows, columns, values, factors = instance(30, 20, [4, 4], 0.2, 2)
    other = np.random.default_rng(9).permutation(len(values))
    a = value_and_gradient(Entries(rows, columns, values, (30, 20)).prepared(), factors, 0.1)
    b = value_and_gradient(Entries(rows[other], columns[other], values[other], (30, 20)).prepared(), factors, 0.1)
    assert a[0] == b[0]
    assert all((G == H).all() for G, H in zip(a[1], b[1], strict=True))


def test_full_matrix_is_formed_only_when_cheap():
    few, many = (instance(100, 100, [3], share, 0) for share in (0.05, 0.9))
    assert not Entries(*few[:3], (100, 100)).prepared().dense
    assert Entries(*many[:3], (100, 100)).prepared().dense


def test_grams_and_linear_part():
    rows, columns, values, factors = instance(9, 8, [3], 0.5, 3)
    entries = Entries(rows, columns, values, (9, 8)).prepared()
    left, right = outer_factors(factors)
    mask = np.zeros((9, 8))
    mask[rows, columns] = 1
    of_rows, of_columns = entries.grams(left, right)
    np.testing.assert_allclose(of_rows, np.einsum("ij,ja,jb->iab", mask, right, right), atol=1e-12)
    np.testing.assert_allclose(of_columns, np.einsum("ij,ia,ib->jab", mask, left, left), atol=1e-12)
    total, G_left, _ = entries.with_values(np.zeros(entries.count)).thin_gradient(left, right)
    W = mask * (left @ right.T)
    assert total == pytest.approx((W**2).sum())
    np.testing.assert_allclose(G_left, W @ right, atol=1e-12)


def test_entries_of_product_and_sparse_residual():
    rows, columns, values, factors = instance(6, 7, [2], 0.5, 4)
    entries = Entries(rows, columns, values, (6, 7)).prepared()
    left, right = outer_factors(factors)
    W = left @ right.T
    np.testing.assert_allclose(entries_of_product(rows, columns, left, right), W[rows, columns], atol=1e-13)
    dense = entries.as_sparse(entries.residual(left, right)).toarray()
    np.testing.assert_allclose(dense[rows, columns], W[rows, columns] - values, atol=1e-13)


def test_rows_and_columns_without_entries_get_no_gradient():
    entries = Entries([0], [0], [1.0], (3, 4)).prepared("sparse")
    rng = np.random.default_rng(0)
    factors = [rng.standard_normal((2, 4)), rng.standard_normal((3, 2))]
    _, (G_1, G_2) = value_and_gradient(entries, factors, 0.0)
    assert (G_1[:, 1:] == 0).all()
    assert (G_2[1:] == 0).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_size_of_a_block_changes_a_gradient_by_rounding_at_most(monkeypatch, weighted):
    rows, columns, values, factors = instance(40, 30, [5], 0.3, 5)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(values)) if weighted else None
    entries = Entries(rows, columns, values, (40, 30), weights).prepared("sparse")
    left, right = outer_factors(factors)
    whole = [*entries.thin_gradient(left, right), *entries.grams(left, right)]
    for size in (1, 16 * 5 * 7, 8 * 5 * 6 * 29):  # one column, seven, and all but one of a Gram matrix
        monkeypatch.setattr(sparse, "BLOCK", size)
        found = [*entries.thin_gradient(left, right), *entries.grams(left, right)]
        assert found[0] == pytest.approx(whole[0], rel=1e-14)
        for a, b in zip(found[1:], whole[1:], strict=True):
            # In the same order; whether a product is rounded before it is added is the compiler's choice.
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-14 * np.abs(b).max())


def test_entries_take_sixteen_bytes_and_sorted_ones_are_not_copied():
    rows, columns = (a.astype(np.int32) for a in np.nonzero(np.random.default_rng(0).random((300, 200)) < 0.1))
    values = np.arange(float(len(rows)))
    for array in (rows, columns, values):
        array.flags.writeable = False
    entries = Entries.sorted(rows, columns, values, (300, 200)).prepared()
    assert np.shares_memory(entries.values, values)
    assert np.shares_memory(entries.columns, columns)
    held = sum(a.nbytes for a in vars(entries).values() if isinstance(a, np.ndarray))
    assert held == 16 * len(values) + entries.row_starts.nbytes
    np.testing.assert_array_equal(entries.rows, rows)


def test_part_keeps_the_chosen_entries_and_leaves_empty_rows_and_columns_out():
    entries = Entries([0, 2, 2, 4], [1, 1, 3, 0], [1.0, 2, 3, 4], (6, 5)).prepared("sparse")
    keep = np.array([True, False, True, False])
    part, rows, columns = entries.part(keep)
    assert (rows.tolist(), columns.tolist(), part.shape) == ([0, 2], [1, 3], (2, 2))
    np.testing.assert_array_equal(part.as_sparse(part.values).toarray(), [[1, 0], [0, 3]])
    part, rows, columns = entries.part(keep, compact=False)
    assert (rows.tolist(), columns.tolist(), part.shape) == ([0, 2], [1, 3], (6, 5))
    assert (part.rows.tolist(), part.columns.tolist()) == ([0, 2], [1, 3])
