"""Balanced factors: the flow of the product without the factors."""

from collections.abc import Callable

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.exact.ode import solve
from rankscape.theory.exact.paths import FlowPath
from rankscape.theory.inputs import DEEPEST, matrix_of, numbers_of, times_of


@within_floats
def end_to_end_flow(
    gradient: Callable[[np.ndarray], ArrayLike],
    start: ArrayLike,
    depth: int,
    times: ArrayLike,
    *,
    ridge: float = 0.0,
    rtol: float = 1e-10,
    atol: float = 1e-12,
) -> FlowPath:
    r"""The product of balanced factors under gradient flow of any loss, without the factors:

    .. math:: \dot W = - \sum_{j=1}^N (W W^T)^{(N-j)/N}\, \nabla f(W)\, (W^T W)^{(j-1)/N} - 2 N \lambda W

    Parameters
    ----------
    gradient : callable
        :math:`\nabla f`, from a matrix to a matrix of the same shape.
    start : array_like of shape (n_out, n_in)
        ``W`` at time 0, the product of balanced factors.
    depth : int
        The number N of factors.
    times : array_like of shape (times,)
        Not negative, not decreasing.
    ridge : float
        :math:`\lambda` of :math:`\lambda \sum_l \|W_l\|_F^2`.
    rtol, atol : float
        Tolerances of the solver (Dormand, Prince of order 8).

    Returns
    -------
    FlowPath
        The product at `times`.

    Raises
    ------
    InputError
        The gradient has another shape, a number is out of range, or the solution does not reach the last time.

    Examples
    --------
    >>> import numpy as np
    >>> target = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> end_to_end_flow(lambda W: W - target, 0.01 * np.eye(2), 2, [30.0]).W[0].round(6).tolist()
    [[0.0, -1.0], [1.0, 0.0]]

    References
    ----------
    .. [arora2018] Arora, Cohen, Hazan, "On the optimization of deep networks: Implicit acceleration by
       overparameterization", ICML 2018.
    .. [arora2019] Arora, Cohen, Hu, Luo, "Implicit regularization in deep matrix factorization", NeurIPS 2019.
    """
    W_0, depth, times = matrix_of("start", start), whole("depth", depth, 1, DEEPEST), times_of(times)
    ridge, shape = nonnegative("ridge", ridge), W_0.shape
    if not callable(gradient):
        raise InputError(f"`gradient` must be a function of a matrix, got {type(gradient).__name__}.")
    # Asked once before the solver, so that a wrong shape is named and not broadcast.
    given = numbers_of("gradient", gradient(W_0)).shape
    if given != shape:
        raise InputError(f"`gradient` returns shape {given} for a matrix of shape {shape}.")

    def slope(_, flat):
        W = flat.reshape(shape)
        pulled = _precondition(W, numbers_of("gradient", gradient(W)), depth)
        return (-pulled - 2 * depth * ridge * W).ravel()

    W = solve(slope, W_0.ravel(), times, rtol, atol).reshape(-1, *shape)
    return FlowPath(times, W, ("balanced start", "hidden widths of at least the rank of the start"))


def _precondition(W: np.ndarray, G: np.ndarray, depth: int) -> np.ndarray:
    """``sum_j (W W^T)^((N-j)/N) G (W^T W)^((j-1)/N)``, all powers from one decomposition; the power 0 is I."""
    if depth == 1:
        return G
    U, sigma, Vt = thin_svd(W)
    powers = sigma ** (2 * np.arange(depth)[:, None] / depth)
    # The outer terms act on one side alone, also outside of the range of W; the inner ones share their bases.
    total = (U * powers[-1]) @ (U.T @ G) + ((G @ Vt.T) * powers[-1]) @ Vt
    inner = powers[depth - 2 : 0 : -1].T @ powers[1 : depth - 1]
    return total + U @ (inner * (U.T @ G @ Vt.T)) @ Vt
