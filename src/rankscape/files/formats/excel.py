"""Workbooks of Excel: one sheet, read as a table of text is; given back as the workbook that it was."""

import datetime
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FallbackWarning, FileFormatError, InputError, did_you_mean
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.formats.delimited import read_text
from rankscape.files.formats.workbook import check_cells, check_workbook
from rankscape.files.long import blocks, header_of, labels_of
from rankscape.files.packages import needs
from rankscape.files.table import Table
from rankscape.files.text.decoding import Encoding
from rankscape.files.text.wide_text import TextWide
from rankscape.files.wanted import Wanted
from rankscape.files.wide import AbstractWide
from rankscape.ground.final import final

# How a file starts that holds an old workbook, or a new one under a password.
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")

# What a sheet can hold.
MOST = (1 << 20, 1 << 14)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class ExcelWide(AbstractWide):
    """A wide table on a sheet of a workbook."""

    text: TextWide
    content: bytes
    sheet: str
    left: int  # empty columns before the table

    @property
    def title(self) -> str:
        """Which sheet it is."""
        return f"the sheet {self.sheet!r}"

    def others(self) -> dict[int, Sequence]:
        """Names of rows, and text."""
        return self.text.others()


def read_excel(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read one sheet, wide or long."""
    needs("python_calamine", path)
    content = path.read_bytes()
    if content.startswith(COMPOUND):
        raise FileFormatError(f"{path} is an old workbook (.xls) or has a password; save it as .xlsx without one")
    check_workbook(path, content)
    sheet, others, rows = _sheet(path, content, wanted.sheet)
    filled = [k for row in rows for k, cell in enumerate(row) if cell]
    if not filled:
        raise FileFormatError(f"{path}: the sheet {sheet!r} is empty")
    left = min(filled) if _is_named(rows, min(filled)) else 0
    lines = ["\t".join(row[left : max(filled) + 1]) if any(row) else "" for row in rows]
    table = read_text(path, "\n".join(lines), Encoding(), wanted, duplicates, EXCEL.name, cells=True)
    if not isinstance(table.wide, TextWide):
        return replace(table, long=None, read_as=table.read_as.replace(", cut at tabs", f", {_one_of(sheet, others)}"))
    text = table.wide
    shape = {"names": text.names, "index": text.index, "places": text.places, "aside": text.aside}
    wide = ExcelWide(**shape, text=text, content=content, sheet=sheet, left=left)
    return replace(table, wide=wide, read_as=table.read_as.replace("cut at tabs", _one_of(sheet, others)))


def _one_of(sheet: str, others: list[str]) -> str:
    """Which sheet was read, and which were not.

    >>> _one_of("May", ["June"]), _one_of("May", [])
    ("the sheet 'May', and nothing else of the workbook: not 'June'", "the sheet 'May'")
    """
    shown = ", ".join(map(repr, others[:4])) + (", ..." if len(others) > 4 else "")
    return f"the sheet {sheet!r}" + (f", and nothing else of the workbook: not {shown}" if others else "")


def _is_named(rows: list[list[str]], left: int) -> bool:
    """Whether the first filled row begins where the table does: else the column to the left has no name."""
    first = next(row for row in rows if any(row))
    return bool(first[left])


def _sheet(path: Path, content: bytes, wanted: str | None) -> tuple[str, list[str], list[list[str]]]:
    """The name of the sheet, those of the others, and its cells as text."""
    from python_calamine import CalamineWorkbook

    with reading(path, "workbook"):
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
    if wanted is not None and wanted not in names:
        shown = ", ".join(map(repr, names))
        raise InputError(f"{path} has no sheet {wanted!r}; it has {shown}{did_you_mean(wanted, names)}")
    with reading(path, "workbook"):
        name = wanted if wanted is not None else names[0]
        check_cells(path, content, name)
        cells: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return name, [other for other in names if other != name], [[_text(cell) for cell in row] for row in cells]


def _text(cell: Any) -> str:
    """What a cell says; a day without a time is a day."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return repr(cell).removesuffix(".0")
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    text = " ".join(str(cell).split())
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if text[:1] in ('"', "#") else text


def write_excel(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write the workbook that was read with its empty cells filled, or a new one."""
    import openpyxl

    if isinstance(source.wide, ExcelWide):
        try:
            book = openpyxl.load_workbook(io.BytesIO(source.wide.content))
        except Exception as error:  # what openpyxl cannot read of a workbook must not lose what was completed
            warnings.warn(
                f"the workbook cannot be given back as it was ({error}); a new one is written",
                FallbackWarning,
                stacklevel=2,
            )
        else:
            _fill(file, book, source.wide, matrix, source)
            return
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("completed")
    if source.wide is not None:
        columns = list(source.wide.columns(matrix))
        sheet.append([name for name, _ in columns])
        rows = zip(*(np.asarray(cells).tolist() for _, cells in columns), strict=True)
    else:
        sheet.append(header_of(source))
        rows = _records(matrix, source, full)
    for row in rows:
        sheet.append([None if cell != cell else cell for cell in row])
    book.save(file)


def _records(matrix: np.ndarray, source: Table, full: bool):
    rows, columns = labels_of(source)
    for block in blocks(matrix, source, full):
        parts = [rows[block.rows], columns[block.columns], block.values, block.observed]
        parts += [] if block.std_error is None else [block.std_error]
        yield from zip(*(part.tolist() for part in parts), strict=True)


def _take_apart(sheet: Any, place: str) -> None:
    merged = next(cells for cells in sheet.merged_cells.ranges if place in cells)
    warnings.warn(
        f"the merged cells {merged.coord} of {sheet.title!r} are taken apart: one of them was missing and is filled",
        FallbackWarning,
        stacklevel=2,
    )
    sheet.unmerge_cells(merged.coord)


def _fill(file: IO[bytes], book: Any, wide: ExcelWide, matrix: np.ndarray, source: Table) -> None:
    from openpyxl.cell.cell import MergedCell

    sheet = book[wide.sheet]
    for row, column in np.argwhere(source.dense() != matrix).tolist():
        number = float(matrix[row, column])
        at = wide.text.lines[row] + 1, wide.places[column] + wide.left + 1
        place = sheet.cell(*at)
        if isinstance(place, MergedCell):  # only the first of merged cells can be filled
            _take_apart(sheet, place.coordinate)
            place = sheet.cell(*at)
        place.value = None if number != number else number
    book.save(file)


EXCEL = Format(
    "xlsx", "Excel", ".xlsx", "wide or long table on a sheet of a workbook", read_excel, write_excel, long=True,
    settles=("layout", "header", "index", "missing", "sheet"), needs=lambda path: needs("openpyxl", path),
)  # fmt: skip
