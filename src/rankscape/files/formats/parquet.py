"""Long tables in Parquet: typed columns, so labels keep their type and an error names a record."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.formats.base import Format
from rankscape.files.long import Block, blocks, header_of, labels_of, to_table
from rankscape.files.table import Key, Long, Table, choose_columns
from rankscape.files.wanted import Wanted


def read_parquet(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a long table from a Parquet file; only the three columns that are used are read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
        header = file.schema_arrow.names
        chosen = choose_columns(path, header, wanted)
        names = header[chosen[0]], header[chosen[1]], header[chosen[2]]
        table = file.read(columns=list(names))
    except (pa.ArrowException, OSError) as error:
        raise FileFormatError(f"{path} is not a Parquet file that can be read: {error}") from error
    if not table.num_rows:
        raise FileFormatError(f"{path} holds no records")
    values = _values(path, names[2], table[names[2]])
    long = Long(_key(path, names[0], table[names[0]]), _key(path, names[1], table[names[1]]), values)
    return to_table(path, PARQUET.name, names, long, duplicates, lambda *at: f"records {at[0] + 1} and {at[1] + 1}")


def _values(path: Path, name: str, column) -> np.ndarray:
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        sample = next((value for value in column.to_pylist() if value is not None), None)
        raise FileFormatError(f"{path}, column {name!r}: holds {kind} ({sample!r}, for one), not numbers")
    numbers = column.cast(pa.float64()).to_numpy()  # null becomes NaN
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        at = infinite[0]
        raise FileFormatError(f"{path}, record {at + 1}, column {name!r}: {numbers[at]} is not a finite number")
    return numbers


def _key(path: Path, name: str, column) -> Key:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):  # a category that no record uses is not a row of the matrix
        column, kind = column.cast(kind.value_type), kind.value_type
    if any(getattr(pa.types, test)(kind) for test in ("is_string", "is_large_string", "is_string_view")):
        column, kind = column.cast(pa.large_string()), pa.large_string()
    elif not any(getattr(pa.types, test)(kind) for test in ("is_integer", "is_floating", "is_date", "is_timestamp")):
        raise FileFormatError(f"{path}, column {name!r}: {kind} cannot label rows or columns; use text or integers")
    missing = _missing(column, kind)
    if missing.size:
        raise FileFormatError(
            f"{path}, record {missing[0] + 1}, column {name!r}: the cell is empty; a record needs a row and a column"
        )
    whole = column.dictionary_encode().unify_dictionaries().combine_chunks()
    labels = whole.dictionary
    text = kind == pa.large_string()
    return Key(whole.indices.to_numpy(), np.array(labels.to_pylist(), np.str_) if text else labels.to_numpy(False))


def _missing(column, kind) -> np.ndarray:
    import pyarrow as pa
    from pyarrow import compute as functions

    compute: Any = functions  # its functions are made when it is imported: no type checker sees them
    empty = compute.is_null(column, nan_is_null=pa.types.is_floating(kind))
    if kind == pa.large_string():
        empty = compute.or_kleene(empty, compute.equal(compute.utf8_trim_whitespace(column), ""))
    return np.flatnonzero(empty.to_numpy())


def write_parquet(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write a long table, block by block."""
    from pyarrow import parquet

    parts = _batches(matrix, source, full)
    with parquet.ParquetWriter(file, next(parts).schema) as writer:
        for part in parts:
            writer.write_batch(part)


def _batches(matrix: np.ndarray, source: Table, full: bool) -> Iterator:
    """Yield record batches: first an empty one, for its schema."""
    import pyarrow as pa

    labels, names = [pa.array(names) for names in labels_of(source)], header_of(source)
    none = np.zeros(0, dtype=np.int64)
    errors = None if source.errors is None else np.zeros(0)
    start = Block(none, none, np.zeros(0), np.zeros(0, dtype=bool), errors)
    for block in chain([start], blocks(matrix, source, full)):
        arrays = [labels[0].take(pa.array(block.rows)), labels[1].take(pa.array(block.columns))]
        arrays += [pa.array(block.values), pa.array(block.observed)]
        if block.std_error is not None:
            arrays.append(pa.array(block.std_error, from_pandas=True))
        yield pa.record_batch(arrays, names=names)


_STORES = "long table, one record an entry; a null or NaN value is a missing one"
PARQUET = Format("parquet", "Parquet", ".parquet", _STORES, read_parquet, write_parquet, long=True)
