"""Frames as given: pandas with all its types, polars, pyarrow and what else narwhals reads."""

import warnings
from typing import Any

import numpy as np

from rankscape.entries.given.arrays import precision
from rankscape.entries.given.columns import is_text, numbers_of, refusal
from rankscape.entries.given.frame import Frame, plain
from rankscape.entries.given.given import Given
from rankscape.entries.given.returning import AsFrame
from rankscape.entries.observed import Entries
from rankscape.errors import FallbackWarning, InputError
from rankscape.ground.numbers import NotReal

# Names of columns that an error or a warning lists.
SHOWN = 5


def of_frame(table: Any, name: str, aside: bool) -> Given:
    """The numbers of a narwhals frame as a matrix; its columns of text are kept aside or refused."""
    frame = Frame(table)
    if not table.shape[0] or not frame.columns:
        raise InputError(f"`{name}` is empty: {table.shape[0]} rows and {len(frame.columns)} columns.")
    matrix, words = _read(frame, name, aside)
    texts = tuple(label for label, isword in zip(frame.columns, words, strict=True) if isword)
    if all(words):
        raise InputError(f"`{name}` holds no numbers: all of its {len(words)} columns are text ({_listed(texts)}).")
    if texts:
        told = f"Column(s) {_listed(texts)} of `{name}` hold text: they are kept aside and given back unchanged."
        warnings.warn(told, FallbackWarning, stacklevel=6)  # the caller of `complete`
    kept = np.flatnonzero(~words).tolist()
    narrow = all(str(frame.column(j).dtype) == "Float32" for j in kept)
    return Given(
        entries=Entries.from_array(matrix[:, kept] if texts else matrix, f"`{name}`"),
        row_labels=frame.row_labels,
        column_labels=frame.column_labels(kept),
        dtype=precision(np.float32 if narrow else None),
        like=AsFrame(frame.native, kept),
        aside=texts,
    )


def _read(frame: Frame, name: str, aside: bool) -> tuple[np.ndarray, np.ndarray]:
    """All columns as numbers, and which are text instead."""
    words = np.zeros(len(frame.columns), dtype=bool)
    if (whole := frame.floats()) is not None and not np.isinf(whole).any():
        return whole, words
    matrix = np.full((frame.count, len(frame.columns)), np.nan)
    for j, label in enumerate(frame.columns):
        column, kind = frame.column(j), str(frame.column(j).dtype)
        known, present = ~column.is_null().to_numpy(), column.drop_nulls().to_numpy()
        category = kind.startswith(("Categorical", "Enum"))  # numbers in them are names
        words[j] = aside and (category or (kind == "String" and not len(present)) or is_text(present))
        if words[j]:
            continue
        if kind == "Object":  # a missing date among them is no missing number
            known, present = np.ones_like(known), column.to_numpy()
        try:
            if kind.startswith(("Struct", "List", "Array")):
                raise NotReal(f"nested values ({kind})")
            if category:
                raise NotReal(f"text (categories, {plain(present[0])!r})" if len(present) else "text (categories)")
            matrix[:, j] = numbers_of(present, known)
        except NotReal as found:
            raise refusal(name, label, found, frame.row(found.position)) from None
    return matrix, words


def _listed(labels: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, labels[:SHOWN])) + (", ..." if len(labels) > SHOWN else "")
