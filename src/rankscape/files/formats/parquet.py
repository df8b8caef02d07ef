"""Tables in Parquet: typed columns, so labels keep their type and an error names a record."""

from pathlib import Path
from typing import IO

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.arrow import ArrowWide, as_arrow, batches, read_arrow
from rankscape.files.formats.base import Format
from rankscape.files.packages import needs
from rankscape.files.table import Table
from rankscape.files.wanted import Wanted


def read_parquet(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a table from a Parquet file; of a long one only the three columns that are used are read."""
    needs("pyarrow", path)
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            load = lambda names: file.read(columns=list(names))
            return read_arrow(path, file.schema_arrow, load, wanted, duplicates, PARQUET.name)
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"{path} is not a Parquet file that can be read: {error}") from error


def write_parquet(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write a wide table with its types, or a long one block by block."""
    from pyarrow import parquet

    if source.wide is not None:
        wide = source.wide
        table = wide.filled(matrix, source) if isinstance(wide, ArrowWide) else as_arrow(wide, matrix)
        parquet.write_table(table, file)
        return
    parts = batches(matrix, source, full)
    with parquet.ParquetWriter(file, next(parts).schema) as writer:
        for part in parts:
            writer.write_batch(part)


STORES = "wide or long table of typed columns; a null or NaN value is a missing one"
SETTLES = ("layout", "index")
PARQUET = Format(
    "parquet", "Parquet", ".parquet", STORES, read_parquet, write_parquet, long=True, settles=SETTLES,
    needs=lambda path: needs("pyarrow", path),
)  # fmt: skip
