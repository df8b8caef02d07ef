"""What a matrix costs when it is written as a product: the ridge in the language of its singular values."""

from collections.abc import Iterable, Sequence

import numpy as np

from rankscape.errors import InputError
from rankscape.ground import modes
from rankscape.ground.checks import DEEPEST, several, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.chain import array_of


@within_floats
def representation_cost(matrix: ArrayLike, depth: int) -> float:
    r"""The smallest ridge penalty of a product of `depth` factors equal to `matrix`.

    .. math:: \min_{W_L \cdots W_1 = A} \sum_l \|W_l\|_F^2 = L \sum_i s_i(A)^{2/L}

    the Schatten :math:`2/L` quasi-norm to the power :math:`2/L`, times L: twice the nuclear norm at depth 2, close to
    L times the rank for large depth. Hidden widths must be at least the rank.

    Parameters
    ----------
    matrix : array_like of shape (n_out, n_in)
        :math:`A`; singular values at rounding level count as zero.
    depth : int
        :math:`L`, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> representation_cost(np.diag([8.0, 1.0]), depth=3)
    15.0
    """
    L = whole("depth", depth, least=1)
    _, s, _ = _decompose(matrix)
    return float(L * np.sum(s ** (2 / L)))


@within_floats
def balanced_factors(matrix: ArrayLike, depth: int, width: int | Sequence[int] | None = None) -> list[Matrix]:
    r"""Factors of `matrix` with the smallest ridge penalty: every layer has the singular values :math:`s_i^{1/L}`.

    .. math:: W_l = Q_l S^{1/L} Q_{l-1}^\top, \qquad W_{l+1}^\top W_{l+1} = W_l W_l^\top

    Parameters
    ----------
    matrix : array_like of shape (n_out, n_in)
        The product.
    depth : int
        :math:`L`, at least 1.
    width : int or sequence of int, optional
        Hidden widths, at least the rank of `matrix`; the smaller of its dimensions when left out.

    Returns
    -------
    list of array
        ``[W_1, ..., W_L]``.

    Raises
    ------
    InputError
        A width below the rank.

    Examples
    --------
    >>> import numpy as np
    >>> [W.tolist() for W in balanced_factors(np.diag([8.0, 0.0]), depth=3, width=1)]
    [[[2.0, 0.0]], [[2.0]], [[2.0], [0.0]]]
    """
    L = whole("depth", depth, 1, DEEPEST)
    U, s, Vt = _decompose(matrix)
    if width is None or not isinstance(width, Iterable):
        hidden = [min(len(U), Vt.shape[1]) if width is None else width] * (L - 1)
    else:
        hidden = several("width", width)
    if len(hidden) != L - 1:
        raise InputError(f"depth {L} has {L - 1} hidden widths, but `width` names {len(hidden)}.")
    return modes.balanced_factors(modes.Modes(U, s, Vt.T), [whole("width", d, least=1) for d in hidden])


def _decompose(matrix: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The thin singular value decomposition without the part that is zero up to rounding."""
    A = array_of("matrix", matrix)
    if A.ndim != 2 or not A.size or not np.isfinite(A).all():
        raise InputError(f"a non-empty matrix of finite numbers is needed, got shape {A.shape}.")
    U, s, Vt = thin_svd(A)
    k = int(np.sum(s > np.finfo(float).eps * max(A.shape) * s[0]))
    return U[:, :k], s[:k], Vt[:k]
