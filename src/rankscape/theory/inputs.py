"""What every prediction takes: a spectrum, a depth, a start and a step, checked once."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import DEEPEST, positive, real, whole
from rankscape.ground.range import MOST_STEPS
from rankscape.ground.types import ArrayLike

# Relative distance from its transpose that rounding may leave in a symmetric matrix.
ASYMMETRY = 1e-10

TINY, EPS = np.finfo(float).tiny, np.finfo(float).eps

# Eigenvalues are squared further on.
LARGEST = 1e140

# Of alpha: a smaller perturbation is no more than what rounding does to alpha in a run.
FAINTEST = 1e-12

# Relative gap that rounding may leave between equal eigenvalues.
CLUSTER = 1e-10

# Relative: one for all modes, or that of the active and that of the inactive ones.
Tolerance: TypeAlias = float | tuple[float, float]

# Decades that floating-point numbers span on either side of 1, with room.
RANGE = 290


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


def start_of(depth: object, alpha: object, beta: object = None) -> Start:
    """A checked start.

    Raises
    ------
    InputError
        `depth` outside 2 .. 1000, `alpha` not positive, `beta` outside ``(0, alpha]``, or powers of `alpha` that leave
        the range of floating-point numbers.
    """
    depth, alpha = whole("depth", depth, least=2, most=DEEPEST), positive("alpha", alpha)
    # Half the range upwards: the powers are squared further on.
    if not -RANGE < depth * math.log10(alpha) < RANGE / 2:
        raise InputError(f"`alpha` = {alpha:g} to the power of `depth` = {depth} is out of range: take it nearer to 1.")
    if beta is None:
        return Start(depth, alpha)
    number = real("beta", beta)
    if not 0 < number <= alpha:
        raise InputError(
            f"`beta` must satisfy 0 < beta <= alpha = {alpha:g}, got {beta!r}; with a larger perturbed factor "
            "(beta < 0) negative eigenvalues are not learned for depth >= 3. Leave it out for the identical start."
        )
    if number < FAINTEST * alpha:
        raise InputError(
            f"`beta` = {number:g} is lost in the rounding of alpha = {alpha:g}: negative eigenvalues would not be "
            f"learned in float64. Take at least {FAINTEST * alpha:.3g}, or leave it out for the identical start."
        )
    return Start(depth, alpha, number)


def numbers_of(name: str, values: ArrayLike) -> np.ndarray:
    """Finite real numbers as a new float64 array."""
    array = real_array(values, name)  # a copy: a prediction must not change with the array of the caller
    if not np.isfinite(array).all():
        raise InputError(f"`{name}` holds a NaN or an infinite value.")
    return array


def matrix_of(name: str, values: ArrayLike) -> np.ndarray:
    """A matrix that is not empty."""
    array = numbers_of(name, values)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"`{name}` must be a non-empty matrix, got shape {array.shape}.")
    return array


def times_of(times: ArrayLike) -> np.ndarray:
    """Times, or steps, in their order."""
    array = np.atleast_1d(numbers_of("times", times))
    if array.ndim != 1 or np.any(array < 0) or np.any(np.diff(array) < 0):
        raise InputError("The times (or steps) must be a list of numbers that are not negative and do not decrease.")
    return array


def steps_of(steps: ArrayLike) -> list[int]:
    """Numbers of steps, in their order; no more than a recursion takes one by one."""
    wanted = [
        whole("steps", step, 0, MOST_STEPS) for step in np.atleast_1d(numbers_of("steps", steps)).ravel().tolist()
    ]
    if any(late < early for early, late in pairwise(wanted)):
        raise InputError("`steps` must be in increasing order.")
    return wanted


def spectrum_of(eigenvalues: ArrayLike, *, learnable: bool = False) -> np.ndarray:
    """Finite eigenvalues as a float64 vector; a symmetric matrix gives its own, descending.

    Raises
    ------
    InputError
        No numbers, not finite, a matrix that is not symmetric, or (with `learnable`) nothing but zeros.
    """
    values = numbers_of("eigenvalues", eigenvalues)
    if values.size == 0 or values.ndim > 2:
        raise InputError(f"`eigenvalues` must be a non-empty vector or a matrix, got shape {values.shape}.")
    if values.ndim == 2:
        _check_symmetric(values)
        values = np.linalg.eigvalsh(values)[::-1]
        values[np.abs(values) <= len(values) * EPS * np.abs(values).max()] = 0.0  # what rounding leaves of zero
    values = np.atleast_1d(values)
    if np.abs(values).max() > LARGEST:
        raise InputError(
            f"`eigenvalues` reach {np.abs(values).max():g}, whose square leaves the range of floating point: take "
            "other units, in which they are nearer to 1."
        )
    if learnable and not np.any(values):
        raise InputError("all eigenvalues are zero: there is nothing to learn, and no rank to predict.")
    return values


def _check_symmetric(target: np.ndarray) -> None:
    if target.shape[0] != target.shape[1]:
        wrong = f"this one has shape {target.shape}"
    else:
        # Divided by the largest entry first, so that no square overflows.
        gap, size = (np.linalg.norm(A / max(np.abs(target).max(), TINY)) for A in (target - target.T, target))
        if gap <= ASYMMETRY * size:
            return
        wrong = f"here ||A - A^T|| = {gap / size:.2g} ||A||"
    raise InputError(
        f"A target given as a matrix must be symmetric; {wrong}. Give its symmetric part (A + A^T) / 2, or its "
        "singular values: they rule the start along its singular vectors (`aligned_flow`)."
    )


def alike(one: np.ndarray | float, other: np.ndarray | float) -> np.ndarray | np.bool:
    """Whether eigenvalues are equal but for rounding; elementwise for arrays."""
    return np.less_equal(np.abs(one - other), CLUSTER * np.abs(other))


def tolerances_of(tolerance: Tolerance) -> tuple[float, float]:
    """One relative tolerance, or a pair (active, inactive), each within (0, 1)."""
    pair = numbers_of("tolerance", tolerance).ravel()
    if pair.size not in (1, 2) or not np.all((pair > 0) & (pair < 1)):
        raise InputError(f"`tolerance` must lie within (0, 1), or be a pair of such numbers, got {tolerance!r}.")
    return float(pair[0]), float(pair[-1])
