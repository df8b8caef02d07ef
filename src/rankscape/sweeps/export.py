"""One file for other programs: netCDF with all dimensions, or a table (CSV, Parquet) with one row a run and record."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import InputError, did_you_mean
from rankscape.ground.storage import check_writable, replacing
from rankscape.sweeps.layout import OUTCOMES

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# What can be written, and the endings of the names.
FORMATS = {"netcdf": ".nc", "csv": ".csv", "parquet": ".parquet"}


def export(sweep: Any, path: Path, format: str | None) -> Path:
    """Write the runs of a sweep that are done to `path`; tables batch by batch."""
    check_writable(path)
    format = _format(path, format)
    data = sweep.dataset
    done = np.flatnonzero(data["done"].values)
    if not done.size:
        raise InputError(f"{sweep.path} holds no finished run yet; there is nothing to export.")
    with replacing(path) as file:
        if format == "netcdf":
            file.write(bytes(_classic(data.isel(run=done).load()).to_netcdf(engine="scipy")))
        else:
            batch = sweep.batch
            frames = (_frame(data.isel(run=done[k : k + batch]).load()) for k in range(0, len(done), batch))
            (_write_csv if format == "csv" else _write_parquet)(frames, file)
    return path


def _format(path: Path, format: str | None) -> str:
    if format is None:
        found = [name for name, ending in FORMATS.items() if path.suffix == ending]
        if not found:
            raise InputError(f"{path}: name the format, or end the name in {', '.join(FORMATS.values())}.")
        return found[0]
    if format not in FORMATS:
        raise InputError(f"Unknown format {format!r}{did_you_mean(format, FORMATS)}; one of {', '.join(FORMATS)}.")
    return format


def _classic(data: "xr.Dataset") -> "xr.Dataset":
    """Without what netCDF 3 does not know: switches and 64-bit integers."""
    data.attrs = {name: value if isinstance(value, str | int) else str(value) for name, value in data.attrs.items()}
    for name, variable in data.variables.items():
        if variable.dtype.kind == "b":
            data[name] = data[name].astype(np.int8)
        elif variable.dtype == np.int64 and np.abs(variable.values).max(initial=0) >= 2**31:
            data[name] = data[name].astype(float)
    return data


def _frame(data: "xr.Dataset") -> "pd.DataFrame":
    """One row for each run and record; arrays become numbered columns, outcomes words."""
    data = data.drop_vars("done")
    data["outcome"] = ("run", np.array([str(OUTCOMES[code]) for code in data["outcome"].values], dtype=object))
    wide = {}
    for name, variable in data.data_vars.items():
        inner = [dim for dim in variable.dims if dim not in ("run", "step")]
        for place in np.ndindex(*(data.sizes[dim] for dim in inner)):
            labels = [data[dim].values[k] if dim in data.coords else k for dim, k in zip(inner, place, strict=True)]
            own = "_".join([str(name), *map(str, labels)])
            wide[own] = variable.isel(dict(zip(inner, place, strict=True))).drop_vars(inner, errors="ignore")
    rows = ["run", "step"] if "step" in data.sizes else ["run"]
    kept = data.drop_vars(data.data_vars)
    shared = [name for name, c in kept.coords.items() if set(c.dims) <= set(rows)]
    frame = data[shared].assign(wide).to_dataframe(dim_order=rows).reset_index()
    # By name: a store lists its arrays in the order of its folder, which is another on another disk.
    frame = frame.reindex(columns=[*rows, *sorted({str(name) for name in shared} - set(rows)), *wide])
    recorded = [name for name, variable in wide.items() if "step" in variable.dims]
    return frame.dropna(subset=recorded, how="all") if recorded else frame


def _write_csv(frames: Iterator["pd.DataFrame"], file: Any) -> None:
    for k, frame in enumerate(frames):
        # The names of the columns stand once, above the first batch.
        file.write(frame.to_csv(index=False, header=k == 0).encode())


def _write_parquet(frames: Iterator["pd.DataFrame"], file: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in frames:
        # All batches in the types of the first: one that holds only NaN would have others.
        table = pa.Table.from_pandas(frame, schema=writer.schema if writer else None, preserve_index=False)
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()
