"""Which runs there are: the product of values by name, or a list of settings, each of them with every seed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Self, TypeAlias

import numpy as np

from rankscape.ground.fingerprint import LENGTH, of_arrays

# The hyperparameters in which a run differs from the base, by name.
Point: TypeAlias = dict[str, Any]

# Values of one name that a description writes out; more are given by their ends and a digest.
LONGEST = 100


@dataclass(frozen=True)
class Grid:
    """Runs numbered from 0: the rows, and for each row the product of the axes, the last axis fastest.

    Nothing is written out: a run is found from its number, so a grid of a million runs costs no more than its axes.

    Examples
    --------
    >>> grid = Grid([{}], {"depth": [2, 3], "seed": range(10)})
    >>> len(grid), grid[0], grid[13]
    (20, {'depth': 2, 'seed': 0}, {'depth': 3, 'seed': 3})
    """

    rows: Sequence[Point]
    axes: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.rows) * prod(map(len, self.axes.values()))

    def __getitem__(self, run: int) -> Point:
        place, point = run, {}
        for name in reversed([*self.axes]):
            place, k = divmod(place, len(self.axes[name]))
            point[name] = self.axes[name][k]
        return self.rows[place] | {name: point[name] for name in self.axes}

    def part(self, start: int, stop: int) -> list[Point]:
        """The points of the runs ``start .. stop - 1``."""
        return [self[run] for run in range(start, min(stop, len(self)))]

    def column(self, name: str, start: int, stop: int) -> list[Any]:
        """What a name is set to in the runs ``start .. stop - 1``."""
        names = [*self.axes]
        after = names[names.index(name) + 1 :] if name in self.axes else names
        values = self.values(name)
        places = np.arange(start, min(stop, len(self))) // prod(len(self.axes[n]) for n in after) % len(values)
        return [values[k] for k in places.tolist()]

    @property
    def names(self) -> list[str]:
        """The names in which runs differ, rows first."""
        return list(dict.fromkeys([*(name for row in self.rows for name in row), *self.axes]))

    def values(self, name: str) -> Sequence[Any]:
        """What a name is set to somewhere in the grid."""
        return self.axes[name] if name in self.axes else [row[name] for row in self.rows if name in row]

    def corners(self, names: Iterable[str]) -> Iterator[Point]:
        """One run for each combination of the values of `names`; the other axes stay at their first value."""
        short = [values if name in names else values[:1] for name, values in self.axes.items()]
        for row in self.rows:
            for values in product(*short):
                yield row | dict(zip(self.axes, values, strict=True))

    def ordered(self, slow: Sequence[str]) -> Self:
        """The same runs, those with equal values of the `slow` names together."""
        places = {name: k for k, name in enumerate(self.axes)}
        axes = sorted(self.axes, key=lambda name: (name not in slow, places[name]))
        found: dict[str, int] = {}
        kinds = [found.setdefault(repr([row.get(name) for name in slow]), len(found)) for row in self.rows]
        rows = [self.rows[k] for k in sorted(range(len(self.rows)), key=kinds.__getitem__)]
        return type(self)(rows, {name: self.axes[name] for name in axes})

    def describe(self) -> dict[str, Any]:
        """The rows and axes as JSON; long ones by a digest."""
        rows = list(self.rows) if len(self.rows) <= LONGEST else _digest(self.rows)
        return {"settings": rows, "over": {name: _short(values) for name, values in self.axes.items()}}


def _short(values: Sequence[Any]) -> Any:
    if isinstance(values, range):
        return {"from": values.start, "to": values[-1], "by": values.step}
    return list(values) if len(values) <= LONGEST else _digest(values)


def _digest(values: Sequence[Any]) -> dict[str, Any]:
    text = np.frombuffer(repr(list(values)).encode(), dtype=np.uint8)
    return {"count": len(values), "first": values[0], "last": values[-1], "digest": of_arrays(text)[:LENGTH]}
