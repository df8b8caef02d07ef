"""The largest learning rate at which stochastic gradient descent does not blow up, found by halving."""

from collections.abc import Callable
from typing import TypeVar

from rankscape.errors import RunFailed

# A learning rate that had to be halved below this, on entries of root mean square 1, says that something else is wrong.
LEAST = 1e-5

Run = TypeVar("Run")


def with_stable_rate(stage: Callable[[float], Run], rate: float, instead: str) -> tuple[Run, float]:
    """Run a stage at a learning rate, or at the first half, quarter, ... of it that does not blow up; and that rate.

    The rate is found by running: what bounds it is how large factors become on the way, which nobody knows beforehand.

    Parameters
    ----------
    stage : callable
        From a learning rate to a finished run; raises `RunFailed` when it diverges (``simulate(..., throw=True)``).
    rate : float
        The first to try. Carry the one that is returned into the next stage: what blew up once would do so again.
    instead : str
        What to use when SGD fails at every rate, for the error.

    Raises
    ------
    RunFailed
        Every rate above `LEAST` blows up.

    Examples
    --------
    >>> def stage(rate):
    ...     if rate > 0.3:
    ...         raise RunFailed("blown up")
    ...     return "arrived"
    >>> with_stable_rate(stage, 1.0, "rest")
    ('arrived', 0.25)
    """
    while rate > LEAST:
        try:
            return stage(rate), rate
        except RunFailed:
            rate /= 2
    raise RunFailed(
        f"SGD blows up at learning rates down to {rate:.1g}: some rows or columns are much larger than the others. "
        f"Scale them, or use {instead}."
    )
