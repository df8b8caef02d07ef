"""Triplets in three columns of tables in Arrow's memory, wherever these come from."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rankscape.files.arrow import key_of, values_of
from rankscape.files.in_parts.base import Part, Share
from rankscape.files.table import Key

if TYPE_CHECKING:
    import pyarrow as pa

# The file or partition, the records of it that came before, and the next ones.
Piece: TypeAlias = "tuple[Path | str, int, pa.Table]"


class InColumns(Share):
    """Some records that are read as tables, piece by piece."""

    names: tuple[str, str, str]

    @abstractmethod
    def tables(self, names: Sequence[str]) -> Iterator[Piece]:
        """These columns alone."""

    def lines(self) -> Iterator[tuple[Key, Key]]:
        """Of two of the columns."""
        for where, before, table in self.tables(self.names[:2]):
            rows, columns = (key_of(where, name, table[name], before) for name in self.names[:2])
            yield rows, columns

    def parts(self) -> Iterator[Part]:
        """Piece by piece."""
        for where, before, table in self.tables(self.names):
            rows, columns = (key_of(where, name, table[name], before) for name in self.names[:2])
            values = values_of(where, self.names[2], table[self.names[2]], before)
            yield Part(rows, columns, values, str(where), before)
