r"""The soft rank: a smooth, concave count of the singular values that matter."""

from collections.abc import Sequence

import numpy as np

from rankscape.ground.checks import positive
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.chain import array_of, check_chain


@within_floats
def soft_count(x: ArrayLike, alpha: float) -> np.ndarray:
    r"""How much an eigenvalue counts: 0 at 0, 1 from `alpha` on, concave and once differentiable between.

    .. math:: f_\alpha(x) = x (2\alpha - x) / \alpha^2 \quad (x \le \alpha), \qquad 1 \quad (x > \alpha)

    Examples
    --------
    >>> soft_count([0.0, 0.5, 1.0, 7.0], alpha=1.0).tolist()
    [0.0, 0.75, 1.0, 1.0]
    """
    # Clipped first: above alpha the parabola would fall again.
    y = np.minimum(array_of("x", x) / positive("alpha", alpha), 1.0)
    return y * (2 - y)


def soft_slope(x: np.ndarray, alpha: float) -> np.ndarray:
    r"""The derivative :math:`2(\alpha - x)_+ / \alpha^2` of `soft_count`."""
    return 2 * np.maximum(alpha - x, 0.0) / alpha**2


@within_floats
def soft_rank(factors: Sequence[ArrayLike], alpha: float) -> np.ndarray:
    r"""The soft rank of every layer, :math:`F_l = \sum_i f_\alpha(s_i(W_l)^2)`.

    It lies between 0 and the rank, and equals the rank when no squared singular value is inside :math:`(0, \alpha)`.
    At a balanced point all layers have the same.

    Parameters
    ----------
    factors : sequence of array
        ``[W_1, ..., W_L]``.
    alpha : float
        :math:`\alpha > 0`, in units of squared singular values of the layers, :math:`s(W)^{2/L}`.

    Examples
    --------
    >>> import numpy as np
    >>> soft_rank([np.diag([2.0, 0.5])] * 3, alpha=0.5).tolist()
    [1.75, 1.75, 1.75]
    """
    return np.array([soft_count(np.linalg.svd(W, compute_uv=False) ** 2, alpha).sum() for W in check_chain(factors, 1)])
