"""The record of one plateau."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Plateau:
    """Rank L: between `start` and `end` the active modes are learned and the others are still small."""

    rank: int
    """L, the number of active modes."""
    start: int | None
    """First guaranteed step; None when a hypothesis fails. ``start > end`` means: empty."""
    end: int | None
    """Last guaranteed step; None (with a start) when the plateau has no end."""
    effective_rank: float
    """Nuclear over spectral norm of the target restricted to the active modes."""
    deviation: tuple[float, float]
    """Certified least and greatest difference of the product's effective rank from `effective_rank`."""
    active: tuple[int, ...]
    """Positions of the active modes in the given eigenvalues, in the order in which they are learned."""
    levels: tuple[float, float]
    """Absolute tolerances: active modes are that near to the target, inactive ones that near to zero."""
    assumptions: tuple[str, ...]
    failed: str | None = None
    """Why the interval is empty or not available; None when it is neither."""

    @property
    def guaranteed(self) -> bool:
        """Whether there is at least one guaranteed step."""
        return self.start is not None and (self.end is None or self.start <= self.end)

    @property
    def length(self) -> float:
        """Number of guaranteed steps, infinite when the plateau has no end."""
        if self.start is None or not self.guaranteed:
            return 0
        return math.inf if self.end is None else self.end - self.start + 1
