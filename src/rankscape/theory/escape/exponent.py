"""The exponent of the mean escape time."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import lambertw

from rankscape.ground.range import within_floats
from rankscape.theory.escape.holders import Holders, obstacle
from rankscape.theory.escape.scalar import ASSUMPTIONS, chain_of, roots
from rankscape.theory.landscape.scalar import critical_points

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True)
class EscapeExponent:
    """The logarithm of the mean escape time in epochs, up to a prefactor of about exp(3) to exp(4)."""

    value: float
    """S; the mean time grows like exp(S)."""
    single_gap: float
    """What one gap without any draw, long enough to fall over the barrier, would cost: an upper bound of S."""
    slope: float
    """V in S ~ V / learning_rate for small learning rates at the same ridge per epoch."""
    barrier: float
    """Singular value below which the mode is lost."""
    minimum: float
    """Singular value around which it lives."""
    assumptions: tuple[str, ...]
    failed: str | None = None
    """Why the model is not known to be about the mode in question."""


@within_floats
def wkb_exponent(
    target: float, depth: int, ridge_per_epoch: float, learning_rate: float, holders: Holders | None = None
) -> EscapeExponent:
    r"""The exponent of the mean escape time.

    .. math:: S = \int_{z_b}^{z_+} \pi(z) \, dz, \qquad 1 - q\pi = e^{-\pi J(z)}, \quad 0 < \pi \le 1/q

    Parameters
    ----------
    target : float
        :math:`a > 0`, the value of the entry that holds the mode; `supporting_target` for a mode at its minimum.
    depth : int
        :math:`L \ge 3`.
    ridge_per_epoch : float
        :math:`\lambda m`: the ridge times the number of observed entries.
    learning_rate : float
        :math:`\eta`.
    holders : Holders, optional
        Of the mode in question: whether the model is about it, see `failed`.

    Returns
    -------
    EscapeExponent

    Raises
    ------
    InputError
        The mode has no minimum and dies at once, the learning rate is beyond stability (the limit is named), or the
        depth is below 3.

    Notes
    -----
    Derived. Modes held by several entries escape sooner by decades, because the others jump and adapt: `holders` tells
    them apart, and `rankscape.jump_law` is for them.

    Examples
    --------
    >>> found = wkb_exponent(target=2.0, depth=3, ridge_per_epoch=0.4, learning_rate=0.1)
    >>> round(found.value, 2), round(found.single_gap, 1), round(found.slope, 2)
    (4.01, 11.3, 0.48)
    """
    chain = chain_of(target, depth, ridge_per_epoch, learning_rate)
    L, k, q = chain.L, chain.k, chain.q
    low, high = roots(chain)
    points = critical_points(target, depth, ridge_per_epoch)
    small_steps = (float(np.log(s)) / L for s in (points.barrier, points.minimum))
    return EscapeExponent(
        value=_action(lambda z: chain.jump(z) / q, low, high) / q,
        single_gap=(high - low) / q,
        slope=_action(lambda z: chain.pull(z) / k, *small_steps) / k,
        barrier=math.exp(L * low),
        minimum=math.exp(L * high),
        assumptions=(*ASSUMPTIONS, "exponential order only"),
        failed=obstacle(holders, learning_rate),
    )


def _action(ratio: Callable, low: float, high: float) -> float:
    """The integral of x with ``1 - x = exp(-x r)``, r the ratio of the two forces."""
    z = (low + high) / 2 + (high - low) / 2 * NODES
    r = np.maximum(ratio(z), 1.0)
    # The principal branch; r > 1 everywhere between the roots.
    x = 1 + np.real(lambertw(-r * np.exp(-r))) / r
    return float((high - low) / 2 * WEIGHTS @ x)
