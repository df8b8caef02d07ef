r"""One mode alone: :math:`h(s) = \frac{c}{2}(s-a)^2 + \lambda L s^{2/L}`, and when it survives the ridge."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import positive, shown, whole
from rankscape.ground.range import within_floats
from rankscape.ground.types import ArrayLike
from rankscape.theory.chain import array_of


class Thresholds(NamedTuple):
    """Where the nonzero minimum of one mode appears, and where it becomes the global one."""

    s_local: float
    """The double root at which barrier and minimum are born."""
    a_local: float
    """A nonzero local minimum exists iff the target exceeds this."""
    s_global: float
    """The nonzero minimum at the moment when it is as good as zero."""
    a_global: float
    """The nonzero minimum is the global one iff the target exceeds this."""


@within_floats
def scalar_thresholds(depth: int, kappa: float) -> Thresholds:
    r"""When one mode has a nonzero minimum, and when that is the global one.

    .. math::

        s_c = \Big(\kappa \frac{L-2}{L}\Big)^E, \quad a_c = \frac{2(L-1)}{L-2} s_c, \qquad
        s_g = (\kappa (L-2))^E, \quad a_g = \frac{L-1}{L-2} s_g, \qquad E = \frac{L}{2(L-1)}

    Depth 2 has one threshold, that of the soft threshold: :math:`a_c = a_g = \kappa`, :math:`s_c = s_g = 0`.

    Parameters
    ----------
    depth : int
        :math:`L`, at least 2.
    kappa : float
        :math:`\kappa = 2\lambda / c`: twice the ridge over the weight of the squared residual.

    Returns
    -------
    Thresholds
        ``(s_local, a_local, s_global, a_global)``.

    Raises
    ------
    InputError
        `depth` below 2, or `kappa` not positive.

    Notes
    -----
    Derived; the landscape is that of Wang, Jacot (2024).

    Examples
    --------
    >>> [round(value, 6) for value in scalar_thresholds(depth=3, kappa=1.0)]
    [0.438691, 1.754765, 1.0, 2.0]
    >>> scalar_thresholds(depth=2, kappa=0.5)
    Thresholds(s_local=0.0, a_local=0.5, s_global=0.0, a_global=0.5)
    """
    L, kappa = whole("depth", depth, least=2), positive("kappa", kappa)
    if L == 2:
        return Thresholds(0.0, kappa, 0.0, kappa)
    E = L / (2 * (L - 1))
    s_c, s_g = (kappa * (L - 2) / L) ** E, (kappa * (L - 2)) ** E
    return Thresholds(s_c, 2 * (L - 1) / (L - 2) * s_c, s_g, (L - 1) / (L - 2) * s_g)


@within_floats
def soft_threshold(singular_values: ArrayLike, kappa: float) -> np.ndarray:
    r"""What the ridge leaves of each mode at depth 2, where it is the nuclear norm: :math:`\max(a - \kappa, 0)`.

    Examples
    --------
    >>> soft_threshold([3.0, 0.2], kappa=0.5).tolist()
    [2.5, 0.0]
    """
    return np.maximum(targets_of("singular_values", singular_values) - positive("kappa", kappa), 0.0)


@dataclass(frozen=True, eq=False)
class CriticalPoints:
    """What becomes of modes that aim at `target`: below the barrier they die, above it they reach the minimum."""

    target: np.ndarray
    depth: int
    ridge: float
    weight: float
    barrier: np.ndarray
    """The critical point between zero and the minimum; infinite when every mode dies, 0 when none does (depth 2)."""
    minimum: np.ndarray
    """The local minimum above the barrier; 0 when there is none but zero."""
    assumptions: tuple[str, ...]

    def objective(self, s: ArrayLike) -> np.ndarray:
        r"""The mode's share of the objective, :math:`\frac{c}{2}(s-a)^2 + \lambda L s^{2/L}`."""
        s = np.asarray(s, dtype=np.float64)
        return np.asarray(self.weight / 2 * (s - self.target) ** 2 + self.ridge * self.depth * s ** (2 / self.depth))

    def curvature(self, s: ArrayLike) -> np.ndarray:
        r"""The Hessian of the chain :math:`w_l = s^{1/L}` along (1, .., 1) at a critical point s > 0.

        .. math:: L c s^{2-2/L} - 2\lambda(L-2)

        The ``depth - 1`` directions that unbalance the chain have curvature :math:`4\lambda`.
        """
        s = np.asarray(s, dtype=np.float64)
        falling = 2 * self.ridge * (self.depth - 2)
        return np.asarray(self.depth * self.weight * s ** (2 - 2 / self.depth) - falling)

    @property
    def height(self) -> np.ndarray:
        """What the objective must gain to climb from the minimum to the barrier; 0 without a nonzero minimum."""
        alive = self.minimum > 0
        barrier = np.where(alive, self.barrier, 0.0)
        return np.where(alive, self.objective(barrier) - self.objective(self.minimum), 0.0)

    @property
    def is_global(self) -> np.ndarray:
        """Whether the nonzero minimum lies below the value at zero."""
        return np.asarray((self.minimum > 0) & (self.objective(self.minimum) < self.objective(0.0)))


