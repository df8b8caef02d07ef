"""Typed columns, as Parquet and Feather hold them: long or wide tables, given back with their types."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError
from rankscape.files.foreign import reading
from rankscape.files.layout import LOOK, Column, Kind, is_index, layout_of, told_by_names
from rankscape.files.long import Block, blocks, header_of, labels_of, to_table
from rankscape.files.table import Key, Long, Table, choose_columns
from rankscape.files.wanted import Wanted
from rankscape.files.wide import AbstractWide, table_of
from rankscape.ground.final import final
from rankscape.ground.numbers import EXACT

if TYPE_CHECKING:
    import pyarrow as pa

# Gives the columns of these names.
Load = Callable[[Sequence[str]], "pa.Table"]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ArrowWide(AbstractWide):
    """A wide table with its types."""

    table: "pa.Table"

    @property
    def title(self) -> str:
        """Nothing stands between typed columns."""
        return "with typed columns"

    def others(self) -> dict[int, Sequence]:
        """Names of rows, and what is kept aside."""
        places = [*([] if self.index is None else [self.index]), *self.aside]
        return {place: ["" if x is None else x for x in self.table.column(place).to_pylist()] for place in places}

    def filled(self, matrix: np.ndarray, source: Table) -> "pa.Table":
        """The same table, with numbers in place of what was missing; a column without changes is the one it was."""
        import pyarrow as pa

        table, changed = self.table, source.dense() != matrix
        for k, place in enumerate(self.places):
            if changed[:, k].any():
                field = table.schema.field(place)
                kind: Any = field.type if pa.types.is_floating(field.type) else pa.float64()
                column = pa.array(matrix[:, k], from_pandas=True).cast(kind)
                table = table.set_column(place, field.with_type(kind), column)
        return table


def sound(path: Path, what: str, load: Callable[[], "pa.Table"]) -> "pa.Table":
    """A table that was checked through: Arrow believes the offsets and the text in a file, whatever they say."""
    with reading(path, what):
        table = load()
        table.validate(full=True)
        return table


def read_arrow(path: Path, schema: "pa.Schema", load: Load, wanted: Wanted, duplicates: Duplicates, kind: str) -> Table:
    """Read a table of typed columns, wide or long."""
    with reading(path, "table of named columns"):
        names = schema.names  # text that may be none
    columns = _columns(path, schema, load)
    if columns and not len(columns[0].cells):
        raise FileFormatError(f"{path} holds no records")
    if layout_of(path, columns, wanted) == "long":
        return _long(path, names, load, wanted, duplicates, kind)
    table = load(names)
    levels = _index(schema)  # of several none names the rows alone, and none is data
    index = levels[0] if len(levels) == 1 else None
    if not levels and is_index(path, columns[0], others_alike=True, wanted=wanted):
        index = 0
    labels = None if index is None else _labels(path, names[index], table.column(index))
    numeric = [k for k, field in enumerate(schema) if is_number(field.type)]
    places = [k for k in numeric if k != index and k not in levels]
    if len(places) < 2 and wanted.layout is None:
        raise FileFormatError(f"{path} has only {', '.join(map(repr, names))}: a wide table has two columns of numbers")
    values = np.column_stack([values_of(path, names[k], table.column(k)) for k in places])
    aside = [k for k in range(len(names)) if k not in places and k != index]
    wide = ArrowWide(names=names, index=index, places=places, aside=aside, table=table)
    return table_of(path, wide, values, labels, kind)


def _columns(path: Path, schema: "pa.Schema", load: Load) -> list[Column]:
    """The columns, with the cells of those that tell the layout."""
    names = schema.names
    told = told_by_names(names) or ()
    places = sorted({0, *told, *(range(len(names)) if len(names) in (3, 4, 5) else ())} & set(range(len(names))))
    table = load([names[k] for k in places]).slice(0, LOOK)
    with reading(path, "table of cells that Python knows"):  # dates before the year 1 are none
        cells = {place: table.column(k).to_pylist() for k, place in enumerate(places)}
    place_of = lambda k: f"record {k + 1}"
    return [Column(field.name, _kind(field.type), cells.get(k, ()), place_of) for k, field in enumerate(schema)]


def _kind(kind: "pa.DataType") -> Kind:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "count"
    return "number" if is_number(kind) else "text"


def is_number(kind: "pa.DataType") -> bool:
    """Whether a type holds real numbers."""
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _index(schema: "pa.Schema") -> list[int]:
    """The places of the columns that pandas says are the index."""
    try:
        said = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))["index_columns"]
        return [schema.names.index(name) for name in said if name in schema.names]  # one that only counts is no name
    except (ValueError, TypeError, KeyError):
        return []


def _labels(path: Path, name: str, column: "pa.ChunkedArray") -> list:
    key = key_of(path, name, column)
    labels = key.labels[key.codes].tolist()
    if len(set(labels)) < len(labels):
        again = next(k for k, label in enumerate(labels) if label in labels[:k])
        raise FileFormatError(f"{path}, record {again + 1}, column {name!r}: the name {labels[again]!r} is there twice")
    return labels


def _long(path: Path, header: list[str], load: Load, wanted: Wanted, duplicates: Duplicates, kind: str) -> Table:
    chosen = choose_columns(path, header, wanted)
    names = header[chosen[0]], header[chosen[1]], header[chosen[2]]
    table = load(list(names))
    if not table.num_rows:
        raise FileFormatError(f"{path} holds no records")
    values = values_of(path, names[2], table[names[2]])
    long = Long(key_of(path, names[0], table[names[0]]), key_of(path, names[1], table[names[1]]), values)
    return to_table(path, kind, names, long, duplicates, lambda *at: f"records {at[0] + 1} and {at[1] + 1}")


def values_of(path: Path | str, name: str, column: "pa.ChunkedArray", before: int = 0) -> np.ndarray:
    """Numbers of a column, NaN where there is none; so many records came `before` these."""
    import pyarrow as pa

    if not is_number(column.type):
        with reading(path, f"column that Python knows ({name!r})"):
            sample = next((value.as_py() for value in column if value.is_valid), None)
        raise FileFormatError(f"{path}, column {name!r}: holds {column.type} ({sample!r}, for one), not numbers")
    try:
        numbers = column.cast(pa.float64()).to_numpy()  # null becomes NaN
    except pa.ArrowInvalid as error:  # pyarrow casts no whole number that would be rounded
        found = ((k, x) for k, x in enumerate(column.to_pylist(), 1) if x is not None and abs(x) > EXACT)
        record, number = next(found, (1, column[0]))
        raise FileFormatError(
            f"{path}, record {before + record}, column {name!r}: {number} has more digits than a float64 keeps; "
            "store the column as floats"
        ) from error
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        at = infinite[0]
        raise FileFormatError(
            f"{path}, record {before + at + 1}, column {name!r}: {numbers[at]} is not a finite number"
        )
    return numbers


def key_of(path: Path | str, name: str, column: Any, before: int = 0) -> Key:
    """Labels of a column, each of which must be there; so many records came `before` these."""
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
            f"{path}, record {before + missing[0] + 1}, column {name!r}: the cell is empty; a record needs a row and a "
            "column"
        )
    whole = column.dictionary_encode().unify_dictionaries().combine_chunks()
    labels = whole.dictionary
    with reading(path, f"column of labels ({name!r})"):
        named = np.array(labels.to_pylist(), np.str_) if kind == pa.large_string() else labels.to_numpy(False)
    return Key(whole.indices.to_numpy(), named)


def _missing(column: Any, kind: Any) -> np.ndarray:
    import pyarrow as pa
    from pyarrow import compute as functions

    compute: Any = functions  # its functions are made when it is imported: no type checker sees them
    empty = compute.is_null(column, nan_is_null=pa.types.is_floating(kind))
    if kind == pa.large_string():
        empty = compute.or_kleene(empty, compute.equal(compute.utf8_trim_whitespace(column), ""))
    return np.flatnonzero(empty.to_numpy())


def batches(matrix: np.ndarray, source: Table, full: bool) -> Iterator["pa.RecordBatch"]:
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


def as_arrow(wide: AbstractWide, matrix: np.ndarray) -> "pa.Table":
    """A wide table that came from another format as typed columns."""
    import pyarrow as pa

    columns = list(wide.columns(matrix))
    arrays = [pa.array(cells, from_pandas=True) for _, cells in columns]
    return pa.Table.from_arrays(arrays, names=[name for name, _ in columns])
