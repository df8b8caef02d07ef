"""Dense arrays in NumPy's archive of several: the one to read is named, or is called as a matrix is."""

from pathlib import Path
from typing import IO

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError, did_you_mean
from rankscape.files.dense import entries_of
from rankscape.files.formats.base import Format
from rankscape.files.formats.npy import BROKEN, MAGIC, NPY, ZIP, first_bytes, refuse_names, unreadable
from rankscape.files.table import DEFAULT_NAMES, Table
from rankscape.files.wanted import Wanted

# Names of the array to read, in a file that holds several.
MATRIX_NAMES = ("X", "matrix")


def read_npz(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a dense matrix; NaN is a missing entry, and the name for values is that of the array."""
    del duplicates  # a cell stands in one place
    refuse_names(path, wanted.names[:2])
    start = first_bytes(path)
    if start[: len(ZIP)] != ZIP:
        raise FileFormatError(f"{path} is not an NPZ file{' but an NPY file' if start == MAGIC else ''}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            name = _array_name(path, archive.files, wanted.values)
            array = archive[name]
    except InputError:  # a ValueError too, and one that says more
        raise
    except BROKEN as error:
        raise unreadable(path, error) from error
    entries = entries_of(array, f"{path}, array {name!r}")
    names = (*DEFAULT_NAMES[:2], name)
    return Table(entries=entries, format=NPZ.name, names=names, skipped=array.size - entries.count)


def _array_name(path: Path, names: list[str], wanted: str | None) -> str:
    found = ", ".join(map(repr, names)) or "nothing"
    if wanted is not None and wanted not in names:
        raise InputError(f"{path} has no array {wanted!r} (values); it has {found}{did_you_mean(wanted, names)}")
    if {"indptr", "indices"} <= set(names):
        raise FileFormatError(f"{path} is a SciPy sparse matrix; save it with scipy.io.mmwrite as a .mtx file instead")
    candidates = [wanted] if wanted else names if len(names) == 1 else [name for name in MATRIX_NAMES if name in names]
    if len(candidates) != 1:
        raise InputError(f"{path} holds {found}: name the array to read with values, or call it 'X'")
    return candidates[0]


def write_npz(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write all cells, under the name that the array had in the source."""
    name = source.names[2] if source.format == NPZ.name else MATRIX_NAMES[0]
    np.savez(file, allow_pickle=False, **{name: matrix})  # pyright: ignore


NPZ = Format("npz", "NPZ", ".npz", NPY.stores, read_npz, write_npz)
