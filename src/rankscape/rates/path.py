"""Paths of a rate, piecewise constant in the step, and the shapes that are in use."""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, positive, several, whole
from rankscape.ground.final import final


@final
@dataclass(frozen=True)
class Path:
    """A number for each step: ``values[k]`` from ``starts[k]`` to the next start, the last for ever or for a period.

    Parameters
    ----------
    starts : tuple of float
        Where each value begins to hold: 0 first, then increasing. Steps, or epochs that are still to be converted.
    values : tuple of float
        As many finite numbers.
    period : float, optional
        After so many steps the path begins anew.
    """

    starts: tuple[float, ...]
    values: tuple[float, ...]
    period: float | None = None

    def __post_init__(self):
        starts, values = (_numbers(name, getattr(self, name)) for name in ("starts", "values"))
        ends = [*starts[1:], math.inf if self.period is None else positive("period", self.period)]
        if len(starts) != len(values) or starts[0] != 0 or any(a >= b for a, b in zip(starts, ends, strict=True)):
            raise InputError(f"A path starts at 0 and goes on at increasing steps, one for each value; got {self}.")
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "values", values)

    def at(self, step: int) -> float:
        """The value of the step that begins at `step`."""
        place = step if self.period is None else step % self.period
        return self.values[bisect_right(self.starts, place) - 1]  # right: a value holds from its start on

    def breaks(self, steps: int) -> np.ndarray:
        """The steps within ``1 .. steps - 1`` at which the value changes."""
        values = np.array(self.values)
        changed = values != np.roll(values, 1)  # the first follows the last when the path begins anew
        cycles = [0] if self.period is None else np.arange(0, steps, self.period)
        # Starts at which nothing changes are left out: each break ends a call of the engine.
        starts = np.add.outer(cycles, np.array(self.starts)[changed]).ravel()
        return starts[(starts > 0) & (starts < steps)].astype(np.int64)

    def checked(self, name: str, check: Callable[[str, Any], float]) -> "Path":
        """The path of a rate: every value passes `check`, every start is a whole step."""
        period = None if self.period is None else _whole_steps(name, self.period)
        starts = tuple(_whole_steps(name, start) for start in self.starts)
        return Path(starts, tuple(check(name, value) for value in self.values), period)

    def describe(self) -> dict[str, Any]:
        """The numbers, as JSON."""
        return {"starts": list(self.starts), "values": list(self.values), "period": self.period}


def piecewise(stages: Mapping[float, float]) -> Path:
    """A value from each of these steps on.

    Examples
    --------
    >>> path = piecewise({0: 0.3, 1000: 0.1, 2000: 0.03})
    >>> path.at(999), path.at(1000), path.at(10**9)
    (0.3, 0.1, 0.03)
    """
    if not isinstance(stages, Mapping) or not stages:
        raise InputError(f"`stages` must map steps to values, as {{0: 0.3, 1000: 0.1}}, got {stages!r}.")
    return Path(tuple(sorted(stages)), tuple(stages[start] for start in sorted(stages)))


def geometric(first: float, last: float, stages: int, length: float) -> Path:
    """Annealing: `stages` values in geometric progression, each for `length` steps, the last one for ever.

    Examples
    --------
    >>> geometric(0.1, 0.001, stages=3, length=500)
    Path(starts=(0, 500, 1000), values=(0.1, 0.01, 0.001), period=None)
    """
    count = whole("stages", stages, least=1)
    spread = np.geomspace(positive("first", first), positive("last", last), count).tolist()
    positive("length", length)
    return Path(tuple(k * length for k in range(count)), tuple(spread))


def pulse(base: float, height: float, start: float, length: float) -> Path:
    """The value `height` for `length` steps from `start` on, `base` before and after.

    A pulse of the ridge pushes gradient descent out of a minimum of too high rank, as noise does.

    Examples
    --------
    >>> [pulse(0.01, 0.1, start=50, length=20).at(step) for step in (49, 50, 69, 70)]
    [0.01, 0.1, 0.1, 0.01]
    """
    start = nonnegative("start", start)
    end = start + positive("length", length)
    return piecewise({0: height, end: base} if start == 0 else {0: base, start: height, end: base})


def periodic(values: Sequence[float], lengths: Sequence[float]) -> Path:
    """The `values` one after the other, each for its length, again and again.

    Every change ends a call of the engine, which costs as much as some thousand steps of SGD on a small matrix: lengths
    below that are possible, and slow.

    Examples
    --------
    >>> path = periodic([0.2, 0.01], lengths=[10, 90])
    >>> path.at(105), path.at(110), path.breaks(300).tolist()
    (0.2, 0.01, [10, 100, 110, 200, 210])
    """
    values, lengths = several("values", values), several("lengths", lengths)
    if not lengths or len(values) != len(lengths):
        raise InputError(f"`values` and `lengths` must have the same length, at least 1; got {values} and {lengths}.")
    ends = np.cumsum([positive("lengths", length) for length in lengths]).tolist()
    return Path((0, *ends[:-1]), tuple(values), ends[-1])


def _numbers(name: str, given: Any) -> tuple[float, ...]:
    try:
        numbers = tuple(given)
        if numbers and all(math.isfinite(number) for number in numbers):
            return numbers
    except TypeError:
        pass
    raise InputError(f"`{name}` must be finite numbers, at least one, got {given!r}.")


def _whole_steps(name: str, start: float) -> int:
    try:
        return whole(name, start, least=0)
    except InputError:
        problem = f"The path of `{name}` changes at {start!r}, which is no whole step"
        raise InputError(f"{problem}; convert(path, problem, time='epochs') makes steps of epochs.") from None
