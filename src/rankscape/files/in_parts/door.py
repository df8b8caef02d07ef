"""Which kind of thing triplets are in."""

from pathlib import Path
from typing import Any

from rankscape.entries.duplicates import Duplicates, check_policy
from rankscape.errors import InputError
from rankscape.files.in_parts.base import Triplets
from rankscape.files.in_parts.frames import InDask, is_dask_frame
from rankscape.files.in_parts.npy import InNpy, is_store
from rankscape.files.in_parts.parquet import InParquet
from rankscape.files.wanted import Wanted


def triplets(
    source: Any,
    *,
    rows: str | None = None,
    columns: str | None = None,
    values: str | None = None,
    duplicates: Duplicates = "error",
) -> Triplets:
    """Triplets (row, column, value) in any order, which may be more than the memory holds.

    `complete` and `DeepMatrixCompletion.fit` take them as they take a matrix: they are sorted on disk, in the folder
    for temporary files, and read from there block by block. What is found is the same, to the bit, as from memory.

    Parameters
    ----------
    source : str, Path or Dask DataFrame
        A folder with Parquet files, a pattern (``"ratings/*.parquet"``), or one of them; a folder with ``rows.npy``,
        ``columns.npy`` and ``values.npy``, or an NPY file whose records have three fields, whose rows and columns are
        positions, counted from zero.
    rows, columns, values : str, optional
        Names of the three columns. Not needed when there are exactly three, taken in this order.
    duplicates : {"error", "mean", "last"}
        What to do when a cell is given twice, in one file or in two; files come in the order of their names.

    Raises
    ------
    InputError
        There is nothing of this kind, or a column is not there.
    FileFormatError
        A file has other columns, or other types, than the first one; it is named.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, rankscape as rs
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> rows, columns = np.nonzero(np.arange(48).reshape(8, 6) % 7 > 0)
    >>> for name, array in (("rows", rows), ("columns", columns), ("values", X[rows, columns])):
    ...     np.save(folder / f"{name}.npy", array[::-1])
    >>> rs.complete(triplets(folder)).rank
    1
    """
    check_policy(duplicates)
    wanted = Wanted(rows=rows, columns=columns, values=values)
    if is_dask_frame(source):
        return InDask(source, wanted, duplicates)
    if not isinstance(source, str | Path):
        raise InputError(
            f"Triplets come from a folder, a pattern or a Dask DataFrame, got {type(source).__name__}; "
            "`Completion.from_frame` reads a frame that is in memory."
        )
    path = Path(source).expanduser()
    store = path.suffix == ".npy" if not path.is_dir() else is_store(path)
    return InNpy(str(source), wanted, duplicates) if store else InParquet(str(source), wanted, duplicates)
