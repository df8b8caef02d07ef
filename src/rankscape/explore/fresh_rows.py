"""Rows that are pasted into the page, and filled by a model."""

from typing import Any

import numpy as np

from rankscape.errors import InputError, RankscapeError
from rankscape.estimators import CompletedMatrix
from rankscape.ground.missing import is_missing

# Rows of one question.
MOST = 160

# Between cells, the first that a line has.
MARKS = "\t", ";", ","


def filled(text: str, done: CompletedMatrix) -> dict[str, Any]:
    """Each cell's value, and whether it was filled; or what is wrong with the text."""
    try:
        new = parsed(text, done.shape[1])
        matrix = done.new_rows(new).matrix
    except RankscapeError as error:
        return {"error": str(error)}
    lines = zip(matrix.tolist(), np.isnan(new).tolist(), strict=True)
    return {"cells": [[list(cell) for cell in zip(*line, strict=True)] for line in lines]}


def parsed(text: str, columns: int) -> np.ndarray:
    """Rows as they were pasted, one a line; NaN where a cell is missing.

    Raises
    ------
    InputError
        A line has other columns than the table, or a cell is no number.

    Examples
    --------
    >>> parsed("1; ;2,5", 3)
    array([[1. , nan, 2.5]])
    """
    lines = [line for line in text.splitlines() if line.strip(" ")]
    if not lines or len(lines) > MOST:
        raise InputError(f"Paste 1 to {MOST} rows, one a line.")
    mark = next((mark for mark in MARKS if mark in lines[0]), None)
    rows = []
    for at, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split(mark)]
        if len(cells) != columns:
            raise InputError(f"Line {at} has {len(cells)} cells; the table has {columns} columns.")
        rows.append([_number(cell, at, mark) for cell in cells])
    return np.array(rows)


def _number(cell: str, at: int, mark: str | None) -> float:
    if is_missing(cell):
        return np.nan
    try:
        # Where commas do not part cells, a comma is a decimal mark, as in half of Europe.
        value = float(cell if mark == "," or "." in cell else cell.replace(",", ".", 1))
    except ValueError:
        value = np.inf
    if np.isfinite(value):
        return value
    raise InputError(f"Line {at}: {cell[:40]!r} is no finite number; leave a cell empty where it is missing.")
