"""Read a matrix with holes from a file: the extension says how, and an error says where."""

from pathlib import Path

from rankscape.entries.duplicates import Duplicates, check_policy
from rankscape.errors import InputError, did_you_mean
from rankscape.files.formats import format_of, with_listing
from rankscape.files.table import Table


@with_listing
def read(
    path: str | Path,
    *,
    rows: str | None = None,
    columns: str | None = None,
    values: str | None = None,
    duplicates: Duplicates = "error",
) -> Table:
    r"""Read the observed entries of a matrix.

    {formats}

    Parameters
    ----------
    path
        The file; its extension chooses the format.
    rows, columns, values
        Names of the three columns of a long table. Not needed when it has exactly three, taken in this order.
        For an NPZ file of several arrays, ``values`` names the one to read.
    duplicates
        What to do when two lines give the same cell: raise an ``"error"``, take their ``"mean"``, or the ``"last"``.

    Returns
    -------
    Table
        The entries, sorted by row and column: the order of lines in the file does not matter.

    Raises
    ------
    InputError
        The file is not there, is of an unknown kind, or lacks a column.
    FileFormatError
        Its content cannot be used; the message names the line, the column and the value.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "ratings.csv")
    >>> _ = path.write_text("user,movie,score\nann,up,4\nbob,heat,2.5\n")
    >>> read(path).dense()
    array([[nan, 4. ],
           [2.5, nan]])
    """
    check_policy(duplicates)  # also where no cell is repeated: a misspelled policy should not wait for one
    path = Path(path).expanduser()
    format = format_of(path)
    check_exists(path)
    return format.read(path, (rows, columns, values), duplicates)


def check_exists(path: Path) -> None:
    """Raise unless ``path`` is a file that can be opened; a missing one is looked for among its neighbours."""
    if path.is_dir():
        raise InputError(f"{path} is a directory; give one file in it")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}")
    if not path.exists():
        neighbours = [other.name for other in path.parent.iterdir() if other.is_file()]
        raise InputError(f"there is no file {path}{did_you_mean(path.name, neighbours)}")
    try:  # each library says this in its own words, some not at all
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
