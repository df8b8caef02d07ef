"""What makes of a full matrix the kind of thing that was given; plain objects, so that results can be pickled."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.entries.given.frame import Frame
from rankscape.ground.final import final

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import DataArray


@final
@dataclass(frozen=True, eq=False)
class AsArray:
    """An array in the precision of what was given, masked if that was."""

    dtype: np.dtype
    masked: bool = False

    def __call__(self, matrix: np.ndarray) -> np.ndarray:
        """The array."""
        plain = matrix.astype(self.dtype, copy=False)
        return np.ma.MaskedArray(plain) if self.masked else plain


@final
@dataclass(frozen=True, eq=False)
class AsNamed:
    """A pandas frame with these names; an array where there are none."""

    rows: np.ndarray | None
    columns: np.ndarray | None

    def __call__(self, matrix: np.ndarray) -> "np.ndarray | DataFrame":
        """The frame."""
        if self.rows is None and self.columns is None:
            return matrix
        import pandas as pd

        return pd.DataFrame(matrix, index=_axis(self.rows), columns=_axis(self.columns))


@final
@dataclass(frozen=True, eq=False)
class AsLabelled:
    """A `DataArray` with the coordinates and attributes of the one that was given."""

    data: "DataArray"

    def __call__(self, matrix: np.ndarray) -> "DataArray":
        """The labelled array."""
        whole = self.data.dtype.kind in "biu"  # nothing can be missing in it
        return self.data.copy() if whole else self.data.copy(data=floats_like(matrix, self.data.dtype))


@final
@dataclass(frozen=True, eq=False)
class AsFrame:
    """A frame with the missing values of some columns filled in.

    Columns without a missing value stay as they are; the others keep their type where it is a floating one.
    """

    frame: Any
    kept: list[int]

    def __call__(self, matrix: np.ndarray) -> Any:
        """The frame; columns of the matrix are the columns `kept` of it."""
        import narwhals as nw

        frame, holes = Frame(nw.from_native(self.frame, eager_only=True)), {}
        for k, j in enumerate(self.kept):
            column = frame.column(j)
            if column.is_null().any() or (column.dtype.is_float() and column.is_nan().any()):
                holes[frame.at[j]] = np.ascontiguousarray(matrix[:, k])
        return _pandas(self.frame, holes) if frame.pandas else _others(frame.table, holes)


def floats_like(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Filled values in the type of a floating column where they fit, else as float64."""
    if dtype.kind != "f":
        return values
    with np.errstate(over="ignore"):
        narrow = values.astype(dtype)
    return narrow if np.isfinite(narrow).all() else values


def _axis(labels: np.ndarray | None) -> Any:
    """Tuples are names of several levels; pandas makes them so by itself."""
    return None if labels is None else list(labels)


def _pandas(frame: Any, holes: dict[int, np.ndarray]) -> Any:
    # All columns at once: put in one by one they would copy the frame as often as there are columns.
    columns = {k: _series(frame.iloc[:, k], holes.get(k)) for k in range(frame.shape[1])}
    filled = type(frame)(columns, index=frame.index, copy=True)
    filled.columns = frame.columns
    return filled.__finalize__(frame)


def _series(column: Any, values: np.ndarray | None) -> Any:
    if values is None:
        return column.array
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return floats_like(values, dtype)
    name, kind = str(dtype), getattr(dtype, "kind", "O")
    if kind == "f" and not name.startswith("Sparse"):  # a full column is not sparse
        narrow = floats_like(values, np.dtype(f"f{dtype.itemsize}"))
        if narrow.dtype.itemsize == dtype.itemsize:
            return type(column)(values).astype(dtype).array
    if name.startswith("Sparse"):
        return values
    double = "double[pyarrow]" if name.endswith("[pyarrow]") else "Float64"
    return type(column)(values).astype(double).array


def _others(table: Any, holes: dict[int, np.ndarray]) -> Any:
    import narwhals as nw

    columns = []
    for k, values in holes.items():
        column = table[:, k]
        narrow = column.dtype == nw.Float32 and floats_like(values, np.dtype(np.float32)).dtype == np.float32
        kind = nw.Float32 if narrow else nw.Float64
        columns.append(nw.new_series(column.name, values, kind, backend=table.implementation))
    return table.with_columns(*columns).to_native() if columns else table.to_native()
