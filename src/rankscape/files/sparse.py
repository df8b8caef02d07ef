"""Sparse matrices in files of arrays: the stored entries are the observed ones, which is said."""

from pathlib import Path
from typing import Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.checking import COUNTABLE
from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError
from rankscape.files.dense import floats_of
from rankscape.files.foreign import reading
from rankscape.files.table import DEFAULT_NAMES, Table


def table_of_sparse(path: Path, matrix: Any, duplicates: Duplicates, kind: str, name: str | None = None) -> Table:
    """The table of a SciPy sparse matrix, zeros that are stored included; NaN is a missing entry."""
    where = str(path) if name is None else f"{path}, {name!r}"
    check_countable(where, matrix.shape)
    with reading(where, "sparse matrix"):
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)  # the next line trusts the indices
        triples = matrix.tocoo()
    if triples.data.dtype.kind not in "iufb":
        raise FileFormatError(f"{where}: holds {triples.data.dtype}, not real numbers")
    values = floats_of(triples.data, f"{where}, stored entries")
    kept = ~np.isnan(values)
    if not kept.any():
        raise FileFormatError(f"{where}: none of its {len(values)} stored entries is a number; nothing is observed")
    if np.isinf(values).any():
        k = int(np.flatnonzero(np.isinf(values))[0])
        raise FileFormatError(f"{where}: the entry at row {triples.row[k]}, column {triples.col[k]} is {values[k]}")
    rows, columns = np.asarray(triples.row)[kept], np.asarray(triples.col)[kept]
    try:
        entries = Entries(rows, columns, values[kept], matrix.shape, duplicates=duplicates)
    except InputError as error:
        raise FileFormatError(f"{where}: {error}") from error
    return Table(
        entries=entries,
        format=kind,
        names=(*DEFAULT_NAMES[:2], name or DEFAULT_NAMES[2]),
        skipped=len(values) - int(kept.sum()),
        merged=int(kept.sum()) - entries.count,
        read_as=f"a sparse matrix, {matrix.shape[0]:,} rows x {matrix.shape[1]:,} columns: the {entries.count:,} "
        "stored entries are observed, all others are missing",
    )


def check_countable(where: str, shape: tuple[int, ...]) -> None:
    """Raise if a matrix declares more cells than can be numbered."""
    if len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] > COUNTABLE:
        declared = " x ".join(map(str, shape))
        raise FileFormatError(f"{where}: declares the shape {declared}, which no matrix can have")
