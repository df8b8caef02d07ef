"""What recovery is measured against: the nuclear norm, and least squares that are told the rank.

`Completion` and `Sensing` are both linear measurements of the matrix, so each method is written once, with the gradient
of the loss or with the measurements of matrices of low rank.
"""

from typing import NamedTuple

import numpy as np

from rankscape.ground.linalg import thin_svd
from rankscape.problem import Completion, Sensing
from rankscape.solvers.least_squares.levenberg import Damping, levenberg_marquardt

# Of the nuclear norm: thresholds from strong to weak, and the accelerated steps at each of them.
LEVELS, ITERATIONS = 12, 100
# Random starts of told-rank least squares, besides the spectral one.
RESTARTS = 8
# Most Levenberg-Marquardt steps of one fit.
SWEEPS = 200
# Relative decrease of the squared residual at which a fit that is not exact ends.
GAIN = 1e-8
# Damping, in mean diagonal entries of the normal matrix, beyond which no step helps.
GIVE_UP = 1e6
# Relative residual at which a fit is exact and nothing better can be found.
FITTED = 1e-10

Problem = Completion | Sensing


def nuclear_norm(problem: Problem) -> np.ndarray:
    r"""The limit of :math:`\arg\min f(W) + \mu \|W\|_*` for small :math:`\mu`, by accelerated proximal gradients.

    For a completion each step is soft-impute (Mazumder, Hastie, Tibshirani 2010): fill the holes with the last
    estimate, shrink the singular values. The momentum is that of Nesterov (1983).
    """
    W = Z = np.zeros(problem.shape)
    slope = problem.gradient(W)
    step = 1 / problem.smoothness()
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
    root, aim = np.sqrt(s[:rank]), _measurements(problem)
    at = lambda L, R: _Fit(L, R, _apply(problem, L @ R.T) - aim)
    moved = lambda fit, damping: at(*_moved(problem, fit, damping))
    begun, enough = at(U[:, :rank] * root, Vt[:rank].T * root), FITTED**2 * float(aim @ aim)
    L, R, residual = levenberg_marquardt(begun, moved, SWEEPS, GAIN, enough, Damping(GIVE_UP)).point
    return L @ R.T, float(np.linalg.norm(residual) / np.linalg.norm(aim))


class _Fit(NamedTuple):
    L: np.ndarray
    R: np.ndarray
    residual: np.ndarray

    @property
    def squared(self) -> float:
        return float(self.residual @ self.residual)


def _moved(problem: Problem, fit: _Fit, damping: float) -> tuple[np.ndarray, np.ndarray]:
    """Both factors one damped step further."""
    L, R, residual = fit
    J = _jacobian(problem, L, R)
    normal, slope = J.T @ J, J.T @ residual
    # Solved exactly: the iterative steps of `least_squares.fixed_rank` scale better, but close to the information
    # limit they recover fewer matrices, and a baseline has to be at its best there. Without damping the matrix is
    # singular, since L Q and R Q^-T are the same fit for every invertible Q.
    move = np.linalg.solve(normal + damping * np.trace(normal) / len(normal) * np.eye(len(normal)), -slope)
    return L + move[: L.size].reshape(L.shape), R + move[L.size :].reshape(R.shape)


def _measurements(problem: Problem) -> np.ndarray:
    return problem.values if isinstance(problem, Completion) else problem.measurements


def _apply(problem: Problem, W: np.ndarray) -> np.ndarray:
    return W[problem.rows, problem.columns] if isinstance(problem, Completion) else problem.operators.apply(W)


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
