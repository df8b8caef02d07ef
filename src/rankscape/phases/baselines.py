"""What recovery is measured against: the nuclear norm, and least squares that are told the rank.

`Completion` and `Sensing` are both linear measurements of the matrix, so each method is written once, with the gradient
of the loss or with the measurements of matrices of low rank.
"""

import numpy as np

from rankscape.ground.linalg import thin_svd
from rankscape.problem import Completion, Sensing

# Of the nuclear norm: thresholds from strong to weak, and the accelerated steps at each of them.
LEVELS, ITERATIONS = 12, 100
# Random starts of told-rank least squares, besides the spectral one.
RESTARTS = 8
# Most Levenberg-Marquardt steps of one fit.
SWEEPS = 200
# Relative residual at which a fit is exact and nothing better can be found.
FITTED = 1e-10

Problem = Completion | Sensing


def nuclear_norm(problem: Problem) -> np.ndarray:
    r"""The limit of :math:`\arg\min f(W) + \mu \|W\|_*` for small :math:`\mu`, by accelerated proximal gradients.

    For a completion each step is soft-impute: fill the holes with the last estimate, shrink the singular values.
    """
    W = Z = np.zeros(problem.shape)
    slope = problem.gradient(W)
    step = 1 / _smoothness(problem)
    for threshold in np.geomspace(0.5, 1e-3, LEVELS) * step * np.linalg.norm(slope, 2):
        momentum = 1.0
        for _ in range(ITERATIONS):
            before = W
            U, s, Vt = thin_svd(Z - step * problem.gradient(Z))
            W = (U * np.maximum(s - threshold, 0.0)) @ Vt
            previous, momentum = momentum, (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            Z = W + (previous - 1) / momentum * (W - before)
    return W


def told_rank(problem: Problem, rank: int, seed: int = 0) -> np.ndarray:
    """The best least squares fit of this rank, from the spectral start and from random ones."""
    rng = np.random.default_rng(seed)
    back = -problem.gradient(np.zeros(problem.shape))
    size = np.linalg.svd(back)[1][0]
    n_out, n_in = problem.shape
    best, least = back, np.inf
    for k in range(RESTARTS + 1):
        start = back if k == 0 else size * rng.normal(size=(n_out, rank)) @ rng.normal(size=(rank, n_in)) / n_in
        W, residual = least_squares(problem, start, rank)
        if residual < least:
            best, least = W, residual
        if least < FITTED:
            break
    return best


def least_squares(problem: Problem, start: np.ndarray, rank: int) -> tuple[np.ndarray, float]:
    r"""The fit :math:`W = L R^\top` of a rank near a matrix, by Levenberg-Marquardt, and its relative residual.

    Examples
    --------
    >>> import rankscape as rs
    >>> target = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])
    >>> W, residual = least_squares(rs.Sensing.gaussian(target, 8), target + 0.1, rank=1)
    >>> bool(np.allclose(W, target)), residual < 1e-10
    (True, True)
    """
    if rank == 0:
        return np.zeros(problem.shape), 1.0
    U, s, Vt = thin_svd(start)
    root = np.sqrt(s[:rank])
    L, R = U[:, :rank] * root, Vt[:rank].T * root
    aim = _measurements(problem)
    residual, damping = _apply(problem, L @ R.T) - aim, 1e-3
    for _ in range(SWEEPS):
        J = _jacobian(problem, L, R)
        normal, slope = J.T @ J, J.T @ residual
        move = np.linalg.solve(normal + damping * np.trace(normal) / len(normal) * np.eye(len(normal)), -slope)
        there = L + move[: L.size].reshape(L.shape), R + move[L.size :].reshape(R.shape)
        new = _apply(problem, there[0] @ there[1].T) - aim
        gain = residual @ residual - new @ new
        if gain <= 0:
            damping *= 10
            if damping > 1e6:
                break
            continue
        (L, R), residual, damping = there, new, max(damping / 10, 1e-14)
        if gain < 1e-8 * (residual @ residual) or np.linalg.norm(residual) < FITTED * np.linalg.norm(aim):
            break
    return L @ R.T, float(np.linalg.norm(residual) / np.linalg.norm(aim))


def _measurements(problem: Problem) -> np.ndarray:
    return problem.values if isinstance(problem, Completion) else problem.measurements


def _apply(problem: Problem, W: np.ndarray) -> np.ndarray:
    return W[problem.rows, problem.columns] if isinstance(problem, Completion) else problem.operators.apply(W)


def _smoothness(problem: Problem) -> float:
    """The largest eigenvalue of the Hessian."""
    return 1 / len(problem.values) if isinstance(problem, Completion) else problem.smoothness()


def _jacobian(problem: Problem, L: np.ndarray, R: np.ndarray) -> np.ndarray:
    """Of the measurements of ``L @ R.T`` by the entries of L, then of R."""
    if isinstance(problem, Sensing):
        m = len(problem.measurements)
        A = np.asarray(problem.operators.table).reshape(m, *problem.shape)
        return np.hstack([(A @ R).reshape(m, -1), (A.transpose(0, 2, 1) @ L).reshape(m, -1)])
    k = np.arange(len(problem.values))
    left, right = np.zeros((len(k), *L.shape)), np.zeros((len(k), *R.shape))
    left[k, problem.rows], right[k, problem.columns] = R[problem.columns], L[problem.rows]
    return np.hstack([left.reshape(len(k), -1), right.reshape(len(k), -1)])
