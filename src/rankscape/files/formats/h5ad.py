"""AnnData's files: X or a named layer, cells by genes, with their names."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import InputError, did_you_mean
from rankscape.files.dense import entries_of
from rankscape.files.foreign import reading
from rankscape.files.formats.base import Format
from rankscape.files.formats.heaps import check_heaps
from rankscape.files.packages import needs
from rankscape.files.sparse import table_of_sparse
from rankscape.files.table import DEFAULT_NAMES, Table
from rankscape.files.wanted import Wanted
from rankscape.ground.beside import scratch
from rankscape.ground.memory import check_bytes, check_room


def read_h5ad(path: Path, wanted: Wanted, duplicates: Duplicates) -> Table:
    """Read X, or the layer that values names; NaN is a missing entry, as are those that a sparse one does not store."""
    needs("h5py", path)
    import h5py

    if wanted.rows is not None or wanted.columns is not None:
        raise InputError(f"{path} names its rows and columns itself: leave the column names out")
    check_heaps(path)
    with reading(path, "AnnData file"), h5py.File(path, "r") as file:
        table = _table(path, file, wanted.values, duplicates)
        labels = [_labels(path, file[axis]) for axis in ("obs", "var")]
    return replace(table, row_labels=labels[0], column_labels=labels[1])


def _table(path: Path, file: Any, wanted: str | None, duplicates: Duplicates) -> Table:
    name = "X" if wanted is None else wanted
    layers = list(file.get("layers", ()))
    if name != "X" and name not in layers:
        shown = ", ".join(map(repr, ["X", *layers]))
        raise InputError(f"{path} has no layer {name!r} (values); it has {shown}{did_you_mean(name, layers)}")
    found = file["X"] if name == "X" else file["layers"][name]
    if hasattr(found, "keys"):  # a group holds a sparse matrix
        return table_of_sparse(path, _sparse(path, found), duplicates, H5AD.name, name)
    check_room(found.shape, 2, "save it as a sparse matrix.")
    array = np.asarray(found[()])
    entries, read_as = entries_of(array, f"{path}, {name!r}"), f"{name!r}, a dense matrix of {array.shape[0]:,} rows"
    names = (*DEFAULT_NAMES[:2], name)
    skipped = array.size - entries.count
    return Table(entries=entries, format=H5AD.name, names=names, skipped=skipped, read_as=read_as)


def _sparse(path: Path, group: Any) -> Any:
    from scipy import sparse

    kind, shape = group.attrs["encoding-type"], tuple(int(n) for n in group.attrs["shape"])
    parts = [_whole(path, group[name]) for name in ("data", "indices", "indptr")]
    return {"csr_matrix": sparse.csr_array, "csc_matrix": sparse.csc_array}[kind](tuple(parts), shape=shape)


def _whole(path: Path, part: Any) -> np.ndarray:
    check_bytes(2 * part.size * part.dtype.itemsize, str(path), "Split it.")
    return part[()]


def _labels(path: Path, frame: Any) -> np.ndarray | None:
    """The names of rows or columns; None where some are there twice."""
    names = frame[frame.attrs["_index"]]
    check_bytes(100 * names.size, f"{path}, {names.size:,} names,", "Split it.")
    found: Sequence = names.asstr()[()].tolist()
    return np.array(found, np.str_) if len(set(found)) == len(found) else None


def write_h5ad(file: IO[bytes], matrix: np.ndarray, source: Table, full: bool) -> None:
    """Write the matrix as X, with the names of rows and columns."""
    import h5py

    with scratch() as folder:  # HDF5 goes to and fro in a file
        part = folder / "part.h5ad"
        with h5py.File(part, "w") as out:
            _say(out, "anndata", 1)
            _say(out.create_dataset("X", data=matrix), "array", 2)
            for axis, labels, size in zip(
                ("obs", "var"), (source.row_labels, source.column_labels), matrix.shape, strict=True
            ):
                _write_names(out.create_group(axis), np.arange(size) if labels is None else labels)
        with part.open("rb") as done:
            shutil.copyfileobj(done, file)


def _write_names(group: Any, labels: np.ndarray) -> None:
    import h5py

    _say(group, "dataframe", 2)
    group.attrs["_index"] = "_index"
    group.attrs.create("column-order", np.zeros(0, dtype="S1"))
    names = group.create_dataset("_index", data=[str(x) for x in labels.tolist()], dtype=h5py.string_dtype())
    _say(names, "string-array", 2)


def _say(part: Any, kind: str, minor: int) -> None:
    """What AnnData asks of each part: its kind, and in which version it is written."""
    part.attrs.update({"encoding-type": kind, "encoding-version": f"0.{minor}.0"})


_STORES = "AnnData: X, or the layer that `values` names"
H5AD = Format("h5ad", "AnnData", ".h5ad", _STORES, read_h5ad, write_h5ad, needs=lambda path: needs("h5py", path))
