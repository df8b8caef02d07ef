"""Least squares at a known rank by variable projection: Gauss-Newton on one thin factor, the other one eliminated.

For each V the best U is known row by row, so only V moves. The reduced normal matrix is formed and factored exactly:
that reaches machine precision where alternating methods crawl, down to a few percent above the information limit.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import get_lapack_funcs

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.jit import compiled
from rankscape.solvers.conditioning import solve_and_invert
from rankscape.solvers.least_squares.levenberg import Damping, levenberg_marquardt

# Mean squared residual, on entries of rms 1, below which no further step can help.
NOTHING_LEFT = 1e-26

# Damping, in mean diagonal entries of the normal matrix, beyond which no step helps.
GIVE_UP = 1e4

# Numbers up to which NumPy assembles, the normal matrix among them; and numbers of projectors at a time.
FEW_UNKNOWNS, PART = 100_000, 1_000_000

# Where no level moves.
NO_LEVEL = np.zeros(0)

_loop = compiled()

_factor, _solve = get_lapack_funcs(("potrf", "potrs"), dtype=np.float64)


class Fitted(NamedTuple):
    """Thin factors (n_out, r) and (n_in, r), their squared residual, the steps taken, and whether they converged."""

    left: np.ndarray
    right: np.ndarray
    squared: float
    steps: int
    converged: bool


@_loop
def assemble(starts, columns, values, weights, right, level, free, left, normal, gradient):
    """Best `left`, the squared residual, and the reduced normal equations of what moves (lower triangle), row by row.

    Of `right` the first `free` columns move; so does `level`, one number a column of the matrix, unless it is empty.
    """
    n, r = right.shape
    moving, total = free + (1 if len(level) else 0), 0.0
    u, step = np.ones(max(r, moving)), np.zeros(r)
    # Blocks of two columns are symmetric: halves are added up, each in one piece (a fifth of the time at r = 13), and
    # spread at the end.
    square = np.empty(moving * (moving + 1) // 2)
    blocks = np.zeros((n * (n + 1) // 2, len(square)))
    for i in range(len(starts) - 1):
        first, count = starts[i], starts[i + 1] - starts[i]
        if count == 0:
            continue
        A, B, y, root = np.empty((count, r)), np.zeros((count, r)), np.empty(count), np.ones(count)
        for e in range(count):
            j = columns[first + e]
            if len(weights):
                root[e] = np.sqrt(weights[first + e])
            for a in range(r):
                A[e, a] = root[e] * right[j, a]
            y[e] = root[e] * (values[first + e] - (level[j] if len(level) else 0.0))
        _pseudoinverse(A, B)
        for a in range(r):
            left[i, a] = 0.0
        for _ in range(2):  # one refinement: the inverse alone loses half of the digits
            for e in range(count):
                missed = y[e] - _dot(A[e], left[i])
                for a in range(r):
                    step[a] += B[e, a] * missed
            for a in range(r):
                left[i, a] += step[a]
                step[a] = 0.0
        for a in range(free):
            u[a] = left[i, a]
        if len(level):
            u[free] = 1.0
        for e in range(count):
            residual = _dot(A[e], left[i]) - y[e]
            total += residual * residual
            j = columns[first + e] * moving
            for a in range(moving):
                gradient[j + a] += root[e] * residual * u[a]
        if count <= r:
            continue  # fitted exactly whatever the rest is
        k = 0
        for a in range(moving):
            for b in range(a + 1):
                square[k] = u[a] * u[b]
                k += 1
        for e in range(count):
            below = columns[first + e] * (columns[first + e] + 1) // 2
            for f in range(e + 1):
                projector = ((1.0 if e == f else 0.0) - _dot(B[e], A[f])) * root[e] * root[f]
                block = blocks[below + columns[first + f]]
                for k in range(len(square)):
                    block[k] += projector * square[k]
    _spread(blocks, n, moving, normal)
    return total


@assemble.few(FEW_UNKNOWNS)
def _assemble(starts, columns, values, weights, right, level, free, left, normal, gradient):
    n, r = right.shape
    moving, total = free + (1 if len(level) else 0), 0.0
    size = max(1, PART // n**2)
    for low in range(0, len(starts) - 1, size):
        lines = slice(low, low + size)
        counts = np.diff(starts[low : low + size + 1])
        i, e = np.repeat(np.arange(len(counts)), counts), slice(starts[low], starts[low] + counts.sum())
        root = np.zeros((len(counts), n))
        root[i, columns[e]] = np.sqrt(weights[e]) if len(weights) else 1.0
        y = np.zeros_like(root)
        y[i, columns[e]] = values[e] - (level[columns[e]] if len(level) else 0.0)
        y *= root
        A = root[:, :, None] * right
        gram = A.transpose(0, 2, 1) @ A
        gram[:, np.arange(r), np.arange(r)] += (1e-14 * np.trace(gram, axis1=1, axis2=2) + 1e-300)[:, None]
        B = A @ np.linalg.inv(gram)
        best = (y[:, None] @ B)[:, 0]
        best -= (((A @ best[:, :, None])[:, :, 0] - y)[:, None] @ B)[:, 0]
        residual = (A @ best[:, :, None])[:, :, 0] - y
        left[lines][counts > 0] = best[counts > 0]
        total += float(np.vdot(residual, residual))
        u = np.column_stack([best[:, :free], *([np.ones(len(best))] if len(level) else [])])
        gradient += ((root * residual).T @ u).ravel()
        use = counts > r
        B, A, root, u = B[use], A[use], root[use], u[use]
        P = -(B @ A.transpose(0, 2, 1))
        P[:, np.arange(n), np.arange(n)] += 1.0
        P *= root[:, :, None] * root[:, None, :]
        squares = (u[:, :, None] * u[:, None, :]).reshape(len(u), -1)
        blocks = (P.reshape(len(u), n * n).T @ squares).reshape(n, n, moving, moving)
        normal += blocks.transpose(0, 2, 1, 3).reshape(normal.shape)
    return total


@_loop
def _pseudoinverse(A, B):
    """``A (A^T A)^-1``, whose transpose gives the least squares solution; B begins with zeros."""
    count, r = A.shape
    gram, nothing = np.zeros((r, r)), np.zeros(r)
    for e in range(count):
        for a in range(r):
            for b in range(r):
                gram[a, b] += A[e, a] * A[e, b]
    floor = 1e-300
    for a in range(r):
        floor += 1e-14 * gram[a, a]
    for a in range(r):
        gram[a, a] += floor
    solve_and_invert(gram, nothing, r)
    for a in range(r):
        for b in range(a):
            gram[b, a] = gram[a, b]
    for e in range(count):
        for b in range(r):
            for a in range(r):
                B[e, a] += A[e, b] * gram[b, a]


@_loop
def _dot(x, y):
    total = 0.0
    for a in range(len(x)):
        total += x[a] * y[a]
    return total


@_loop
def _spread(blocks, n, r, normal):
    """Whole blocks, in the lower triangle of the normal equations, from their halves."""
    for e in range(n):
        for f in range(e + 1):
            block, k = blocks[e * (e + 1) // 2 + f], 0
            for a in range(r):
                for b in range(a + 1):
                    normal[e * r + a, f * r + b] = block[k]
                    normal[e * r + b, f * r + a] = block[k]
                    k += 1


def project(entries: PreparedEntries, right: np.ndarray, steps: int, tolerance: float) -> Fitted:
    r"""Minimise ``sum w_ij (u_i . v_j - y_ij)^2`` from the column space `right`.

    With ``P_i`` the projector off the observed rows of V, the reduced normal matrix is
    ``sum_i D_i^T P_i D_i``, where ``D_i`` maps a change of V to the change ``u_i . dv_j`` of the observed entries.
    Its ``r^2`` null directions (changes within the span of V, which change no product) are filled.

    Parameters
    ----------
    entries : PreparedEntries
        With at least r + 1 entries in each row and column.
    right : ndarray, shape (n_in, r)
        The start.
    steps : int
        At most so many.
    tolerance : float
        Relative decrease at which a fit that is not exact ends; exact ones fall by large factors.

    References
    ----------
    .. [golub1973] Golub, Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
       variables separate", SIAM Journal on Numerical Analysis 10 (1973).
    """
    n = len(right)

    def at(V: np.ndarray) -> _Point:
        # Only the span of V counts; orthonormal columns of rms 1 keep every r x r system well conditioned.
        V = np.linalg.qr(V)[0] * np.sqrt(n)
        return _evaluate(entries, V)

    moved = lambda point, damping: at(point.right + _step(point, damping))
    end = levenberg_marquardt(at(right), moved, steps, tolerance, NOTHING_LEFT * entries.count, Damping(GIVE_UP))
    return Fitted(end.point.left, end.point.right, end.point.squared, end.steps, end.converged)


class _Point(NamedTuple):
    squared: float
    left: np.ndarray
    right: np.ndarray
    normal: np.ndarray
    gradient: np.ndarray


def _evaluate(entries: PreparedEntries, V: np.ndarray) -> _Point:
    left = np.zeros((entries.shape[0], V.shape[1]))
    normal, gradient = np.zeros((V.size, V.size)), np.zeros(V.size)
    parts = entries.row_starts, entries.columns, entries.values, entries.weights
    squared = assemble(*parts, V, NO_LEVEL, V.shape[1], left, normal, gradient)
    return _Point(squared, left, V, normal, gradient)


def _step(point: _Point, damping: float) -> np.ndarray:
    V = point.right
    return damped_solution(point.normal, V, V.shape[1], -point.gradient, damping).reshape(V.shape)


def damped_solution(
    normal: np.ndarray, right: np.ndarray, moving: int, target: np.ndarray, damping: float
) -> np.ndarray:
    """Solve reduced normal equations, whose null directions (within the span of `right`) are filled."""
    n, matrix = len(right), normal.copy()
    mean = max(float(np.trace(matrix)) / len(matrix), 1e-300)
    matrix.reshape(n, moving, n, moving)[:, np.arange(moving), :, np.arange(moving)] += right @ right.T * (mean / n)
    matrix[np.diag_indices(len(matrix))] += (damping + 1e-13) * mean
    factor, failed = _factor(matrix.T, lower=0, overwrite_a=1, clean=0)
    return np.zeros_like(target) if failed else _solve(factor, target, lower=0)[0]
