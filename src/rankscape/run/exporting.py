"""A trajectory in a file for other programs: netCDF with all dimensions, or a table with one row a record."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.storage import check_writable, replacing

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# What can be written, and the endings of the names.
FORMATS = {"netcdf": ".nc", "csv": ".csv", "parquet": ".parquet"}


def export(path: Path, dataset: "xr.Dataset") -> Path:
    """Write a data set of runs in the format that the ending of `path` stands for."""
    check_writable(path)
    format = format_of(path, None)
    with replacing(path) as file:
        if format == "netcdf":
            file.write(bytes(classic(dataset.copy()).to_netcdf(engine="scipy")))
            return path
        frame = frame_of(recorded(dataset))
        if format == "csv":
            file.write(frame.to_csv(index=False, lineterminator="\n").encode())
        else:
            frame.to_parquet(file, index=False)
    return path


def recorded(dataset: "xr.Dataset") -> "xr.Dataset":
    """What has a value at each record, which is all that a table with one row a record has a place for."""
    return dataset.drop_vars([name for name, variable in dataset.data_vars.items() if "step" not in variable.dims])


def format_of(path: Path, format: str | None) -> str:
    """The name of the format: as it was given, or by the ending."""
    if format is None:
        found = [name for name, ending in FORMATS.items() if path.suffix == ending]
        if not found:
            raise InputError(f"{path}: name the format, or end the name in {', '.join(FORMATS.values())}.")
        return found[0]
    if format not in FORMATS:
        raise InputError(f"Unknown format {format!r}{did_you_mean(format, FORMATS)}; one of {', '.join(FORMATS)}.")
    return format


def classic(data: "xr.Dataset") -> "xr.Dataset":
    """Without what netCDF 3 does not know: switches and 64-bit integers."""
    data.attrs = {name: value if isinstance(value, str | int) else str(value) for name, value in data.attrs.items()}
    for name, variable in data.variables.items():
        if variable.dtype.kind == "b":
            data[name] = data[name].astype(np.int8)
        elif variable.dtype == np.int64 and np.abs(variable.values).max(initial=0) >= 2**31:
            data[name] = data[name].astype(float)
    return data


def frame_of(data: "xr.Dataset") -> "pd.DataFrame":
    """One row for each run and record; arrays become numbered columns."""
    rows, wide = [dim for dim in ("run", "step") if dim in data.sizes], {}
    for name, variable in data.data_vars.items():
        inner = [dim for dim in variable.dims if dim not in ("run", "step")]
        for place in np.ndindex(*(data.sizes[dim] for dim in inner)):
            labels = [data[dim].values[k] if dim in data.coords else k for dim, k in zip(inner, place, strict=True)]
            own = "_".join([str(name), *map(str, labels)])
            cell = variable.isel(dict(zip(inner, place, strict=True)))
            wide[own] = cell.drop_vars([name for name in cell.coords if name not in rows])
    kept = data.drop_vars(data.data_vars)
    shared = [name for name, c in kept.coords.items() if set(c.dims) <= set(rows)]
    frame = data[shared].assign(wide).to_dataframe(dim_order=rows).reset_index()
    # By name: a store lists its arrays in the order of its folder, which is another on another disk.
    frame = frame.reindex(columns=[*rows, *sorted({str(name) for name in shared} - set(rows)), *wide])
    recorded = [name for name, variable in wide.items() if "step" in variable.dims]
    return frame.dropna(subset=recorded, how="all") if recorded else frame
