"""Regression from a start along its modes: one scalar equation or recursion a mode."""

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import DEEPEST, nonnegative, of_kind, positive, whole
from rankscape.ground.types import ArrayLike
from rankscape.theory.exact.paths import AlignedPath
from rankscape.theory.exact.regression import RegressionModes
from rankscape.theory.exact.scalar_modes import descent_of, flow_of, scales_of
from rankscape.theory.inputs import steps_of, times_of


def regression_flow(
    modes: RegressionModes,
    depth: int,
    alpha: ArrayLike,
    times: ArrayLike,
    *,
    ridge: float = 0.0,
    rtol: float = 1e-11,
    atol: float = 1e-13,
) -> AlignedPath:
    r"""Gradient flow of a regression from factors along its `modes`, for any shape and depth.

    Parameters
    ----------
    modes : RegressionModes
        Of the covariances.
    depth, alpha, times, ridge, rtol, atol
        As in `aligned_flow`.

    Returns
    -------
    AlignedPath
        The modes at `times`.

    Examples
    --------
    >>> from rankscape.theory import regression_modes
    >>> modes = regression_modes([[2.0, 0.0], [0.0, 0.5]], [[3.0, 0.0], [0.0, 0.2]])
    >>> regression_flow(modes, depth=3, alpha=0.3, times=[0.0, 2.0, 100.0]).modes.round(4).tolist()
    [[0.027, 0.027], [1.5, 0.0383], [1.5, 0.4]]
    """
    of_kind("modes", modes, RegressionModes)
    N, lam, times = whole("depth", depth, 1, DEEPEST), nonnegative("ridge", ridge), times_of(times)
    c, sigma, start = modes.strengths, modes.curvatures, scales_of(alpha, len(modes.strengths))
    return _path(modes, times, flow_of(c, sigma, N, lam, start, times, rtol, atol), "gradient flow")


def regression_descent(
    modes: RegressionModes,
    depth: int,
    alpha: ArrayLike,
    learning_rate: float,
    steps: ArrayLike,
    *,
    ridge: float = 0.0,
) -> AlignedPath:
    r"""Gradient descent of a regression from factors along its `modes`: `regression_flow`, step by step.

    .. math:: d_i \leftarrow d_i + \eta\, d_i^{N-1} (c_i - \sigma_i d_i^N) - 2 \eta \lambda d_i, \qquad p_i = d_i^N

    Parameters
    ----------
    modes, depth, alpha, learning_rate, steps, ridge
        As in `regression_flow` and `aligned_descent`.

    Raises
    ------
    InputError
        The recursion overflows: the learning rate is beyond `RegressionModes.step_limits`, or the start is too large.

    Examples
    --------
    >>> from rankscape.theory import regression_modes
    >>> modes = regression_modes([[2.0]], [[3.0]])
    >>> regression_descent(modes, depth=2, alpha=0.5, learning_rate=0.01, steps=[0, 1]).modes[:, 0].round(10).tolist()
    [0.25, 0.26265625]
    """
    of_kind("modes", modes, RegressionModes)
    N, rate = whole("depth", depth, 1, DEEPEST), positive("learning_rate", learning_rate)
    lam, wanted = nonnegative("ridge", ridge), steps_of(steps)
    c, sigma, start = modes.strengths, modes.curvatures, scales_of(alpha, len(modes.strengths))
    found = descent_of(c, sigma, N, lam, start, wanted, rate)
    if not np.all(np.isfinite(found)):
        limit = float(modes.step_limits(N, float(np.max(start)), lam).min())
        raise InputError(
            f"the recursion overflows at learning rate {rate:g}: near the end steps are stable below {limit:.3g}, and "
            "from a start above it only smaller ones."
        )
    return _path(modes, np.array(wanted), found, "gradient descent")


def _path(modes: RegressionModes, at: np.ndarray, found: np.ndarray, dynamics: str) -> AlignedPath:
    return AlignedPath(at, found, modes.targets, modes.U, modes.V, (dynamics, *modes.assumptions))
