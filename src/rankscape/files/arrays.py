"""Dense arrays in NumPy's own files; a file that would need to run code to be opened is refused."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError, did_you_mean
from rankscape.files.dense import entries_of
from rankscape.files.table import DEFAULT_NAMES, Table

_NPY = b"\x93NUMPY"

# Names of the array to read, in an NPZ file that holds several.
MATRIX_NAMES = ("X", "matrix")


def read_array(path: Path, kind: str, wanted: tuple[str | None, ...], duplicates: Duplicates) -> Table:
    """Read a dense matrix from an NPY or NPZ file; NaN is a missing entry."""
    if wanted[0] is not None or wanted[1] is not None or (kind == "npy" and wanted[2] is not None):
        raise InputError(f"{path} is a dense array, whose rows and columns have no names: leave the column names out")
    with path.open("rb") as file:
        start = file.read(6)
    if not start:
        raise FileFormatError(f"{path} is empty")
    try:
        name, array = _npz(path, start, wanted[2]) if kind == "npz" else (DEFAULT_NAMES[2], _npy(path, start))
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error, SyntaxError) as error:
        if isinstance(error, InputError):
            raise
        raise FileFormatError(f"{path}: {_explain(error)}") from error
    where = str(path) if kind == "npy" else f"{path}, array {name!r}"
    entries = entries_of(array, where)
    names = (*DEFAULT_NAMES[:2], name)
    return Table(entries=entries, format=kind, names=names, skipped=array.size - entries.count)


def _explain(error: Exception) -> str:
    if "allow_pickle" in str(error):
        return "holds Python objects, and opening it could run code; save an array of floats instead"
    return f"is broken or cut short ({error})"


def _npy(path: Path, start: bytes) -> np.ndarray:
    if start != _NPY:
        raise FileFormatError(f"{path} is not an NPY file{' but an NPZ file' if start[:2] == b'PK' else ''}")
    with path.open("rb") as file:  # opened here, because np.load leaves a broken file open
        return np.load(file, allow_pickle=False)


def _npz(path: Path, start: bytes, wanted: str | None) -> tuple[str, np.ndarray]:
    if start[:2] != b"PK":
        raise FileFormatError(f"{path} is not an NPZ file{' but an NPY file' if start == _NPY else ''}")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        name = _array_name(path, archive.files, wanted)
        return name, archive[name]


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
