"""Triplets in a Dask DataFrame: a partition at a time is computed, and comes here."""

from collections.abc import Iterator, Sequence
from typing import Any

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError, RankscapeError
from rankscape.files.in_parts.base import PART
from rankscape.files.in_parts.columns import InColumns, Piece
from rankscape.files.in_parts.parquet import kind_of
from rankscape.files.table import choose_columns
from rankscape.files.wanted import Wanted
from rankscape.ground.final import final


def is_dask_frame(data: Any) -> bool:
    """Whether this is a frame of Dask, which is not imported for the question."""
    return type(data).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(data, "npartitions")


@final
class InDask(InColumns):
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

    def _tables(self, names: Sequence[str]) -> Iterator[Piece]:
        first: dict[str, str] = {}
        for k in range(self._frame.npartitions):
            where = f"partition {k}"
            whole = self._computed(k, where, names)
            for name in names if whole.num_rows else ():
                kind = kind_of(whole.schema.field(name).type)
                if first.setdefault(name, kind) != kind:
                    raise FileFormatError(
                        f"{where}, column {name!r}: holds {kind}, and {first[name]} before: use one type"
                    )
            for before in range(0, whole.num_rows, PART):
                yield where, before, whole.slice(before, PART)

    def _computed(self, k: int, where: str, names: Sequence[str]) -> Any:
        import pyarrow as pa

        try:
            # Dask checks the types of no partition: what one really has is seen here.
            return pa.Table.from_pandas(self._frame[list(names)].partitions[k].compute(), preserve_index=False)
        except RankscapeError:
            raise
        except Exception as error:
            said = str(error).splitlines()[0][:200] if str(error) else ""
            raise FileFormatError(f"{where} cannot be read ({type(error).__name__}: {said})") from error
