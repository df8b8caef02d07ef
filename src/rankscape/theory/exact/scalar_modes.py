r"""Modes that move alone: one scalar equation, or recursion, each.

Along common directions of target and inputs the factors stay aligned, and each mode obeys
:math:`\dot d = d^{N-1} (c - \sigma d^N) - 2 \lambda d`, with :math:`\sigma = 1` where the inputs are white.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.types import ArrayLike
from rankscape.theory.exact.ode import solve
from rankscape.theory.inputs import numbers_of


def scales_of(alpha: ArrayLike, count: int) -> np.ndarray:
    """Where each of so many modes starts."""
    scales = numbers_of("alpha", alpha)
    if scales.shape not in ((), (count,)):
        raise InputError(f"`alpha` must be one number or {count}, one a mode; got shape {scales.shape}.")
    if np.any(scales < 0):
        raise InputError("`alpha` must not be negative.")
    # A copy, because a broadcast view cannot be written to.
    return np.broadcast_to(scales, (count,)).astype(np.float64)


def flow_of(c, sigma, N: int, ridge: float, start: np.ndarray, times: np.ndarray, rtol: float, atol: float):
    """The products ``d^N`` at `times`, shape (times, modes)."""

    def slope(_: float, d: np.ndarray) -> np.ndarray:
        return d ** (N - 1) * (c - sigma * d**N) - 2 * ridge * d

    return solve(slope, start, times, rtol, atol) ** N


def descent_of(c, sigma, N: int, ridge: float, start: np.ndarray, steps: Sequence[int], rate: float) -> np.ndarray:
    """The same after these steps of gradient descent; not finite where the recursion overflows."""
    d, path = start, []
    with np.errstate(over="ignore", invalid="ignore"):
        # Step by step: this is the definition that engines are compared with.
        for before, after in pairwise([0, *steps]):
            for _ in range(after - before):
                d = d + rate * (d ** (N - 1) * (c - sigma * d**N) - 2 * ridge * d)
            path.append(d**N)
    return np.array(path).reshape(-1, len(start))
