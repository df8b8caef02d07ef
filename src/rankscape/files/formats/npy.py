"""One dense array in NumPy's own file; a file that would need to run code to be opened is refused."""

import math
from pathlib import Path
from typing import IO

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError
from rankscape.files.dense import entries_of
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.table import Table
from rankscape.files.wanted import Wanted
from rankscape.ground.memory import check_bytes

MAGIC = b"\x93NUMPY"
ZIP = b"PK"


def read_npy(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a dense matrix; NaN is a missing entry."""
    del duplicates  # a cell stands in one place
    refuse_names(path, wanted.names)
    start = first_bytes(path)
    if start != MAGIC:
        raise FileFormatError(f"{path} is not an NPY file{' but an NPZ file' if start[:2] == ZIP else ''}")
    with path.open("rb") as file:  # opened here, because np.load leaves a broken file open
        check_declared(path, file, path.stat().st_size)
        with reading(path, "NPY file"):
            array = np.load(file, allow_pickle=False)
    entries = entries_of(array, str(path))
    return Table(entries=entries, format=NPY.name, skipped=array.size - entries.count)


def check_declared(where: Path | str, file: IO[bytes], size: int) -> None:
    """Raise if the header of an array declares more than the file holds, or than fits the memory; rewind the file."""
    with reading(where, "NPY file"):
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version < (2, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        file.seek(0)
    if dtype.hasobject:
        raise FileFormatError(
            f"{where}: holds Python objects, and opening it could run code; save an array of floats instead"
        )
    need = math.prod(shape) * dtype.itemsize
    if need > size:
        declared = " x ".join(f"{n:,}" for n in shape)
        raise FileFormatError(f"{where}: is broken or cut short: it declares {declared} cells and holds {size:,} bytes")
    check_bytes(need + 16 * math.prod(shape), f"{where}", "Keep the entries in a long table or a sparse file.")


def write_npy(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write all cells."""
    # Not np.save: its errors about a full disk come without a cause.
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(matrix))
    file.write(matrix.data.cast("B"))


def refuse_names(path: Path, names: tuple[str | None, ...]) -> None:
    """Raise if columns were named."""
    if any(name is not None for name in names):
        raise InputError(f"{path} is a dense array, whose rows and columns have no names: leave the column names out")


def first_bytes(path: Path) -> bytes:
    """The bytes that tell an NPY file from an NPZ file."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        raise FileFormatError(f"{path} is empty")
    return start


NPY = Format("npy", "NPY", ".npy", "dense array, NaN where an entry is missing", read_npy, write_npy)
