"""The shape of what one run leaves behind, the same for all runs of a sweep: smaller ones are padded with NaN."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import shown
from rankscape.run.outcome import Outcome

if TYPE_CHECKING:
    import xarray as xr

# The code of an outcome is its place in this list.
OUTCOMES = [*Outcome]

# Names of the store itself.
OWN = {"run", "done", "digest", "outcome", "message"}


# What a folder can be called everywhere: no path, nothing hidden, not too long.
NAME = re.compile(r"\w(?:[\w .+=()-]{0,98}[\w+=()-])?")


def check_name(what: str, name: Any) -> None:
    """Refuse a name that an array of a store cannot have.

    >>> check_name("A result", "../evil")
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: A result cannot be called '../evil': use letters, digits and the like.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(f"{what} cannot be called {shown(name)}: use letters, digits and the like.")


@dataclass(frozen=True)
class RunLayout:
    """Names, dimensions and sizes of the variables of one run, and the labels of the dimensions.

    Attributes
    ----------
    variables : mapping of str to tuple of str
        The dimensions of each variable after ``run``.
    sizes : mapping of str to int
        The size of each dimension.
    labels : mapping of str to array
        Coordinates of dimensions: the recorded steps, numbers of layers.
    """

    variables: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    labels: Mapping[str, np.ndarray]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable of one run."""
        return tuple(self.sizes[dim] for dim in self.variables[name])

    @property
    def bytes(self) -> int:
        """What one run takes."""
        return 8 * sum(int(np.prod(self.shape(name))) for name in self.variables)

    def blank(self, runs: int) -> dict[str, np.ndarray]:
        """Arrays for so many runs, all NaN."""
        return {name: np.full((runs, *self.shape(name)), np.nan) for name in self.variables}

    def place(self, blocks: Mapping[str, np.ndarray], rows: Sequence[int], dataset: "xr.Dataset") -> None:
        """Write a data set with dimension ``run`` into these rows of the blocks, its steps where they belong."""
        for name, variable in dataset.data_vars.items():
            if name in OWN:
                continue
            if name not in self.variables:
                raise InputError(f"it recorded {name!r}, which the first runs did not.")
            dims = ("run", *self.variables[str(name)])
            if set(variable.dims) != set(dims):
                raise InputError(f"{name!r} has dimensions {variable.dims}, those of the first runs were {dims}.")
            places = [np.asarray(rows), *(self._places(dim, dataset) for dim in dims[1:])]
            blocks[str(name)][np.ix_(*places)] = variable.transpose(*dims).values

    def _places(self, dim: str, dataset: "xr.Dataset") -> np.ndarray:
        size = dataset.sizes[dim]
        if dim != "step":
            if size > self.sizes[dim]:
                raise InputError(f"its {dim!r} has {size} places, the first runs had {self.sizes[dim]}.")
            return np.arange(size)
        steps, known = dataset["step"].values, self.labels["step"]
        # The last place for steps beyond the end; that they are not known there is seen in the next line.
        places = np.minimum(np.searchsorted(known, steps), len(known) - 1)
        stray = steps[known[places] != steps]
        if stray.size:
            raise InputError(f"it recorded step {stray[0]}, which the first runs did not; fix `record`.")
        return places


def layout_of(samples: Sequence["xr.Dataset"], steps: np.ndarray | None = None) -> RunLayout:
    """What fits all `samples`, single runs each; `steps` stand in for those that the samples recorded."""
    variables: dict[str, tuple[str, ...]] = {}
    labels: dict[str, np.ndarray] = {} if steps is None else {"step": steps}
    sizes: dict[str, int] = {}
    for sample in samples:
        for name, variable in sample.data_vars.items():
            _check_number(str(name), variable)
            dims = tuple(map(str, variable.dims))
            if variables.setdefault(str(name), dims) != dims:
                raise InputError(f"Runs of one sweep disagree about {name!r}: {variables[str(name)]} and {dims}.")
        for dim, size in sample.sizes.items():
            if dim not in sample.dims or (steps is not None and dim == "step"):
                continue
            if size > sizes.get(str(dim), -1):
                sizes[str(dim)] = size
                if dim in sample.coords:
                    labels[str(dim)] = sample[dim].values
    if steps is not None:
        sizes["step"] = len(steps)
    variables = {name: dims for name, dims in variables.items() if name not in OWN}
    if not variables:
        raise InputError("There is nothing to keep of a run: it returned no number.")
    return RunLayout(variables, sizes, labels)


def _check_number(name: str, variable: Any) -> None:
    if variable.dtype.kind not in "fiub":
        raise InputError(f"{name!r} of a run is not made of real numbers but of {variable.dtype}.")
    if "run" in variable.dims:
        raise InputError(f"{name!r} has a dimension 'run': return one run, not a batch.")
