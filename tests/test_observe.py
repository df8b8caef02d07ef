"""Rank measures: their formulas, their invariances, and the thin way to the spectrum."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.observe import rank_measures, spectrum_of_factors

seeds = st.integers(0, 2**32)
MEASURES = {
    "effective_rank": rs.effective_rank,
    "stable_rank": rs.stable_rank,
    "entropy_rank": rs.entropy_rank,
    "numerical_rank": rs.numerical_rank,
}


def _matrix(seed, shape=(5, 7), rank=4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))


@given(seeds)
def test_rank_measures_are_their_formulas(seed):
    W = _matrix(seed)
    nuclear = np.sqrt(np.linalg.eigvalsh(W @ W.T).clip(0))
    top, q = np.linalg.norm(W, 2), nuclear[nuclear > 1e-7] / nuclear.sum()
    assert rs.effective_rank(W) == pytest.approx(np.linalg.norm(W, "nuc") / top, rel=1e-12)
    assert rs.stable_rank(W) == pytest.approx(np.linalg.norm(W, "fro") ** 2 / top**2, rel=1e-12)
    assert rs.entropy_rank(W) == pytest.approx(np.prod(q**-q), rel=1e-6)
    assert rs.numerical_rank(W) == np.linalg.matrix_rank(W, rtol=1e-6) == 4


@given(seeds, st.floats(1e-100, 1e100), st.sampled_from([1, -1]))
def test_rank_measures_do_not_depend_on_scale_or_rotation(seed, scale, sign):
    W = _matrix(seed)
    Q = np.linalg.qr(np.random.default_rng(seed + 1).normal(size=(5, 5)))[0]
    for measure in MEASURES.values():
        assert measure(sign * scale * Q @ W) == pytest.approx(measure(W), rel=1e-10)
        assert measure(W.T) == pytest.approx(measure(W), rel=1e-10)


@given(seeds, st.integers(1, 5))
def test_rank_measures_lie_between_one_and_the_rank(seed, rank):
    W = _matrix(seed, rank=rank)
    values = [MEASURES[name](W) for name in ("stable_rank", "effective_rank", "entropy_rank", "numerical_rank")]
    assert 1 - 1e-12 <= values[0] <= values[1] + 1e-12
    assert values[1] <= rank + 1e-9
    assert 1 - 1e-12 <= values[2] <= rank + 1e-6
    assert values[3] == rank


@pytest.mark.parametrize("k", [1, 3, 6])
def test_equal_singular_values_count_fully(k):
    W = np.diag([2.5] * k + [0.0] * (6 - k))
    for measure in MEASURES.values():
        assert measure(W) == pytest.approx(k, rel=1e-14)


def test_the_zero_matrix_has_no_rank_but_zero():
    zero = np.zeros((3, 4))
    assert rs.numerical_rank(zero) == 0
    for name in ("effective_rank", "stable_rank", "entropy_rank"):
        assert np.isnan(MEASURES[name](zero))


def test_the_numerical_rank_counts_above_the_tolerance():
    W = np.diag([2.0, 0.2, 0.02])
    assert [int(rs.numerical_rank(W, tolerance)) for tolerance in (0.2, 0.05, 1e-3)] == [1, 2, 3]


def test_a_stack_is_measured_matrix_by_matrix(rng):
    stack = rng.normal(size=(3, 2, 4, 5))
    for measure in MEASURES.values():
        values = measure(stack)
        assert values.shape == (3, 2)
        assert values[2, 1] == measure(stack[2, 1])
    assert rs.singular_values(stack).shape == (3, 2, 4)


def test_measures_of_a_spectrum_with_zeros_do_not_warn():
    measured = rank_measures(np.array([[1.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(measured["numerical_rank"], [1, 0])
    np.testing.assert_array_equal(measured["entropy_rank"], [1.0, np.nan])


@pytest.mark.parametrize(
    "widths", [(9, 8), (30, 3, 25), (30, 2, 40, 3, 25), (25, 4, 4, 4, 30), (8, 8, 8), (30, 1, 25), (5, 2, 1, 2, 6)],
    ids=str,
)  # fmt: skip
def test_the_spectrum_of_factors_needs_no_dense_product(widths, rng):
    factors = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
    dense = np.linalg.svd(rs.product(factors), compute_uv=False)
    np.testing.assert_allclose(spectrum_of_factors(factors), dense, rtol=0, atol=1e-12 * dense[0])


def test_own_records_stand_beside_the_others():
    run = rs.simulate(
        rs.Estimation(np.diag([2.0, 1.0])), 2, initialization=rs.Identical(0.3), dynamics=rs.GradientDescent(0.05),
        steps=40, record=[0, 10, 40], observe={"trace": lambda f: np.trace(f[1] @ f[0]), "first": lambda f: f[0]},
    )  # fmt: skip
    np.testing.assert_allclose(run.trace, run.eigenvalues.sum("mode"), rtol=1e-13)
    assert run.first.shape == (3, 2, 2)
    np.testing.assert_array_equal(run.first[-1], run.factors[0])


@pytest.mark.parametrize("name", ["loss", "step", "index", "singular_values"])
def test_an_own_record_cannot_take_the_place_of_another(name):
    from rankscape.errors import InputError

    with pytest.raises(InputError, match=name):
        rs.simulate(
            rs.Estimation(np.eye(2)), 2, initialization=rs.Identical(0.3), dynamics=rs.GradientDescent(0.05),
            steps=2, observe={name: lambda factors: 0.0},
        )  # fmt: skip
