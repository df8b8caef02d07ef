"""SOURCE, as users name it: a data set of `rankscape data`, or a file."""

from dataclasses import dataclass
from pathlib import Path

from rankscape import data
from rankscape.data import DatasetInfo
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import InputError, did_you_mean
from rankscape.files import Table, read
from rankscape.files.packing import extension_of


@dataclass(frozen=True, eq=False)
class Source:
    """A matrix with holes, and where it came from."""

    name: str
    table: Table
    info: DatasetInfo | None = None

    @property
    def extension(self) -> str:
        """The extension of the format family that completed matrices of this source are written in."""
        # A named matrix is dense, but for ratings, and has no file whose format could be kept.
        return ".npy" if self.info is not None else extension_of(Path(self.name))

    @property
    def stem(self) -> str:
        """The name without folder and extension."""
        return self.name if self.info is not None else Path(self.name).name.removesuffix(self.extension)


def open_source(
    source: str,
    *,
    rows: str | None = None,
    columns: str | None = None,
    values: str | None = None,
    duplicates: Duplicates = "error",
) -> Source:
    """Load a named data set, or read a file.

    Parameters
    ----------
    source : str
        A name from ``rankscape data list``, or the path of a file that `rankscape.files.read` knows.
    rows, columns, values : str, optional
        Columns of a long file.
    duplicates : {"error", "mean", "last"}
        What to do when an entry is given twice.

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
    # A word without extension that is no file was meant as a name: list the names, not the extensions.
    if not source.strip() or (not Path(source).expanduser().exists() and not Path(source).suffix):
        raise InputError(
            f"{source!r} is neither a file nor a named data set ({', '.join(data.names())})"
            f"{did_you_mean(source, data.names())}"
        )
    if Path(source).expanduser().is_dir():
        raise InputError(f"{source} is a folder; give one file in it.")
    return Source(source, read(source, rows=rows, columns=columns, values=values, duplicates=duplicates))
