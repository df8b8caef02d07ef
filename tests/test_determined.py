"""Which cells are determined: random changes against the whole null space of the Jacobian."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rankscape.entries import Entries
from rankscape.solvers.least_squares.determined import Factors, Jacobian, free_motions, noise_motions


def blocks(common: int) -> np.ndarray:
    seen = np.zeros((24, 20), bool)
    seen[: 12 + common, :10] = True
    seen[12:, 10:] = True
    return seen


def staircase() -> np.ndarray:
    seen = np.zeros((24, 24), bool)
    for k in range(6):
        seen[4 * k : 4 * k + 6, 4 * k : 4 * k + 4] = True
    return seen


def panel() -> np.ndarray:
    seen = np.ones((24, 12), bool)
    seen[:9, 8:] = False
    seen[3:, 0] = False
    return seen


def scattered(share: float, seed: int, rank: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n, m = 24, 20
    count = int(share * rank * (n + m - rank))
    seen = np.zeros(n * m, bool)
    seen[rng.permutation(n * m)[:count]] = True
    return seen.reshape(n, m)


PATTERNS = {f"blocks with {c} common rows": blocks(c) for c in range(5)}
PATTERNS |= {"staircase": staircase(), "panel": panel()}
PATTERNS |= {f"scattered {share} {seed}": scattered(share, seed) for share in (0.9, 1.05, 1.3) for seed in range(3)}


def setting(seen: np.ndarray, seed: int = 0, rank: int = 3, decay: float = 1.0, biased: bool = False):
    rng = np.random.default_rng(seed)
    size = decay ** np.arange(rank)
    U, V = rng.normal(size=(len(seen), rank)) * size, rng.normal(size=(seen.shape[1], rank)) * size
    free = np.arange(rank)
    rows, columns = np.nonzero(seen)
    entries = Entries(rows, columns, np.zeros(len(rows)), seen.shape).prepared("sparse")
    if not biased:
        return entries, Factors(U, V, free, free)
    U, V = np.column_stack([U, rng.normal(size=len(U))]), np.column_stack([V, np.ones(len(V))])
    return entries, Factors(U, V, np.arange(rank + 1), free)


def dense_jacobian(factors: Factors, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    a, b = len(factors.free_left), len(factors.free_right)
    n, m = len(factors.left), len(factors.right)
    J = np.zeros((len(rows), n * a + m * b))
    for k, (i, j) in enumerate(zip(rows, columns, strict=True)):
        J[k, i * a : (i + 1) * a] = factors.of_left[j]
        J[k, n * a + j * b : n * a + (j + 1) * b] = factors.of_right[i]
    return J


def by_svd(seen: np.ndarray, factors: Factors) -> np.ndarray:
    """A cell is determined when its gradient lies in the row space of the Jacobian."""
    J = dense_jacobian(factors, *np.nonzero(seen))
    _, s, Vt = np.linalg.svd(J)
    null = Vt[int((s > 1e-9 * s[0]).sum()) :]
    cells = dense_jacobian(factors, *np.indices(seen.shape).reshape(2, -1))
    return (np.linalg.norm(cells @ null.T, axis=1) < 1e-6 * np.linalg.norm(cells, axis=1)).reshape(seen.shape)


def by_motions(entries, factors) -> np.ndarray:
    shape = entries.shape
    return ~free_motions(Jacobian(entries, factors)).moves(*np.indices(shape).reshape(2, -1)).reshape(shape)


@pytest.mark.parametrize("seen", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("how", [{}, {"decay": 0.3}, {"biased": True}], ids=["plain", "decaying", "biased"])
def test_random_changes_find_the_null_space(seen, how):
    entries, factors = setting(seen, **how)
    np.testing.assert_array_equal(by_motions(entries, factors), by_svd(seen, factors))


def test_two_blocks_determine_nothing_across():
    entries, factors = setting(blocks(2))  # two common rows, where rank 3 needs three
    found = by_motions(entries, factors)
    assert not found[:12, 10:].any()
    assert not found[14:, :10].any()
    assert found[blocks(2)].all()
    assert by_motions(*setting(blocks(3))).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(6, 16), st.integers(5, 14), st.floats(0.2, 0.9))
def test_any_pattern_and_rank(seed, rank, n, m, share):
    seen = np.random.default_rng(seed).random((n, m)) < share
    seen[0, 0] = True
    entries, factors = setting(seen, seed, min(rank, n, m))
    np.testing.assert_array_equal(by_motions(entries, factors), by_svd(seen, factors))


def test_noise_moves_cells_by_their_standard_errors():
    seen = scattered(2.5, 0)
    entries, factors = setting(seen)
    rows, columns = np.indices(seen.shape).reshape(2, -1)
    inverse = np.linalg.pinv(dense_jacobian(factors, *np.nonzero(seen)), rcond=1e-9)
    exact = np.linalg.norm(dense_jacobian(factors, rows, columns) @ inverse, axis=1)
    drawn = noise_motions(Jacobian(entries, factors), draws=200).at(rows, columns)
    determined = by_svd(seen, factors).ravel()
    np.testing.assert_allclose(drawn[determined], exact[determined], rtol=0.3)


def test_the_solution_is_that_of_least_squares():
    entries, factors = setting(panel())
    values = np.random.default_rng(1).normal(size=entries.count)
    jacobian = Jacobian(entries, factors)
    dense = dense_jacobian(factors, *np.nonzero(panel()))
    best = dense @ np.linalg.lstsq(dense, values, rcond=1e-12)[0]
    np.testing.assert_allclose(jacobian(jacobian.solve(values)), best, atol=1e-8)
