"""From what a user writes as `over` and `seeds` to a checked grid."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import whole
from rankscape.sweeps.grid import Grid, Point

# The values of one name: a list, or a table such as ``{"from": 1e-3, "to": 1, "count": 7, "spacing": "log"}``.
Values: TypeAlias = Iterable[object] | Mapping[str, float | str]

# What is swept: values by name, of which all combinations are run, or the points one by one.
Over: TypeAlias = Mapping[str, Values] | Sequence[Mapping[str, object]]

# Seeds of every combination; a number n is ``range(n)``.
Seeds: TypeAlias = int | Iterable[int]


def make_grid(over: Over | None, seeds: Seeds | None, known: Iterable[str] | None) -> Grid:
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


def _rows_and_axes(over: Over) -> tuple[list[Point], dict[str, Sequence[Any]]]:
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
        # A column of the store needs a value for every run.
        if set(row) != set(rows[0]):
            odd = sorted(map(str, set(row) ^ set(rows[0])))
            raise InputError(f"`over`: setting {k} and setting 0 differ in the names they set: {', '.join(odd)}.")
    named = [{_name(name): _plain(value) for name, value in row.items()} for row in rows]
    _check_distinct("`over`", [repr(row) for row in named])
    return named, {}


def _axis(name: str, values: Values) -> Sequence[Any]:
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


def _spaced(name: str, table: Mapping[Any, Any]) -> list[float]:
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
