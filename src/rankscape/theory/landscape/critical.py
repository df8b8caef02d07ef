"""How close a point is to a critical point, and which rank it then has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rankscape.ground.checks import nonnegative, positive, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.chain import (
    check_chain,
    check_entries,
    imbalances,
    product_gradient,
    sides,
    squared_norm,
    weight_of,
)


@dataclass(frozen=True, eq=False)
class CriticalCheck:
    """Residuals that vanish at every critical point, and the rank that a critical point there must have."""

    objective: float
    """The loss plus the ridge."""
    gradient_norm: float
    """Euclidean norm of the gradient of the objective, over all factors."""
    imbalance: float
    r"""The largest :math:`\|W_{l+1}^\top W_{l+1} - W_l W_l^\top\|_F`."""
    stationarity: float
    r"""The largest entry of :math:`U^\top G V + 2\lambda S^{2/L-1}` over the modes counted by `rank`."""
    rank_floor: float
    """No nonzero singular value of the product is smaller at a critical point; 0 at depth 2, where there is none."""
    rank: int
    """Singular values above half the floor (at depth 2, above 1e-6 of the largest)."""
    singular_values: np.ndarray
    """Of the product, descending."""
    assumptions: tuple[str, ...]


@within_floats
def critical_check(
    factors: Sequence[ArrayLike],
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    ridge: float,
    weight: float | None = None,
) -> CriticalCheck:
    r"""Gradient, imbalance, stationarity and principled rank of a point of the completion problem with a ridge.

    With :math:`G` the loss gradient by the product :math:`A = U S V^\top`, every critical point is balanced and obeys

    .. math:: U^\top G V = -2 \lambda S^{2/L - 1}, \qquad s_i > 0 \;\Rightarrow\; s_i \ge (2\lambda / \|G\|)^{L/(L-2)}

    so at depth 3 or more singular values below the floor can only be on their way to zero.

    Parameters
    ----------
    factors : sequence of array
        ``[W_1, ..., W_L]``, at least two.
    rows, columns, values : array_like of shape (m,)
        The observed entries; ``*entries(target)`` for a matrix, fully observed or with NaN.
    ridge : float
        :math:`\lambda > 0`.
    weight : float, optional
        Weight of one squared residual; :math:`1/m` when left out. Use 1 for estimation.

    Returns
    -------
    CriticalCheck

    Raises
    ------
    InputError
        Factors that do not chain, entries outside the product, a ridge that is not positive, non-finite numbers.

    Notes
    -----
    Derived; balancedness of local minima is in Wang, Jacot (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.theory.landscape import balanced_factors, entries, local_minima
    >>> minimum = local_minima([3.0, 1.0], depth=3, ridge=0.5)[1]
    >>> factors = balanced_factors(np.diag(minimum.singular_values), depth=3)
    >>> check = critical_check(factors, *entries(np.diag([3.0, 1.0])), ridge=0.5, weight=1.0)
    >>> check.rank, check.gradient_norm < 1e-12, check.stationarity < 1e-12, round(check.rank_floor, 3)
    (1, True, True, 1.0)
    """
    W, lam = check_chain(factors), positive("ridge", ridge)
    L, (above, below) = len(W), sides(W)
    A = above[0] @ W[0]
    seen = check_entries(rows, columns, values, A.shape)
    c = weight_of(weight, len(seen.values))
    G = product_gradient(A, seen, c)
    gradients = [a.T @ G @ b.T + 2 * lam * w for a, w, b in zip(above, W, below, strict=True)]
    U, s, Vt = np.linalg.svd(A)
    floor = rank_floor(float(np.linalg.norm(G, 2)), L, lam)
    # At a critical point nothing lies between 0 and the floor: its half tells both apart.
    k = int(np.sum(s > floor / 2)) if L > 2 else int(np.sum(s > 1e-6 * s[0]))
    residual = U[:, :k].T @ G @ Vt[:k].T + 2 * lam * np.diag(s[:k] ** (2 / L - 1))
    loss = c / 2 * float(np.sum((seen.at(A) - seen.values) ** 2))
    return CriticalCheck(
        objective=loss + lam * sum(map(squared_norm, W)),
        gradient_norm=float(np.sqrt(sum(map(squared_norm, gradients)))),
        imbalance=max(float(np.linalg.norm(D)) for D in imbalances(W)),
        stationarity=float(np.max(np.abs(residual), initial=0.0)),
        rank_floor=floor,
        rank=k,
        singular_values=s,
        assumptions=("the floor and the rank hold at critical points: read them where `gradient_norm` is small",),
    )


@within_floats
def rank_floor(gradient_norm: float, depth: int, ridge: float) -> float:
    r""":math:`(2\lambda/\|G\|)^{L/(L-2)}`: the smallest nonzero singular value that a critical point can have.

    `gradient_norm` is the operator norm of the loss gradient by the product. Depth 2 has no floor (0); with a gradient
    of zero no mode can be critical at all (infinite).

    Examples
    --------
    >>> round(rank_floor(gradient_norm=0.5, depth=3, ridge=0.1), 6), rank_floor(0.5, depth=2, ridge=0.1)
    (0.064, 0.0)
    """
    depth, norm = whole("depth", depth, least=1), np.float64(nonnegative("gradient_norm", gradient_norm))
    ridge = nonnegative("ridge", ridge)
    if depth < 3:
        return 0.0
    with np.errstate(divide="ignore", over="ignore"):
        return float((2 * ridge / norm) ** (depth / (depth - 2)))
