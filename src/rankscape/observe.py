r"""WHAT is measured on a state: spectrum, rank measures, imbalance, norms, losses.

Four measures of rank, each with its own name; :math:`\sigma_1 \ge \sigma_2 \ge \dots` are the singular values:

=================  =============================================================================
effective_rank     :math:`\|W\|_* / \|W\|_2` (Chou et al. 2024)
stable_rank        :math:`\|W\|_F^2 / \|W\|_2^2`
entropy_rank       :math:`\exp H(\sigma / \sum\sigma)`, natural logarithm (Roy, Vetterli 2007)
numerical_rank     the number of :math:`\sigma_i > \mathrm{tolerance} \cdot \sigma_1`
=================  =============================================================================

All are undefined (NaN) at ``W = 0``, except `numerical_rank`, which is 0 there.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import imbalance, product
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import nonnegative
from rankscape.ground.types import ArrayLike, Matrix, Spectrum
from rankscape.problem.base import AbstractProblem

# Default relative tolerance of the numerical rank: float32 rounding leaves dead values near 5e-6.
RANK_TOLERANCE = {"float64": 1e-6, "float32": 1e-5}


def singular_values(matrix: ArrayLike) -> Spectrum:
    """Descending singular values of a matrix, or of a stack of matrices.

    Examples
    --------
    >>> import numpy as np
    >>> singular_values(np.diag([1.0, -4.0])).tolist()
    [4.0, 1.0]
    """
    array = matrix if isinstance(matrix, np.ndarray) and matrix.dtype.kind == "f" else real_array(matrix, "matrix")
    if array.ndim < 2 or not array.size or not np.isfinite(array).all():
        raise InputError(f"`matrix` must be a matrix of finite numbers that is not empty, got shape {array.shape}.")
    return np.linalg.svd(array, compute_uv=False)


def effective_rank(matrix: ArrayLike) -> Any:
    """Nuclear norm over spectral norm: between 1 and the rank.

    Examples
    --------
    >>> import numpy as np
    >>> float(effective_rank(np.diag([4.0, 2.0, 1.0])))
    1.75
    """
    return rank_measures(singular_values(matrix))["effective_rank"][()]


def stable_rank(matrix: ArrayLike) -> Any:
    """Squared Frobenius norm over squared spectral norm.

    Examples
    --------
    >>> import numpy as np
    >>> float(stable_rank(np.diag([4.0, 2.0, 1.0])))
    1.3125
    """
    return rank_measures(singular_values(matrix))["stable_rank"][()]


def entropy_rank(matrix: ArrayLike) -> Any:
    """Exponential of the entropy of the normalised singular values.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(entropy_rank(np.diag([4.0, 2.0, 1.0]))), 3)
    2.6
    """
    return rank_measures(singular_values(matrix))["entropy_rank"][()]


def numerical_rank(matrix: ArrayLike, tolerance: float = RANK_TOLERANCE["float64"]) -> Any:
    """Number of singular values above `tolerance` times the largest.

    Examples
    --------
    >>> import numpy as np
    >>> int(numerical_rank(np.diag([4.0, 2.0, 1e-9])))
    2
    """
    return rank_measures(singular_values(matrix), nonnegative("tolerance", tolerance))["numerical_rank"][()]


def rank_measures(sigma: Spectrum, tolerance: float = RANK_TOLERANCE["float64"]) -> dict[str, Any]:
    """All four rank measures of descending singular values along the last axis."""
    top = sigma[..., :1]
    zero = top[..., 0] == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sigma / top  # before any sum: squares of large or tiny values would leave the range
        share = ratio / ratio.sum(-1, keepdims=True)
        entropy = -np.where(share > 0, share * np.log(share), 0.0).sum(-1)
    return {
        "effective_rank": ratio.sum(-1),
        "stable_rank": (ratio * ratio).sum(-1),
        "entropy_rank": np.where(zero, np.nan, np.exp(entropy)),
        "numerical_rank": (sigma > tolerance * top).sum(-1),
    }


def spectrum_of_factors(factors: Sequence[Matrix]) -> Spectrum:
    """Singular values of the product; through two thin QR factorizations when a hidden width is narrow."""
    n_out, n_in = factors[-1].shape[0], factors[0].shape[1]
    modes = min(n_out, n_in)
    if len(factors) == 1 or 2 * max(factors[0].shape[0], factors[-1].shape[1]) > modes:
        return singular_values(product(factors))
    # The product keeps its singular values when the orthogonal parts of the outer factors are left out.
    R_out: Any = np.linalg.qr(factors[-1], mode="r")
    R_in: Any = np.linalg.qr(factors[0].T, mode="r")
    core = singular_values(product([R_in.T, *factors[1:-1], R_out]))
    return np.pad(core, (0, modes - len(core)))  # what a narrow width cannot reach is zero


def measure(problem: AbstractProblem, factors: Sequence[Matrix], ridge: float, tolerance: float) -> dict[str, Any]:
    """Everything that a trajectory records about one state, by the name of its variable."""
    sigma = spectrum_of_factors(factors)
    norms = np.array([np.linalg.norm(W) for W in factors])
    loss = problem.loss_of_factors(factors)
    record = losses(loss, ridge, norms, problem.heldout_loss_of_factors(factors))
    record |= {"singular_values": sigma} | rank_measures(sigma, tolerance)
    record["imbalance"] = np.array([np.linalg.norm(D) for D in imbalance(factors)])
    return record


def losses(loss: float, ridge: float, norms: np.ndarray, heldout: float | None) -> dict[str, Any]:
    """The parts of the objective: data, ridge, their sum, and the held-out loss where there is one."""
    penalty = ridge * float(np.sum(norms * norms))
    record = {"loss": loss, "ridge_penalty": penalty, "objective": loss + penalty}
    if heldout is not None:
        record["heldout_loss"] = heldout
    return {name: np.float64(value) for name, value in record.items()} | {"layer_norm": norms}
