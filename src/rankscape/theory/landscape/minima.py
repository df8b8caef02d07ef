"""Every local minimum of the fully observed problem."""

from dataclasses import dataclass

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.landscape.scalar import critical_points, scalar_thresholds, targets_of


@dataclass(frozen=True, eq=False)
class LocalMinimum:
    """One local minimum, up to rotations of the hidden spaces."""

    rank: int
    singular_values: np.ndarray
    """Of the product, descending: the first `rank` modes of the target, shrunk."""
    objective: float
    """The loss plus the ridge."""
    is_global: bool
    strict: bool
    """False when a direction other than a rotation of hidden spaces is flat: a tie of the target's modes is cut."""
    assumptions: tuple[str, ...] = (
        "every entry is observed, with the same weight",
        "all hidden widths are at least the rank",
    )


@within_floats
def local_minima(singular_values: ArrayLike, depth: int, ridge: float, weight: float = 1.0) -> list[LocalMinimum]:
    r"""All local minima of :math:`\frac{c}{2}\|W - T\|_F^2 + \lambda \sum_l \|W_l\|_F^2`.

    At depth 3 or more a set of kept modes is a local minimum iff it is :math:`\{1, \dots, k\}` with
    :math:`a_k > a_c` (`scalar_thresholds`), each at its scalar minimum :math:`s_+`: one for every rank from 0 to
    :math:`\#\{a_i > a_c\}`, not one for every subset. To keep a mode and drop a larger one is a strict saddle: rotating
    one into the other descends. At depth 2 the problem in W is convex, and the soft threshold is the only minimum.

    Parameters
    ----------
    singular_values : array_like
        :math:`a_i` of the target, in any order.
    depth, ridge : int, float
        :math:`L \ge 2`, :math:`\lambda > 0`.
    weight : float
        :math:`c`: 1 for estimation, :math:`1/(n_{out} n_{in})` for completion with every entry observed.

    Returns
    -------
    list of LocalMinimum
        By increasing rank.

    Raises
    ------
    InputError
        Singular values that are negative or not finite, a ridge or weight that is not positive, depth below 2.

    Notes
    -----
    Derived; the case of one ridge for all layers of Chen, Jiang, Wang, arXiv 2506.20344.

    Examples
    --------
    >>> [(m.rank, round(m.objective, 4), m.is_global) for m in local_minima([3.0, 2.0, 1.0], depth=3, ridge=0.09)]
    [(0, 7.0, False), (1, 3.0537, False), (2, 1.4719, False), (3, 1.2245, True)]
    >>> [m.rank for m in local_minima([3.0, 2.0, 1.0], depth=2, ridge=0.09)]
    [3]
    """
    a, L = targets_of("singular_values", singular_values), whole("depth", depth, least=2)
    if a.ndim != 1:
        raise InputError(f"`singular_values` must be a vector, got shape {a.shape}.")
    a = np.sort(a)[::-1]
    ridge, c = positive("ridge", ridge), positive("weight", weight)
    modes, limits = critical_points(a, L, ridge, c), scalar_thresholds(L, 2 * ridge / c)
    # The price of keeping the first k modes and dropping the others, for every k at once.
    dropped = np.append(np.cumsum(modes.objective(0.0)[::-1])[::-1], 0.0)
    kept = np.append(0.0, np.cumsum(modes.objective(modes.minimum)))
    # Only modes above the threshold have a minimum other than zero.
    most = int(np.sum(a > limits.a_local))
    # On the threshold itself both minima are global.
    best, ties = int(np.sum(a > limits.a_global)), int(np.sum(a >= limits.a_global))
    return [
        LocalMinimum(
            k,
            np.append(modes.minimum[:k], np.zeros(len(a) - k)),
            float(kept[k] + dropped[k]),
            is_global=best <= k <= ties,
            strict=_strict(a, k, L, limits.a_local),
        )
        for k in (range(most + 1) if L > 2 else [most])
    ]


def _strict(a: np.ndarray, k: int, L: int, a_local: float) -> bool:
    """No tie between the last kept and the first dropped mode; at depth 2, no mode exactly at the threshold."""
    inside = 0 < k < len(a)
    return not (inside and a[k - 1] == a[k]) and (L > 2 or not np.any(a == a_local))
