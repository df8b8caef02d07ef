"""What every prediction takes: a spectrum, a depth, a start and a step, checked once."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.checks import positive, whole
from rankscape.errors import InputError


@dataclass(frozen=True)
class Start:
    r"""The (perturbed) identical initialization of one eigenvalue.

    ``depth - 1`` factors are :math:`\alpha`, the last is :math:`\alpha - \beta` (:math:`\alpha` when `beta` is None).

    Examples
    --------
    >>> Start(depth=3, alpha=0.5, beta=0.1).product
    0.1
    """

    depth: int
    alpha: float
    beta: float | None = None

    @property
    def product(self) -> float:
        r"""The eigenvalue of the product at step 0, :math:`\alpha^{N-1}(\alpha-\beta)`."""
        return self.alpha ** (self.depth - 1) * (self.alpha - (self.beta or 0.0))

    @property
    def imbalance(self) -> float:
        r"""The imbalance at step 0, :math:`\delta_0 = \beta(2\alpha-\beta)`."""
        beta = self.beta or 0.0
        return beta * (2 * self.alpha - beta)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """The start and the dynamics in words."""
        if self.beta is None:
            start = f"identical start: all {self.depth} factors are alpha = {self.alpha:g} times the identity"
        else:
            start = (
                f"perturbed identical start: alpha = {self.alpha:g}, one of {self.depth} factors alpha - beta, "
                f"beta = {self.beta:g}"
            )
        return ("symmetric, fully observed target; no ridge", start)


def start_of(depth: Any, alpha: Any, beta: Any = None) -> Start:
    """A checked start.

    Raises
    ------
    InputError
        `depth` below 2, `alpha` not positive, or `beta` outside ``(0, alpha]``.
    """
    depth, alpha = whole("depth", depth, least=2), positive("alpha", alpha)
    if beta is None:
        return Start(depth, alpha)
    try:
        number = float(beta)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number <= alpha:
        raise InputError(
            f"`beta` must satisfy 0 < beta <= alpha = {alpha:g}, got {beta!r}; with a larger perturbed factor "
            "(beta < 0) negative eigenvalues are not learned for depth >= 3. Leave it out for the identical start."
        )
    return Start(depth, alpha, number)


def spectrum_of(eigenvalues: Any, *, learnable: bool = False) -> np.ndarray:
    """Finite eigenvalues as a float64 vector; a symmetric matrix gives its own, descending.

    Raises
    ------
    InputError
        No numbers, not finite, a matrix that is not symmetric, or (with `learnable`) nothing but zeros.
    """
    try:
        values = np.asarray(eigenvalues, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"`eigenvalues` must be numbers, got {eigenvalues!r}.") from error
    if not np.all(np.isfinite(values)) or values.size == 0 or values.ndim > 2:
        raise InputError(f"`eigenvalues` must be a non-empty vector of finite numbers, got shape {values.shape}.")
    if values.ndim == 2:
        if values.shape[0] != values.shape[1] or not np.allclose(values, values.T, rtol=1e-10, atol=0):
            raise InputError("a target given as a matrix must be symmetric; for others give its singular values.")
        values = np.linalg.eigvalsh(values)[::-1]
    values = np.atleast_1d(values)
    if learnable and not np.any(values):
        raise InputError("all eigenvalues are zero: there is nothing to learn, and no rank to predict.")
    return values


def real(name: str, value: Any) -> float:
    """A finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"`{name}` must be a finite number, got {value!r}.")
    return number


def tolerances_of(tolerance: Any) -> tuple[float, float]:
    """One relative tolerance, or a pair (active, inactive), each within (0, 1)."""
    pair = np.asarray(tolerance, dtype=np.float64).ravel()
    if pair.size not in (1, 2) or not np.all((pair > 0) & (pair < 1)):
        raise InputError(f"`tolerance` must lie within (0, 1), or be a pair of such numbers, got {tolerance!r}.")
    return float(pair[0]), float(pair[-1])
