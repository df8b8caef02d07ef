r"""WHAT moves: the factors, their product, their imbalance, and the compression of dead hidden directions.

``factors = [W_1, ..., W_N]`` and ``W = W_N @ ... @ W_1``; `widths` is ``(n_in, d_1, ..., d_{N-1}, n_out)``,
so ``W_l`` has shape ``(widths[l], widths[l-1])``.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import DEEPEST, nonnegative, several, whole
from rankscape.ground.linalg import thin_svd
from rankscape.ground.memory import check_bytes
from rankscape.ground.range import within_floats
from rankscape.ground.types import Matrix
from rankscape.problem.base import product_of

# Arrays of the size of all factors that a run holds at once: themselves, their gradients, what they become.
COPIES = 4


@within_floats
def product(factors: Sequence[Matrix]) -> Matrix:
    """``W = W_N @ ... @ W_1``.

    Examples
    --------
    >>> import numpy as np
    >>> product([np.ones((2, 3)), np.ones((4, 2))]).shape
    (4, 3)
    """
    return product_of(_chain(factors))


@within_floats
def imbalance(factors: Sequence[Matrix]) -> list[Matrix]:
    """``W_{l+1}^T W_{l+1} - W_l W_l^T`` for l = 1 .. N-1: zero for balanced factors, conserved by gradient flow.

    Examples
    --------
    >>> import numpy as np
    >>> imbalance([np.eye(2), 3 * np.eye(2)])
    [array([[8., 0.],
           [0., 8.]])]
    """
    return [upper.T @ upper - lower @ lower.T for lower, upper in pairwise(_chain(factors))]


def _chain(factors: Sequence[Any]) -> list[Matrix]:
    """The factors as matrices that fit together, each as it is where it is one."""
    is_plain = lambda W: isinstance(W, np.ndarray) and W.dtype.kind == "f"
    given = enumerate(several("factors", factors), start=1)
    matrices = [W if is_plain(W) else real_array(W, f"W_{l}") for l, W in given]
    if not matrices:
        raise InputError("At least one factor is needed (depth 0 has no product).")
    for l, W in enumerate(matrices, start=1):
        if W.ndim != 2:
            raise InputError(f"Factor W_{l} must be a matrix, got shape {W.shape}.")
    for l, (lower, upper) in enumerate(pairwise(matrices), start=1):
        _check_fit(l, lower, upper)
    return matrices


def _check_fit(l: int, lower: Matrix, upper: Matrix) -> None:
    if upper.shape[1] != lower.shape[0]:
        raise InputError(
            f"The widths do not chain: W_{l} has shape {lower.shape}, so W_{l + 1} needs {lower.shape[0]} "
            f"columns, but it has shape {upper.shape}."
        )


def chain_widths(shape: tuple[int, int], depth: int, width: int | Sequence[int] | None) -> tuple[int, ...]:
    """``(n_in, d_1, ..., d_{N-1}, n_out)`` for a product of the given shape.

    `width` is one number for all hidden widths, a sequence of ``depth - 1`` numbers, or None for the larger
    of the outer dimensions (so that no rank is excluded).
    """
    depth = whole("depth", depth, 1, DEEPEST)
    n_out, n_in = shape
    if width is None or not isinstance(width, Iterable):
        hidden = [max(shape) if width is None else width] * (depth - 1)
    else:
        hidden = several("width", width)
    if len(hidden) != depth - 1:
        raise InputError(f"depth {depth} has {depth - 1} hidden widths, but `width` names {len(hidden)}.")
    widths = (n_in, *(whole("width", d, least=1) for d in hidden), n_out)
    numbers = sum(after * before for before, after in pairwise(widths))
    check_bytes(COPIES * 8 * numbers, f"Training {numbers:,} numbers at `depth` {depth}", "Choose a smaller `width`.")
    return widths


def factor_shapes(widths: Sequence[int]) -> list[tuple[int, int]]:
    """The shapes of ``W_1 .. W_N``."""
    return [(after, before) for before, after in pairwise(widths)]


def check_factors(factors: Sequence[Any], shape: tuple[int, int] | None = None) -> list[Matrix]:
    """Float64 copies of `factors`, checked to be finite matrices that chain (and match the outer shape)."""
    factors = several("factors", factors)
    if not len(factors):
        raise InputError("At least one factor is needed (depth 0 has no product).")
    matrices = []
    for l, factor in enumerate(factors, start=1):
        matrix = np.array(real_array(factor, f"W_{l}"), order="C")  # a copy, also of what fits already
        if matrix.ndim != 2 or matrix.size == 0:
            raise InputError(f"Factor W_{l} must be a non-empty matrix, got shape {matrix.shape}.")
        if not np.isfinite(matrix).all():
            raise InputError(f"Factor W_{l} holds a NaN or an infinite value.")
        matrices.append(matrix)
    for l, (lower, upper) in enumerate(pairwise(matrices), start=1):
        _check_fit(l, lower, upper)
    outer = (matrices[-1].shape[0], matrices[0].shape[1])
    if shape is not None and outer != tuple(shape):
        raise InputError(f"The factors multiply to shape {outer}, but the problem has shape {tuple(shape)}.")
    return matrices


class Compressed(NamedTuple):
    """What `compress` returns: the narrower factors and the largest relative singular value that was dropped."""

    factors: list[Matrix]
    discarded: float


@within_floats
def compress(factors: Sequence[Matrix], tolerance: float = 1e-12) -> Compressed:
    """Rotate every hidden space and drop the directions that are dead in both neighbouring layers.

    With a ridge and depth >= 3 trained factors collapse: hidden directions decay to rounding and stay there.
    Dropping them leaves the product, the ridge and every further gradient step unchanged up to rounding, and
    later steps cost the narrower width.

    Parameters
    ----------
    factors : list of array
        ``[W_1, ..., W_N]`` in float64, depth at least 3. At depth 2 a dead direction can grow back, so it is refused.
    tolerance : float
        A direction is dead when its singular value in both layers is below `tolerance` times the largest.

    Returns
    -------
    Compressed
        ``(factors, discarded)``.

    Examples
    --------
    >>> import numpy as np
    >>> wide = [np.diag([2.0, 1.0, 0.0])] * 3
    >>> [W.shape for W in compress(wide).factors]
    [(2, 3), (2, 2), (3, 2)]
    """
    factors, tolerance = _chain(factors), nonnegative("tolerance", tolerance)
    if len(factors) < 3:
        raise InputError(f"Width compression needs depth >= 3 (dead directions grow back), got depth {len(factors)}.")
    if any(W.dtype != np.float64 for W in factors):
        raise InputError("Width compression needs float64: in float32 dead directions stop near 5e-6.")
    rotations, discarded = [], 0.0
    for lower, upper in pairwise(factors):
        _, s, Qt = thin_svd(np.vstack([lower.T, upper]))  # dead only where both neighbours are
        alive = max(1, int(np.sum(s > tolerance * s[0])))  # a product needs at least one hidden direction
        if alive < len(s) and s[0] > 0:
            discarded = max(discarded, float(s[alive] / s[0]))
        rotations.append(Qt[:alive].T)
    narrow = []
    for l, W in enumerate(factors):
        left = W if l == len(factors) - 1 else rotations[l].T @ W
        narrow.append(np.ascontiguousarray(left if l == 0 else left @ rotations[l - 1]))
    return Compressed(narrow, discarded)
