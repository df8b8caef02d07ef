"""The sparse objective against a dense oracle written with other means."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankscape.engine.sparse import ObservedEntries, entries_of_product, outer_factors, value_and_gradient


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
    entries = ObservedEntries(rows, columns, values, (n_out, n_in), method)
    value, gradient = value_and_gradient(entries, factors, ridge)
    expected, expected_gradient = oracle(rows, columns, values, factors, ridge)
    assert value == pytest.approx(expected, rel=1e-13)
    for G, E in zip(gradient, expected_gradient, strict=True):
        assert G.shape == E.shape
        np.testing.assert_allclose(G, E, rtol=1e-12, atol=1e-13 * max(1.0, np.abs(E).max()))


def test_gradient_is_the_derivative():
    rows, columns, values, factors = instance(7, 5, [3, 4], 0.6, 1)
    entries = ObservedEntries(rows, columns, values, (7, 5))
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
    a = value_and_gradient(ObservedEntries(rows, columns, values, (30, 20)), factors, 0.1)
    b = value_and_gradient(ObservedEntries(rows[other], columns[other], values[other], (30, 20)), factors, 0.1)
    assert a[0] == b[0]
    assert all((G == H).all() for G, H in zip(a[1], b[1], strict=True))


def test_full_matrix_is_formed_only_when_cheap():
    few, many = (instance(100, 100, [3], share, 0) for share in (0.05, 0.9))
    assert not ObservedEntries(*few[:3], (100, 100)).dense
    assert ObservedEntries(*many[:3], (100, 100)).dense


def test_grams_and_linear_part():
    rows, columns, values, factors = instance(9, 8, [3], 0.5, 3)
    entries = ObservedEntries(rows, columns, values, (9, 8))
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
    entries = ObservedEntries(rows, columns, values, (6, 7))
    left, right = outer_factors(factors)
    W = left @ right.T
    np.testing.assert_allclose(entries_of_product(rows, columns, left, right), W[rows, columns], atol=1e-13)
    dense = entries.as_sparse(entries.residual(left, right)).toarray()
    np.testing.assert_allclose(dense[rows, columns], W[rows, columns] - values, atol=1e-13)


def test_rows_and_columns_without_entries_get_no_gradient():
    entries = ObservedEntries(np.array([0]), np.array([0]), np.array([1.0]), (3, 4), "sparse")
    rng = np.random.default_rng(0)
    factors = [rng.standard_normal((2, 4)), rng.standard_normal((3, 2))]
    _, (G_1, G_2) = value_and_gradient(entries, factors, 0.0)
    assert (G_1[:, 1:] == 0).all()
    assert (G_2[1:] == 0).all()
