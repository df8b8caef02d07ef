"""Write a completed matrix: a new file is there whole, or the old one is untouched."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rankscape.errors import InputError
from rankscape.files import formats
from rankscape.files.packing import check_packing, packed
from rankscape.files.table import Table
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import of_kind, path_of
from rankscape.ground.storage import check_writable as check_place
from rankscape.ground.storage import replacing


def write(
    path: str | Path, matrix: np.ndarray, source: Table, *, full: bool = True, errors: np.ndarray | None = None
) -> Path:
    r"""Write a completed matrix in the format that the extension of ``path`` stands for.

    A wide table is given back as it stood: the same names, order, separator, decimal mark, encoding and line ends, the
    given values to the digit; only cells that were missing are filled. Other tables become long: one line a cell, with
    the labels and the column names of ``source``, and a boolean column ``observed`` that tells what was known from what
    was completed. All other formats become dense arrays. Completed numbers are written so that reading them gives back
    the same floats.

    Parameters
    ----------
    path
        The file to write; one that is there is replaced at the end, in one step.
    matrix
        All cells, of the shape of ``source``; its rows and columns in the order of ``source``'s labels.
    source
        The table that was completed.
    full
        Write every cell; False writes only those that ``source`` lacks (long tables only).
    errors
        Standard errors of all cells, which a long table shows in a column ``std_error`` for cells that were completed.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        The extension is not known, the directory is not there, or the matrix does not match the source.
    StorageError
        The disk is full, or the place cannot be written to; what was at ``path`` before is intact.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rankscape.files import read
    >>> ratings = pathlib.Path(tempfile.mkdtemp(), "ratings.csv")
    >>> _ = ratings.write_text("user,movie,score\nann,up,4\nbob,heat,2.5\n")
    >>> completed = write(ratings.with_name("completed.csv"), [[3.0, 4.0], [2.5, 2.0]], read(ratings), full=False)
    >>> print(completed.read_text(encoding="utf-8"))
    user,movie,score,observed
    ann,heat,3,false
    bob,up,2,false
    <BLANKLINE>
    """
    # All that can be wrong is found before the file is opened.
    of_kind("source", source, Table)
    path = check_writable(path)
    format = formats.format_of(path)
    matrix = _checked(matrix, source)
    if not full and (not format.long or source.wide is not None):
        kind = "dense file" if not format.long else "wide table"
        raise InputError(
            f"{path}: a {kind} holds every cell; leave full=False out, or write {formats.long_extensions()}"
        )
    if errors is not None:
        source = replace(source, errors=_shaped(errors, source))
    with replacing(path) as file, packed(file, path) as out:  # in this order: the archive closes before it is moved
        format.write(out, matrix, source, full)
    return path


def has_errors(path: str | Path, source: Table) -> bool:
    r"""Whether what is written at ``path`` has a column for standard errors: a long table has.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rankscape.files import read
    >>> ratings = pathlib.Path(tempfile.mkdtemp(), "ratings.csv")
    >>> _ = ratings.write_text("user,movie,score\nann,up,4\nbob,heat,2.5\n")
    >>> has_errors("completed.csv", read(ratings)), has_errors("completed.npy", read(ratings))
    (True, False)
    """
    of_kind("source", source, Table)
    return source.wide is None and formats.format_of(path_of("path", path)).long


def write_errors(path: str | Path, errors: np.ndarray, source: Table) -> Path:
    r"""Write standard errors in the layout of a matrix or of a wide table, empty where they are NaN.

    Parameters
    ----------
    path
        The file to write; its extension chooses the format.
    errors
        Standard errors of the cells that were completed, NaN in the others, of the shape of ``source``.
    source
        The table that was completed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rankscape.files import read
    >>> table = pathlib.Path(tempfile.mkdtemp(), "table.csv")
    >>> _ = table.write_text("id,a,b\nu,1,2\nv,3,\n")
    >>> written = write_errors(table.with_name("errors.csv"), [[np.nan, np.nan], [np.nan, 0.25]], read(table))
    >>> print(written.read_text())
    id,a,b
    u,,
    v,,0.25
    <BLANKLINE>
    """
    of_kind("source", source, Table)
    path = check_writable(path, source, wide=True)
    with replacing(path) as file, packed(file, path) as out:
        formats.format_of(path).write(out, np.ascontiguousarray(_shaped(errors, source)), source, True)
    return path


def check_writable(path: str | Path, source: Table | None = None, *, wide: bool = False) -> Path:
    """Raise unless a file can be written at ``path``: to be called before hours of work, not after.

    The extension must be known and the directory must be there; a file is created beside ``path`` and removed.
    What is ``wide`` is one number a cell, which a long table of the ``source`` is not.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> check_writable(pathlib.Path(tempfile.mkdtemp(), "completed.csv")).name
    'completed.csv'
    >>> check_writable("completed.docx")
    Traceback (most recent call last):
    rankscape.errors.InputError: completed.docx: the extension '.docx' is not known; use one of .csv .csv.gz ...
    """
    path = path_of("path", path).expanduser()
    format = formats.format_of(path)
    if wide and source is not None and has_errors(path, source):
        raise InputError(f"{path}: a long table has standard errors in a column of the output; leave the file out")
    check_packing(path)
    if format.needs is not None:
        format.needs(path)
    check_place(path)
    return path


def _shaped(errors: np.ndarray, source: Table) -> np.ndarray:
    errors = real_array(errors, "errors")
    if errors.shape != source.shape:
        raise InputError(f"`errors` must have the shape {source.shape} of the table, got {errors.shape}.")
    return errors


def _checked(matrix: np.ndarray, source: Table) -> np.ndarray:
    matrix = real_array(matrix, "matrix")
    if matrix.shape != source.shape:
        raise InputError(f"a real matrix of shape {source.shape} is needed, not one of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise InputError(f"the matrix to write is not complete: {matrix[row, column]} at row {row}, column {column}")
    return np.ascontiguousarray(matrix, dtype=np.float64)
