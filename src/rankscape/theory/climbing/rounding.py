r"""What rounding to float64 can hold back: a step near the start or the level that is hardly larger than its rounding.

With :math:`u = 2^{-53}` one rounded step is an exact one whose learning rate is off by a factor within
:math:`1 \pm \kappa`. Two things round: the sum that adds the step to a factor, and :math:`\lambda - p`.

.. math::

    \kappa = \frac{u}{\eta\, x^{N-2} |\lambda - p|} + \frac{(2N+2)\, u\, |p|}{|\lambda - p|}
    \;\text{(identical, } x^N = p), \qquad
    \kappa = \frac{u\, |b|}{\eta\, a^{N-1} |\lambda - p|} + \dots \;\text{(perturbed)}

It is largest at one of the two ends of the way. Derived.
"""

import numpy as np

from rankscape.theory.climbing.imbalance_leaf import lower_factor
from rankscape.theory.inputs import Start

UNIT = 2.0**-53

# From here on a rounded step may be lost altogether, and no bound of real numbers speaks about it.
LOST = 0.5

BEYOND = "beyond float64: one step near the level or the start is below rounding"


def width(depth: int, level):
    """How far the product of `depth` rounded factors may lie from that of real ones, in whatever order it is taken."""
    return (depth + 1) * UNIT * np.abs(level)


def kappa(start: Start, lam, level, eta: float, delta) -> np.ndarray:
    """The largest relative change of a step that rounding can make on the way; `delta` is the smallest imbalance."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ends = [_at(start, lam, p, eta, delta) for p in (np.full(np.shape(lam), start.product), level)]
    # Where nothing is a number nothing is known.
    return np.nan_to_num(np.maximum(*ends), nan=np.inf)


def _at(start: Start, lam, p, eta: float, delta) -> np.ndarray:
    N = start.depth
    if start.beta is None:
        lost = 1 / np.abs(p) ** ((N - 2) / N)
    else:
        b = lower_factor(N, p, delta)
        lost = np.abs(b) / np.sqrt(b**2 + delta) ** (N - 1)
    return UNIT * (lost / eta + (2 * N + 2) * np.abs(p)) / np.abs(lam - p)
