"""SOURCE, as users name it: a data set of `rankscape data`, or a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from rankscape import data
from rankscape.data import DatasetInfo
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import InputError, did_you_mean
from rankscape.files import Table, read
from rankscape.files.formats import is_known
from rankscape.files.in_parts import triplets
from rankscape.files.in_parts.base import Each, one_by_one
from rankscape.files.packing import extension_of
from rankscape.files.reading import STANDARD_INPUT
from rankscape.files.wanted import Settings

if TYPE_CHECKING:
    from rankscape.problem import Completion

# Added to the seed of what is hidden: it is a test, and chosen independently of what an estimator holds out itself.
HIDING = 1 << 32


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

    def problem(self, hide: float = 0.0, seed: int = 0) -> "tuple[Completion, Completion | None]":
        """The completion to solve, and the share of the entries that is hidden from it first, if one is."""
        from rankscape.problem import Completion

        problem = Completion.of_entries(self.table.entries)
        if not hide:
            return problem, None
        split = problem.split(hide, seed=seed + HIDING)
        return split.training, split.heldout

    @property
    def stem(self) -> str:
        """The name without folder and extension."""
        if self.name == STANDARD_INPUT:
            return "stdin"
        if is_pattern(self.name):
            return Path(self.name).resolve().parent.name
        return self.name if self.info is not None else Path(self.name).name.removesuffix(extension_of(Path(self.name)))


def is_pattern(source: str) -> bool:
    """Whether this stands for several files."""
    return any(sign in source for sign in "*?[") and not Path(source).expanduser().exists()


def open_source(
    source: str,
    *,
    duplicates: Duplicates = "error",
    in_parts: bool = False,
    each: Each = one_by_one,
    **settings: Unpack[Settings],
) -> Source:
    """Load a named data set, or read a file.

    Parameters
    ----------
    source : str
        A name from ``rankscape data list``, or the path of a file that `rankscape.files.read` knows.
    duplicates : {"error", "mean", "last"}
        What to do when an entry is given twice.
    in_parts : bool
        Whether it may be a folder or a pattern of files, as `rankscape.files.triplets` takes them.
    each : callable
        Who sorts these: this process, or workers.
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
    if in_parts and source.strip() and (is_pattern(source) or Path(source).expanduser().is_dir()):
        return _in_parts(source, duplicates, settings, each)
    # A word without extension that is no file was meant as a name: list the names, not the extensions.
    if not source.strip() or (not Path(source).expanduser().exists() and not Path(source).suffix):
        raise InputError(
            f"{source!r} is neither a file nor a named data set ({', '.join(data.names())})"
            f"{did_you_mean(source, data.names())}"
        )
    if Path(source).expanduser().is_dir():
        raise InputError(f"{source} is a folder; give one file in it.")
    return Source(source, read(source, duplicates=duplicates, **settings))


def _in_parts(source: str, duplicates: Duplicates, settings: Settings, each: Each) -> Source:
    """Triplets, sorted on disk; options for other kinds of files are refused."""
    named = {name: settings.get(name) for name in ("rows", "columns", "values")}
    spare = [name for name, value in settings.items() if value not in (None, ()) and name not in named]
    if spare:
        raise InputError(f"{source} is a folder of triplets, which needs no --{spare[0]}: leave it out")
    return Source(source, triplets(source, duplicates=duplicates, **named).sorted_by(each))
