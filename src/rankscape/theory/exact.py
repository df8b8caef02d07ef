r"""Exact trajectories of ``W = W_N ... W_1`` that need no factors: three cases, each an oracle for the simulator.

=====================  ================================================================================
two_layer_flow         depth 2, any balanced start, any target: matrix Riccati equation, in closed form
aligned_flow           a start along the singular vectors of the target: one scalar equation a mode
aligned_descent        the same for gradient descent: one scalar recursion a mode
end_to_end_flow        any depth and loss, balanced start: the equation of the product alone
=====================  ================================================================================

Factors are balanced when ``W_{l+1}^T W_{l+1} = W_l W_l^T`` for all l. Only NumPy and SciPy are used here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from rankscape.checks import nonnegative, positive, whole
from rankscape.errors import InputError

BALANCED = 1e-10
"""Imbalance, relative to the factors, that rounding may leave in a balanced start."""

STABLE_STEP = 0.5
"""Step of the Riccati flow in units of ``1 / ||F||``: over longer ones small modes drown in large ones."""


@dataclass(frozen=True, eq=False)
class FlowPath:
    """The product along an exact flow.

    Attributes
    ----------
    times : array of shape (times,)
        Where it was evaluated.
    W : array of shape (times, n_out, n_in)
        The product there.
    assumptions : tuple of str
        What must hold for it to be the flow of the factors.
    """

    times: np.ndarray
    W: np.ndarray = field(repr=False)
    assumptions: tuple[str, ...]

    @property
    def singular_values(self) -> np.ndarray:
        """Descending singular values of the product, shape (times, index)."""
        return np.linalg.svd(self.W, compute_uv=False)


@dataclass(frozen=True, eq=False)
class AlignedPath:
    r"""The modes along an exact path whose product keeps the target's singular vectors, ``W = U diag(p) V^T``.

    Attributes
    ----------
    at : array of shape (points,)
        Times of a flow, steps of gradient descent.
    modes : array of shape (points, mode)
        :math:`p_i`, in the order of the target's singular values (descending).
    target : array of shape (mode,)
        The singular values of the target.
    U, V : array
        Its singular vectors, thin.
    assumptions : tuple of str
        What must hold for it to be the path of the factors.
    """

    at: np.ndarray
    modes: np.ndarray = field(repr=False)
    target: np.ndarray
    U: np.ndarray = field(repr=False)
    V: np.ndarray = field(repr=False)
    assumptions: tuple[str, ...]

    @property
    def W(self) -> np.ndarray:
        """The product, shape (points, n_out, n_in)."""
        return (self.U * self.modes[:, None, :]) @ self.V.T


def two_layer_flow(target: Any, start: Sequence[Any], times: Any) -> FlowPath:
    r"""Gradient flow of :math:`\tfrac12\|W_2 W_1 - \hat W\|_F^2` from any balanced start.

    With :math:`Q = [W_1^T; W_2]` and :math:`F = [[0, \hat W^T], [\hat W, 0]]` the flow is
    :math:`\dot Q = F Q - \tfrac12 Q Q^T Q`, a matrix Riccati equation with the solution

    .. math::
        Q(t) Q(t)^T = e^{tF} Q_0 \Bigl(I + Q_0^T \int_0^t e^{2sF}\,ds\; Q_0\Bigr)^{-1} Q_0^T e^{tF},

    whose lower left block is ``W``. It is applied in steps of :math:`h \le 1/(2\|F\|)`, so that no mode is lost.

    Parameters
    ----------
    target : array_like of shape (n_out, n_in)
        :math:`\hat W`; symmetric or not, square or not.
    start : (array_like, array_like)
        ``(W_1, W_2)`` at time 0, balanced: ``W_2^T W_2 = W_1 W_1^T``.
    times : array_like of shape (times,)
        Where the product is wanted: not negative, not decreasing.

    Returns
    -------
    FlowPath
        The product at `times`.

    Raises
    ------
    InputError
        The start is not balanced, the shapes do not fit, or the times decrease.

    Notes
    -----
    A flow that ends in a saddle is followed only as long as rounding stays small: errors grow like ``exp(sigma t)``
    in each factor for a singular value ``sigma`` that is not learned, and reach 1e-8 near ``sigma * t = 18``.

    Examples
    --------
    A rotation by 90 degrees is learned from the identity, -I is not:

    >>> import numpy as np
    >>> start = 0.1 * np.eye(2), 0.1 * np.eye(2)
    >>> (two_layer_flow([[0, -1], [1, 0]], start, [30.0]).W[0].round(6) + 0.0).tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    >>> (two_layer_flow(-np.eye(2), start, [10.0]).W[0].round(6) + 0.0).tolist()
    [[0.0, 0.0], [0.0, 0.0]]

    References
    ----------
    Fukumizu, 1998; Braun, Domine, Fitzgerald, Saxe, NeurIPS 2022.
    """
    goal, (W_1, W_2), times = _matrix("target", target), _two_layers(start), _times(times)
    (n_out, n_in), product = goal.shape, W_2 @ W_1
    if product.shape != goal.shape:
        raise InputError(f"The start multiplies to shape {product.shape}, but `target` has shape {goal.shape}.")
    _check_balanced(W_1, W_2)
    values, vectors = np.linalg.eigh(np.block([[np.zeros((n_in, n_in)), goal.T], [goal, np.zeros((n_out, n_out))]]))
    longest = STABLE_STEP / max(np.abs(values).max(), np.linalg.norm(W_1, 2) ** 2, np.finfo(float).tiny)
    Q, path = vectors.T @ np.vstack([W_1.T, W_2]), []  # in the eigenbasis of F, where its exponential is diagonal
    for before, after in pairwise([0.0, *times.tolist()]):
        count = int(np.ceil((after - before) / longest))
        for _ in range(count):
            Q = _riccati_step(values, Q, (after - before) / count)
        whole_Q = vectors @ Q
        path.append(whole_Q[n_in:] @ whole_Q[:n_in].T)
    W = np.array(path).reshape(-1, n_out, n_in)
    return FlowPath(times, W, ("depth 2", "squared distance to a fully seen target", "balanced start"))


def _riccati_step(values: np.ndarray, Q: np.ndarray, h: float) -> np.ndarray:
    """``e^{hF} Q C^{-T}`` with ``C C^T = I + Q^T I_h Q``: Q up to a rotation of the hidden space."""
    still = values == 0
    integral = np.where(still, h, np.expm1(2 * h * values) / np.where(still, 1.0, 2 * values))
    C = np.linalg.cholesky(np.eye(Q.shape[1]) + (Q.T * integral) @ Q)
    return np.linalg.solve(C, (np.exp(h * values)[:, None] * Q).T).T


def aligned_flow(
    target: Any, depth: int, alpha: Any, times: Any, *, ridge: float = 0.0, rtol: float = 1e-11, atol: float = 1e-13
) -> AlignedPath:
    r"""Gradient flow from factors along the singular vectors of the target, for any shape and depth.

    For :math:`\hat W = U \Sigma V^T`, from :math:`W_1 = \alpha V^T`, :math:`W_N = \alpha U` and
    :math:`W_l = \alpha I` between them, :math:`W(t) = U \operatorname{diag}(d_i^N) V^T` with

    .. math:: \dot d_i = d_i^{N-1} (\sigma_i - d_i^N) - 2\lambda d_i, \qquad d_i(0) = \alpha_i.

    Parameters
    ----------
    target : array_like of shape (n_out, n_in)
        :math:`\hat W`.
    depth : int
        The number N of factors.
    alpha : float or array_like of shape (mode,)
        :math:`\alpha`; one for each mode, or one for all. The product starts at ``alpha ** depth``.
    times : array_like of shape (times,)
        Not negative, not decreasing.
    ridge : float
        :math:`\lambda` of :math:`\lambda \sum_l \|W_l\|_F^2`.
    rtol, atol : float
        Tolerances of the scalar solver.

    Returns
    -------
    AlignedPath
        The modes at `times`.

    Examples
    --------
    >>> path = aligned_flow([[0, 2, 0], [1, 0, 0]], depth=3, alpha=0.3, times=[0.0, 2.0, 50.0])
    >>> path.modes.round(4).tolist()
    [[0.027, 0.027], [1.9847, 0.279], [2.0, 1.0]]
    >>> path.W[-1].round(4).tolist()
    [[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]
    """
    depth, ridge, times = whole("depth", depth, least=1), nonnegative("ridge", ridge), _times(times)
    U, sigma, V, start = _aligned(target, alpha)

    def slope(_, d):
        return d ** (depth - 1) * (sigma - d**depth) - 2 * ridge * d

    d = _solve(slope, start, times, rtol, atol)
    return AlignedPath(times, d**depth, sigma, U, V, _aligned_assumptions("gradient flow"))


def aligned_descent(
    target: Any, depth: int, alpha: Any, learning_rate: float, steps: Any, *, ridge: float = 0.0
) -> AlignedPath:
    r"""Gradient descent from factors along the singular vectors of the target: `aligned_flow`, step by step.

    .. math:: d_i \leftarrow d_i + \eta\, d_i^{N-1} (\sigma_i - d_i^N) - 2 \eta \lambda d_i, \qquad p_i = d_i^N

    Parameters
    ----------
    target, depth, alpha, ridge
        As in `aligned_flow`.
    learning_rate : float
        :math:`\eta`.
    steps : array_like of int
        The steps that are wanted: not negative, not decreasing.

    Returns
    -------
    AlignedPath
        The modes at `steps`.

    Examples
    --------
    >>> path = aligned_descent([[2.0]], depth=2, alpha=0.5, learning_rate=0.01, steps=[0, 1, 10])
    >>> path.modes[:, 0].round(10).tolist()
    [0.25, 0.2588265625, 0.3507171607]
    """
    depth, rate = whole("depth", depth, least=1), positive("learning_rate", learning_rate)
    ridge, wanted = nonnegative("ridge", ridge), _times(steps)
    if np.any(wanted != np.rint(wanted)):
        raise InputError("`steps` must be whole numbers.")
    U, sigma, V, d = _aligned(target, alpha)
    path = []
    for before, after in pairwise([0, *wanted.astype(np.int64).tolist()]):
        for _ in range(after - before):
            d = d + rate * (d ** (depth - 1) * (sigma - d**depth) - 2 * ridge * d)
        path.append(d**depth)
    modes = np.array(path).reshape(-1, len(sigma))
    return AlignedPath(wanted.astype(np.int64), modes, sigma, U, V, _aligned_assumptions("gradient descent"))


def end_to_end_flow(
    gradient: Callable[[np.ndarray], Any],
    start: Any,
    depth: int,
    times: Any,
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
    Arora, Cohen, Hazan, ICML 2018; Arora, Cohen, Hu, Luo, NeurIPS 2019.
    """
    W_0, depth, times = _matrix("start", start), whole("depth", depth, least=1), _times(times)
    ridge, shape = nonnegative("ridge", ridge), W_0.shape
    given = np.shape(gradient(W_0))
    if given != shape:
        raise InputError(f"`gradient` returns shape {given} for a matrix of shape {shape}.")

    def slope(_, flat):
        W = flat.reshape(shape)
        pulled = _precondition(W, np.asarray(gradient(W), dtype=np.float64), depth)
        return (-pulled - 2 * depth * ridge * W).ravel()

    W = _solve(slope, W_0.ravel(), times, rtol, atol).reshape(-1, *shape)
    return FlowPath(times, W, ("balanced start", "hidden widths of at least the rank of the start"))


def _precondition(W: np.ndarray, G: np.ndarray, depth: int) -> np.ndarray:
    """``sum_j (W W^T)^((N-j)/N) G (W^T W)^((j-1)/N)``, all powers from one decomposition; the power 0 is I."""
    if depth == 1:
        return G
    U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    powers = [sigma ** (2 * j / depth) for j in range(depth)]
    total = (U * powers[-1]) @ (U.T @ G) + ((G @ Vt.T) * powers[-1]) @ Vt
    inner = sum(np.outer(powers[depth - j], powers[j - 1]) for j in range(2, depth))
    return total + U @ (inner * (U.T @ G @ Vt.T)) @ Vt


# -- what is shared ----------------------------------------------------------------------------------------


def _solve(slope: Callable, start: np.ndarray, times: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """The solution of an ordinary differential equation at `times`, shape (times, len(start))."""
    rtol, atol = positive("rtol", rtol), positive("atol", atol)
    y, path = start, []
    for span in pairwise([0.0, *times.tolist()]):  # stop at each time: interpolation would cost digits
        if span[1] > span[0]:
            solution = solve_ivp(slope, span, y, method="DOP853", t_eval=span[1:], rtol=rtol, atol=atol)
            if not solution.success:
                raise InputError(f"The flow could not be followed to time {span[1]:g}: {solution.message}")
            y = solution.y[:, -1]
        path.append(y)
    return np.array(path).reshape(-1, len(start))


def _aligned(target: Any, alpha: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    U, sigma, Vt = np.linalg.svd(_matrix("target", target), full_matrices=False)
    scales = _numbers("alpha", alpha)
    if scales.shape not in ((), sigma.shape):
        raise InputError(f"`alpha` must be one number or {len(sigma)}, one a mode; got shape {scales.shape}.")
    if np.any(scales < 0):
        raise InputError("`alpha` must not be negative.")
    return U, sigma, Vt.T, np.broadcast_to(scales, sigma.shape).astype(np.float64)


def _aligned_assumptions(dynamics: str) -> tuple[str, ...]:
    start = "a balanced start along the singular vectors of the target"
    return dynamics, "squared distance to a fully seen target", start, "hidden widths of at least the number of modes"


def _two_layers(start: Sequence[Any]) -> list[np.ndarray]:
    if len(start) != 2:
        raise InputError(f"`start` must be two factors (W_1, W_2), got {len(start)}.")
    W_1, W_2 = (_matrix(f"W_{l}", W) for l, W in enumerate(start, start=1))
    if W_2.shape[1] != W_1.shape[0]:
        raise InputError(f"The widths do not chain: W_1 has shape {W_1.shape} and W_2 {W_2.shape}.")
    return [W_1, W_2]


def _check_balanced(W_1: np.ndarray, W_2: np.ndarray) -> None:
    gap = np.linalg.norm(W_2.T @ W_2 - W_1 @ W_1.T)
    scale = np.linalg.norm(W_1) ** 2 + np.linalg.norm(W_2) ** 2
    if gap > BALANCED * scale:
        raise InputError(
            f"`start` is not balanced: ||W_2^T W_2 - W_1 W_1^T|| = {gap:.2g}. This solution needs 0; "
            "simulate(..., dynamics=GradientFlow(...)) takes any start."
        )


def _times(times: Any) -> np.ndarray:
    array = np.atleast_1d(_numbers("times", times))
    if array.ndim != 1 or np.any(array < 0) or np.any(np.diff(array) < 0):
        raise InputError("The times (or steps) must be a list of numbers that are not negative and do not decrease.")
    return array


def _matrix(name: str, values: Any) -> np.ndarray:
    array = _numbers(name, values)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"`{name}` must be a non-empty matrix, got shape {array.shape}.")
    return array


def _numbers(name: str, values: Any) -> np.ndarray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"`{name}` must hold real numbers: {error}") from None
    if not np.isfinite(array).all():
        raise InputError(f"`{name}` holds a NaN or an infinite value.")
    return array
