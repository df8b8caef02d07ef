"""What reading a file gives: the observed entries, and what is needed to write the same kind of file back."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.labelled import AbstractLabelled
from rankscape.errors import FallbackWarning, FileFormatError, InputError, did_you_mean
from rankscape.files.layout import BESIDE, told_by_names
from rankscape.files.wanted import Wanted
from rankscape.ground.final import final

if TYPE_CHECKING:
    from rankscape.files.long import LongStyle
    from rankscape.files.wide import AbstractWide

# Name of the boolean column that tells observed cells from completed ones in the files rankscape writes.
OBSERVED = "observed"

DEFAULT_NAMES = ("row", "column", "value")


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Table(AbstractLabelled):
    """The observed entries of a matrix in a file.

    Parameters
    ----------
    entries
        In row order; ``rows``, ``columns``, ``values`` and ``shape`` are theirs.
    row_labels, column_labels
        What the file calls each row and column, sorted in a long table, as they stand in a wide one; None where the
        file only counts them.
    format
        The name of the file's `Format`.
    names
        Names of the three columns of a long table; of an NPZ file, the last one is the name of the array.
    skipped
        How many cells were there, but empty: the missing entries that the file mentions.
    merged
        How many entries went into others because they gave the same cell.
    read_as
        How the file was read, for a person: "a wide table, 30 rows x 12 columns, cut at commas, ...".
    wide
        How a wide table stood in its file, so that it can be given back; None where it was none.
    long
        The same of a long table of text.
    errors
        Standard errors of the cells, to be written beside what is completed.
    """

    format: str
    names: tuple[str, str, str] = DEFAULT_NAMES
    skipped: int = 0
    merged: int = 0
    read_as: str = ""
    wide: "AbstractWide | None" = None
    long: "LongStyle | None" = None
    errors: np.ndarray | None = None

    @property
    def known(self) -> np.ndarray:
        """Which cells are observed, shape ``shape``."""
        mask = np.zeros(self.shape, dtype=bool)
        mask[self.rows, self.columns] = True
        return mask

    def renewed(self) -> "Table":
        """The same table with nothing observed, so that every number is written anew: of a denoised matrix, say."""
        nothing, nowhere = np.zeros(0), np.zeros(0, dtype=np.int64)
        long = None if self.long is None else replace(self.long, digits=None)
        return replace(self, entries=Entries(nowhere, nowhere, nothing, self.shape), long=long)


@dataclass(frozen=True, eq=False)
class Key:
    """One key column of a long table: ``labels[codes[i]]`` is the label on record ``i``."""

    codes: np.ndarray
    labels: np.ndarray

    def sorted(self) -> "Key":
        """Return the same column with its labels sorted, each once; names that are numbers by what they say."""
        labels, ranks = np.unique(self.labels, return_inverse=True)
        order = _by_number(labels)
        if order is not None:
            labels, ranks = labels[order], np.argsort(order)[ranks]
        return Key(ranks[self.codes], labels)


@dataclass(frozen=True, eq=False)
class Long:
    """A long table before its checks: two keys and a value a record, NaN where the value's cell is empty."""

    rows: Key
    columns: Key
    values: np.ndarray
    digits: np.ndarray | None = None  # what the cells of the values say, where they are text


def _by_number(labels: np.ndarray) -> np.ndarray | None:
    """The order of texts that are all numbers (``2.0`` before ``10.0``); None of others."""
    if labels.dtype.kind != "U" or not all(map(_DECIMAL.fullmatch, labels.tolist())):
        return None
    return np.argsort(labels.astype(np.float64), kind="stable")


def choose_columns(path: Path | str, header: Sequence[str], wanted: Wanted) -> tuple[int, int, int]:
    """Return the positions of the row, column and value columns among the names of ``header``.

    A name that was not given is taken from names that tell (user, movie, rating), or in order from a file of exactly
    three columns; those that rankscape adds to what it writes do not count.
    """
    found = _listed(header)
    if len(header) < 3:
        raise FileFormatError(
            f"{path} has only {found}; a long table has three columns, row, column and value, and a wide one at least "
            "two columns of numbers"
        )
    roles = ("rows", "columns", "values")
    for role, name in zip(roles, wanted.names, strict=True):
        _check_name(path, header, role, name)
    named = [name for name in wanted.names if name is not None]
    if len(set(named)) < len(named):
        raise InputError(f"{path}: rows, columns and values must be three different columns, not {named}")
    # What rankscape wrote can be read back without naming columns: what it adds is left out, unless it is asked for.
    candidates = [name for name in header if name not in BESIDE or name in named or len(header) == 3]
    telling = told_by_names(header) if not named else None
    if len(named) < 3 and len(candidates) != 3 and telling is None:
        missing = [role for role, name in zip(roles, wanted.names, strict=True) if name is None]
        raise InputError(f"{path} has the columns {found}: name the ones to use with {', '.join(missing)}")
    rest = iter([name for name in candidates if name not in named])
    chosen = [header[k] for k in telling] if telling else [next(rest) if n is None else n for n in wanted.names]
    for name in chosen:
        if list(header).count(name) > 1:
            raise FileFormatError(f"{path}: two columns are called {name!r}; the header has {found}")
    rows, columns, values = (list(header).index(name) for name in chosen)
    return rows, columns, values


def _listed(header: Sequence[str]) -> str:
    return ", ".join(map(repr, header[:12])) + (f", ... ({len(header)} in all)" if len(header) > 12 else "")


def _check_name(path: Path | str, header: Sequence[str], role: str, name: str | None) -> None:
    if name is not None and name not in header:
        raise InputError(
            f"{path} has no column {name!r} ({role}); it has {_listed(header)}{did_you_mean(name, header)}"
        )


# Only what a program writes for a number: "007" and "1_000" are labels that happen to be made of digits.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?([eE][-+]?[0-9]{1,3})?", re.ASCII)


def numbers_or_text(texts: Sequence[str], name: str) -> np.ndarray:
    """Return labels as integers where every one is an integer, else as floats, else as they stand.

    A label is a name: where the number is written in another way (``1E5``, ``1.50``), it stays as it stands.

    >>> numbers_or_text(["10", "9"], "user")
    array([10,  9])
    >>> numbers_or_text(["007", "9"], "user")
    array(['007', '9'], dtype='<U3')
    >>> numbers_or_text(["1E5", "2E5"], "barcode")
    array(['1E5', '2E5'], dtype='<U3')
    """
    for pattern, convert in ((_INTEGER, int), (_DECIMAL, float)):
        if all(map(pattern.fullmatch, texts)):
            numbers = [convert(text) for text in texts]
            if len(set(numbers)) == len(set(texts)) and all(-(2**63) <= number < 2**63 for number in numbers):
                if convert is float and any(str(number) != text for number, text in zip(numbers, texts, strict=True)):
                    break
                return np.array(numbers, dtype=np.int64 if convert is int else np.float64)
            warnings.warn(
                f"column {name!r} holds numbers that are too large or written in several ways (1 and 1.0, say); "
                "its labels are kept as text, so each way of writing is a label of its own",
                FallbackWarning,
                stacklevel=2,
            )
            break
    return np.array(texts, dtype=np.str_)
