r"""What one step does to balance, norm and soft rank, exactly.

A step is :math:`W_l \leftarrow \rho W_l - \eta g_l` in all layers at once, with :math:`\rho = 1 - 2\eta\lambda` and
:math:`g_l = (W_L \cdots W_{l+1})^\top G (W_{l-1} \cdots W_1)^\top` for a gradient G by the product: of one entry,
:math:`G = e\, e_i e_j^\top`, of a batch, or of the whole loss.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.ground.checks import positive, real, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.absorbing.soft import soft_count, soft_slope
from rankscape.theory.chain import (
    array_of,
    check_chain,
    check_gradient,
    decay,
    imbalances,
    product_gradient,
    sides,
    squared_norm,
)  # fmt: skip


@within_floats
def batch_gradient(factors: Sequence[ArrayLike], rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> Matrix:
    r"""The gradient by the product of the mean of :math:`\frac12 (W_{ij} - y)^2` over a batch of entries.

    Examples
    --------
    >>> batch_gradient([[[3.0]], [[1.0], [2.0]]], rows=[1], columns=[0], values=[5.0]).tolist()   # the product is 3, 6
    [[0.0], [1.0]]
    """
    W = check_chain(factors)
    product = sides(W).above[0] @ W[0]
    values = array_of("values", values).ravel()
    count = len(values)
    if not count:
        raise InputError("`values` is empty: a batch has at least one entry.")
    # A batch is drawn with replacement: an entry that is drawn twice counts twice.
    batch = Entries(rows, columns, values, product.shape, np.ones(count), duplicates="mean")
    return product_gradient(product, batch, 1 / count)


def layer_gradients(factors: Sequence[Matrix], gradient: Matrix) -> list[Matrix]:
    r"""The gradients :math:`g_l` of all layers."""
    above, below = sides(factors)
    return [a.T @ gradient @ b.T for a, b in zip(above, below, strict=True)]


@within_floats
def imbalance_after(factors: Sequence[ArrayLike], gradient: Matrix, learning_rate: float, ridge: float) -> list[Matrix]:
    r"""The imbalance after the step, from that before it: the terms of first order cancel.

    .. math:: D_l^+ = \rho^2 D_l + \eta^2 (g_{l+1}^\top g_{l+1} - g_l g_l^\top)

    Parameters
    ----------
    factors : sequence of array
        ``[W_1, ..., W_L]`` before the step.
    gradient : array of shape (n_out, n_in)
        :math:`G`, see `batch_gradient`.
    learning_rate, ridge : float
        :math:`\eta, \lambda`.

    Returns
    -------
    list of array
        :math:`D_1^+, \dots, D_{L-1}^+`.

    Notes
    -----
    Derived.

    Examples
    --------
    >>> import numpy as np
    >>> imbalance_after([np.eye(1), np.eye(1)], np.ones((1, 1)), learning_rate=0.1, ridge=0.1)   # balanced stays so
    [array([[0.]])]
    """
    W = check_chain(factors)
    eta, _, rho = decay(learning_rate, ridge)
    g = layer_gradients(W, check_gradient(gradient, W))
    return [
        rho**2 * D + eta**2 * (upper.T @ upper - lower @ lower.T)
        for D, (lower, upper) in zip(imbalances(W), pairwise(g), strict=True)
    ]


@within_floats
def norms_after(factors: Sequence[ArrayLike], gradient: Matrix, learning_rate: float, ridge: float) -> np.ndarray:
    r"""The squared norms after the step: the term of first order is the same in every layer.

    .. math:: \|W_l^+\|_F^2 = \rho^2 \|W_l\|_F^2 - 2\rho\eta \langle G, W \rangle + \eta^2 \|g_l\|_F^2

    Examples
    --------
    >>> import numpy as np
    >>> norms_after([np.eye(1), np.eye(1)], np.ones((1, 1)), learning_rate=0.5, ridge=0.5).tolist()   # both become 0
    [0.0, 0.0]
    """
    W = check_chain(factors)
    eta, _, rho = decay(learning_rate, ridge)
    gradient = check_gradient(gradient, W)
    pull = float(np.vdot(gradient, sides(W).above[0] @ W[0]))
    g = layer_gradients(W, gradient)
    before, pushed = (np.array([squared_norm(matrix) for matrix in matrices]) for matrices in (W, g))
    return rho**2 * before - 2 * rho * eta * pull + eta**2 * pushed


@within_floats
def norm_bounds(
    factors: Sequence[ArrayLike],
    row: int,
    column: int,
    value: float,
    learning_rate: float,
    ridge: float,
) -> np.ndarray:
    r"""Bounds of the squared norms after a step on one entry, whatever its residual.

    .. math:: \|W_l^+\|_F^2 \le \rho^2 \|W_l\|_F^2 + \frac{\eta T_{ij}^2 \rho^2}{2\rho - \eta P_l}, \qquad
              P_l = \|u_l\|^2 \|v_l\|^2

    with :math:`u_l` row i of the product above the layer and :math:`v_l` column j of the product below it.

    Raises
    ------
    InputError
        :math:`\eta P_l \ge 2\rho`: the learning rate is beyond stability; the message names the limit.

    Examples
    --------
    >>> import numpy as np
    >>> norm_bounds([np.eye(1)] * 3, 0, 0, 1.0, learning_rate=0.5, ridge=0.5).tolist()
    [0.5, 0.5, 0.5]
    """
    W = check_chain(factors)
    eta, lam, rho = decay(learning_rate, ridge)
    above, below = sides(W)
    shape = above[0].shape[0], below[-1].shape[1]
    row, column = whole("row", row, 0, shape[0] - 1), whole("column", column, 0, shape[1] - 1)
    value = real("value", value)
    P = np.array([squared_norm(a[row]) * squared_norm(b[:, column]) for a, b in zip(above, below, strict=True)])
    if eta * P.max() >= 2 * rho:
        limit = 2 / (P.max() + 4 * lam)
        raise InputError(f"learning rate {eta:g} is beyond stability at this entry: it must be below {limit:.6g}.")
    return np.array([rho**2 * squared_norm(w) for w in W]) + eta * value**2 * rho**2 / (2 * rho - eta * P)


@within_floats
def soft_rank_bounds(
    factors: Sequence[ArrayLike], gradient: Matrix, alpha: float, learning_rate: float, ridge: float
) -> np.ndarray:
    r"""Upper bounds of the soft ranks after the step, for every learning rate and every ridge.

    With :math:`X = W_l^\top W_l` and :math:`h = f_\alpha'(X)`, because :math:`X \mapsto \operatorname{Tr} f_\alpha(X)`
    is concave:

    .. math:: F_l^+ \le F_l - (1-\rho^2) \operatorname{Tr}[hX] - 2\rho\eta \operatorname{Tr}[h W_l^\top g_l]
              + \eta^2 \operatorname{Tr}[h g_l^\top g_l]

    Linear plus convex in the gradient: a bound for every entry holds for every batch.

    Returns
    -------
    array of shape (depth,)

    Notes
    -----
    The idea is that of Wang, Jacot (2024); this form is derived.

    Examples
    --------
    >>> import numpy as np
    >>> soft_rank_bounds([np.diag([1.0, 0.1])] * 3, np.zeros((2, 2)), alpha=0.04, learning_rate=0.1, ridge=0.5).round(3)
    array([1.366, 1.366, 1.366])
    """
    W, alpha = check_chain(factors), positive("alpha", alpha)
    eta, _, rho = decay(learning_rate, ridge)
    bounds = []
    for w, g in zip(W, layer_gradients(W, check_gradient(gradient, W)), strict=True):
        _, s, Q = np.linalg.svd(w, full_matrices=True)
        # A wide layer has directions of value 0 too, and there the slope is steepest.
        x = np.zeros(len(Q))
        x[: len(s)] = s**2
        h, wQ, gQ = soft_slope(x, alpha), w @ Q.T, g @ Q.T
        first, second = np.sum(h * wQ * gQ), np.sum(h * gQ * gQ)
        start = soft_count(x, alpha).sum() - (1 - rho**2) * np.sum(h * x)
        bounds.append(start - 2 * rho * eta * first + eta**2 * second)
    return np.array(bounds)
