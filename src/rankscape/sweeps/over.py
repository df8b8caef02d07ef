"""From what a user writes as `over` and `seeds` to a checked grid."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import islice
from math import prod
from typing import Any, TypeAlias

import numpy as np

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import MOST_LISTED, real, several, shown, whole
from rankscape.sweeps.grid import Grid, Point
from rankscape.sweeps.layout import check_name

# Runs that a grid may have before it must be allowed explicitly.
MOST_RUNS = 1_000_000

# The values of one name: a list, or a table such as ``{"from": 1e-3, "to": 1, "count": 7, "spacing": "log"}``.
Values: TypeAlias = Iterable[object] | Mapping[str, float | str]

# What is swept: values by name, of which all combinations are run, or the points one by one.
Over: TypeAlias = Mapping[str, Values] | Sequence[Mapping[str, object]]

# Seeds of every combination; a number n is ``range(n)``.
Seeds: TypeAlias = int | Iterable[int]


def make_grid(over: Over | None, seeds: Seeds | None, known: Iterable[str] | None, most: int = MOST_RUNS) -> Grid:
    """A checked grid from what a user types; `known` are the names that may be swept, None for any.

    Its runs are counted before anything is listed: `most` of them are allowed.
    """
    over = _counted({} if over is None else over, seeds, most)
    rows, axes = _rows_and_axes(over)
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
        check_name("`over`: a hyperparameter", name)
        if name not in allowed:
            raise InputError(f"`over`: unknown hyperparameter {name!r}{did_you_mean(name, allowed) or '.'}")
    twice = set(axes) & {name for row in rows for name in row}
    if twice:
        raise InputError(f"`over`: {', '.join(sorted(twice))} stands in a setting and as an axis.")
    return grid


def _counted(over: Over, seeds: Seeds | None, most: int) -> Over:
    """Refuse a grid of too many runs; what can be gone through only once is listed on the way."""
    if isinstance(over, Mapping):
        over = {name: _once(values, most) for name, values in over.items()}
        counts = [_count(_name(name), values) for name, values in over.items()]
    elif isinstance(over, Iterable) and not isinstance(over, str):
        over = _once(over, most)
        counts = [_size(over)]
    else:
        counts = []
    if seeds is not None:
        counts.append(_size(seeds) if isinstance(seeds, Iterable) else whole("seeds", seeds, least=1))
    runs = prod(counts)
    if runs > most:
        raise InputError(f"The grid has {in_short(runs)} runs, more than {most:,}; allow it with `most_runs`.")
    return over


def _once(values: Any, most: int) -> Any:
    """Values that can be counted, and gone through again."""
    if isinstance(values, Mapping | str) or not isinstance(values, Iterable) or isinstance(values, Sized):
        return values
    return list(islice(values, most + 1))


def _count(name: str, values: Any) -> int:
    if isinstance(values, Mapping):
        return whole(f"{name}.count", values["count"], 1, MOST_LISTED) if "count" in values else 1
    return _size(values)


def _size(values: Any) -> int:
    """How many there are; one of what cannot be counted, which is refused later."""
    try:
        return len(values)
    except TypeError:
        return 1
    except OverflowError:  # a range
        return (values[-1] - values[0]) // values.step + 1


def in_short(count: int) -> str:
    """A count of any size.

    >>> in_short(2_000_000), in_short(10**30)
    ('2,000,000', 'more than 10^18')
    """
    return f"{count:,}" if count < 10**18 else "more than 10^18"


def _rows_and_axes(over: Over) -> tuple[list[Point], dict[str, Sequence[Any]]]:
    if isinstance(over, Mapping):
        return [{}], {_name(name): _axis(_name(name), values) for name, values in over.items()}
    if isinstance(over, str) or not isinstance(over, Iterable):
        raise InputError(f"`over` is a mapping of names to lists of values, or a list of settings; got {shown(over)}.")
    rows = several("over", over)
    if not rows:
        raise InputError("`over` is an empty list: there is no run in it.")
    for k, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(f"`over`: setting {k} must be a mapping of names to values, got {shown(row)}.")
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
        raise InputError(f"`over`: {name} = {shown(values)} must be a list of values.")
    axis = values if isinstance(values, range) else [_plain(value) for value in several(name, values)]
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
    if missing or extra or not isinstance(spacing, str) or spacing not in ("linear", "log"):
        raise InputError(
            f"`over`: {name} is a list of values, or a table with from, to, count and spacing = 'linear' or 'log'; "
            f"got {shown(dict(table))}."
        )
    first, last = (real(f"over: {name}", table[end]) for end in ("from", "to"))
    count = whole(f"{name}.count", table["count"], least=1)
    if spacing == "log" and min(first, last) <= 0:
        found = f"{first:g} and {last:g}"
        raise InputError(f"`over`: {name} can be spaced by its logarithm between positive numbers only, got {found}.")
    spread = np.geomspace if spacing == "log" else np.linspace
    if not np.isfinite(last - first):
        raise InputError(f"`over`: {name}: from {first:g} to {last:g} is too far for a float64.")
    return spread(first, last, count).tolist()


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
