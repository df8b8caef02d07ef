r"""WHERE a point belongs: down the gradient flow to a stationary point of loss plus ridge, and the rank found there.

At a stationary point of a chain of depth N at least 3 every nonzero singular value of ``W`` is at least

.. math:: \sigma_{\min} = (2 \lambda / \|\nabla f(W)\|)^{N/(N-2)},

so counting above half of this floor is no matter of taste (Wang, Jacot 2024).
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.factorization import check_factors, product
from rankscape.ground.checks import of_kind, positive
from rankscape.observe import spectrum_of_factors
from rankscape.problem import AbstractProblem

# Largest norm of a stationary point's gradient.
TOLERANCE = 1e-8

# How far one implicit step may move the factors, relative to their norm: a few such steps round every corner.
STRIDE = 0.02

# Options of the method that solves one implicit step.
INNER = dict(maxiter=200, maxcor=20, ftol=0.0)

# Implicit steps after which a relaxation gives up.
MOST = 5_000


class Relaxed(NamedTuple):
    """The end of a descent: the factors, the rank, the norm of the gradient, the implicit steps, and their success."""

    factors: list[np.ndarray]
    rank: int
    gradient: float
    steps: int
    converged: bool


def relax(
    problem: AbstractProblem,
    factors: Sequence[np.ndarray],
    ridge: float,
    most: int = MOST,
    stop: Callable[[], bool] | None = None,
) -> Relaxed:
    r"""Descend from `factors` to a stationary point of :math:`F = f + \lambda \sum_l \|W_l\|_F^2`, and count its rank.

    Gradient descent would take 1e5 steps and more. Here the gradient flow, its limit for small steps, is followed by
    implicit Euler steps

    .. math:: \theta_{k+1} = \operatorname{arg\,min}_\theta\; F(\theta) + \tfrac{1}{2\tau_k} \|\theta - \theta_k\|^2

    which descend for every :math:`\tau_k` and may become long where the flow is slow. They are kept so short that the
    factors move by a few percent at a time: so the flow's own valley is reached, and not just any. The end has a
    gradient of norm 1e-8, or of a millionth of the gradient of the ridge at the start where that is smaller.

    Parameters
    ----------
    problem : AbstractProblem
        The loss f, one that can be differentiated.
    factors : list of array
        Where to start. Not modified.
    ridge : float
        :math:`\lambda`, above 0.
    most : int
        Implicit steps to take at the most.
    stop : callable, optional
        Asked at every step and inside of it; the descent ends where it is once this says True. It changes no digit of
        one that is not stopped.

    Returns
    -------
    Relaxed
        The end, whose `converged` says whether it is at rest: it is not where the descent was stopped.

    Raises
    ------
    InputError
        The factors do not fit the problem, or loss or gradient are not finite where they are.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> start = [np.diag([1.0, 0.1])] * 3                              # the second mode is below its barrier
    >>> end = rs.relax(rs.Estimation(np.diag([3.0, 1.0])), start, ridge=0.1)
    >>> end.rank, rs.product(end.factors).round(4).tolist()
    (1, [[2.8591, 0.0], [0.0, 0.0]])
    """
    of_kind("problem", problem, AbstractProblem)
    start = check_factors(factors, problem.shape)
    stop = stop or _never
    descent = _Descent(problem, start, positive("ridge", ridge), stop)
    x = np.concatenate([W.ravel() for W in start])
    tolerance = min(TOLERANCE, 2e-6 * descent.ridge * float(np.linalg.norm(x)))
    with np.errstate(over="ignore", invalid="ignore"):  # said below
        value, slope = descent(x)
        gradient, time, steps = float(np.linalg.norm(slope)), 0.0, 0
    if not (np.isfinite(value) and np.isfinite(gradient)):
        raise InputError(
            f"Relaxation needs a finite loss and gradient, but at the start they are {value:g} and of norm "
            f"{gradient:g}: start elsewhere, take a smaller ridge, or a loss that is differentiable there."
        )
    while gradient > tolerance and steps < most and not stop():
        reach = STRIDE * float(np.linalg.norm(x))
        time = time or reach / gradient
        there = descent.implicit_step(x, time, max(0.01 * gradient, 0.5 * tolerance))
        moved, steps = float(np.linalg.norm(there - x)), steps + 1
        if moved > 2 * reach:
            time /= 4
            continue
        x, time = there, time * (2 if moved < reach else 1)
        gradient = float(np.linalg.norm(descent(x)[1]))
    found = descent.unpack(x)
    return Relaxed(found, rank_at_rest(problem, found, ridge), gradient, steps, gradient <= tolerance)


def _never() -> bool:
    return False


def rank_at_rest(problem: AbstractProblem, factors: Sequence[np.ndarray], ridge: float) -> int:
    """The number of singular values above half of the floor of stationary points; at depth 2 above 1e-3 of the top."""
    sigma, depth = spectrum_of_factors(factors), len(factors)
    if depth < 3 or sigma[0] == 0:
        return int(np.sum(sigma > 1e-3 * sigma[0]))
    force = float(np.linalg.norm(problem.gradient(product(factors)), 2))
    return 0 if force == 0 else int(np.sum(sigma > 0.5 * (2 * ridge / force) ** (depth / (depth - 2))))


class _Descent:
    """Loss plus ridge as a function of one long vector."""

    def __init__(self, problem: AbstractProblem, factors: Sequence[np.ndarray], ridge: float, stop: Callable[[], bool]):
        self.problem, self.ridge, self.stop, self.shapes = problem, ridge, stop, [W.shape for W in factors]
        self.cuts = np.cumsum([W.size for W in factors])[:-1]

    def unpack(self, x: np.ndarray) -> list[np.ndarray]:
        """The factors in a vector."""
        return [part.reshape(shape) for part, shape in zip(np.split(x, self.cuts), self.shapes, strict=True)]

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective and its gradient."""
        factors = self.unpack(x)
        products = list(accumulate(factors, lambda right, W: W @ right))
        carried, gradients = np.asarray(self.problem.gradient(products[-1])), []
        for W, right in zip(factors[:0:-1], products[-2::-1], strict=True):
            gradients.append(carried @ right.T)
            carried = W.T @ carried
        flat = np.concatenate([g.ravel() for g in (carried, *reversed(gradients))])
        return float(self.problem.loss(products[-1])) + self.ridge * float(x @ x), flat + 2 * self.ridge * x

    def implicit_step(self, x: np.ndarray, time: float, tolerance: float) -> np.ndarray:
        """The point that gradient flow reaches from x after this time, by one implicit Euler step."""
        from scipy.optimize import minimize

        def value(y: np.ndarray) -> tuple[float, np.ndarray]:
            objective, gradient = self(y)
            return objective + float((y - x) @ (y - x)) / (2 * time), gradient + (y - x) / time

        def look(_: np.ndarray) -> None:
            if self.stop():
                raise StopIteration  # how SciPy is told to end with what it has

        options: Any = INNER | {"gtol": tolerance / np.sqrt(x.size)}
        return minimize(value, x, jac=True, method="L-BFGS-B", callback=look, options=options).x
