"""Tables in Feather, the file of Apache Arrow: as Parquet."""

from pathlib import Path
from typing import IO

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.files.arrow import ArrowWide, as_arrow, batches, read_arrow, sound
from rankscape.files.formats.base import Format
from rankscape.files.formats.parquet import SETTLES, STORES
from rankscape.files.packages import needs
from rankscape.files.table import Table
from rankscape.files.wanted import Wanted


def read_feather(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a table from a Feather file."""
    needs("pyarrow", path)
    from pyarrow import feather

    table = sound(path, "Feather file", lambda: feather.read_table(path, memory_map=False))
    return read_arrow(path, table.schema, table.select, wanted, duplicates, FEATHER.name)


def write_feather(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write a wide table with its types, or a long one."""
    import pyarrow as pa
    from pyarrow import feather

    wide = source.wide
    if wide is None:
        table = pa.Table.from_batches(batches(matrix, source, full))
    else:
        table = wide.filled(matrix, source) if isinstance(wide, ArrowWide) else as_arrow(wide, matrix)
    feather.write_feather(table, file)


FEATHER = Format(
    "feather", "Feather", ".feather", STORES, read_feather, write_feather, long=True, others=(".arrow",),
    settles=SETTLES, needs=lambda path: needs("pyarrow", path),
)  # fmt: skip
