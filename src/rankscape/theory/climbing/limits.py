"""Where training ends, and how fast the end is approached."""

from dataclasses import dataclass

import numpy as np

from rankscape.ground.checks import positive, real
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.climbing.imbalance_leaf import sharpness
from rankscape.theory.climbing.step_limit import too_large
from rankscape.theory.inputs import spectrum_of, start_of


@dataclass(frozen=True, eq=False)
class Limit:
    """What gradient descent converges to."""

    eigenvalues: np.ndarray
    """Limits of the product's eigenvalues, in the order given (descending for a matrix)."""
    matrix: np.ndarray | None
    """The limit of the product when the target was given as a matrix."""
    assumptions: tuple[str, ...]
    failed: str | None = None


@within_floats
def limit(
    eigenvalues: ArrayLike, depth: int, alpha: float, beta: float | None = None, learning_rate: float | None = None
) -> Limit:
    r"""What gradient descent converges to: the positive part of the target, or all of it.

    .. math:: p_i \to \max(\lambda_i, 0) \quad\text{(identical)}, \qquad p_i \to \lambda_i \quad\text{(perturbed)}

    Parameters
    ----------
    eigenvalues : array_like of shape (modes,) or (n, n)
        Eigenvalues :math:`\lambda_i` of the symmetric target, or the target itself.
    depth, alpha, beta
        :math:`N, \alpha, \beta`; `beta` is None for the identical start.
    learning_rate : float, optional
        :math:`\eta`; when given, `failed` says whether it is too large for the statement.

    Returns
    -------
    Limit

    Notes
    -----
    Chou, Gieshoff, Maly, Rauhut (2024); the conditions are derived, see `step_limit`.

    Examples
    --------
    >>> limit([2.0, -1.0], depth=3, alpha=0.1).eigenvalues.tolist()
    [2.0, 0.0]
    >>> limit([2.0, -1.0], depth=3, alpha=0.1, beta=0.05).eigenvalues.tolist()
    [2.0, -1.0]
    """
    start, lam = start_of(depth, alpha, beta), spectrum_of(eigenvalues)
    ends, failed, matrix = lam if start.beta is not None else np.maximum(lam, 0.0), None, None
    if np.ndim(eigenvalues) == 2:
        # Decomposed anew: the matrix is put together in the order of these vectors, not in that of `lam`.
        values, V = np.linalg.eigh(np.asarray(eigenvalues, dtype=np.float64))
        matrix = (V * (values if start.beta is not None else np.maximum(values, 0.0))) @ V.T
    assumptions = (*start.assumptions, "learning rate at most step_limit(..., kind='monotone')")
    if learning_rate is not None:
        failed = too_large(start, lam, positive("learning_rate", learning_rate))
    return Limit(ends, matrix, assumptions, failed)


@dataclass(frozen=True)
class Rate:
    """How fast one eigenvalue approaches its limit."""

    kind: str
    """"linear": the distance shrinks by `factor` a step; "sublinear": p decays like ``(eta k)**-exponent``."""
    factor: float | None
    exponent: float | None
    assumptions: tuple[str, ...]
    failed: str | None = None


@within_floats
def rate(eigenvalue: float, depth: int, alpha: float, learning_rate: float, beta: float | None = None) -> Rate:
    r"""The asymptotic rate at which one eigenvalue converges.

    ==========================  =========================================================
    identical, lam > 0          linear, :math:`1 - \eta N \lambda^{2-2/N}`
    identical, lam < 0, N = 2   linear, :math:`(1 - \eta|\lambda|)^2`
    identical, lam < 0, N > 2   :math:`p \sim ((N-2)|\lambda| t)^{-N/(N-2)}`
    identical, lam = 0          :math:`p = (p_0^{-(2N-2)/N} + (2N-2)t)^{-N/(2N-2)}`
    perturbed                   linear, :math:`1 - \eta S(\lambda, \delta)`
    ==========================  =========================================================

    Parameters
    ----------
    eigenvalue, depth, alpha, learning_rate, beta
        :math:`\lambda, N, \alpha, \eta, \beta`; `beta` is None for the identical start.

    Returns
    -------
    Rate
        `failed` names the reason when the learning rate is above the monotone limit.

    Notes
    -----
    Derived. For the perturbed start :math:`\delta` is taken at step 0; gradient descent shrinks it slightly.

    Examples
    --------
    >>> round(rate(4.0, depth=2, alpha=0.1, learning_rate=0.01).factor, 12)
    0.92
    >>> rate(-1.0, depth=3, alpha=0.1, learning_rate=0.01).exponent
    3.0
    """
    start, lam = start_of(depth, alpha, beta), real("eigenvalue", eigenvalue)
    eta, N = positive("learning_rate", learning_rate), start.depth
    failed = too_large(start, np.array([lam]), eta)
    if start.beta is not None:
        factor = abs(1 - eta * float(sharpness(N, lam, start.imbalance)))
        return Rate("linear", factor, None, (*start.assumptions, "imbalance as at step 0"), failed)
    if lam > 0:
        return Rate("linear", abs(1 - eta * N * lam ** (2 - 2 / N)), None, start.assumptions, failed)
    if lam < 0 and N == 2:
        return Rate("linear", (1 - eta * abs(lam)) ** 2, None, start.assumptions, failed)
    # Powers of time that solve p' = -N p^(2-2/N) (|lam| + p) for small p.
    exponent = N / (N - 2) if lam < 0 else N / (2 * N - 2)
    return Rate("sublinear", None, exponent, start.assumptions, failed)
