"""Runs of any function: one call for each setting, with the hyperparameters as keywords."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import InputError, RunFailed
from rankscape.ground.fingerprint import of_function
from rankscape.run.labelling import DIMENSIONS
from rankscape.run.outcome import Outcome
from rankscape.run.trajectory import Trajectory
from rankscape.sweeps.experiment import AbstractExperiment, Batch, Plan, as_text, batch_size
from rankscape.sweeps.grid import Grid, Point
from rankscape.sweeps.layout import OWN, RunLayout, check_name, layout_of

if TYPE_CHECKING:
    import xarray as xr

# Batches of a sweep over a function, whose cost nobody knows: few enough files, and little is lost with one.
BATCHES = 256


@dataclass(frozen=True)
class Function(AbstractExperiment):
    """A function of hyperparameters that returns numbers, arrays or labelled arrays by name, a data set or a run."""

    function: Callable[..., Any]

    def names(self) -> list[str] | None:
        """Its keywords; None when it takes any."""
        parameters = self._parameters
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return None
        return [name for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]

    def check(self, grid: Grid) -> Grid:
        """Nothing that the function needs may be missing."""
        free = (p.VAR_KEYWORD, p.VAR_POSITIONAL) if (p := inspect.Parameter) else ()
        needed = [n for n, p in self._parameters.items() if p.default is p.empty and p.kind not in free]
        missing = [name for name in needed if name not in grid.names]
        if missing:
            raise InputError(f"The function needs {', '.join(missing)}; give values in `over`, or a default.")
        return grid

    def plan(self, grid: Grid, call: Callable[..., Any]) -> Plan:
        """The first run is made once more than needed, to see what it returns."""
        try:
            sample = call(self.sample, grid[0])
        except RunFailed:
            raise
        except Exception as error:
            raise RunFailed(f"The first run ({_text(grid[0])}) failed: {as_text(error)}.") from error
        return Plan(grid, layout_of([sample]), batch_size(len(grid), len(grid) / BATCHES), {})

    def sample(self, point: Point) -> "xr.Dataset":
        """One run as a labelled data set."""
        return as_dataset(self.function(**point))[0]

    def run(self, points: Sequence[Point], layout: RunLayout) -> Batch:
        """One call after the other; one that raises does not disturb the others."""
        batch = Batch(layout.blank(len(points)), *([""] * len(points) for _ in range(3)))
        for k, point in enumerate(points):
            try:
                dataset, batch.outcomes[k], batch.messages[k] = as_dataset(self.function(**point))
                layout.place(batch.blocks, [k], dataset.expand_dims("run"))
            except Exception as error:
                batch.errors[k] = as_text(error)
        return batch

    def shared(self) -> Point:
        """The defaults of the function that are numbers or text."""
        return self._defaults

    def prepare(self) -> None:
        """What a result is made into; the function itself was loaded when it was sent."""
        import xarray  # noqa: F401

    def describe(self) -> dict[str, Any]:
        """Name, defaults, and a digest of the code: its own, and that of what it uses of its module."""
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return {"function": name, "code": of_function(self.function), "base": self._defaults}

    @property
    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters

    @property
    def _defaults(self) -> Point:
        simple = bool | int | float | str
        return {name: p.default for name, p in self._parameters.items() if isinstance(p.default, simple)}


def as_dataset(result: Any) -> tuple["xr.Dataset", str, str]:
    """What a function returned as a labelled data set, with outcome and message."""
    import xarray as xr

    if isinstance(result, Trajectory):
        return result.dataset.drop_vars("outcome", errors="ignore"), str(result.outcome), result.message
    if isinstance(result, xr.Dataset):
        check_names(result.data_vars)
        return result, str(Outcome.FINISHED), ""
    named = result if isinstance(result, Mapping) else {"value": result}
    check_names(named)
    return xr.Dataset({name: _variable(str(name), value) for name, value in named.items()}), str(Outcome.FINISHED), ""


def check_names(names: Iterable[Any]) -> None:
    """Refuse names of results that no array of a store can have.

    >>> check_names(["mean", "a/b"])
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: A result cannot be called 'a/b': use letters, digits and the like.
    """
    for name in names:
        if name in OWN:
            raise InputError(f"A result cannot be called {name!r}, as the store itself calls something; rename it.")
        check_name("A result", name)


def _variable(name: str, value: Any) -> Any:
    import xarray as xr

    if isinstance(value, xr.DataArray):
        return value.drop_vars(set(value.coords) - set(value.dims))
    # Names that a trajectory has too get its dimensions, so that both stores look alike.
    array = np.asarray(value)
    known = DIMENSIONS.get(name, ())
    dims = known if len(known) == array.ndim else tuple(f"{name}_{d}" for d in range(array.ndim))
    return (dims, array)


def _text(point: Point) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in point.items())
