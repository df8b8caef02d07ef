"""What rankscape knows of a file format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.files.packing import PACKED
from rankscape.files.table import Table
from rankscape.ground.final import final

# The names that were asked for: of the columns of rows, of columns and of values.
Wanted: TypeAlias = tuple[str | None, str | None, str | None]
Reader: TypeAlias = Callable[[Path, Wanted, Duplicates], Table]
Writer: TypeAlias = Callable[[IO[bytes], np.ndarray, Table, bool], None]


@final
@dataclass(frozen=True)
class Format:
    """A file format: one such record in a file of its own, and its line in `FORMATS`.

    Parameters
    ----------
    name
        What a `Table` that was read from it says as its ``format``.
    title
        What people call it.
    extension
        With the dot, in lower case.
    stores
        What such a file holds, for the table in the help: "dense array, NaN where an entry is missing".
    read
        Called with the path, the names of columns that were asked for, and what to do with repeated cells.
    write
        Called with an open file, all cells of the matrix, the table that was completed, and whether to write the
        cells that were observed as well.
    long
        Whether a file has one record an entry, and so keeps labels, and what was observed; else it is a dense array.
    packed
        Whether a gzip-compressed file is this format too, under a second extension ``.gz``.
    """

    name: str
    title: str
    extension: str
    stores: str
    read: Reader
    write: Writer
    long: bool = False
    packed: bool = False

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that stand for it."""
        return (self.extension, self.extension + PACKED) if self.packed else (self.extension,)
