"""Matrices in MATLAB's files up to version 7: the one to read is named, or is the only one."""

from pathlib import Path
from typing import IO, Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError, did_you_mean
from rankscape.files.dense import chosen, entries_of
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.formats.mat_parts import variables
from rankscape.files.formats.npy import refuse_names
from rankscape.files.formats.npz import MATRIX_NAMES
from rankscape.files.sparse import table_of_sparse
from rankscape.files.table import DEFAULT_NAMES, Table
from rankscape.files.wanted import Wanted
from rankscape.ground.memory import check_room

# The major version by which SciPy knows a file of HDF5.
HDF5 = 2


def read_mat(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read a matrix; NaN is a missing entry, as are those that a sparse one does not store."""
    from scipy import sparse
    from scipy.io import loadmat

    refuse_names(path, wanted.names[:2])
    found = _variables(path)
    name = _name(path, found, wanted.values)
    if len(found[name]) != 2:
        raise FileFormatError(f"{path}: {name!r} is no matrix of numbers")
    check_room((found[name][0], found[name][1]), 2, "save it as a sparse matrix.")
    with reading(path, "MATLAB file"):
        array: Any = loadmat(str(path), variable_names=[name])[name]
    if sparse.issparse(array):
        return table_of_sparse(path, array, duplicates, MAT.name, name)
    entries = entries_of(np.asarray(array), f"{path}, {name!r}")
    skipped = array.size - entries.count
    names = (*DEFAULT_NAMES[:2], name)
    return Table(entries=entries, format=MAT.name, names=names, skipped=skipped, read_as=chosen(name, list(found)))


def _variables(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of all matrices of numbers by name; anything else has none."""
    from scipy.io import whosmat
    from scipy.io.matlab import matfile_version

    with reading(path, "MATLAB file"), path.open("rb") as file:
        major = matfile_version(file)[0]
    if major == HDF5:
        raise FileFormatError(f"{path} is a MATLAB file of version 7.3; save it with the option '-v7'")
    if major == 1:
        return {variable.name: variable.shape for variable in variables(path, path.read_bytes())}
    with reading(path, "MATLAB file"):
        return {name: shape for name, shape, _ in whosmat(str(path))}


def _name(path: Path, found: dict[str, tuple[int, ...]], wanted: str | None) -> str:
    shown = ", ".join(map(repr, found)) or "nothing"
    if wanted is not None and wanted not in found:
        raise InputError(f"{path} has no variable {wanted!r} (values); it has {shown}{did_you_mean(wanted, found)}")
    matrices = [name for name, shape in found.items() if len(shape) == 2 and min(shape) > 1]
    candidates = [wanted] if wanted else matrices
    if len(candidates) != 1:
        candidates = [name for name in matrices if name in MATRIX_NAMES]
    if len(candidates) != 1:
        raise InputError(f"{path} holds {shown}: name one to read (values=NAME, --values NAME), or call it 'X'")
    return candidates[0]


def write_mat(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write all cells, under the name that the matrix had in the source."""
    from scipy.io import savemat

    savemat(file, {source.names[2] if source.format == MAT.name else MATRIX_NAMES[0]: matrix})


MAT = Format("mat", "MATLAB", ".mat", "dense or sparse matrix of MATLAB, up to version 7", read_mat, write_mat)
