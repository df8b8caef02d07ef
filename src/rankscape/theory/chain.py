"""The chain of factors and the entries it should fit, as the predictions about landscapes and jumps take them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import positive, several, whole
from rankscape.ground.types import ArrayLike, Matrix


def entries(matrix: ArrayLike) -> Entries:
    """The entries of a matrix that are not NaN: all of them for a fully observed target; they unpack into three arrays.

    Raises
    ------
    InputError
        Not a matrix of numbers, an infinite value, or nothing but NaN.

    Examples
    --------
    >>> import numpy as np
    >>> rows, columns, values = entries([[1.0, np.nan], [2.0, 3.0]])
    >>> rows.tolist(), columns.tolist(), values.tolist()
    ([0, 1, 1], [0, 0, 1], [1.0, 2.0, 3.0])
    """
    seen = Entries.from_array(matrix, "`matrix`")
    if not seen.count:
        raise InputError(f"all of the matrix of shape {seen.shape} is NaN: at least one entry must be finite.")
    return seen


def array_of(name: str, values: object) -> np.ndarray:
    """The numbers as float64; the caller's array itself when it already is one."""
    return real_array(values, name, copy=False)


def check_entries(rows: ArrayLike, columns: ArrayLike, values: ArrayLike, shape: tuple[int, int]) -> Entries:
    """At least one entry, each given once."""
    seen = Entries(rows, columns, values, shape)
    if not seen.count:
        raise InputError("`rows`, `columns` and `values` are empty: at least one entry is needed.")
    return seen


def check_gradient(gradient: object, factors: Sequence[Matrix]) -> Matrix:
    """A finite gradient by the product, of its shape."""
    G, shape = array_of("gradient", gradient), (len(factors[-1]), factors[0].shape[1])
    if G.shape != shape or not np.isfinite(G).all():
        raise InputError(f"`gradient` must be a finite matrix of the product's shape {shape}, got shape {G.shape}.")
    return G


def check_chain(factors: Sequence[ArrayLike], least: int = 2) -> list[Matrix]:
    """Finite matrices whose widths chain, at least `least` of them.

    Raises
    ------
    InputError
        Too few factors, one that is no finite matrix, or two that do not fit together.
    """
    matrices = [array_of(f"factors[{l}]", W) for l, W in enumerate(several("factors", factors))]
    if len(matrices) < least:
        raise InputError(f"at least {least} factors are needed, got {len(matrices)}.")
    for l, W in enumerate(matrices, start=1):
        if W.ndim != 2 or not W.size or not np.isfinite(W).all():
            raise InputError(f"factor W_{l} must be a non-empty matrix of finite numbers, got shape {W.shape}.")
    for l, (lower, upper) in enumerate(pairwise(matrices), start=1):
        if upper.shape[1] != lower.shape[0]:
            raise InputError(
                f"the widths do not chain: W_{l} has {lower.shape[0]} rows, W_{l + 1} has {upper.shape[1]} columns."
            )
    return matrices


def deep_chain(factors: Sequence[ArrayLike]) -> list[Matrix]:
    """Factors of a depth at which ranks can be absorbing."""
    matrices = check_chain(factors, least=1)
    check_deep(len(matrices))
    return matrices


def check_deep(depth: object) -> int:
    """At depth 2 the data can lift a dead mode at the rate at which the ridge shrinks it: no rank is absorbing."""
    depth = whole("depth", depth, least=1)
    if depth < 3:
        raise InputError(
            f"depth {depth} has no absorbing sets of low rank: on a small mode s the ridge pulls with a force of order "
            "s and the data with s^(2 - 2/depth), which is no smaller at depth 2, so that the mode can grow back. Use "
            "depth 3 or more."
        )
    return depth


def weight_of(weight: object, count: int) -> float:
    """The weight of one squared residual: ``1 / count`` for completion when it is left out."""
    return 1.0 / count if weight is None else positive("weight", weight)


def decay(learning_rate: object, ridge: object) -> tuple[float, float, float]:
    r""":math:`\eta, \lambda` and :math:`\rho = 1 - 2\eta\lambda > 0`, by which a step shrinks every weight."""
    eta, lam = positive("learning_rate", learning_rate), positive("ridge", ridge)
    rho = 1 - 2 * eta * lam
    if rho <= 0:
        raise InputError(
            f"learning rate {eta:g} is beyond stability: at ridge {lam:g} it must be below {1 / (2 * lam):g}, or the "
            "weights change sign at every step."
        )
    return eta, lam, rho


class Sides(NamedTuple):
    """The products above and below every layer: ``W = above[l] @ factors[l] @ below[l]``."""

    above: list[np.ndarray]
    below: list[np.ndarray]


def sides(factors: Sequence[Matrix]) -> Sides:
    """Partial products, each made from its neighbour."""
    below, above = [np.eye(factors[0].shape[1])], [np.eye(factors[-1].shape[0])]
    for W in factors[:-1]:
        below.append(W @ below[-1])
    for W in reversed(factors[1:]):
        above.append(above[-1] @ W)
    return Sides(above[::-1], below)


def imbalances(factors: Sequence[Matrix]) -> list[Matrix]:
    """``D_l = W_{l+1}^T W_{l+1} - W_l W_l^T`` at every joint."""
    return [upper.T @ upper - lower @ lower.T for lower, upper in pairwise(factors)]


def squared_norm(array: np.ndarray) -> float:
    """The sum of squares: of a matrix, its Frobenius norm squared."""
    return float(np.vdot(array, array))


def product_gradient(product: Matrix, seen: Entries, weight: float) -> Matrix:
    r"""The gradient of :math:`\frac{c}{2}\sum (A_{ij} - T_{ij})^2` by A, each square times its weight."""
    G = np.zeros(product.shape)
    pull = seen.at(product) - seen.values
    G[seen.rows, seen.columns] += weight * (pull if seen.weights is None else seen.weights * pull)
    return G
