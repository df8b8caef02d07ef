"""What is looked at in a workbook before a library lays out its cells: whole parts, stray cells, long numbers."""

import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from rankscape.errors import FileFormatError
from rankscape.files.foreign import reading
from rankscape.files.numerals import Numerals
from rankscape.files.packing import check_ratio
from rankscape.ground.memory import check_bytes

# Where a row or a cell stands, what a cell holds, and whether it says that this is no number.
_PLACE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]*)([0-9]*)""")
_CELL = re.compile(rb"<c\b([^>]*)>(?:<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)?<v>([^<]*)</v>")
_KIND = re.compile(rb"""\bt\s*=\s*["'](?!n["'])""")

# The same of cells with a formula, or without a value.
_ODD = re.compile(rb"<c\b([^>]*)>(<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)?(?:<v\s*/>|<v>([^<]*)</v>)?</c>")

# Bytes of a cell that is laid out, empty or not.
CELL = 100

# Cells that are laid out for each one that is filled, and how many are laid out whatever is filled.
SPARSE, FREE = 1000, 1_000_000


def check_workbook(path: Path, content: bytes) -> None:
    """Raise if a part of a workbook is broken, or a sheet reaches much farther than it is filled.

    A workbook that is broken in one part could be read in another, and not be given back.
    """
    with reading(path, "workbook"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        total = sum(info.file_size for info in archive.infolist())
    check_ratio(path, total, len(content))
    check_bytes(2 * total, str(path), "Save the sheet as CSV, in parts.")
    for name in archive.namelist():
        with reading(path, f"workbook, its part {name} for one"):
            part = archive.read(name)  # raises where its checksum is another
        if name.startswith("xl/worksheets/"):
            _check_sheet(path, part)


def check_cells(path: Path, content: bytes, sheet: str) -> None:
    """Raise about a cell of one sheet that only looks empty: an error, or a formula that was never computed."""
    with reading(path, "workbook"), zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.read(_part_of(archive, sheet))
    for cell, formula, shown in _ODD.findall(part):
        kind = re.search(rb"""\bt\s*=\s*["'](\w+)""", cell)
        text = shown.decode("utf-8", "replace")
        place = b"".join(place[0] + place[1] for place in _PLACE.findall(cell)[:1]).decode()
        if kind is not None and kind[1] == b"e" and text != "#N/A":
            raise FileFormatError(
                f"{path}, cell {place} of {sheet!r}: {text!r} is an error of a formula; mend it, or empty the cell "
                "where the value is missing"
            )
        if formula and not text and kind is None:
            raise FileFormatError(
                f"{path}, cell {place} of {sheet!r}: the formula has no value; open the workbook in a spreadsheet and "
                "save it, so that it is computed"
            )


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part that holds a sheet."""
    book, links = (
        ElementTree.fromstring(archive.read(name)) for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    )
    wanted = next(one for one in book.iter() if one.tag.endswith("}sheet") and one.get("name") == sheet)
    link = next(value for name, value in wanted.items() if name.endswith("}id"))
    target = next(one.get("Target", "") for one in links if one.get("Id") == link)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _check_sheet(path: Path, part: bytes) -> None:
    columns = rows = filled = 0
    for letters, digits in _PLACE.findall(part):
        rows = max(rows, int(digits[:9] or 0))
        columns = max(columns, _column(letters[:9]))
        filled += bool(letters)
    if rows * columns > max(FREE, SPARSE * filled):
        raise FileFormatError(
            f"{path}: a sheet reaches to row {rows:,} and column {columns:,}, and {filled:,} of its cells are filled; "
            "delete what stands far from the table"
        )
    check_bytes(CELL * rows * columns, f"{path}, a sheet of {rows:,} x {columns:,} cells,", "Save it as CSV, in parts.")
    numerals = Numerals()
    for cell, content in _CELL.findall(part):
        text = content.decode("utf-8", "replace").strip()
        if _KIND.search(cell) is None and (numerals.number(text) is None or numerals.lost(text)):
            place = b"".join(place[0] + place[1] for place in _PLACE.findall(cell)[:1]).decode()
            raise FileFormatError(f"{path}, cell {place}: {text[:60]!r} {numerals.lost(text) or 'is no number'}")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
