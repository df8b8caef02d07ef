"""Text read record by record: slowly, and always knowing on which line."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from rankscape.errors import FileFormatError
from rankscape.files.packing import BROKEN, unpacked
from rankscape.files.table import Key, Long, numbers_or_text

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """How the text is cut: found on the header's line."""

    path: Path
    delimiter: str
    header: tuple[str, ...]
    header_lines: int


def first_line(path: Path) -> str:
    """Return the first line that is not blank."""
    try:
        with _open(path) as file:
            return next((line for line in file if line.strip()), "")
    except BROKEN as error:
        raise FileFormatError(f"{path}: the compressed file is broken ({error})") from error


def _open(path: Path) -> TextIO:
    # A byte that is not UTF-8 becomes a lone surrogate, which the cells that are used are searched for.
    return io.TextIOWrapper(unpacked(path), encoding="utf-8-sig", errors="surrogateescape", newline="")


def records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every record that is not blank, with the line it starts on, counted from 1 as an editor does."""
    line = 1
    with _open(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for cells in reader:
                if len(cells) > 1 or any(map(str.strip, cells)):
                    yield line, cells
                line = reader.line_num + 1  # not a count of records: a quoted cell may go over several lines
        except csv.Error as error:
            raise FileFormatError(f"{path}, line {line}: {error}; is a quote opened here and not closed?") from error
        except BROKEN as error:
            raise FileFormatError(f"{path}, after line {line}: the compressed file is broken ({error})") from error


def lines_of(layout: Layout, first: int, second: int) -> str:
    """Say on which lines two records of the table's body start."""
    header_and_body = enumerate(records(layout.path, layout.delimiter), -1)
    line_of = {record: line for record, (line, _) in header_and_body if record in (first, second)}
    return f"lines {line_of[first]} and {line_of[second]}"


def slow(layout: Layout, chosen: tuple[int, int, int]) -> Long:
    """Read record by record, and raise at the first cell that cannot be used."""
    found: tuple[list, list, list] = [], [], []
    for line, cells in itertools.islice(records(layout.path, layout.delimiter), 1, None):
        if len(cells) != len(layout.header):
            raise FileFormatError(_wrong_length(layout, line, cells))
        for column, at, convert in zip(found, chosen, (_label, _label, _value), strict=True):
            try:
                column.append(convert(cells[at]))
            except ValueError as error:
                raise FileFormatError(f"{layout.path}, line {line}, column {layout.header[at]!r}: {error}") from None
    rows, columns, values = found
    if not rows:
        raise FileFormatError(f"{layout.path} holds a header and no entries")
    names = layout.header[chosen[0]], layout.header[chosen[1]]
    return Long(_encoded(rows, names[0]), _encoded(columns, names[1]), np.array(values, dtype=np.float64))


def _encoded(texts: list[str], name: str) -> Key:
    labels, codes = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    return Key(codes, numbers_or_text(labels.tolist(), name))


def _wrong_length(layout: Layout, line: int, cells: list[str]) -> str:
    found, expected = len(cells), len(layout.header)
    text = f"{layout.path}, line {line}: {found} cell(s) where the header has {expected}"
    return text + ("; is a quote opened here and not closed?" if any("\n" in cell for cell in cells) else "")


def _label(cell: str) -> str:
    label = cell.strip()
    if not label:
        raise ValueError("the cell is empty; every line needs a row and a column")
    check_utf8(label)
    return label


def check_utf8(text: str) -> None:
    """Raise ValueError if ``text`` holds bytes that are not UTF-8."""
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise ValueError(f"{text.encode('utf-8', 'surrogateescape')!r} is not UTF-8 text; save the file as UTF-8")


def _value(cell: str) -> float:
    text = cell.strip()
    if not text:
        return np.nan
    if not NUMBER.fullmatch(text):
        hint = ""
        if text.lower().lstrip("+-") in ("nan", "na", "n/a", "null", "none"):
            hint = "; leave the cell empty where the entry is missing"
        elif NUMBER.fullmatch(text.replace(",", ".")):  # a comma as people write it in half of Europe
            hint = "; write it with a decimal point"
        raise ValueError(f"{text!r} is not a finite number{hint}")
    number = float(text)
    if not np.isfinite(number):
        raise ValueError(f"{text!r} is too large for a float64")
    return number
