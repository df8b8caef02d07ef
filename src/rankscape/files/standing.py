"""Whether a table that stands where another will be written is an earlier one of it."""

import contextlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.errors import FileFormatError, InputError, RankscapeError
from rankscape.files import formats
from rankscape.files.long import header_of
from rankscape.files.packing import blocks
from rankscape.files.reading import read
from rankscape.files.table import Table
from rankscape.files.text.decoding import decode
from rankscape.files.text.records import Text
from rankscape.files.words import folded
from rankscape.ground.arrays import root_mean_square

# Lines over which a header may go.
HEADER = 20

# What every picture and page of ours holds.
MARK = b"rankscape"

# Relative difference of two numbers that are the same one, written with fewer digits; and the share of entries that
# have to be the same, where none is by chance. Half of them may have been hidden.
DIGITS, SAME = 1e-6, 0.45

# Share of the largest singular value below which one is none, in a file with so many digits.
ROUNDING = 1e-10


def check_standing(
    path: Path, source: Table, names: Sequence[str] | None = None, *, cells: bool = True, force: bool = False
) -> None:
    """Refuse to replace what is no earlier answer to the same question: it has other names, or other cells.

    Parameters
    ----------
    path
        Where a table will be written.
    source
        The table that was read.
    names
        The first names of what will be written; if left out, those of the whole matrix.
    cells
        Whether what is written holds the cells of the source as they are. Chosen cells and standard errors do not.
    force
        Replace it in any case.
    """
    if force or not path.is_file() or not path.stat().st_size:
        return
    whole = names is None
    if formats.format_of(path).name in ("csv", "tsv", "txt"):
        if names is None:
            names = source.wide.names if source.wide is not None else header_of(source)[:3]
        if names is not None and not _begins(path, folded("".join(names))):
            shown = ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
            raise _other(path, f"it does not begin with {shown}, as what would be written does")
    if whole and cells and not _same_cells(path, source):
        raise _other(path, "its cells are not those of the source, completed")


def check_denoised(path: Path, source: Table, *, force: bool = False) -> None:
    """Refuse to replace what is not the source without its noise: near it, and of fewer directions."""
    check_standing(path, source, cells=False, force=force)
    if force or not path.is_file() or not path.stat().st_size:
        return
    standing, X = _read(path, source), source.dense()
    theirs = None if standing is None or standing.shape != X.shape else standing.dense()
    near = theirs is not None and root_mean_square(theirs - X) < root_mean_square(X - X.mean(0))
    if theirs is None or not near or np.linalg.matrix_rank(theirs, rtol=ROUNDING) == min(X.shape):
        raise _other(path, "it is not the source without its noise")


def check_free(path: Path, *, force: bool = False) -> None:
    """Refuse to replace a file of which nothing tells what it was made of."""
    if not force and path.is_file() and path.stat().st_size:
        raise InputError(f"{path} is there already; choose another name, or --force replaces it")


def check_marked(path: Path, *, force: bool = False) -> None:
    """Refuse to replace a picture or a page that rankscape did not make: each of its own says so."""
    if not force and path.is_file() and path.stat().st_size and MARK not in path.read_bytes():
        raise _other(path, "it was not made by rankscape")


def _other(path: Path, why: str) -> InputError:
    return InputError(f"{path} holds something else: {why}: it stays; choose another name, or --force replaces it")


def _same_cells(path: Path, source: Table) -> bool:
    """Whether most entries of the source stand in this file at their place.

    Some may have been hidden when it was made; that many of them agree by chance, as answers do, says nothing.
    """
    standing = _read(path, source)
    if standing is None or standing.shape != source.shape:
        return False
    entries = source.entries
    if not entries.count:
        return True
    same = np.isclose(entries.at(standing.dense()), entries.values, rtol=DIGITS, atol=0)
    shares = np.unique(entries.values, return_counts=True)[1] / entries.count
    return float(same.mean()) >= SAME * (1 + float(np.sum(shares**2)))


def _read(path: Path, source: Table) -> Table | None:
    """What stands there, read as an answer to the source is; None where it cannot be."""
    options: dict[str, Any] = {}
    if formats.format_of(path).long and source.wide is None:
        options = dict(zip(("rows", "columns", "values"), source.names, strict=True)) | {"layout": "long"}
    elif formats.format_of(path).long:
        options = {"layout": "wide"}
    with warnings.catch_warnings(), contextlib.suppress(RankscapeError, OSError, EOFError, MemoryError):
        warnings.simplefilter("ignore")
        return read(path, **options)
    return None


def _begins(path: Path, names: str) -> bool:
    """Whether a line from which a table can begin goes on with these names."""
    with warnings.catch_warnings(), contextlib.suppress(FileFormatError, OSError, EOFError):
        warnings.simplefilter("ignore")  # of its encoding
        content = next(blocks(path), b"")
        text, encoding = decode(path, content[: content.rfind(b"\n") + 1] or content)
        lines = Text.of(path, encoding, text)
        first = next((k for k in range(len(lines.lines)) if lines.is_body(k)), 0)
        starts = (folded("".join(lines.lines[k : k + HEADER])) for k in range(first + 1))  # names in a comment
        return any(start.startswith(names) for start in starts)
    return False
