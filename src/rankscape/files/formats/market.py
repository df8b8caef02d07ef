"""Matrix Market files: the stored entries of a coordinate file are the observed ones."""

import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.checking import COUNTABLE
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError
from rankscape.files.dense import entries_of
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.numerals import Numerals, may_lose
from rankscape.files.packing import content_of
from rankscape.files.table import Table
from rankscape.files.wanted import Wanted


def read_market(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a Matrix Market file; a symmetric one is expanded to both halves, NaN is a missing entry.

    A symmetric file stores each cell once, in one half; one that does not is wrong whatever ``duplicates`` says.
    """
    if any(name is not None for name in wanted.names):
        raise InputError(f"{path} is a Matrix Market file, whose columns have no names: leave the column names out")
    content, layout, symmetry = _checked(path, content_of(path))
    _check_body(path, content, layout)
    with reading(path, "Matrix Market file"):
        matrix = _parse(path, content)
    if symmetry != "general" and matrix.shape[0] != matrix.shape[1]:
        raise FileFormatError(
            f"{path}, line 1: says {symmetry}, but the matrix is {matrix.shape[0]} x {matrix.shape[1]}"
        )
    _check_digits(path, content, matrix)
    if layout == "array":
        entries = entries_of(np.asarray(matrix), str(path))
        return Table(entries=entries, format=MARKET.name, skipped=matrix.size - entries.count)
    rows, columns, values = _observed(path, content, matrix)
    # What is stored in both halves of a symmetric file would count double where a mean is taken.
    policy = duplicates if symmetry == "general" else "error"
    refuse = lambda first, second: _refuse(path, content, (int(rows[second]) + 1, int(columns[second]) + 1), symmetry)
    entries = Entries(rows, columns, values, matrix.shape, duplicates=policy, refuse=refuse)
    skipped, merged = matrix.nnz - len(values), len(values) - entries.count
    return Table(entries=entries, format=MARKET.name, skipped=skipped, merged=merged)


def _checked(path: Path, content: bytes) -> tuple[bytes, str, str]:
    """Return the content with a banner that reads every value as a float, its layout and its symmetry."""
    banner = content.split(b"\n", 1)[0].decode("ascii", "replace").strip()
    words = banner.lower().split()
    if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"]:
        raise FileFormatError(
            f"{path}, line 1: a Matrix Market file starts with '%%MatrixMarket matrix coordinate real general' "
            f"or a variant, not with {banner[:60]!r}"
        )
    _, _, layout, field, symmetry = words
    if field not in ("real", "double", "integer", "unsigned-integer"):
        problem = {"pattern": "no values, only positions", "complex": "complex numbers"}.get(field, "unknown values")
        raise FileFormatError(f"{path}, line 1: {field!r} means {problem}; real values are needed")
    content = content if content.endswith(b"\n") else content + b"\n"  # SciPy's reader has crashed where none is
    # SciPy reads 2.5 in a file of integers as 2, silently: let it read floats.
    if "integer" in field:
        content = re.sub(rb"(?i)(unsigned-)?integer", b"real", content, count=1)
    return content, layout, symmetry


# What a program writes for a number. SciPy's reader takes the number that a token begins with, whatever follows.
_REAL = rb"[+-]?(?:(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?|[nN][aA][nN]|[iI][nN][fF](?:inity)?)"
_GAP = rb"[ \t]++"

# Lines below the sizes: entries as they must be, blank lines and comments.
_LINES = {
    layout: re.compile(rb"(?:[ \t]*+(?:" + entry + rb"[ \t]*+|%[^\n]*+)?+\r?\n)*+")
    for layout, entry in {"coordinate": rb"[0-9]++" + _GAP + rb"[0-9]++" + _GAP + _REAL, "array": _REAL}.items()
}

# Characters that an entry needs at least, with its line end.
SHORTEST = {"coordinate": 6, "array": 2}

# Digits of the largest size that a matrix can have.
DIGITS = 19


def _check_body(path: Path, content: bytes, layout: str) -> None:
    """Raise about an entry that is no number, and about sizes that the file does not hold, before room is made."""
    top = re.match(rb"(?:[ \t]*+(?:%[^\n]*+)?\r?\n)*+", content)
    start = top.end() if top else 0
    line = content.count(b"\n", 0, start) + 1
    first, _, _ = content[start:].partition(b"\n")
    sizes = first.split()
    if layout not in _LINES or len(sizes) != (3 if layout == "coordinate" else 2) or not all(map(_is_size, sizes)):
        raise FileFormatError(
            f"{path}, line {line}: {_shown(first)} does not give the sizes of a matrix; is it cut short?"
        )
    numbers = [int(size) for size in sizes]
    if numbers[0] * numbers[1] > COUNTABLE:
        raise FileFormatError(f"{path}, line {line}: no matrix can have {numbers[0]} x {numbers[1]} cells")
    if 0 in numbers[:2]:  # SciPy's reader divides by them
        raise FileFormatError(f"{path}, line {line}: is empty, {numbers[0]} x {numbers[1]}")
    count = numbers[2] if layout == "coordinate" else numbers[0] * numbers[1]
    symmetric = 2 if layout == "array" else 1  # of a symmetric array one half is stored
    if count * SHORTEST[layout] > symmetric * (len(content) - start):
        raise FileFormatError(
            f"{path}, line {line}: Truncated: {count:,} entries are declared, and the file has {len(content):,} bytes"
        )
    _check_entries(path, content, layout, start + len(first) + 1)


def _check_entries(path: Path, content: bytes, layout: str, start: int) -> None:
    good = _LINES[layout].match(content, start)
    end = good.end() if good else start
    if end < len(content):
        odd, _, _ = content[end:].partition(b"\n")
        line = content.count(b"\n", 0, end) + 1
        hint = "; write numbers with a decimal point" if b"," in odd else ""
        raise FileFormatError(f"{path}, line {line}: {_shown(odd)} does not hold numbers only{hint}")


def _is_size(word: bytes) -> bool:
    return word.isdigit() and len(word) <= DIGITS


def _shown(line: bytes) -> str:
    return repr(line.decode("utf-8", "replace").strip()[:60])


def _parse(path: Path, content: bytes) -> Any:
    from scipy.io import mmread

    try:
        matrix: Any = mmread(io.BytesIO(content), spmatrix=False)
    except ValueError as error:  # most of these have a line, which is worth saying
        place = re.match(r"Line (\d+): ", str(error))
        if not place:
            raise FileFormatError(f"{path}: {error}") from error
        line = int(place[1])
        text = next(itertools.islice(io.BytesIO(content), line - 1, line), b"")
        raise FileFormatError(f"{path}, line {line}: {_shown(text)}: {str(error)[place.end() :]}") from error
    return matrix


def _check_digits(path: Path, content: bytes, matrix: Any) -> None:
    """Raise about a number that a float64 cannot hold as it was written; only where there can be one."""
    values = matrix if isinstance(matrix, np.ndarray) else matrix.data
    if not may_lose(values, content):
        return
    for line, cells in _body(content):
        if lost := Numerals().lost(cells[-1]):
            raise FileFormatError(f"{path}, line {line}: {cells[-1][:60]!r} {lost}")


def _observed(path: Path, content: bytes, matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = matrix.data.astype(np.float64)
    if np.isinf(values).any():
        line, text = next((line, cells[2]) for line, cells in _body(content) if np.isinf(float(cells[2])))
        raise FileFormatError(f"{path}, line {line}: the value {text[:60]!r} is not a finite number")
    kept = ~np.isnan(values)
    if not kept.any():
        raise FileFormatError(f"{path}: all {len(values)} stored entries are missing (NaN); nothing is observed")
    return matrix.row[kept], matrix.col[kept], values[kept]


def _refuse(path: Path, content: bytes, cell: tuple[int, int], symmetry: str) -> None:
    """Raise about a cell, counted from 1, that is stored twice."""
    # SciPy's reader tells no lines, so the text is gone through once more; only on the way to an error.
    same = {cell} if symmetry == "general" else {cell, cell[::-1]}
    at = ((line, cells[2]) for line, cells in _body(content) if (int(cells[0]), int(cells[1])) in same)
    (first, a), (again, b) = itertools.islice(((line, text) for line, text in at if not np.isnan(float(text))), 2)
    remedy = 'choose what to do with duplicates="mean" or duplicates="last"'
    if symmetry != "general":
        remedy = f"a {symmetry} file stores each cell once, in one half only"
    raise FileFormatError(
        f"{path}, lines {first} and {again}: the same cell, row {cell[0]} and column {cell[1]}, has the values "
        f"{a} and {b}; {remedy}"
    )


def _body(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of every stored entry."""
    texts = enumerate(io.BytesIO(content), 1)  # line by line: a list of all would be larger than the file by far
    filled = ((line, text.decode("utf-8", "replace").split()) for line, text in texts)
    lines = ((line, cells) for line, cells in filled if cells and not cells[0].startswith("%"))
    next(lines)  # the sizes
    yield from lines


def write_market(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write all cells as an array."""
    from scipy.io import mmwrite

    mmwrite(file, matrix, symmetry="general")


_STORES = "Matrix Market: stored entries (coordinate) or all of them (array)"
MARKET = Format("mtx", "Matrix Market", ".mtx", _STORES, read_market, write_market, packed=True)
