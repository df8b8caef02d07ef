"""Read a matrix with holes from a file: the extension says how, and an error says where."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from rankscape.entries.duplicates import Duplicates, check_policy
from rankscape.errors import FileFormatError, InputError, RankscapeError, did_you_mean
from rankscape.files.formats import format_of, named, with_listing
from rankscape.files.formats.base import Format
from rankscape.files.packing import PACKINGS, check_packing
from rankscape.files.table import Table
from rankscape.files.wanted import Decimal, Layout, Wanted
from rankscape.ground.beside import scratch
from rankscape.ground.checks import of_kind, path_of, several
from rankscape.ground.memory import available, in_words
from rankscape.ground.storage import check_readable

# The path that stands for standard input.
STANDARD_INPUT = "-"

# Bytes of it that are read at a time.
BLOCK = 1 << 20


@with_listing
def read(
    path: str | Path,
    *,
    rows: str | None = None,
    columns: str | None = None,
    values: str | None = None,
    duplicates: Duplicates = "error",
    layout: Layout | None = None,
    header: bool | None = None,
    index: bool | None = None,
    decimal: Decimal | None = None,
    separator: str | None = None,
    missing: Sequence[str] | str = (),
    sheet: str | None = None,
    format: str | None = None,
) -> Table:
    r"""Read the observed entries of a matrix.

    {formats}

    Parameters
    ----------
    path
        The file; its extension chooses the format.
    rows, columns, values
        Names of the three columns of a long table. Not needed when it has exactly three, taken in this order.
        For a file of several arrays or layers, ``values`` names the one to read.
    duplicates
        What to do when two lines give the same cell: raise an ``"error"``, take their ``"mean"``, or the ``"last"``.
    layout
        ``"wide"``: a column for each column of the matrix; ``"long"``: a line for each entry. Told by the content.
    header
        Whether the first line names the columns of a table.
    index
        Whether the first column of a wide table names its rows.
    decimal
        The decimal mark of a text, ``"."`` or ``","``.
    separator
        What stands between the cells of a text: ``"comma"``, ``"tab"``, ``"semicolon"``, ``"bar"``, ``"blanks"`` or
        ``"colons"`` (two of them).
    missing
        Words for a missing value, beside an empty cell, ``NA``, ``NaN``, ``null``, ``?``, ``-`` and others.
    sheet
        The sheet of a workbook; the first one otherwise.
    format
        The name of the format (``"csv"``) where the extension does not tell it. The path ``"-"`` is standard input.

    Returns
    -------
    Table
        The entries, sorted by row and column; `Table.read_as` says in words how the file was read.

    Raises
    ------
    InputError
        The file is not there, is of an unknown kind, or lacks a column.
    FileFormatError
        Its content cannot be used; the message names the line, the column and the value. Or it can be read in two ways:
        the message shows both calls.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "ratings.csv")
    >>> _ = path.write_text("user,movie,score\nann,up,4\nbob,heat,2.5\n")
    >>> read(path).dense()
    array([[nan, 4. ],
           [2.5, nan]])
    """
    if format is not None:
        of_kind("format", format, str)
    check_policy(duplicates)  # also where no cell is repeated: a misspelled policy should not wait for one
    words = (missing,) if isinstance(missing, str) else tuple(several("missing", missing))
    wanted = Wanted(
        rows=rows, columns=columns, values=values, layout=layout, header=header, index=index, decimal=decimal,
        separator=separator, missing=words, sheet=sheet,
    )  # fmt: skip
    if str(path) == STANDARD_INPUT:
        return read_stream(sys.stdin.buffer, format, wanted, duplicates)
    path = path_of("path", path).expanduser()
    kind = format_of(path) if format is None else named(format)
    check_exists(path)
    check_packing(path)
    _check_settled(path, kind, wanted)
    return _read(kind, path, wanted, duplicates)


def _read(kind: Format, path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read it; what no reader foresaw is said as such, with the file."""
    try:
        return kind.read(path, wanted, duplicates)
    except RankscapeError:
        raise
    except MemoryError as error:
        raise FileFormatError(f"{path}: there is not enough memory to read it as {kind.title}; split it") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise FileFormatError(
            f"{path} cannot be read as {kind.title}, for a reason that was not foreseen ({reason}); please report it"
        ) from error


def read_stream(stream: BinaryIO, format: str | None, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read what comes in a stream; errors call it standard input."""
    if format is None:
        raise InputError("standard input has no extension; name its format, as in `--format csv`")
    kind = named(format)
    packing = next((packing for packing in PACKINGS if format.lower().endswith(packing)), "")
    # Readers of some formats go to and fro in a file.
    with scratch() as folder:
        path = folder / f"standard input{kind.extension}{packing}"
        _keep(stream, path)
        _check_settled(path, kind, wanted)
        try:
            return _read(kind, path, wanted, duplicates)
        except InputError as error:
            text = str(error).replace(f"'{path}'", STANDARD_INPUT).replace(str(path), "standard input")
            # A stream has no name that could end in what it is.
            text = text.replace("give it the ending of what it is", "name that, as in `--format csv.gz`")
            raise type(error)(text) from error


def _keep(stream: BinaryIO, path: Path) -> None:
    """Write what comes into a file, and no more than the memory could take: a stream may have no end."""
    most, size = available(), 0
    try:
        with path.open("wb") as file:
            while block := stream.read(BLOCK):
                size += len(block)
                if most is not None and size > most:
                    raise InputError(f"standard input goes on beyond {in_words(most)}, all the memory that is free")
                file.write(block)
    except OSError as error:
        raise InputError(f"standard input could not be kept in {path.parent}: {error.strerror or error}") from error


def _check_settled(path: Path, kind: Format, wanted: Wanted) -> None:
    """Raise if something is asked for that this format does not look at."""
    spare = [name for name in wanted.given() if name not in (*kind.settles, "rows", "columns", "values")]
    if spare:
        raise InputError(f"{path} is a {kind.title} file, which needs no --{spare[0]}: leave it out")


def check_exists(path: Path) -> None:
    """Raise unless ``path`` is a file that can be opened; a missing one is looked for among its neighbours."""
    if path.is_fifo():
        raise InputError(
            f"{path} is a pipe; give it on standard input: `cat {path} | rankscape complete - --format csv`"
        )
    check_readable(path)
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}")
    if not path.exists():
        neighbours = [other.name for other in path.parent.iterdir() if other.is_file()]
        raise InputError(f"there is no file {path}{did_you_mean(path.name, neighbours)}")
    try:  # each library says this in its own words, some not at all
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
