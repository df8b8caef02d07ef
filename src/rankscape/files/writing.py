"""Write a completed matrix: a new file is there whole, or the old one is untouched."""

import contextlib
import csv
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from rankscape.errors import InputError
from rankscape.files.reading import format_of
from rankscape.files.table import DEFAULT_NAMES, OBSERVED, Table
from rankscape.ground.storage import check_writable as check_place
from rankscape.ground.storage import replacing

# How many cells of a long table are put together at a time.
_BLOCK = 1 << 20


def write(path: str | Path, matrix: np.ndarray, source: Table, *, full: bool = True) -> Path:
    r"""Write a completed matrix in the format that the extension of ``path`` stands for.

    CSV, TSV and Parquet become long tables: one line a cell, with the labels and the column names of ``source``, and
    a boolean column ``observed`` that tells what was known from what was completed. NPY, NPZ and Matrix Market
    become dense arrays. Numbers are written so that reading them gives back the same floats.

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
    >>> print(completed.read_text())
    user,movie,score,observed
    "ann","heat",3,false
    "bob","up",2,false
    <BLANKLINE>
    """
    path = check_writable(path)
    kind = format_of(path)
    matrix = _checked(matrix, source)
    if not full and kind in ("npy", "npz", "mtx"):
        raise InputError(f"{path}: a dense file holds every cell; leave full=False out, or write .csv or .parquet")
    with replacing(path) as file:
        _writer(kind)(file, matrix, source, full, kind)
    return path


def check_writable(path: str | Path) -> Path:
    """Raise unless a file can be written at ``path``: to be called before hours of work, not after.

    The extension must be known and the directory must be there; a file is created beside ``path`` and removed.
    """
    path = Path(path).expanduser()
    format_of(path)
    check_place(path)
    return path


def _checked(matrix: np.ndarray, source: Table) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.dtype.kind not in "iufb" or matrix.shape != source.shape:
        raise InputError(f"a real matrix of shape {source.shape} is needed, not {matrix.dtype} {matrix.shape}")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise InputError(f"the matrix to write is not complete: {matrix[row, column]} at row {row}, column {column}")
    return np.ascontiguousarray(matrix, dtype=np.float64)


# --- one writer a family --------------------------------------------------------------------------------------


def _writer(kind: str) -> Callable[[BinaryIO, np.ndarray, Table, bool, str], None]:
    return {"npy": _write_npy, "npz": _write_npz, "mtx": _write_mtx, "parquet": _write_parquet}.get(kind, _write_text)


def _write_npy(file: BinaryIO, matrix: np.ndarray, source: Table, full: bool, kind: str) -> None:
    # Not np.save: its errors about a full disk come without a cause.
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(matrix))
    file.write(matrix.data.cast("B"))


def _write_npz(file: BinaryIO, matrix: np.ndarray, source: Table, full: bool, kind: str) -> None:
    name = source.names[2] if source.format == "npz" else "X"
    np.savez(file, allow_pickle=False, **{name: matrix})


def _write_mtx(file: BinaryIO, matrix: np.ndarray, source: Table, full: bool, kind: str) -> None:
    from scipy.io import mmwrite

    with _compressed(file) as out:
        mmwrite(out, matrix, symmetry="general")


def _write_parquet(file: BinaryIO, matrix: np.ndarray, source: Table, full: bool, kind: str) -> None:
    from pyarrow import parquet

    blocks = _long_blocks(matrix, source, full)
    with parquet.ParquetWriter(file, next(blocks).schema) as writer:
        for block in blocks:
            writer.write_batch(block)


def _write_text(file: BinaryIO, matrix: np.ndarray, source: Table, full: bool, kind: str) -> None:
    from pyarrow import csv as arrow_csv

    delimiter = "," if kind == "csv" else "\t"
    options = arrow_csv.WriteOptions(include_header=False, delimiter=delimiter)
    blocks = _long_blocks(matrix, source, full)
    empty = next(blocks)
    with _compressed(file) as out:
        header = io.StringIO()
        csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(empty.schema.names)
        out.write(header.getvalue().encode())
        with arrow_csv.CSVWriter(out, empty.schema, write_options=options) as writer:
            for block in blocks:
                writer.write_batch(block)


@contextlib.contextmanager
def _compressed(file: BinaryIO) -> Iterator[BinaryIO | gzip.GzipFile]:
    if ".gz." not in Path(file.name).name:  # the temporary name keeps the extension before its own ending
        yield file
    else:
        with gzip.GzipFile(fileobj=file, mode="wb", filename="") as packed:
            yield packed


def _long_blocks(matrix: np.ndarray, source: Table, full: bool) -> Iterator:
    """Yield record batches of whole rows of the matrix: first an empty one, for its schema."""
    import pyarrow as pa

    known = np.zeros(source.shape, dtype=bool)
    known[source.rows, source.columns] = True
    row_labels, column_labels = (
        pa.array(np.arange(size) if labels is None else labels)
        for size, labels in zip(source.shape, (source.row_labels, source.column_labels), strict=True)
    )
    names = list(source.names if source.row_labels is not None else DEFAULT_NAMES)
    names.append(OBSERVED if OBSERVED not in names else f"{OBSERVED}_cell")
    height = max(1, _BLOCK // source.shape[1])
    for start, stop in [(0, 0)] + [(top, top + height) for top in range(0, source.shape[0], height)]:
        rows, columns = np.nonzero(np.ones_like(known[start:stop]) if full else ~known[start:stop])
        rows += start
        arrays = [row_labels.take(pa.array(rows)), column_labels.take(pa.array(columns))]
        arrays += [pa.array(matrix[rows, columns]), pa.array(known[rows, columns])]
        yield pa.record_batch(arrays, names=names)
