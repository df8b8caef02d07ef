"""Entry-wise SGD agrees with the full-product step, wherever it is cut, and keeps the laws of the dynamics."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import sgd_step

from rankscape.engine import padding
from rankscape.engine.entrywise import kernels
from rankscape.errors import InputError

STEPS = 400
WIDTHS = {  # n_in, d_1, ..., d_{N-1}, n_out
    "1-rectangular": (7, 5),
    "1-single": (1, 1),
    "2-equal": (5, 5, 5),
    "2-wide": (3, 17, 4),
    "2-single": (6, 1, 5),
    "3-equal": (5, 5, 5, 5),
    "3-odd": (7, 9, 3, 5),
    "3-single": (4, 1, 1, 3),
    "3-wide": (3, 33, 21, 2),
    "4-equal": (6, 6, 6, 6, 6),
    "4-rectangular": (5, 3, 8, 4, 7),
    "5-bottleneck": (4, 9, 1, 6, 2, 5),
    "5-one-column": (1, 4, 5, 6, 3, 4),
    "6-equal": (4, 4, 4, 4, 4, 4, 4),
    "6-varied": (5, 3, 8, 13, 2, 6, 4),
}
every_shape = pytest.mark.parametrize("widths", WIDTHS.values(), ids=WIDTHS.keys())
every_batch = pytest.mark.parametrize("batch_size", [1, 3, 7])
every_ridge = pytest.mark.parametrize("ridge", [0.0, 1e-3, 0.3])


def sgd_steps(factors, *arguments, **by_name):
    """From factors to factors."""
    return kernels.unpack(kernels.advance(kernels.pack(factors), *arguments, **by_name))


def problem(widths, batch_size=1, steps=STEPS, dtype=np.float64, seed=0):
    """Random factors, a random half of the entries of a random matrix, and a stream of batches."""
    rng = np.random.default_rng(seed)
    factors = [(rng.normal(size=(b, a)) / np.sqrt(max(a, b))).astype(dtype) for a, b in pairwise(widths)]
    shape = widths[-1], widths[0]
    rows, columns = np.unravel_index(rng.permutation(shape[0] * shape[1])[: -(-shape[0] * shape[1] // 2)], shape)
    values = rng.normal(size=rows.size).astype(dtype)
    return factors, (rows, columns, values), rng.integers(0, rows.size, (steps, batch_size))


def reference(factors, entries, batches, learning_rate, ridge):
    """The same run by the oracle, in float64."""
    factors = [factor.astype(np.float64) for factor in factors]
    rows, columns, values = (array.astype(np.float64) if array.dtype.kind == "f" else array for array in entries)
    for batch in batches:
        factors = sgd_step(factors, rows[batch], columns[batch], values[batch], learning_rate, ridge)
    return factors


def distance(factors, expected):
    """The largest difference in any factor, relative to its largest entry."""
    return max(np.abs(A - B).max() / np.abs(B).max() for A, B in zip(factors, expected, strict=True))


def identical(packed, other):
    return packed.scale == other.scale and all(
        A.dtype == B.dtype and A.tobytes() == B.tobytes() for A, B in zip(packed.stored, other.stored, strict=True)
    )


@every_ridge
@every_batch
@every_shape
def test_float64_agrees_with_the_reference_step(widths, batch_size, ridge):
    factors, entries, batches = problem(widths, batch_size)
    result = sgd_steps(factors, *entries, batches, 0.05, ridge)
    assert [W.dtype for W in result] == [np.float64] * len(factors)
    assert distance(result, reference(factors, entries, batches, 0.05, ridge)) <= 1e-13


@pytest.mark.parametrize("ridge", [0.0, 1e-3])
@every_batch
@every_shape
def test_float32_agrees_with_the_reference_step(widths, batch_size, ridge):
    factors, entries, batches = problem(widths, batch_size, dtype=np.float32)
    result = sgd_steps(factors, *entries, batches, 0.05, ridge)
    assert [W.dtype for W in result] == [np.float32] * len(factors)
    assert distance(result, reference(factors, entries, batches, 0.05, ridge)) <= 2e-6


@every_ridge
@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@every_shape
def test_cutting_a_run_anywhere_changes_no_bit(widths, dtype, batch_size, ridge):
    factors, entries, batches = problem(widths, batch_size, dtype=dtype)
    start = kernels.pack(factors)
    whole = kernels.advance(start, *entries, batches, 0.05, ridge)
    for cuts in ([1], [STEPS - 1], [200], [0, 3, 4, 5, 101, 102, STEPS], range(0, STEPS, 7)):
        packed = start
        for part in np.split(batches, cuts):
            packed = kernels.advance(packed, *entries, part, 0.05, ridge)
        assert identical(packed, whole)


@given(
    widths=st.lists(st.integers(1, 12), min_size=2, max_size=7),
    batch_size=st.integers(1, 5),
    steps=st.integers(0, 60),
    learning_rate=st.floats(0.0, 0.1),
    ridge=st.floats(0.0, 1.0),
    cut=st.integers(0, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_agrees_and_can_be_cut(widths, batch_size, steps, learning_rate, ridge, cut, seed):
    factors, entries, batches = problem(widths, batch_size, steps, seed=seed)
    start = kernels.pack(factors)
    packed = kernels.advance(start, *entries, batches, learning_rate, ridge)
    expected = reference(factors, entries, batches, learning_rate, ridge)
    if all(np.abs(W).max() < 10 for W in expected):  # not in the middle of diverging
        assert distance(kernels.unpack(packed), expected) <= 1e-12
    half = kernels.advance(start, *entries, batches[:cut], learning_rate, ridge)
    assert identical(kernels.advance(half, *entries, batches[cut:], learning_rate, ridge), packed)


@every_batch
@every_shape
def test_inputs_are_not_modified(widths, batch_size):
    factors, entries, batches = problem(widths, batch_size)
    packed = kernels.pack(factors)
    arrays = [*factors, *entries, batches, *packed.stored]
    before = [array.tobytes() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    sgd_steps(factors, *entries, batches, 0.05, 0.1)
    kernels.advance(packed, *entries, batches, 0.05, 0.1)
    assert [array.tobytes() for array in arrays] == before


@every_batch
@pytest.mark.parametrize("widths", [(4, 6), (4, 5, 6), (4, 5, 3, 6), (4, 5, 3, 2, 6), (4, 5, 3, 2, 6, 4)])
def test_imbalance_follows_its_exact_law(widths, batch_size):
    """``D+ = rho^2 D + eta^2 (g_{l+1}^T g_{l+1} - g_l g_l^T)``, ``D = W_{l+1}^T W_{l+1} - W_l W_l^T``, at each step."""
    eta, ridge = 0.05, 0.2
    rho = 1 - 2 * eta * ridge
    factors, entries, batches = problem(widths, batch_size, steps=50)
    packed = kernels.pack(factors)
    for batch in batches:
        old = kernels.unpack(packed)
        packed = kernels.advance(packed, *entries, batch[None], eta, ridge)
        new = kernels.unpack(packed)
        changes = [rho * A - B for A, B in zip(old, new, strict=True)]  # eta g_l
        for (V, U), (B, A), (h, g) in zip(pairwise(old), pairwise(new), pairwise(changes), strict=True):
            expected = rho**2 * (U.T @ U - V @ V.T) + g.T @ g - h @ h.T
            np.testing.assert_allclose(A.T @ A - B @ B.T, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("eta_ridge", [0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("widths", [(4, 5), (4, 3, 5), (4, 3, 2, 5), (4, 3, 2, 3, 5)])
def test_decay_of_any_strength(widths, eta_ridge):
    """Renormalised many times, multiplied in at each step, wiped out (``rho = 0``), or with the sign flipped."""
    factors, entries, batches = problem(widths, steps=60)
    result = sgd_steps(factors, *entries, batches, 0.05, eta_ridge / 0.05)
    for W, expected in zip(result, reference(factors, entries, batches, 0.05, eta_ridge / 0.05), strict=True):
        np.testing.assert_allclose(W, expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_scale_stays_away_from_underflow(dtype):
    factors, entries, batches = problem((5, 5, 5, 5), steps=3000, dtype=dtype)
    packed = kernels.advance(kernels.pack(factors), *entries, batches, 0.05, 2.0)
    assert packed.scale > 2.0**-90
    assert all(np.isfinite(array).all() for array in packed.stored)
    assert max(np.abs(W).max() for W in kernels.unpack(packed)) < 1e-30


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_not_a_number_and_divergence_are_visible(depth, batch_size):
    factors, (rows, columns, values), batches = problem((4,) * (depth + 1), batch_size)
    poisoned = np.where(np.arange(values.size) == batches[50, 0], np.nan, values)
    assert any(np.isnan(W).any() for W in sgd_steps(factors, rows, columns, poisoned, batches, 0.05, 0.1))
    diverged = sgd_steps(factors, rows, columns, values, batches, 1e3, 0.0)
    assert depth == 1 or not all(np.isfinite(W).all() for W in diverged)
    undefined = sgd_steps(factors, rows, columns, values, batches, np.nan, 0.1)
    assert all(np.isnan(W).any() for W in undefined)


@pytest.mark.parametrize("widths", [(5, 3, 7), (5, 3, 4, 7), (5, 3, 4, 6, 7)])
def test_an_entry_drawn_twice_counts_twice(widths):
    factors, entries, _ = problem(widths)
    batches = np.zeros((20, 4), int)
    batches[:, 3] = 1
    assert distance(
        sgd_steps(factors, *entries, batches, 0.05, 0.1), reference(factors, entries, batches, 0.05, 0.1)
    ) <= (1e-13)


@pytest.mark.parametrize("widths", [(1, 3, 4, 7), (1, 3, 4, 6, 7), (1, 3, 4, 6, 5, 7)])
def test_a_column_drawn_again_and_again(widths):
    """Every step meets the column whose update waits."""
    factors, entries, batches = problem(widths)
    assert distance(
        sgd_steps(factors, *entries, batches, 0.05, 0.1), reference(factors, entries, batches, 0.05, 0.1)
    ) <= (1e-13)


def _moved(array, offset):
    """A copy that starts ``offset`` bytes after the start of a cache line."""
    raw = padding.aligned_zeros((array.nbytes + offset,), np.uint8)
    copy = raw[offset:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_the_place_in_memory_changes_no_bit(depth):
    factors, (rows, columns, values), batches = problem((13,) * (depth + 1))
    expected = kernels.advance(kernels.pack(factors), rows, columns, values, batches, 0.05, 0.1)
    for offset in (8, 24, 40):
        packed = kernels.Packed([_moved(array, offset) for array in factors])
        result = kernels.advance(packed, rows, columns, _moved(values, offset), batches, 0.05, 0.1)
        assert identical(result, expected)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_index_types_and_layouts_do_not_matter(batch_size):
    factors, (rows, columns, values), batches = problem((5, 4, 3, 6), batch_size)
    expected = sgd_steps(factors, rows, columns, values, batches, 0.05, 0.1)
    strided = [np.asfortranarray(W) for W in factors]
    for kind in (np.int32, np.uint8):
        result = sgd_steps(strided, rows.astype(kind), columns.astype(kind), values, batches.astype(kind), 0.05, 0.1)
        assert all(np.array_equal(A, B) for A, B in zip(result, expected, strict=True))
    assert all(W.flags.c_contiguous for W in result)


def test_threads_do_not_disturb_one_another():
    runs = [problem((20, 20, 20, 20), steps=2000, seed=seed) for seed in range(6)]

    def run(each):
        factors, entries, batches = each
        return kernels.advance(kernels.pack(factors), *entries, batches, 0.05, 0.01)

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(run, runs))
    assert all(identical(packed, run(each)) for packed, each in zip(together, runs, strict=True))


def test_packed_state_survives_a_file(tmp_path):
    factors, entries, batches = problem((5, 4, 3, 6))
    packed = kernels.advance(kernels.pack(factors), *entries, batches, 0.05, 0.01)
    np.savez(tmp_path / "state.npz", packed.scale, *packed.stored)
    with np.load(tmp_path / "state.npz") as file:
        scale, *stored = (file[key] for key in file.files)
    assert identical(kernels.Packed(stored, float(scale)), packed)


def test_unpack_undoes_pack():
    factors, _, _ = problem((5, 4, 3, 6))
    assert all(np.array_equal(A, B) for A, B in zip(kernels.unpack(kernels.pack(factors)), factors, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factors": []}, "one or more matrices"),
        ({"factors": [np.ones((3, 2)), np.ones((4, 2))]}, "W_2"),
        ({"factors": [np.ones((3, 2), int)]}, "float64"),
        ({"factors": [np.ones((3, 2)), np.ones((2, 3), np.float32)]}, "float64"),
        ({"rows": np.array([0, 2])}, "rows"),
        ({"columns": np.array([0, -1])}, "columns"),
        ({"values": np.ones(3)}, "same length"),
        ({"batches": np.array([[2]])}, "batches"),
        ({"batches": np.zeros((3, 0), int)}, "batch_size"),
        ({"batches": np.zeros(3, int)}, "batch_size"),
    ],
)
def test_what_would_read_outside_the_arrays_is_refused(change, message):
    arguments = {
        "factors": [np.ones((3, 2)), np.ones((2, 3))],
        "rows": np.array([0, 1]),
        "columns": np.array([1, 0]),
        "values": np.ones(2),
        "batches": np.array([[0], [1]]),
    }
    with pytest.raises(InputError, match=message):
        sgd_steps(**(arguments | change), learning_rate=0.1, ridge=0.0)