@within_floats
def critical_points(target: ArrayLike, depth: int, ridge: float, weight: float = 1.0) -> CriticalPoints:
    r"""The barrier and the minimum of one mode, or of many.

    Nonzero critical points solve

    .. math:: a = s + \kappa s^{2/L - 1}, \qquad \kappa = 2\lambda / c

    For :math:`L \ge 3` and :math:`a > a_c` (`scalar_thresholds`) there are two, :math:`s_b < s_c < s_+`: a strict
    saddle of the chain and a strict minimum. For :math:`L = 2` there is :math:`s = a - \kappa` alone.

    Parameters
    ----------
    target : float or array_like
        :math:`a \ge 0`, the singular values to fit.
    depth, ridge : int, float
        :math:`L \ge 2`, :math:`\lambda > 0`.
    weight : float
        :math:`c`: 1 for estimation, :math:`1/m` for m observed entries.

    Returns
    -------
    CriticalPoints

    Notes
    -----
    Derived. Newton's method in :math:`\log s`, where the equation is convex: it cannot fail.

    Examples
    --------
    >>> points = critical_points(3.0, depth=3, ridge=0.5)
    >>> round(float(points.barrier), 9), round(float(points.minimum), 9)
    (0.038500374, 2.235173514)
    >>> float(points.curvature(points.minimum)) > 0 > float(points.curvature(points.barrier))
    True
    """
    a, L = targets_of("target", target), whole("depth", depth, least=2)
    ridge, c = positive("ridge", ridge), positive("weight", weight)
    kappa = 2 * ridge / c
    least = scalar_thresholds(L, kappa).a_local
    alive = a > least
    # A mode that dies has no roots: those of another one are sought in its place, and not shown.
    log_a = np.asarray(np.log(np.where(alive, a, 2 * least)))
    if L == 2:
        barrier, minimum = np.where(alive, 0.0, np.inf), np.where(alive, a - kappa, 0.0)
    else:
        p = 1 - 2 / L
        # Newton starts outside of the roots, where one of the two terms alone already makes up a.
        barrier = np.where(alive, np.exp(_root(log_a, kappa, p, (math.log(kappa) - log_a) / p)), np.inf)
        minimum = np.where(alive, np.exp(_root(log_a, kappa, p, log_a)), 0.0)
    assumptions = ("balanced factors aligned with the target's singular vectors", "every entry observed, weight c")
    return CriticalPoints(a, L, ridge, c, barrier, minimum, assumptions)


def _root(log_a: np.ndarray, kappa: float, p: float, start: ArrayLike) -> np.ndarray:
    """Solve ``log(e^t + kappa e^(-p t)) = log a``: convex in t, so Newton from outside the roots is monotone."""
    t = np.asarray(start)
    for _ in range(100):
        total = np.logaddexp(t, math.log(kappa) - p * t)
        share = np.exp(t - total)
        slope = share - p * (1 - share)
        # At the fold of both roots the slope vanishes, and there the iteration has arrived.
        move = np.where(slope == 0, 0.0, (total - log_a) / np.where(slope == 0, 1.0, slope))
        t = np.asarray(t - move)
        if not np.any(np.abs(move) > 1e-15 * (1 + np.abs(t))):
            break
    return t


def targets_of(name: str, values: object) -> np.ndarray:
    """Singular values: finite and nonnegative."""
    array = array_of(name, values)
    if not array.size or not np.all(np.isfinite(array) & (array >= 0)):
        raise InputError(f"`{name}` must be finite numbers, zero or positive (singular values), got {shown(values)}.")
    return array
