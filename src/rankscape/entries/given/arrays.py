"""Arrays and sparse matrices as given."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.entries.given.given import Given
from rankscape.entries.given.returning import AsArray, AsLabelled
from rankscape.entries.observed import Entries
from rankscape.errors import InputError
from rankscape.ground.arrays import real_array
from rankscape.ground.types import SparseMatrix

if TYPE_CHECKING:
    from xarray import DataArray


def of_array(data: Any, name: str) -> Given:
    """NumPy and masked arrays, lists, tensors: whatever NumPy makes a matrix of."""
    if data is None or isinstance(data, str | bytes | dict):
        raise InputError(f"`{name}` must be a frame, an array or a sparse matrix, got {type(data).__name__}.")
    dtype = precision(getattr(data, "dtype", None))
    entries = Entries.from_array(data, f"`{name}`")
    if 0 in entries.shape:
        raise InputError(f"`{name}` is empty: shape {entries.shape}.")
    return Given(entries=entries, dtype=dtype, like=AsArray(dtype, isinstance(data, np.ma.MaskedArray)))


def of_sparse(data: SparseMatrix, name: str) -> Given:
    """What is stored is observed, zeros included; a stored NaN is not."""
    coo: Any = data.tocoo()
    rows, columns = coo.coords if hasattr(coo, "coords") else (coo.row, coo.col)  # arrays, and the older matrices
    values = real_array(coo.data, f"the values of {name}", copy=False)
    if (unknown := np.isnan(values)).any():
        rows, columns, values = rows[~unknown], columns[~unknown], values[~unknown]
    if np.isinf(values).any():
        k = int(np.argmax(np.isinf(values)))
        raise InputError(f"`{name}` holds {values[k]} at row {rows[k]}, column {columns[k]}; leave it out.")
    entries, dtype = Entries(rows, columns, values, coo.shape), precision(coo.dtype)
    return Given(entries=entries, dtype=dtype, like=AsArray(dtype))


def of_labelled(data: "DataArray", name: str) -> Given:
    """An xarray `DataArray` of two dimensions; their coordinates are the names."""
    if data.ndim != 2:
        raise InputError(f"`{name}` must have two dimensions, got {data.ndim}: {', '.join(map(str, data.dims))}.")
    given = of_array(data.values, name)
    rows, columns = (data[dim].values if dim in data.coords else None for dim in data.dims)

    return replace(given, row_labels=rows, column_labels=columns, like=AsLabelled(data))


def precision(dtype: Any) -> np.dtype:
    """float32 of values that came in it, float64 of all others."""
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)
