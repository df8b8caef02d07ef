"""The scalar chain: one mode that one observed entry holds, between the pull of its draws and that of the ridge."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from rankscape.errors import InputError
from rankscape.ground.checks import positive
from rankscape.ground.range import within_floats
from rankscape.theory.chain import check_deep

ASSUMPTIONS = (
    "one balanced mode, held by one observed entry",
    "single entries drawn with replacement, many of them in an epoch",
)


@within_floats
def supporting_target(singular_value: float, depth: int, ridge_per_epoch: float) -> float:
    r"""The target whose minimum is this singular value: :math:`a = s + 2\lambda m\, s^{2/L-1}`.

    Examples
    --------
    >>> round(supporting_target(1.6997, depth=3, ridge_per_epoch=0.4), 3)
    2.37
    """
    s, L = positive("singular_value", singular_value), check_deep(depth)
    return s + 2 * positive("ridge_per_epoch", ridge_per_epoch) * s ** (2 / L - 1)


class Chain(NamedTuple):
    """The scalar chain; `k` is twice the ridge per epoch, `q` its product with the learning rate."""

    a: float
    L: int
    k: float
    eta: float
    q: float

    def pull(self, z):
        """What one draw adds to z, to first order and per learning rate."""
        return (self.a - np.exp(self.L * z)) * np.exp((self.L - 2) * z)

    def jump(self, z):
        """What one draw adds to z."""
        return np.log1p(self.eta * self.pull(z))

    @property
    def hill(self) -> float:
        """Where the pull is largest."""
        p = 1 - 2 / self.L
        return (math.log(p / (1 + p)) + math.log(self.a)) / self.L

    @property
    def top(self) -> float:
        """The largest z that draws can reach from below the target."""
        z = np.linspace(self.hill, math.log(self.a) / self.L, 1001)
        return float(np.max(z + self.jump(z)))


def chain_of(target: float, depth: int, ridge_per_epoch: float, learning_rate: float) -> Chain:
    """The chain of checked numbers, stable and with a minimum."""
    a, L = positive("target", target), check_deep(depth)
    k, eta = 2 * positive("ridge_per_epoch", ridge_per_epoch), positive("learning_rate", learning_rate)
    chain = Chain(a, L, k, eta, eta * k)
    if _margin(chain) <= 0:
        # The margin falls with the rate, from 1 at 0: one root, which the message names.
        limit = _root(lambda x: _margin(chain._replace(eta=x)), 0.0, eta)
        raise InputError(f"learning rate {eta:g} is beyond stability for this target: it must be below {limit:.6g}.")
    if chain.jump(chain.hill) <= chain.q:
        raise InputError(
            f"at a ridge per epoch of {k / 2:g} a mode of target {a:g} has no minimum to escape from: it dies at once. "
            "Use a smaller ridge or learning rate."
        )
    return chain


def _margin(chain: Chain) -> float:
    """What is left of a weight at the largest z, after the next draw pulls it back."""
    with np.errstate(over="ignore"):  # a rate far beyond stability pulls back beyond all numbers
        return 1 + chain.eta * float(chain.pull(chain.top))


def roots(chain: Chain) -> tuple[float, float]:
    """Barrier and minimum in z, where a draw adds on average what the ridge takes; `critical_points` at rate 0."""
    # The force has one hill: one root on its left, one on its right. A unit below the left one, where rounding would
    # not tell the force of the draws from that of a tiny ridge.
    ends = (float(np.log(chain.k / chain.a)) / (chain.L - 2) - 1, chain.hill, math.log(chain.a) / chain.L)
    low, high = (_root(lambda z: float(chain.jump(z)) - chain.q, *span) for span in pairwise(ends))
    return low, high


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """A root between two signs; where rounding leaves no two signs, these numbers are beyond what floats hold."""
    try:
        return float(brentq(function, low, high, maxiter=2000))  # pyright: ignore[reportArgumentType]
    except (ValueError, RuntimeError) as error:
        raise ArithmeticError(f"no root is resolved: {error}") from error
