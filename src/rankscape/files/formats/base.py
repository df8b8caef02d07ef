"""What rankscape knows of a file format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.files.packing import PACKINGS
from rankscape.files.table import Table
from rankscape.files.wanted import Wanted
from rankscape.ground.final import final

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
        Called with the path, what was asked for (`Wanted`), and what to do with repeated cells.
    write
        Called with an open file, all cells of the matrix, the table that was completed, and whether to write the
        cells that were observed as well.
    long
        Whether a file can have one record an entry, and so keep labels, and what was observed; else it is dense.
    packed
        Whether a compressed file is this format too, under a second extension (``.gz``, ``.bz2``, ``.xz``, ``.zst``).
    others
        Extensions that stand for it too.
    settles
        Which parts of `Wanted` it looks at, beside names of rows, columns and values; to ask for another is refused.
    needs
        Called with the path before a file is written: raises where a package for it is not installed.
    """

    name: str
    title: str
    extension: str
    stores: str
    read: Reader
    write: Writer
    long: bool = False
    packed: bool = False
    others: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()
    needs: Callable[[Path], None] | None = None

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that stand for it; of the packings the commonest, which is named for all of them."""
        packings = ("", PACKINGS[0]) if self.packed else ("",)
        return tuple(extension + packing for extension in (self.extension, *self.others) for packing in packings)
