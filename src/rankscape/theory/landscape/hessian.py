"""The Hessian of the objective, and what is flat in it because of symmetry."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike, Matrix
from rankscape.theory.chain import Sides, check_chain, check_entries, product_gradient, sides, weight_of
from rankscape.theory.landscape.critical import critical_check

# Parameters up to which the dense Hessian is formed (72 MB).
LARGEST = 3000


@within_floats
def hessian(
    factors: Sequence[ArrayLike],
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    ridge: float,
    weight: float | None = None,
) -> Matrix:
    r"""The Hessian of :math:`\frac{c}{2} \sum (W_{ij} - T_{ij})^2 + \lambda \sum_l \|W_l\|_F^2`, exactly.

    .. math:: c\, J^\top J + \sum_{l < l'} (\text{second derivatives of } \langle G, W \rangle) + 2 \lambda I

    Parameters are ordered ``W_1, W_2, ...``, each row by row.

    Parameters
    ----------
    factors, rows, columns, values, ridge, weight
        As for `critical_check`.

    Returns
    -------
    array of shape (parameters, parameters)

    Raises
    ------
    InputError
        More than 3000 parameters, or what `critical_check` refuses.

    Examples
    --------
    >>> hessian([[[1.0]], [[2.0]]], [0], [0], [5.0], ridge=0.5).tolist()   # 1/2 (vw - 5)^2 + (v^2 + w^2) / 2
    [[5.0, -1.0], [-1.0, 2.0]]
    """
    W, lam = check_chain(factors), positive("ridge", ridge)
    sizes = [w.size for w in W]
    if sum(sizes) > LARGEST:
        raise InputError(
            f"the dense Hessian is limited to {LARGEST} parameters, these factors have {sum(sizes)}: use a smaller "
            "width, or remove dead hidden directions first (rankscape.compress)."
        )
    both = sides(W)
    A = both.above[0] @ W[0]
    seen = check_entries(rows, columns, values, A.shape)
    c = weight_of(weight, len(seen.values))
    # Row k of J: the derivatives u_l v_l^T of the k-th observed entry by every layer.
    pairs = zip(both.above, both.below, strict=True)
    J = np.hstack(
        [(u[seen.rows, :, None] * v.T[seen.columns, None, :]).reshape(len(seen.values), -1) for u, v in pairs]
    )
    H = c * (J.T @ J) + _second(W, both, product_gradient(A, seen, c), np.cumsum([0, *sizes]))
    # The ridge is the same in every direction.
    H[np.diag_indices_from(H)] += 2 * lam
    return H


def _second(W: list[Matrix], both: Sides, G: Matrix, start: np.ndarray) -> Matrix:
    """Second derivatives of ``<G, W_L ... W_1>``: two layers vary, those between them stay."""
    H = np.zeros((start[-1], start[-1]))
    for l, m in combinations(range(len(W)), 2):
        between = np.eye(W[l].shape[0])
        for w in W[l + 1 : m]:
            between = w @ between
        outer = both.above[m].T @ G @ both.below[l].T
        block = np.einsum("ad,bc->abcd", outer, between).reshape(W[m].size, W[l].size)
        H[start[m] : start[m + 1], start[l] : start[l + 1]] = block
        H[start[l] : start[l + 1], start[m] : start[m + 1]] = block.T
    return H


@dataclass(frozen=True)
class HessianSignature:
    """The signs of the Hessian's eigenvalues, next to what symmetry alone makes flat."""

    negative: int
    zero: int
    positive: int
    rotations: int
    """Flat directions that every point of this rank has: rotations of the hidden spaces."""
    smallest: float
    """The eigenvalue of smallest modulus among those that are not zero."""
    kind: str
    """"strict minimum" (up to rotations), "strict saddle", "degenerate", or "not critical"."""
    assumptions: tuple[str, ...]


@within_floats
def hessian_signature(
    factors: Sequence[ArrayLike],
    rows: ArrayLike,
    columns: ArrayLike,
    values: ArrayLike,
    ridge: float,
    weight: float | None = None,
    tolerance: float = 1e-7,
) -> HessianSignature:
    r"""Negative, zero and positive curvatures at a critical point, and how many zeros are rotations.

    Rotating the hidden spaces leaves the objective unchanged. At a balanced point of rank k it moves

    .. math:: \sum_{l=1}^{L-1} \frac{k (2 d_l - k - 1)}{2}

    parameters' worth of directions, :math:`d_l` the hidden widths: those zeros are no degeneracy.

    Parameters
    ----------
    factors, rows, columns, values, ridge, weight
        As for `critical_check`.
    tolerance : float
        Eigenvalues below this share of the largest modulus count as zero; the point is critical when its gradient is
        below this share of the ridge's part of it.

    Returns
    -------
    HessianSignature

    Examples
    --------
    >>> import numpy as np
    >>> from rankscape.theory.landscape import balanced_factors, entries, local_minima
    >>> target = np.diag([3.0, 2.0])
    >>> factors = balanced_factors(np.diag(local_minima([3.0, 2.0], 3, 0.09)[1].singular_values), depth=3)
    >>> hessian_signature(factors, *entries(target), ridge=0.09, weight=1.0).kind
    'strict minimum'
    """
    W, tol = check_chain(factors), positive("tolerance", tolerance)
    check = critical_check(W, rows, columns, values, ridge, weight)
    eigenvalues = np.linalg.eigvalsh(hessian(W, rows, columns, values, ridge, weight))
    live = eigenvalues[np.abs(eigenvalues) > tol * np.abs(eigenvalues).max()]
    negative, positive_ = int(np.sum(live < 0)), int(np.sum(live > 0))
    # Compared with the rotations below: one more, and the point is degenerate.
    zero = len(eigenvalues) - len(live)
    rotations = sum(check.rank * (2 * w.shape[0] - check.rank - 1) // 2 for w in W[:-1])
    norm = np.sqrt(sum(np.vdot(w, w) for w in W))
    # First of all: signs of the Hessian mean nothing where the gradient is not zero.
    if check.gradient_norm > tol * 2 * ridge * max(norm, 1.0):
        kind = "not critical"
    elif negative:
        kind = "strict saddle"
    else:
        kind = "strict minimum" if zero == rotations else "degenerate"
    return HessianSignature(
        negative,
        zero,
        positive_,
        rotations,
        smallest=float(live[np.argmin(np.abs(live))]),
        kind=kind,
        assumptions=(f"eigenvalues below {tol:g} of the largest count as zero",),
    )
