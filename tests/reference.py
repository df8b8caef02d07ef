"""The oracle: one simultaneous step of all factors, with full products and nothing else. Every engine must agree."""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from scipy.integrate import solve_ivp


def product(matrices: Sequence[np.ndarray], size: int) -> np.ndarray:
    """``matrices[-1] @ ... @ matrices[0]``, or the identity of ``size`` when there are none."""
    return reduce(lambda W, factor: factor @ W, matrices, np.eye(size))


def gd_step(
    factors: Sequence[np.ndarray],
    gradient_of_W: Callable[[np.ndarray], np.ndarray],
    learning_rate: float,
    ridge: float,
) -> list[np.ndarray]:
    """``W_l <- (1 - 2 eta ridge) W_l - eta (W_N ... W_{l+1})^T G (W_{l-1} ... W_1)^T`` with ``G`` at the old point."""
    G = gradient_of_W(product(factors, factors[0].shape[1]))
    above = [product(factors[l + 1 :], factor.shape[0]) for l, factor in enumerate(factors)]
    below = [product(factors[:l], factors[0].shape[1]) for l, _ in enumerate(factors)]
    return [
        (1 - 2 * learning_rate * ridge) * W - learning_rate * A.T @ G @ B.T
        for W, A, B in zip(factors, above, below, strict=True)
    ]


def sgd_step(
    factors: Sequence[np.ndarray],
    batch_rows: np.ndarray,
    batch_columns: np.ndarray,
    batch_values: np.ndarray,
    learning_rate: float,
    ridge: float,
) -> list[np.ndarray]:
    """One step on the mean over a batch of ``1/2 (W_ij - y)^2``; an entry drawn twice counts twice."""

    def gradient_of_W(W: np.ndarray) -> np.ndarray:
        G = np.zeros_like(W)
        residuals = W[batch_rows, batch_columns] - batch_values
        np.add.at(G, (batch_rows, batch_columns), residuals / len(batch_values))
        return G

    return gd_step(factors, gradient_of_W, learning_rate, ridge)


def sensing_sgd_step(
    factors: Sequence[np.ndarray],
    batch_operators: np.ndarray,
    batch_measurements: np.ndarray,
    count: int,
    learning_rate: float,
    ridge: float,
) -> list[np.ndarray]:
    """One step on ``count`` times the mean over a batch of ``1/2 (<A_k, W> - y_k)^2``."""

    def gradient_of_W(W: np.ndarray) -> np.ndarray:
        pairs = zip(batch_operators, batch_measurements, strict=True)
        return count / len(batch_operators) * sum((np.sum(A * W) - y) * A for A, y in pairs)

    return gd_step(factors, gradient_of_W, learning_rate, ridge)


def heavy_ball_step(
    factors: Sequence[np.ndarray],
    before: Sequence[np.ndarray],
    gradient_of_W: Callable[[np.ndarray], np.ndarray],
    learning_rate: float,
    momentum: float,
    ridge: float,
) -> list[np.ndarray]:
    """``W_l - eta (gradient + 2 ridge W_l) + mu (W_l - W_l before)``."""
    moved = gd_step(factors, gradient_of_W, learning_rate, ridge)
    return [M + momentum * (W - B) for M, W, B in zip(moved, factors, before, strict=True)]


def nesterov_step(
    factors: Sequence[np.ndarray],
    before: Sequence[np.ndarray],
    gradient_of_W: Callable[[np.ndarray], np.ndarray],
    learning_rate: float,
    momentum: float,
    ridge: float,
) -> list[np.ndarray]:
    """A step of gradient descent from ``W_l + mu (W_l - W_l before)``."""
    ahead = [W + momentum * (W - B) for W, B in zip(factors, before, strict=True)]
    return gd_step(ahead, gradient_of_W, learning_rate, ridge)


def flow(
    factors: Sequence[np.ndarray], gradient_of_W: Callable[[np.ndarray], np.ndarray], ridge: float, time: float
) -> list[np.ndarray]:
    """The gradient flow at `time`, by SciPy."""
    shapes = [W.shape for W in factors]
    ends = np.cumsum([W.size for W in factors])[:-1]

    def slope(_, flat):
        matrices = [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]
        moved = gd_step(matrices, gradient_of_W, 1.0, ridge)
        return np.concatenate([(after - before).ravel() for before, after in zip(matrices, moved, strict=True)])

    flat = np.concatenate([W.ravel() for W in factors])
    end = solve_ivp(slope, (0, time), flat, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    return [part.reshape(shape) for part, shape in zip(np.split(end, ends), shapes, strict=True)]


def curvature(factors, gradient, shape, ridge):
    """What the curvature at these factors is about: of a quadratic loss, from its Hessian formed entry by entry."""
    N, zero = len(factors), gradient(np.zeros(shape))
    hessian = [(gradient(E.reshape(shape)) - zero).ravel() for E in np.eye(shape[0] * shape[1])]
    sigma = max(np.linalg.norm(W, 2) for W in factors)
    slope = np.linalg.norm(gradient(product(factors, shape[1])), 2)
    bend = (N - 1) * slope * sigma ** (N - 2)
    return N * np.linalg.norm(hessian, 2) * sigma ** (2 * N - 2) + bend + 2 * ridge
