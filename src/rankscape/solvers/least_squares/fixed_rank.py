"""Least squares over the matrices of one rank, seen through linear measurements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, lsmr

from rankscape.ground.linalg import thin_svd
from rankscape.problem import DenseOperators, Sensing
from rankscape.problem.operators.dense import AbstractOperators
from rankscape.solvers.least_squares.levenberg import Damping, levenberg_marquardt

# Relative residual at which the measurements are met to rounding.
MEASUREMENTS_MET = 1e-11

# Relative decrease of the squared residual below which a fit with noise counts as ended, for comparing ranks.
FLAT = 1e-4

# Iterations of LSMR a step, and unknowns up to which the Jacobian is formed instead.
INNER, MOST = 60, 500

# Ridge of the normal equations, relative to their mean diagonal.
TINY = 1e-12

# Gauss-Newton steps at most.
STEPS = 30


@dataclass(frozen=True)
class RankFit:
    """A matrix of fixed rank as ``U diag(s) V^T``, and how well it meets the measurements."""

    U: np.ndarray
    s: np.ndarray
    V: np.ndarray
    residual: np.ndarray
    converged: bool

    @property
    def W(self) -> np.ndarray:
        """The matrix."""
        return (self.U * self.s) @ self.V.T

    @property
    def squared(self) -> float:
        """The squared residual."""
        return float(self.residual @ self.residual)


def freedom(rank: int, shape: tuple[int, int]) -> int:
    """Free parameters of a matrix: ``r (n_out + n_in - r)``.

    >>> freedom(2, (10, 8))
    32
    """
    return rank * (shape[0] + shape[1] - rank)


def truncated(problem: Sensing, W: np.ndarray, rank: int) -> RankFit:
    """The best approximation of W of this rank."""
    U, s, Vt = thin_svd(W)
    U, s, V = U[:, :rank], s[:rank], Vt[:rank].T
    return RankFit(U, s, V, -problem.residual((U * s) @ V.T), not rank)


def fit_rank(problem: Sensing, W: np.ndarray, rank: int, flat: float = FLAT) -> RankFit:
    """Damped Gauss-Newton from the truncation of W: linear least squares in the tangent space, then back to the rank.

    With orthonormal U and V the tangent ``A V^T + U B^T`` is as well conditioned as the measurements themselves, also
    where the matrix is not.

    References
    ----------
    .. [zilber2022] Zilber, Nadler, "GNMR: A provable one-line algorithm for low rank matrix recovery", SIAM Journal on
       Mathematics of Data Science 4 (2022).
    """
    fit = truncated(problem, W, rank)
    seen = problem.operators.apply(fit.U @ fit.V.T)
    unit = float(np.linalg.norm(seen)) / max(rank, 1) ** 0.5 or 1.0
    enough = MEASUREMENTS_MET**2 * float(problem.measurements @ problem.measurements)
    if not rank or fit.squared <= enough:
        return replace(fit, converged=True)
    moved = lambda at, damping: _retracted(problem, at, *_step(problem, at, damping, unit))
    end = levenberg_marquardt(fit, moved, STEPS, flat, enough, Damping(most=10))
    return replace(end.point, converged=end.converged)


def best_fit(problem: Sensing, starts: Sequence[np.ndarray], rank: int) -> RankFit:
    """The fit with the least residual, over several starts."""
    return min((fit_rank(problem, W, rank) for W in starts), key=lambda fit: fit.squared)


def _step(problem: Sensing, fit: RankFit, damping: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """The tangent ``A V^T + U B^T`` that reduces the linearised residual most, in units of the operators."""
    (n_out, r), n_in = fit.U.shape, fit.V.shape[0]
    unknowns = (n_out + n_in) * r
    operators = problem.operators
    if isinstance(operators, DenseOperators) and unknowns <= MOST:
        d = _directly(operators, fit, damping, unit)
    else:
        d = _iteratively(operators, fit, damping, unit)
    return d[: n_out * r].reshape(n_out, r), d[n_out * r :].reshape(n_in, r)


def _directly(operators: DenseOperators, fit: RankFit, damping: float, unit: float) -> np.ndarray:
    """From the Jacobian as a matrix: for few unknowns much quicker than sixty products with all operators."""
    A = operators.table.reshape(len(operators), *operators.shape)
    J = np.concatenate([(A @ fit.V).reshape(len(A), -1), (A.transpose(0, 2, 1) @ fit.U).reshape(len(A), -1)], 1) / unit
    normal = J.T @ J
    # A and B overlap in r^2 directions that move nothing: a ridge next to none keeps these at zero.
    normal[np.diag_indices(len(normal))] += damping + TINY * np.trace(normal) / len(normal)
    return cho_solve(cho_factor(normal, check_finite=False), J.T @ (fit.residual / unit), check_finite=False)


def _iteratively(operators: AbstractOperators, fit: RankFit, damping: float, unit: float) -> np.ndarray:
    U, V = fit.U, fit.V
    (n_out, r), n_in = U.shape, V.shape[0]

    def forward(d):
        A, B = d[: n_out * r].reshape(n_out, r), d[n_out * r :].reshape(n_in, r)
        return operators.apply(A @ V.T + U @ B.T) / unit

    def backward(z):
        G = operators.adjoint(z) / unit
        return np.concatenate([(G @ V).ravel(), (G.T @ U).ravel()])

    shape = (len(fit.residual), (n_out + n_in) * r)
    J = LinearOperator(shape, matvec=forward, rmatvec=backward, dtype=np.float64)  # pyright: ignore[reportCallIssue]
    return lsmr(J, fit.residual / unit, damp=damping**0.5, atol=1e-10, btol=1e-10, maxiter=INNER)[0]


def _retracted(problem: Sensing, fit: RankFit, A: np.ndarray, B: np.ndarray) -> RankFit:
    """The matrix of the same rank nearest to ``W + A V^T + U B^T``."""
    r = len(fit.s)
    Q, R = np.linalg.qr(np.hstack([fit.U, A]))
    P, S = np.linalg.qr(np.hstack([fit.V, B]))
    core = np.block([[np.diag(fit.s), np.eye(r)], [np.eye(r), np.zeros((r, r))]])
    u, s, vt = thin_svd(R @ core @ S.T)
    U, s, V = Q @ u[:, :r], s[:r], P @ vt[:r].T
    return RankFit(U, s, V, -problem.residual((U * s) @ V.T), False)
