"""A start along the singular vectors of the target: each mode moves alone."""

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, positive, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.exact.paths import AlignedPath
from rankscape.theory.exact.scalar_modes import descent_of, flow_of, scales_of
from rankscape.theory.inputs import DEEPEST, matrix_of, steps_of, times_of


@within_floats
def aligned_flow(
    target: ArrayLike,
    depth: int,
    alpha: ArrayLike,
    times: ArrayLike,
    *,
    ridge: float = 0.0,
    rtol: float = 1e-11,
    atol: float = 1e-13,
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
    times, ridge, rtol, atol
        As in `end_to_end_flow`.

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
    depth, ridge, times = whole("depth", depth, 1, DEEPEST), nonnegative("ridge", ridge), times_of(times)
    U, sigma, V, start = _aligned(target, alpha)
    modes = flow_of(sigma, 1.0, depth, ridge, start, times, rtol, atol)
    return AlignedPath(times, modes, sigma, U, V, _assumptions("gradient flow"))


@within_floats
def aligned_descent(
    target: ArrayLike, depth: int, alpha: ArrayLike, learning_rate: float, steps: ArrayLike, *, ridge: float = 0.0
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
    depth, rate = whole("depth", depth, 1, DEEPEST), positive("learning_rate", learning_rate)
    ridge, wanted = nonnegative("ridge", ridge), steps_of(steps)
    U, sigma, V, start = _aligned(target, alpha)
    modes = descent_of(sigma, 1.0, depth, ridge, start, wanted, rate)
    if not np.all(np.isfinite(modes)):
        raise InputError(f"the recursion overflows at learning rate {rate:g}: see `step_limit`.")
    return AlignedPath(np.array(wanted), modes, sigma, U, V, _assumptions("gradient descent"))


def _aligned(target: ArrayLike, alpha: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """U, the singular values and V of the target, and where each mode starts."""
    U, sigma, Vt = thin_svd(matrix_of("target", target))
    return U, sigma, Vt.T, scales_of(alpha, len(sigma))


def _assumptions(dynamics: str) -> tuple[str, ...]:
    start = "a balanced start along the singular vectors of the target"
    return dynamics, "squared distance to a fully seen target", start, "hidden widths of at least the number of modes"
