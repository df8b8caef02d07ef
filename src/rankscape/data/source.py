"""SOURCE, as users name it: a data set of `rankscape data`, or a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from rankscape import data
from rankscape.data import DatasetInfo
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import InputError, did_you_mean
from rankscape.files import Table, read
from rankscape.files.formats import is_known
from rankscape.files.packing import extension_of
from rankscape.files.reading import STANDARD_INPUT
from rankscape.files.wanted import Settings


@dataclass(frozen=True, eq=False)
class Source:
    """A matrix with holes, and where it came from."""

    name: str
    table: Table
    info: DatasetInfo | None = None

    @property
    def extension(self) -> str:
        """The extension of the format family that completed matrices of this source are written in."""
        if self.info is not None:
            # A named matrix is dense, but for ratings, and has no file whose format could be kept.
            return ".npy"
        extension = extension_of(Path(self.name))
        return extension if is_known(Path(self.name)) else f".{self.table.format}"

    @property
    def path(self) -> Path | None:
        """The file that was read, if it was one."""
        return None if self.info is not None or self.name == STANDARD_INPUT else Path(self.name)

    @property
    def stem(self) -> str:
        """The name without folder and extension."""
        if self.name == STANDARD_INPUT:
            return "stdin"
        return self.name if self.info is not None else Path(self.name).name.removesuffix(extension_of(Path(self.name)))


def open_source(source: str, *, duplicates: Duplicates = "error", **settings: Unpack[Settings]) -> Source:
    """Load a named data set, or read a file.

    Parameters
    ----------
    source : str
        A name from ``rankscape data list``, or the path of a file that `rankscape.files.read` knows.
    duplicates : {"error", "mean", "last"}
        What to do when an entry is given twice.
    **settings
        What `rankscape.files.read` is to be told about the file.

    Raises
    ------
    InputError
        Neither a name nor a readable file.
    """
    if source in data.names():
        loaded = data.load(source)
        # As if read from an array: what is completed is then written as one, with no names of columns to invent.
        labels = loaded.row_labels, loaded.column_labels
        table = Table(entries=loaded.entries, row_labels=labels[0], column_labels=labels[1], format="npy")
        return Source(source, table, loaded.info)
    if source == STANDARD_INPUT:
        return Source(source, read(source, duplicates=duplicates, **settings))
    # A word without extension that is no file was meant as a name: list the names, not the extensions.
    if not source.strip() or (not Path(source).expanduser().exists() and not Path(source).suffix):
        raise InputError(
            f"{source!r} is neither a file nor a named data set ({', '.join(data.names())})"
            f"{did_you_mean(source, data.names())}"
        )
    if Path(source).expanduser().is_dir():
        raise InputError(f"{source} is a folder; give one file in it.")
    return Source(source, read(source, duplicates=duplicates, **settings))
