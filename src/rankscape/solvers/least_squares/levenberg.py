"""Damped least squares: what every Gauss-Newton loop does besides its own step.

The step is Gauss-Newton's where the damping is small and a short one down the gradient where it is large. A step that
lowers the squared residual is taken and the damping falls tenfold; one that does not is refused and it rises tenfold.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

# Damping of the first step, in units of the mean curvature: hardly any.
FIRST = 1e-3

# By how much the damping rises or falls.
FACTOR = 10


class Point(Protocol):
    """Where a solver stands: whatever it needs for its next step."""

    @property
    def squared(self) -> float:
        """The squared residual."""
        ...


P = TypeVar("P", bound=Point)


class Damping(NamedTuple):
    """How far the damping may go.

    Attributes
    ----------
    most : float
        Beyond it no step helps: the point is stationary to rounding.
    least : float
        It falls no further: what many good steps took off must be put on again, tenfold by tenfold, once one fails.
    raised : float
        After a step that was refused it is at least this.
    """

    most: float
    least: float = 1e-14
    raised: float = 0.0


class Ended(NamedTuple, Generic[P]):
    """The point that was reached, the steps that were tried, and whether they ended by themselves."""

    point: P
    steps: int
    converged: bool


def levenberg_marquardt(
    start: P, moved: Callable[[P, float], P], steps: int, tolerance: float, enough: float, damping: Damping
) -> Ended[P]:
    """Minimise a squared residual by damped Gauss-Newton steps.

    Parameters
    ----------
    start : Point
        Where to begin.
    moved : callable
        Takes a point and the damping to the next point, evaluated; the damping counts in the mean curvature.
    steps : int
        At most so many, those that are refused included: each costs an evaluation.
    tolerance : float
        Relative decrease of the squared residual at which a fit that is not exact ends; exact ones fall by large
        factors from step to step, so a large tolerance does not stop them.
    enough : float
        Squared residual below which nothing better can be found.
    damping : Damping
        The limits of the damping.

    Examples
    --------
    The square root of two, as the least squares solution of ``x^2 = 2``:

    >>> class Root(NamedTuple):
    ...     x: float
    ...     @property
    ...     def squared(self):
    ...         return (self.x**2 - 2) ** 2
    >>> step = lambda at, damping: Root(at.x - (at.x**2 - 2) / (2 * at.x) / (1 + damping))
    >>> round(levenberg_marquardt(Root(1.0), step, 20, 1e-4, 1e-24, Damping(most=10)).point.x, 12)
    1.414213562373

    References
    ----------
    .. [levenberg1944] Levenberg, "A method for the solution of certain non-linear problems in least squares",
       Quarterly of Applied Mathematics 2 (1944).
    .. [marquardt1963] Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", Journal of the
       Society for Industrial and Applied Mathematics 11 (1963).
    """
    point, now = start, FIRST
    for taken in range(1, steps + 1):
        new = moved(point, now)
        if not new.squared < point.squared:  # also where it is NaN: a step that overflowed is refused, never taken
            now = max(FACTOR * now, damping.raised)
            if now > damping.most:
                return Ended(point, taken, True)
            continue
        gain = (point.squared - new.squared) / point.squared
        point, now = new, max(now / FACTOR, damping.least)
        if gain < tolerance or point.squared < enough:
            return Ended(point, taken, True)
    return Ended(point, steps, False)
