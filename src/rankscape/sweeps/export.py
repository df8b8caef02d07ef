"""One file for other programs: netCDF with all dimensions, or a table (CSV, Parquet) with one row a run and record."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.storage import check_writable, replacing
from rankscape.run.exporting import classic, format_of, frame_of
from rankscape.sweeps.layout import OUTCOMES

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def export(sweep: Any, path: Path, format: str | None) -> Path:
    """Write the runs of a sweep that are done to `path`; tables batch by batch."""
    check_writable(path)
    format = format_of(path, format)
    data = sweep.dataset
    done = np.flatnonzero(data["done"].values)
    if not done.size:
        raise InputError(f"{sweep.path} holds no finished run yet; there is nothing to export.")
    with replacing(path) as file:
        if format == "netcdf":
            file.write(bytes(classic(data.isel(run=done).load()).to_netcdf(engine="scipy")))
        else:
            batch = sweep.batch
            frames = (_finished(data.isel(run=done[k : k + batch]).load()) for k in range(0, len(done), batch))
            (_write_csv if format == "csv" else _write_parquet)(frames, file)
    return path


def _finished(data: "xr.Dataset") -> "pd.DataFrame":
    """One row for each run and record, outcomes as words."""
    data = data.drop_vars("done")
    data["outcome"] = ("run", np.array([str(OUTCOMES[code]) for code in data["outcome"].values], dtype=object))
    return frame_of(data)


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
