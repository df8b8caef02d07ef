"""Triplets in a Dask DataFrame: each partition is read by the worker that holds it, or comes here."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError, RankscapeError
from rankscape.files.in_parts.base import PART, Triplets
from rankscape.files.in_parts.columns import InColumns, Piece
from rankscape.files.in_parts.parquet import kind_of
from rankscape.files.table import choose_columns
from rankscape.files.wanted import Wanted
from rankscape.ground.final import final


def is_dask_frame(data: Any) -> bool:
    """Whether this is a frame of Dask, which is not imported for the question."""
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(data, "npartitions")


@final
class Partition(InColumns):
    """One partition, which is computed where it is read."""

    def __init__(self, number: int, names: tuple[str, str, str], lazy: Any):
        self.where, self.names, self.lazy = f"partition {number}", names, lazy
        self._kinds: dict[str, str] = {}

    def holding(self, brought: Any) -> "Partition":
        """With the frame in memory."""
        made = copy(self)
        made.lazy = brought
        return made

    @property
    def kinds(self) -> dict[str, str]:
        """Of the columns that were read; of none that is empty."""
        return self._kinds

    def tables(self, names: Sequence[str]) -> Iterator[Piece]:
        """All at once, cut into batches."""
        whole = self._computed(names)
        for before in range(0, whole.num_rows, PART):
            yield self.where, before, whole.slice(before, PART)

    def _computed(self, names: Sequence[str]) -> Any:
        import pyarrow as pa

        frame = self._frame()
        header = list(map(str, frame.columns))
        for name in names:
            if name not in header:
                raise FileFormatError(
                    f"{self.where} has no column {name!r}, as the frame has: it has {', '.join(header)}"
                )
        # Dask checks the types of no partition: what one really has is seen here.
        arrays = [self._array(frame, name) for name in names]
        found = pa.table(arrays, names=list(names))
        if len(frame):
            self._kinds = {name: kind_of(found.schema.field(name).type) for name in self.names[:2]}
        return found

    def _frame(self) -> Any:
        try:
            return self.lazy.compute() if hasattr(self.lazy, "compute") else self.lazy
        except RankscapeError:
            raise
        except Exception as error:
            raise self._broken(self.where, error) from error

    def _array(self, frame: Any, name: str) -> Any:
        """A column as Arrow has it; a row or column that is missing is named before its type is."""
        import pyarrow as pa

        column = frame[name]
        missing = column.isna().to_numpy()
        if name != self.names[2] and missing.any():
            where = f"{self.where}, record {int(missing.argmax()) + 1}, column {name!r}"
            raise FileFormatError(f"{where}: the cell is empty; a record needs a row and a column")
        try:
            return pa.array(column, from_pandas=True)
        except Exception as error:
            raise self._broken(f"{self.where}, column {name!r}", error) from error

    def _broken(self, where: str, error: Exception) -> FileFormatError:
        said = str(error).splitlines()[0][:200] if str(error) else ""
        return FileFormatError(f"{where} cannot be read ({type(error).__name__}: {said})")


@final
class InDask(Triplets):
    """Columns of a Dask DataFrame."""

    format = "parquet"

    def __init__(self, frame: Any, wanted: Wanted, duplicates: Duplicates):
        if not hasattr(frame, "columns") or not hasattr(frame, "partitions"):
            raise InputError(f"A Dask DataFrame of three columns is needed, got {type(frame).__name__} of Dask.")
        self.source, self.duplicates, self._frame = "the Dask DataFrame", duplicates, frame
        header = list(map(str, frame.columns))
        rows, columns, values = choose_columns(self.source, header, wanted)
        self.names = header[rows], header[columns], header[values]

    @property
    def count(self) -> None:
        """Nobody knows."""

    def shares(self) -> list[Partition]:
        """Its partitions, of which three columns are asked for."""
        meta = self._frame._meta[list(self.names)]
        chosen = self._frame.map_partitions(_chosen, self.names, meta=meta, enforce_metadata=False)
        return [Partition(k, self.names, part) for k, part in enumerate(chosen.to_delayed())]


def _chosen(frame: Any, names: tuple[str, ...]) -> Any:
    return frame[[name for name in frame.columns if str(name) in names]]
