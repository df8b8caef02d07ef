"""Arrays with named dimensions as plain data: what estimators record, without xarray."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.ground.final import final
from rankscape.ground.parts import needs

if TYPE_CHECKING:
    import xarray as xr


@final
@dataclass(frozen=True, eq=False, repr=False)
class Labelled:
    """Arrays by name, each with the names of its dimensions; every array is also an attribute.

    Attributes
    ----------
    variables : dict of str to (tuple of str, ndarray)
        For each array its dimensions and its values.
    coordinates : dict of str to ndarray
        The labels along a dimension.
    attrs : dict
        What holds for all of it.

    Examples
    --------
    >>> path = Labelled({"rank": (("step",), np.array([1, 2]))}, {"step": np.array([0, 10])})
    >>> path.rank, path["step"], path.sizes
    (array([1, 2]), array([ 0, 10]), {'step': 2})
    """

    variables: Mapping[str, tuple[tuple[str, ...], np.ndarray]]
    coordinates: Mapping[str, np.ndarray]
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> np.ndarray:
        """The values of a variable or of a coordinate."""
        return self.coordinates[name] if name in self.coordinates else self.variables[name][1]

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name in ("variables", "coordinates"):  # not set yet: while a copy is made
            raise AttributeError(name)
        if name not in self.coordinates and name not in self.variables:
            raise AttributeError(f"There is no {name!r} here, only {', '.join([*self.coordinates, *self.variables])}.")
        return self[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables or name in self.coordinates

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.variables, *self.coordinates})

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {size}" for name, size in self.sizes.items())
        return f"Labelled({sizes}; {', '.join(self.variables)})"

    @property
    def sizes(self) -> dict[str, int]:
        """The length of each dimension."""
        return {name: len(labels) for name, labels in self.coordinates.items()}

    @property
    def dims(self) -> tuple[str, ...]:
        """The names of the dimensions."""
        return tuple(self.coordinates)

    def take(self, dim: str, where: np.ndarray) -> "Labelled":
        """The part of it at these places of a dimension, or where a mask is true."""
        places = np.flatnonzero(where) if where.dtype == bool else where
        variables = {
            name: (dims, values.take(places, axis=dims.index(dim)) if dim in dims else values)
            for name, (dims, values) in self.variables.items()
        }
        return replace(self, variables=variables, coordinates={**self.coordinates, dim: self[dim][places]})

    def dataset(self) -> "xr.Dataset":
        """The same for xarray, which selects by label, draws, and makes data frames of it.

        Raises
        ------
        MissingPart
            xarray is not installed.
        """
        xarray = needs("xarray", "A data set with labels")
        return xarray.Dataset(dict(self.variables), dict(self.coordinates), dict(self.attrs))
