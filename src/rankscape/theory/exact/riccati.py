"""Two layers: the flow of the product solves a matrix Riccati equation."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import several
from rankscape.ground.range import MOST_EVALUATIONS, within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.exact.paths import FlowPath
from rankscape.theory.inputs import matrix_of, times_of

# Imbalance, relative to the factors, that rounding may leave in a balanced start.
BALANCED = 1e-10

# Step of the Riccati flow in units of ``1 / ||F||``: over longer ones small modes drown in large ones.
STABLE_STEP = 0.5


@within_floats
def two_layer_flow(target: ArrayLike, start: Sequence[ArrayLike], times: ArrayLike) -> FlowPath:
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
    .. [fukumizu1998] Fukumizu, "Effect of batch learning in multilayer neural networks", International Conference on
       Neural Information Processing 1998.
    .. [braun2022] Braun, Dominé, Fitzgerald, Saxe, "Exact learning dynamics of deep linear networks with prior
       knowledge", NeurIPS 2022.
    """
    goal, (W_1, W_2), times = matrix_of("target", target), _two_layers(start), times_of(times)
    (n_out, n_in), product = goal.shape, W_2 @ W_1
    if product.shape != goal.shape:
        raise InputError(f"The start multiplies to shape {product.shape}, but `target` has shape {goal.shape}.")
    _check_balanced(W_1, W_2)
    values, vectors = np.linalg.eigh(np.block([[np.zeros((n_in, n_in)), goal.T], [goal, np.zeros((n_out, n_out))]]))
    # A step must resolve the start as well as the target.
    longest = STABLE_STEP / max(np.abs(values).max(), np.linalg.norm(W_1, 2) ** 2, np.finfo(float).tiny)
    Q, path = vectors.T @ np.vstack([W_1.T, W_2]), []  # in the eigenbasis of F, where its exponential is diagonal
    for before, after in pairwise([0.0, *times.tolist()]):
        count = int(np.ceil((after - before) / longest))
        if count > MOST_EVALUATIONS:
            raise InputError(
                f"Time {after:g} is {count:.2g} steps away, more than {MOST_EVALUATIONS:,}: ask for earlier `times`."
            )
        for _ in range(count):
            Q = _riccati_step(values, Q, (after - before) / count)
        whole_Q = vectors @ Q
        path.append(whole_Q[n_in:] @ whole_Q[:n_in].T)
    W = np.array(path).reshape(-1, n_out, n_in)
    return FlowPath(times, W, ("depth 2", "squared distance to a fully seen target", "balanced start"))


def _riccati_step(values: np.ndarray, Q: np.ndarray, h: float) -> np.ndarray:
    """``e^{hF} Q C^{-T}`` with ``C C^T = I + Q^T I_h Q``: Q up to a rotation of the hidden space."""
    still = values == 0
    # For an eigenvalue 0 the integral is h, the limit of the quotient.
    integral = np.where(still, h, np.expm1(2 * h * values) / np.where(still, 1.0, 2 * values))
    C = np.linalg.cholesky(np.eye(Q.shape[1]) + (Q.T * integral) @ Q)
    # By the triangular factor and not by a square root: any rotation of the hidden space will do.
    return np.linalg.solve(C, (np.exp(h * values)[:, None] * Q).T).T


def _two_layers(start: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Both factors, checked."""
    start = several("start", start)
    if len(start) != 2:
        raise InputError(f"`start` must be two factors (W_1, W_2), got {len(start)}.")
    W_1, W_2 = (matrix_of(f"W_{l}", W) for l, W in enumerate(start, start=1))
    if W_2.shape[1] != W_1.shape[0]:
        raise InputError(f"The widths do not chain: W_1 has shape {W_1.shape} and W_2 {W_2.shape}.")
    return [W_1, W_2]


def _check_balanced(W_1: np.ndarray, W_2: np.ndarray) -> None:
    # Relative to the factors: a start of size 1e-3 is not balanced by being small.
    gap = np.linalg.norm(W_2.T @ W_2 - W_1 @ W_1.T)
    scale = np.linalg.norm(W_1) ** 2 + np.linalg.norm(W_2) ** 2
    if gap > BALANCED * scale:
        raise InputError(
            f"`start` is not balanced: ||W_2^T W_2 - W_1 W_1^T|| = {gap:.2g}. This solution needs 0; "
            "simulate(..., dynamics=GradientFlow(...)) takes any start."
        )
