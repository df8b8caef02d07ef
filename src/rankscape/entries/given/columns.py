"""What one column of a frame holds: numbers, text, or something that is refused with its name and row."""

import re
from typing import Any

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.missing import is_missing
from rankscape.ground.numbers import NotReal, exact_floats

# "3.5 mg" and its like: a number with something behind it.
_MEASURED = re.compile(r"\s*[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?\s*(\D{1,8})")


def numbers_of(present: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A column as float64, NaN where nothing is known: `present` are its values, `known` says where they stand.

    Raises `NotReal` with the row.
    """
    try:
        values = exact_floats(present)
    except NotReal as found:
        row = None if found.position is None else int(np.flatnonzero(known)[found.position])
        raise NotReal(found.what, row) from None
    if np.isinf(values).any():
        k = int(np.argmax(np.isinf(values)))
        raise NotReal(f"{values[k]}", int(np.flatnonzero(known)[k]))
    if len(values) == len(known):
        return values
    column = np.full(len(known), np.nan)
    column[known] = values
    return column


def is_text(present: np.ndarray) -> bool:
    """Whether the values of a column are words throughout: no numbers among them, nor numbers written as words."""
    if present.dtype.kind not in "OUST" or not len(present) or not all(isinstance(word, str) for word in present):
        return False
    words = [word.strip() for word in present.tolist()]
    if any(_is_number(word) for word in words):
        return False
    units = [_MEASURED.fullmatch(word) for word in words if not is_missing(word)]
    # One or two units behind all numbers: a measurement. Many: house numbers, samples.
    return not units or not all(units) or len({unit[1] for unit in units if unit}) > max(2, len(units) // 4)


def refusal(name: str, label: Any, found: NotReal, row: str) -> InputError:
    """The error that names column and row, and what to do."""
    at = f" in {row}" if row else ""
    if found.what.startswith("text"):
        remedy = "turn it into numbers (pandas.to_numeric, cast), or leave the column out"
    elif "inf" in found.what:
        remedy = "missing entries are NaN or NA"
    elif "2^53" in found.what:
        remedy = "leave the column out if it holds identifiers, or divide it"
    else:
        remedy = "leave the column out, or turn it into real numbers"
    return InputError(f"Column {label!r} of `{name}` holds {found.what}{at}: {remedy}.")


def _is_number(word: str) -> bool:
    try:
        float(word.replace(",", "."))
    except ValueError:
        return False
    return not is_missing(word)
