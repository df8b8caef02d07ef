"""Arrays in NumPy's archive: a dense one that is named or called as a matrix is, or a sparse matrix of SciPy."""

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError, did_you_mean
from rankscape.files.dense import chosen, entries_of
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.formats.npy import MAGIC, NPY, ZIP, check_declared, first_bytes, refuse_names, write_npy
from rankscape.files.sparse import table_of_sparse
from rankscape.files.table import DEFAULT_NAMES, Table
from rankscape.files.wanted import Wanted

# Names of the array to read, in a file that holds several.
MATRIX_NAMES = ("X", "matrix")


def read_npz(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a matrix; NaN is a missing entry, as are those that a sparse one does not store; values names the array."""
    refuse_names(path, wanted.names[:2])
    start = first_bytes(path)
    if start[: len(ZIP)] != ZIP:
        raise FileFormatError(f"{path} is not an NPZ file{' but an NPY file' if start == MAGIC else ''}")
    with reading(path, "NPZ file"), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        names = archive.files
    if is_sparse(names) and wanted.values is None:
        return table_of_sparse(path, _sparse(path, names), duplicates, NPZ.name)
    name = _array_name(path, names, wanted.values)
    _check_member(path, name)
    with reading(path, "NPZ file"), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        array = np.asarray(archive[name])
    entries = entries_of(array, f"{path}, array {name!r}")
    shape = (*DEFAULT_NAMES[:2], name)
    skipped = array.size - entries.count
    return Table(entries=entries, format=NPZ.name, names=shape, skipped=skipped, read_as=chosen(name, names))


def is_sparse(names: list[str]) -> bool:
    """Whether the arrays are those that SciPy saves a sparse matrix as."""
    return {"format", "shape", "data"} <= set(names)


def _sparse(path: Path, names: list[str]) -> Any:
    from scipy import sparse

    for name in names:
        _check_member(path, name)
    with reading(path, "sparse matrix of SciPy"), path.open("rb") as file:
        return sparse.load_npz(file)  # without pickle


def _check_member(path: Path, name: str) -> None:
    """Raise if the array called `name` is none, or declares more than it holds."""
    with reading(path, "NPZ file"), zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        with archive.open(info) as member:
            if member.read(len(MAGIC)) != MAGIC:
                raise FileFormatError(f"{path}: {name!r} is not an array; save it with numpy.savez")
        with archive.open(info) as member:
            check_declared(f"{path}, array {name!r}", member, info.file_size)


def _array_name(path: Path, names: list[str], wanted: str | None) -> str:
    found = ", ".join(map(repr, names)) or "nothing"
    if wanted is not None and wanted not in names:
        raise InputError(f"{path} has no array {wanted!r} (values); it has {found}{did_you_mean(wanted, names)}")
    candidates = [wanted] if wanted else names if len(names) == 1 else [name for name in MATRIX_NAMES if name in names]
    if len(candidates) != 1:
        raise InputError(f"{path} holds {found}: name one to read (values=NAME, --values NAME), or call it 'X'")
    return candidates[0]


def write_npz(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write all cells, under the name that the array had in the source."""
    name = source.names[2] if source.format == NPZ.name else MATRIX_NAMES[0]
    # Not np.savez: before NumPy 2.2 it took allow_pickle for the name of an array.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive, archive.open(f"{name}.npy", "w") as member:
        write_npy(member, matrix, source, full)


NPZ = Format("npz", "NPZ", ".npz", f"{NPY.stores}; or a sparse matrix of SciPy", read_npz, write_npz)
