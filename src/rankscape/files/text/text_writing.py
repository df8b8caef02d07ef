"""A completed matrix as text: a wide table as it stood, or a long one with a line for each cell."""

from collections.abc import Iterator
from typing import IO

import numpy as np

from rankscape.files.long import Block, blocks, header_of, labels_of
from rankscape.files.numerals import Numerals
from rankscape.files.table import Table
from rankscape.files.text.decoding import Encoding
from rankscape.files.text.dialect import Dialect
from rankscape.files.text.wide_text import TextWide, joined
from rankscape.files.wide import AbstractWide


def write_text(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool, name: str, separator: str) -> None:
    """Write a table as the source was cut; into another text format, at the separator of that.

    Parameters
    ----------
    name, separator
        The format to write, and what stands between cells where the source does not say.
    """
    if isinstance(source.wide, TextWide) and _keeps(source, source.wide.body.dialect, name):
        encoding, pieces = source.wide.body.text.encoding, joined(source.wide, matrix, source.dense() != matrix)
    elif source.wide is not None:
        encoding, pieces = Encoding(), _wide(source.wide, matrix, source, Dialect(separator))
    elif source.long is not None:
        style = source.long
        dialect = style.dialect if _keeps(source, style.dialect, name) else Dialect(separator)
        encoding, pieces = style.encoding, _long(matrix, source, full, dialect, style.numerals)
    else:
        encoding, pieces = Encoding(), _long(matrix, source, full, Dialect(separator), Numerals())
    file.write(encoding.mark)
    for piece in pieces:
        file.write(encoding.encode(piece))


def _keeps(source: Table, dialect: Dialect, name: str) -> bool:
    """Whether a file of this format keeps the separator: one of the source's own does, whatever it holds."""
    return name in (source.format, "txt") or (dialect.separator == "\t") == (name == "tsv")


def _wide(wide: AbstractWide, matrix: np.ndarray, source: Table, dialect: Dialect) -> Iterator[str]:
    """A wide table of another kind, or at another separator; given digits stay where they were text."""
    columns = list(wide.columns(matrix))
    if wide.names is not None:
        yield dialect.join([dialect.quote(name) for name, _ in columns]) + "\n"
    numerals = Numerals()
    for row in range(source.shape[0]):
        cells = [column[row] for _, column in columns]
        texts = [numerals.written(cell) if isinstance(cell, float) else str(cell) for cell in cells]
        yield dialect.join([dialect.quote(text) for text in texts]) + "\n"


def _long(matrix: np.ndarray, source: Table, full: bool, dialect: Dialect, numerals: Numerals) -> Iterator[str]:
    newline = source.long.newline if source.long else "\n"
    yield dialect.join([dialect.quote(name) for name in header_of(source)]) + newline
    labels = [[dialect.quote(str(label)) for label in names.tolist()] for names in labels_of(source)]
    known = _Digits(source, dialect)
    for block in blocks(matrix, source, full):
        lines = [dialect.join(cells) for cells in zip(*_columns(block, labels, known, numerals, dialect), strict=True)]
        if lines:
            yield newline.join(lines) + newline


class _Digits:
    """The digits of given values as they were written, in the order of the entries."""

    def __init__(self, source: Table, dialect: Dialect):
        self._quote, self._values = dialect.quote, source.values
        self._digits = source.long.digits if source.long else None
        self._at = 0

    def put(self, texts: list[str], block: Block) -> None:
        """Put the next ones where something was observed, and still has its value."""
        places = np.flatnonzero(block.observed)
        part = slice(self._at, self._at + len(places))
        self._at += len(places)
        if self._digits is None:
            return
        same = self._values[part] == block.values[places]
        for place, digits in zip(places[same].tolist(), self._digits[part][same].tolist(), strict=True):
            texts[place] = self._quote(digits)


def _columns(
    block: Block, labels: list[list[str]], known: _Digits, numerals: Numerals, dialect: Dialect
) -> list[list[str]]:
    texts = [numerals.written(number) for number in block.values.tolist()]
    if dialect.separator == numerals.decimal:
        texts = [dialect.quote(text) for text in texts]
    known.put(texts, block)
    rows, columns = labels
    cells = [
        [rows[i] for i in block.rows.tolist()],
        [columns[j] for j in block.columns.tolist()],
        texts,
        ["true" if seen else "false" for seen in block.observed.tolist()],
    ]
    if block.std_error is not None:
        empty = "NA" if dialect.separator == "blanks" else ""
        cells.append([empty if x != x else numerals.written(x) for x in block.std_error.tolist()])
    return cells
