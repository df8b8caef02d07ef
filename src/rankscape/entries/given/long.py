"""Long frames: one line for each entry, with the names of its row and its column."""

from typing import Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.entries.given.columns import numbers_of, refusal
from rankscape.entries.observed import Entries
from rankscape.errors import InputError, did_you_mean
from rankscape.ground.numbers import NotReal


def of_long(
    frame: Any, rows: str, columns: str, values: str, duplicates: Duplicates
) -> tuple[Entries, np.ndarray, np.ndarray]:
    """The entries of a long frame, and the sorted names of rows and columns.

    A line without a value is no entry, but names its row and its column.

    Raises
    ------
    InputError
        No frame, no such column, a value without the name of its row or column, one that is no number, or a cell that
        is given twice.
    """
    table = _table(frame)
    for name in (rows, columns, values):
        if name not in table.columns:
            known = ", ".join(map(repr, table.columns))
            raise InputError(f"The frame has no column {name!r}; it has {known}{did_you_mean(name, table.columns)}.")
    known = ~table[values].is_null().to_numpy()
    try:
        y = numbers_of(table[values].drop_nulls().to_numpy(), known)
    except NotReal as found:
        at = "" if found.position is None else f"line {found.position}"
        raise refusal("frame", values, found, at) from None
    known &= ~np.isnan(y)
    if not known.any():
        raise InputError(f"Column {values!r} of the frame holds no value: nothing is observed.")
    row_labels, i = _names(table[rows], rows, known)
    column_labels, j = _names(table[columns], columns, known)
    known &= (i >= 0) & (j >= 0)
    shape = len(row_labels), len(column_labels)
    return Entries(i[known], j[known], y[known], shape, duplicates=duplicates), row_labels, column_labels


def _table(frame: Any) -> Any:
    import narwhals as nw

    try:
        return nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        raise InputError(f"Two columns of the frame have one name: {str(error).splitlines()[1].strip(' -')}.") from None
    except TypeError:
        raise InputError(f"A pandas, polars or pyarrow frame is needed, got {type(frame).__name__}.") from None


def _names(labels: Any, name: str, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sorted labels, and which of them each line has; -1 where a line has neither label nor value."""
    unnamed = labels.is_null().to_numpy()
    if (unnamed & known).any():  # it would become a row of its own
        raise InputError(f"Column {name!r} of the frame has no value at line {int((unnamed & known).argmax())}.")
    place = np.full(len(unnamed), -1)
    try:
        found, place[~unnamed] = np.unique(labels.drop_nulls().to_numpy(), return_inverse=True)
    except TypeError:  # numbers beside text have no order
        raise InputError(f"Column {name!r} of the frame mixes text and numbers: make all names text.") from None
    return found, place
