"""What holds triplets: the names of its lines, and its records, part by part."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import InputError
from rankscape.files.table import Key, Table

# Records that are read at a time.
PART = 1 << 19

# Records of a share, where that can be chosen.
SHARE = 2_000_000

# Runs a function with each of some arguments, of which the first may have to be brought along, and gives what it
# returned, in their order; all that is written lies in the folder.
Each: TypeAlias = Callable[[Callable[..., Any], Sequence[tuple], Path], list[Any]]


def one_by_one(function: Callable[..., Any], given: Sequence[tuple], folder: Path) -> list[Any]:
    """Here, one after the other."""
    del folder
    return [function(*arguments) for arguments in given]


def check_seen(path: Path) -> None:
    """Refuse to read what is not there: on another machine, or not any more."""
    if not path.exists():
        raise InputError(f"{path} is not seen where it is read: all workers have to see it, and nobody may move it.")


class Part(NamedTuple):
    """Some records.

    Attributes
    ----------
    rows, columns : Key or ndarray
        By name; or positions, counted from zero.
    values : ndarray
        NaN where there is none.
    where : str
        The file or partition that they are in.
    before : int
        Records of it that came before.
    """

    rows: Key | np.ndarray
    columns: Key | np.ndarray
    values: np.ndarray
    where: str
    before: int

    @property
    def keys(self) -> tuple[Key | np.ndarray, Key | np.ndarray]:
        """Rows, and columns."""
        return self.rows, self.columns


class Share(ABC):
    """Some of the records, which one process reads; it travels to others as what says where they are."""

    # The file or partition that it is in.
    where: str

    # What Dask has to bring along: a partition, on whichever worker it is.
    lazy: Any = None

    @abstractmethod
    def lines(self) -> Iterator[tuple[Key | np.ndarray, Key | np.ndarray]]:
        """Rows and columns, part by part."""

    @abstractmethod
    def parts(self) -> Iterator[Part]:
        """All records, part by part; each time in the same order."""

    @property
    def kinds(self) -> dict[str, str]:
        """What its columns hold, by their names, where nobody could know that before it was read."""
        return {}

    def holding(self, brought: Any) -> "Share":
        """The same with what Dask has brought."""
        del brought
        return self


class Triplets(ABC):
    """Records of a row, a column and a value, in any order.

    Attributes
    ----------
    source : str
        Where they are, for people.
    format : str
        The name of the format.
    names : (str, str, str)
        Of the columns that hold rows, columns and values.
    duplicates : {"error", "mean", "last"}
        What to do when a cell is given twice.
    """

    source: str
    format: str
    names: tuple[str, str, str]
    duplicates: Duplicates

    def __repr__(self) -> str:
        return f"Triplets({self.source!r}, {', '.join(self.names)})"

    @property
    @abstractmethod
    def count(self) -> int | None:
        """Records, where that is known without reading them."""

    @abstractmethod
    def shares(self) -> Sequence[Share]:
        """All records, one share after the other."""

    def parts(self) -> Iterator[Part]:
        """All records, part by part; each time in the same order."""
        return chain.from_iterable(share.parts() for share in self.shares())

    @cached_property
    def table(self) -> Table:
        """Their entries, sorted on disk: read once, when it is asked for."""
        return self.sorted_by(one_by_one)

    def sorted_by(self, each: Each) -> Table:
        """The same, where `each` says who reads and sorts."""
        from rankscape.files.in_parts.gather import gather

        known = vars(self)
        if "table" not in known:
            known["table"] = gather(self, each)
        return known["table"]
