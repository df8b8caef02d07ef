"""A wide table: a column of the file for each column of the matrix, perhaps names of rows, perhaps text beside them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rankscape.entries import Entries
from rankscape.errors import FileFormatError
from rankscape.files.table import Table, numbers_or_text


@dataclass(frozen=True, eq=False, kw_only=True)
class AbstractWide(ABC):
    """How a wide table stood in its file, so that it can be given back.

    Parameters
    ----------
    names
        What the file calls its columns, all of them; None where it has no header.
    index
        The place of the column that names the rows.
    places
        The places of the matrix's columns.
    aside
        The places of columns of text, which are given back as they are.
    """

    names: list[str] | None
    index: int | None
    places: list[int]
    aside: list[int]

    @property
    @abstractmethod
    def title(self) -> str:
        """How the file is written, in a few words."""

    @abstractmethod
    def others(self) -> dict[int, Sequence]:
        """The columns that are no numbers, by their places: names of rows, and text."""

    def columns(self, matrix: np.ndarray) -> Iterator[tuple[str, Sequence | np.ndarray]]:
        """All columns, with their names, as they are written into a file of another format."""
        others = self.others()
        place_of = {place: k for k, place in enumerate(self.places)}
        for place in range(len(others) + len(self.places)):
            name = self.names[place] if self.names else ("row" if place == self.index else f"column{place + 1}")
            yield name, others[place] if place in others else matrix[:, place_of[place]]


def table_of(path: Path, wide: AbstractWide, values: np.ndarray, labels: Sequence | None, kind: str) -> Table:
    """The table of a wide file: its observed entries, and how it was read."""
    columns = None if wide.names is None else [wide.names[place] for place in wide.places]
    if columns is not None:
        _check_names(path, wide.names or [])
        columns = [name or f"column {place + 1}" for name, place in zip(columns, wide.places, strict=True)]
    entries = Entries.from_array(values)
    if not entries.count:
        raise FileFormatError(f"{path}: all {values.size} cells of numbers are empty: nothing is observed")
    if labels is not None and isinstance(labels[0], str):
        labels = numbers_or_text(labels, "the first").tolist()
    return Table(
        entries=entries,
        row_labels=None if labels is None else np.asarray(labels),
        column_labels=None if columns is None else np.array(columns, np.str_),
        format=kind,
        skipped=values.size - entries.count,
        wide=wide,
        read_as=_sentence(wide, values.shape),
    )


def _sentence(wide: AbstractWide, shape: tuple[int, int]) -> str:
    parts = [f"a wide table, {shape[0]:,} rows x {shape[1]:,} columns, {wide.title}"]
    parts.append("with a header" if wide.names else "without a header")
    if wide.index is None:
        parts.append("rows without names")
    else:
        name = wide.names[wide.index] if wide.names else ""
        parts.append(f"rows named by {name!r}" if name else "rows named by the first column")
    if wide.aside:
        names = [repr(wide.names[k]) if wide.names else str(k + 1) for k in wide.aside]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        parts.append(f"kept aside and given back as {'it is' if len(names) == 1 else 'they are'}: {shown}")
    return "; ".join(parts)


def _check_names(path: Path, names: Sequence[str]) -> None:
    filled = [name for name in names if name]
    if len(set(filled)) < len(filled):
        twice = next(name for k, name in enumerate(filled) if name in filled[:k])
        at = [k + 1 for k, name in enumerate(names) if name == twice]
        raise FileFormatError(
            f"{path}: two columns are called {twice!r}, the columns {at[0]} and {at[1]}; give each a name of its own"
        )
