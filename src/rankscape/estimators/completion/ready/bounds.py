"""Bounds of what is predicted: of everything, or of each column."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.ground.arrays import real_array
from rankscape.ground.final import final
from rankscape.ground.types import ArrayLike

Clip: TypeAlias = tuple[ArrayLike | None, ArrayLike | None] | Literal["observed"] | None

FORMS = "two numbers, two arrays of one number a column, 'observed' or None"


@final
@dataclass(frozen=True, eq=False)
class Bounds:
    """Smallest and largest value of every column; infinite where there is none.

    Attributes
    ----------
    low, high : ndarray
        Of shape () for all, or ``(n_in,)``.

    Examples
    --------
    >>> seen = Entries([0, 1], [0, 1], [1.0, 5.0], (2, 2))
    >>> Bounds.of((0, [2, 9]), seen).clip(np.array([[3.0, -1.0]])).tolist()
    [[2.0, 0.0]]
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def none(cls) -> "Bounds":
        """Nothing is bounded."""
        return cls(np.array(-np.inf), np.array(np.inf))

    @classmethod
    def of(cls, clip: Clip, observed: Entries) -> "Bounds":
        """The bounds that were asked for; entries outside of them are refused."""
        if clip is None:
            return cls.none()
        if isinstance(clip, str):
            if clip != "observed":
                raise InputError(f"`clip` must be {FORMS}, got {clip!r}.")
            return cls(np.asarray(observed.values.min()), np.asarray(observed.values.max()))
        low, high = _pair(clip, observed.shape[1])
        if not np.all(low < high):
            raise InputError(f"`clip` must be smaller and larger numbers, got {clip!r}.")
        bounds = cls(low, high)
        inside = bounds.clip(observed.values, observed.columns)
        if (outside := inside != observed.values).any():
            k = int(np.argmax(outside))
            raise InputError(
                f"The entry {observed.values[k]:g} at row {observed.rows[k]}, column {observed.columns[k]} is beyond "
                f"{inside[k]:g}, outside of `clip`: correct it, or widen the bounds."
            )
        return bounds

    def clip(self, values: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Values of whole rows, or of these columns, within the bounds."""
        if columns is None or not self.low.ndim:
            return np.clip(values, self.low, self.high)
        return np.clip(values, self.low[columns], self.high[columns])


def _pair(clip: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        low, high = clip
        low = real_array(-np.inf if low is None else low, "clip")
        high = real_array(np.inf if high is None else high, "clip")
        low, high = np.broadcast_arrays(low, high)
    except (TypeError, ValueError, InputError):
        raise InputError(f"`clip` must be {FORMS}, got {clip!r}.") from None
    if low.shape not in ((), (count,)):
        raise InputError(f"`clip` must hold one number for each of the {count} columns, got shape {low.shape}.")
    return low, high
