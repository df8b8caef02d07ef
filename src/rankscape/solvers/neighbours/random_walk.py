"""Thin factors whose columns come in an order: one side is a random walk along it."""

import numpy as np
from scipy.linalg import get_lapack_funcs

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.jit import compiled
from rankscape.solvers.conditioning import solve_and_invert
from rankscape.solvers.descent.ridge_minimum import leading_modes
from rankscape.solvers.least_squares.new_rows import fold

# Alternating rounds: they settle to three digits in fewer.
ROUNDS = 15

_loop = compiled("contract", "nsz")

(_solve_band,) = get_lapack_funcs(("pbsv",), dtype=np.float64)


def fit_random_walk(
    entries: PreparedEntries, rank: int, noise: float, stiffness: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Factors ``y_ij = c_j + u_i . v_j`` with little change from column to column.

    .. math:: \sum_{ij\ \mathrm{observed}} w_{ij} (y_{ij} - c_j - u_i \cdot v_j)^2 + \lambda \sum_i |u_i|^2
       + \lambda \tau \sum_j |v_j - v_{j-1}|^2 + \lambda \tau \sum_j (c_j - c_{j-1})^2

    with the columns of ``U`` scaled to rms 1 in each round, so that :math:`\lambda` is a variance of noise.

    Parameters
    ----------
    entries : PreparedEntries
        Of rms near 1.
    rank : int
        Of ``U V^T``.
    noise : float
        :math:`\lambda`, the share of the entries' variance that is noise.
    stiffness : float
        :math:`\tau`: one over the variance of a step of a walk.

    Returns
    -------
    U, V, c : ndarray
        Shapes (n_out, rank), (n_in, rank), (n_in,).
    """
    n_out = entries.shape[0]
    curve = walk(entries, np.ones((n_out, 1)), noise * stiffness)[:, 0]
    left_over = entries.values - curve[entries.columns]
    modes = leading_modes(entries, left_over, rank)
    U, V = modes.U * np.sqrt(n_out), modes.V * modes.s / np.sqrt(n_out)
    for _ in range(ROUNDS):
        walks = walk(entries, np.column_stack([np.ones(n_out), U]), noise * stiffness)
        curve, V = walks[:, 0], walks[:, 1:]
        U = fold(entries.with_values(entries.values - curve[entries.columns]), V, np.eye(V.shape[1]), noise)
        size = np.sqrt(np.mean(U**2, axis=0))
        size[size == 0] = 1.0
        U, V = U / size, V * size
    return U, V, curve


def walk(entries: PreparedEntries, left: np.ndarray, stiffness: float) -> np.ndarray:
    """The right factor (n_in, k) that fits the entries given the left one, a step costing its square times `stiffness`.

    One solve for all columns, by their neighbours: O(n_in k^3).
    """
    precision = entries.grams(left, np.zeros((entries.shape[1], left.shape[1])))[1]
    products = np.asarray(entries.as_sparse(entries.weighted(entries.values)).T @ left)
    _solve_chain(precision, products, stiffness)
    return products


@_loop
def _solve_chain(blocks, right_side, stiffness):
    """Solve in place, blocks on the diagonal; ``-stiffness`` couples each to the next, and adds to both."""
    count, k = right_side.shape
    for j in range(count):
        for a in range(k):
            # A little more than nothing: a column without entries at the end of a walk of one step.
            blocks[j, a, a] += stiffness * ((j > 0) + (j < count - 1)) + 1e-12
        if j:  # the solution before is known but for what is behind it
            for a in range(k):
                right_side[j, a] += stiffness * right_side[j - 1, a]
                for b in range(a + 1):
                    blocks[j, a, b] -= stiffness**2 * blocks[j - 1, a, b]
        solve_and_invert(blocks[j], right_side[j], k)
    for j in range(count - 2, -1, -1):
        for a in range(k):
            for b in range(k):
                inverse = blocks[j, max(a, b), min(a, b)]
                right_side[j, a] += stiffness * inverse * right_side[j + 1, b]


@_solve_chain.few()
def _solve_chain_few(blocks, right_side, stiffness):
    count, k = right_side.shape
    band = np.zeros((count, k, k + 1))  # below the diagonal, a column after the other
    for a in range(k):
        band[:, a, : k - a] = blocks[:, a:, a]
    band[:-1, :, k] = -stiffness
    band[:, :, 0] += (stiffness * ((np.arange(count) > 0) + 0.0 + (np.arange(count) < count - 1)) + 1e-12)[:, None]
    _, found, failed = _solve_band(band.reshape(-1, k + 1).T, right_side.ravel(), lower=1)
    if failed:  # the loop goes on with the smallest pivot that has a root
        _solve_chain.dispatcher(blocks, right_side, stiffness)
    else:
        right_side[:] = found.reshape(count, k)
