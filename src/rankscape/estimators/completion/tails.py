"""How far entries are from a fit, and what was done about it."""

from dataclasses import dataclass

import numpy as np

from rankscape.estimators.completion.left_over import LeftOver
from rankscape.ground.final import final

# Excess kurtosis of what is left over from which on tails are heavy: 0 for normal noise, -1 for rounded values.
HEAVY = 1.0


@final
@dataclass(frozen=True, eq=False)
class Tails:
    """What is left over of the entries given.

    Attributes
    ----------
    kurtosis : float or None
        Excess kurtosis of what is left over; None of an exact fit.
    sizes : ndarray, shape (m,)
        Standard deviation of the noise at each entry given, in standard units.
    alone : int
        Entries that a direction of the fit serves for themselves.
    lone_rows, lone_columns : tuple of int
        Rows and columns that one does.
    robust : bool
        Whether the robust fit was taken.
    words : str
        What it did, in a sentence; empty without it.
    """

    kurtosis: float | None
    sizes: np.ndarray
    alone: int = 0
    lone_rows: tuple[int, ...] = ()
    lone_columns: tuple[int, ...] = ()
    robust: bool = False
    words: str = ""

    @classmethod
    def of(cls, left: LeftOver, exact: bool, robust: bool = False, words: str = "") -> "Tails":
        """Of what the final fit leaves."""
        rows, columns = (tuple(map(int, lines)) for lines in left.lone)
        return cls(None if exact else left.kurtosis, left.sizes, int(left.alone.sum()), rows, columns, robust, words)

    @property
    def telling(self) -> bool:
        """Whether an entry far from the fit is a wild one: where tails are heavy throughout, far ones are not."""
        return self.robust or self.kurtosis is None or self.kurtosis < HEAVY
