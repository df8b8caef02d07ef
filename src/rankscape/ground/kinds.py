"""What a file is, by its first bytes: what stands under a name is not always what its ending says."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from rankscape.errors import InputError

# Bytes that are looked at.
HEAD = 4096

# How a file begins, and what it is then.
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"%PDF", "a PDF"),
    (b"\x93NUMPY", "an NPY file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "an Arrow file"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"%%MatrixMarket", "a Matrix Market file"),
    (b"CDF\x01", "a netCDF file"),
    (b"CDF\x02", "a netCDF file"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ\x00", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by Zstandard"),
)

# Those that begin as names in a table may: `PAR1` is a gene.
NAMED = ("a Parquet file", "an Arrow file")

# What a name promises by its last ending; of others anything goes.
ENDINGS: dict[str, tuple[str, ...]] = {
    ".png": ("a PNG picture",),
    ".pdf": ("a PDF",),
    ".svg": ("an SVG picture",),
    ".html": ("a report of rankscape",),
    ".htm": ("a report of rankscape",),
    ".npy": ("an NPY file",),
    ".npz": ("an archive of arrays",),
    ".parquet": ("a Parquet file",),
    ".feather": ("an Arrow file",),
    ".arrow": ("an Arrow file",),
    ".h5ad": ("an HDF5 file",),
    ".mat": ("a MATLAB file", "an HDF5 file"),
    ".xlsx": ("a zip archive",),
    ".mtx": ("a Matrix Market file",),
    ".nc": ("a netCDF file", "an HDF5 file"),
    ".gz": ("compressed by gzip",),
    ".bz2": ("compressed by bzip2",),
    ".xz": ("compressed by xz",),
    ".zst": ("compressed by Zstandard",),
    ".csv": ("a text",),
    ".tsv": ("a text",),
    ".txt": ("a text",),
    ".json": ("a text",),
}

# What only its own writer may replace.
MODEL, CHECKPOINT = "a saved model", "a checkpoint"

# By what rankscape knows its own pages.
GENERATOR = b'<meta name="generator" content="rankscape">'


def kind_of(path: Path) -> str | None:
    """What a file is in words; None where it is empty."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return None
    found = next((kind for begin, kind in BEGINNINGS if head.startswith(begin)), None)
    if found in NAMED and b"\n" in head and min(head) > 8:
        return "a text"
    if found == "a zip archive":
        return _archive(path)
    if found is not None:
        return found
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a report of rankscape" if GENERATOR in head else "a web page"
    if b"<svg" in start and start.startswith((b"<?xml", b"<!doctype svg", b"<svg")):
        return "an SVG picture"
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16 has a zero in every other byte
    return "a text" if wide or b"\0" not in head else "no text"


def check_kind(path: Path, kinds: Sequence[str] | None = None) -> None:
    """Refuse to replace what is of another kind than what will be written there.

    Parameters
    ----------
    path
        Where something will be written.
    kinds
        What may be replaced, or nothing to leave that to the caller; what the ending promises if left out.
    """
    allowed = ENDINGS.get(path.suffix.lower(), ()) if kinds is None else kinds
    if not allowed or not path.is_file():
        return
    try:
        found = kind_of(path)
    except OSError:
        return  # who writes says it
    if found is not None and found not in allowed:
        link = f" (by a link to {path.resolve()})" if path.is_symlink() else ""
        raise InputError(f"{path} is {found}{link} and not {allowed[0]}: it stays; choose another name, or delete it")


def _archive(path: Path) -> str:
    """What a zip archive holds: arrays, a model or a checkpoint of them, or something else."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # zipfile raises many kinds
        return "a zip archive"
    if not all(name.endswith(".npy") for name in names):
        return "a zip archive"
    own = {"facts.npy": MODEL, "header.npy": CHECKPOINT}
    return next((kind for name, kind in own.items() if name in names), "an archive of arrays")
