"""Which runs there are: the product of values by name, or a list of settings, each of them with every seed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Self

import numpy as np

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import whole
from rankscape.ground.fingerprint import LENGTH, of_arrays

# The hyperparameters in which a run differs from the base, by name.
Setting = dict[str, Any]

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

    rows: Sequence[Setting]
    axes: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.rows) * prod(map(len, self.axes.values()))

    def __getitem__(self, run: int) -> Setting:
        place, setting = run, {}
        for name in reversed([*self.axes]):
            place, k = divmod(place, len(self.axes[name]))
            setting[name] = self.axes[name][k]
        return self.rows[place] | {name: setting[name] for name in self.axes}

    def part(self, start: int, stop: int) -> list[Setting]:
        """The settings of the runs ``start .. stop - 1``."""
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

    def corners(self, names: Iterable[str]) -> Iterator[Setting]:
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


def make_grid(over: Any, seeds: Any, known: Iterable[str] | None) -> Grid:
    """A checked grid from what a user types; `known` are the names that may be swept, None for any."""
    rows, axes = _rows_and_axes({} if over is None else over)
    if seeds is not None:
        if "seed" in axes or any("seed" in row for row in rows):
            raise InputError("Seeds are given twice, in `over` and as `seeds`; leave one of them out.")
        many = isinstance(seeds, Iterable)
        axes["seed"] = _axis("seeds", seeds) if many else range(whole("seeds", seeds, least=1))
    grid = Grid(rows, axes)
    if not grid.names:
        raise InputError("Nothing to sweep: give `over`, a mapping of names to lists of values, or `seeds`.")
    allowed = grid.names if known is None else list(known)
    for name in grid.names:
        if name not in allowed:
            raise InputError(f"`over`: unknown hyperparameter {name!r}{did_you_mean(name, allowed) or '.'}")
    twice = set(axes) & {name for row in rows for name in row}
    if twice:
        raise InputError(f"`over`: {', '.join(sorted(twice))} stands in a setting and as an axis.")
    return grid


def _rows_and_axes(over: Any) -> tuple[list[Setting], dict[str, Sequence[Any]]]:
    if isinstance(over, Mapping):
        return [{}], {_name(name): _axis(_name(name), values) for name, values in over.items()}
    if isinstance(over, str) or not isinstance(over, Iterable):
        raise InputError(f"`over` is a mapping of names to lists of values, or a list of settings; got {over!r}.")
    rows = list(over)
    if not rows:
        raise InputError("`over` is an empty list: there is no run in it.")
    for k, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(f"`over`: setting {k} must be a mapping of names to values, got {row!r}.")
        if set(row) != set(rows[0]):
            odd = sorted(map(str, set(row) ^ set(rows[0])))
            raise InputError(f"`over`: setting {k} and setting 0 differ in the names they set: {', '.join(odd)}.")
    named = [{_name(name): _plain(value) for name, value in row.items()} for row in rows]
    _check_distinct("`over`", [repr(row) for row in named])
    return named, {}


def _axis(name: str, values: Any) -> Sequence[Any]:
    """The values of one name: a list, a range, an array, or a table that says how to space them."""
    if isinstance(values, Mapping):
        values = _spaced(name, values)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"`over`: {name} = {values!r} must be a list of values.")
    axis = values if isinstance(values, range) else [_plain(value) for value in values]
    if not len(axis):
        raise InputError(f"`over`: {name} has no values, so there is no run in the grid.")
    if not isinstance(axis, range):
        _check_distinct(f"`over`: {name}", [repr(value) for value in axis])
    return axis


def _spaced(name: str, table: Mapping[str, Any]) -> list[float]:
    """``{from = 1e-3, to = 1, count = 7, spacing = "log"}``."""
    missing = [key for key in ("from", "to", "count") if key not in table]
    extra = [key for key in table if key not in ("from", "to", "count", "spacing")]
    spacing = table.get("spacing", "linear")
    if missing or extra or spacing not in ("linear", "log"):
        raise InputError(
            f"`over`: {name} is a list of values, or a table with from, to, count and spacing = 'linear' or 'log'; "
            f"got {dict(table)!r}."
        )
    ends, count = (table["from"], table["to"]), whole(f"{name}.count", table["count"], least=1)
    if spacing == "log" and not all(isinstance(end, int | float) and end > 0 for end in ends):
        raise InputError(f"`over`: {name} can be spaced by its logarithm between positive numbers only, got {ends}.")
    spread = np.geomspace if spacing == "log" else np.linspace
    try:
        return spread(float(ends[0]), float(ends[1]), count).tolist()
    except (TypeError, ValueError) as error:
        raise InputError(f"`over`: {name}: {error}.") from None


def _name(name: Any) -> str:
    return str(name).replace("-", "_")


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python numbers: they are described as JSON and sent to workers."""
    return value.tolist() if hasattr(value, "tolist") else value


def _check_distinct(where: str, texts: Sequence[str]) -> None:
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise InputError(f"{where} holds {text} twice; a run is made once.")
        seen.add(text)


def _short(values: Sequence[Any]) -> Any:
    if isinstance(values, range):
        return {"from": values.start, "to": values[-1], "by": values.step}
    return list(values) if len(values) <= LONGEST else _digest(values)


def _digest(values: Sequence[Any]) -> dict[str, Any]:
    text = np.frombuffer(repr(list(values)).encode(), dtype=np.uint8)
    return {"count": len(values), "first": values[0], "last": values[-1], "digest": of_arrays(text)[:LENGTH]}
