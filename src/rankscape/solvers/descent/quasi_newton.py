"""Limited-memory BFGS (Liu, Nocedal 1989) for long vectors: one compiled pass over the memory for each direction.

SciPy's L-BFGS-B carries bounds that are not needed here; on 64,000 unknowns it spends 5 ms an iteration on itself,
as long as the objective takes, where the two loops below take 1 ms.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import get_blas_funcs

from rankscape.ground.jit import compiled

# Pairs kept; 8 to 30 need nearly the same number of iterations on these objectives.
MEMORY = 12

# Numbers in the memory up to which BLAS goes through it: the loop saves 10 microseconds.
FEW_KEPT = 2_000_000

# Share of the predicted decrease that a step must reach (Armijo).
DECREASE = 1e-4

# Shortenings of a step before the search gives up: the decrease is below rounding then.
TRIALS = 20


class Minimum(NamedTuple):
    """Where a search ended."""

    x: np.ndarray
    value: float
    iterations: int
    converged: bool


_dot, _add = get_blas_funcs(("dot", "axpy"), dtype=np.float64)


@compiled("reassoc", "contract", "nsz")
def _direction(gradient, steps, changes, inverse, newest, count, out):
    """The two-loop recursion: ``out = -H gradient``; pairs sit in a ring that ends at `newest`."""
    memory, n = steps.shape
    weight = np.empty(memory)
    for i in range(n):
        out[i] = -gradient[i]
    for age in range(count):
        k = (newest - age) % memory
        dot = 0.0
        for i in range(n):
            dot += steps[k, i] * out[i]
        weight[k] = dot * inverse[k]
        for i in range(n):
            out[i] -= weight[k] * changes[k, i]
    if count:
        square = 0.0
        for i in range(n):
            square += changes[newest, i] * changes[newest, i]
        scale = 1.0 / (inverse[newest] * square)
        for i in range(n):
            out[i] *= scale
    for age in range(count - 1, -1, -1):
        k = (newest - age) % memory
        dot = 0.0
        for i in range(n):
            dot += changes[k, i] * out[i]
        share = weight[k] - dot * inverse[k]
        for i in range(n):
            out[i] += share * steps[k, i]


@_direction.few(FEW_KEPT)
def _direction_few(gradient, steps, changes, inverse, newest, count, out):
    ages = [(newest - age) % len(steps) for age in range(count)]
    np.negative(gradient, out=out)
    weight = {}
    for k in ages:  # these two functions take half as long as the same in NumPy's operators
        weight[k] = _dot(steps[k], out) * inverse[k]
        _add(changes[k], out, a=-weight[k])
    if count:
        out /= inverse[newest] * _dot(changes[newest], changes[newest])
    for k in reversed(ages):
        _add(steps[k], out, a=weight[k] - _dot(changes[k], out) * inverse[k])


def minimise_smooth(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x: np.ndarray,
    iterations: int,
    tolerance: float,
    watch: Callable[[int, np.ndarray], None] = lambda iteration, x: None,
) -> Minimum:
    """Minimise a smooth function from `x`.

    Parameters
    ----------
    objective : callable
        Returns value and gradient.
    x : ndarray, shape (n,)
        The start; not modified.
    iterations : int
        At most so many.
    tolerance : float
        Ends when three iterations in a row lower the value by less than this share of it.
    watch : callable, optional
        Receives each iteration's number and point.

    Returns
    -------
    Minimum
        ``converged`` is False when the iterations were used up.

    Examples
    --------
    >>> found = minimise_smooth(lambda x: (float(x @ x), 2 * x), np.array([3.0, 4.0]), 10, 1e-12)
    >>> bool(found.value < 1e-12), found.converged
    (True, True)
    """
    value, gradient = objective(x)
    steps, changes, inverse = np.empty((MEMORY, len(x))), np.empty((MEMORY, len(x))), np.empty(MEMORY)
    newest, count, idle = -1, 0, 0
    direction = np.empty_like(x)
    for iteration in range(1, iterations + 1):
        _direction(gradient, steps, changes, inverse, newest, count, direction)
        slope = float(gradient @ direction)
        if not slope < 0:  # zero gradient, or a memory spoilt by rounding
            return Minimum(x, value, iteration - 1, True)
        first = 1.0 if count else min(1.0, 0.1 * np.linalg.norm(x) / np.linalg.norm(direction))
        found = _shorten(objective, x, value, direction, slope, first)
        if found is None:
            if not count:
                return Minimum(x, value, iteration - 1, True)
            count = 0  # forget a bad memory and try steepest descent once
            continue
        new_x, new_value, new_gradient = found
        step, change = new_x - x, new_gradient - gradient
        product = float(step @ change)
        if product > 1e-10 * (float(step @ step) * float(change @ change)) ** 0.5:
            newest, count = (newest + 1) % MEMORY, min(count + 1, MEMORY)
            steps[newest], changes[newest], inverse[newest] = step, change, 1.0 / product
        idle = idle + 1 if value - new_value <= tolerance * abs(new_value) else 0
        x, value, gradient = new_x, new_value, new_gradient
        watch(iteration, x)
        if idle == 3:
            return Minimum(x, value, iteration, True)
    return Minimum(x, value, iterations, False)


def _shorten(objective, x, value, direction, slope, step):
    """Backtracking with quadratic interpolation; None when no step lowers the value."""
    for _ in range(TRIALS):
        new_x = x + step * direction
        new_value, gradient = objective(new_x)
        if new_value <= value + DECREASE * step * slope:
            return new_x, new_value, gradient
        excess = new_value - value - step * slope
        guess = -0.5 * slope * step * step / excess if np.isfinite(excess) and excess > 0 else 0.0
        step = min(max(guess, 0.1 * step), 0.5 * step)
    return None
