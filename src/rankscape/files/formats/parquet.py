"""Tables in Parquet: typed columns, so labels keep their type and an error names a record."""

from pathlib import Path
from typing import IO

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.files.arrow import ArrowWide, as_arrow, batches, read_arrow, sound
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.packages import needs
from rankscape.files.table import Table
from rankscape.files.wanted import Wanted
from rankscape.ground.memory import check_bytes

# How often the numbers of a table are held while it is read: as typed columns, as floats, and side by side.
COPIES = 3


def read_parquet(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a table from a Parquet file; of a long one only the three columns that are used are read."""
    needs("pyarrow", path)
    from pyarrow import parquet

    with reading(path, "Parquet file"):
        file = parquet.ParquetFile(path)
        schema, rows = file.schema_arrow, file.metadata.num_rows
    with file:
        check_bytes(COPIES * 8 * rows * len(schema), f"{path}, {rows:,} records,", "Split it.")
        load = lambda names: sound(path, "Parquet file", lambda: file.read(columns=list(names)))
        return read_arrow(path, schema, load, wanted, duplicates, PARQUET.name)


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
