"""What holds triplets: the names of its lines, and its records, part by part."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.files.table import Key, Table

# Records that are read at a time.
PART = 1 << 19


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
    def lines(self) -> Iterator[tuple[Key | np.ndarray, Key | np.ndarray]]:
        """Rows and columns of all records, part by part."""

    @abstractmethod
    def parts(self) -> Iterator[Part]:
        """All records, part by part; each time in the same order."""

    @cached_property
    def table(self) -> Table:
        """Their entries, sorted on disk: read once, when it is asked for."""
        from rankscape.files.in_parts.gather import gather

        return gather(self)
