"""Compressed files: gzip, bzip2, xz or Zstandard around any format that is text, told by a second extension."""

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from rankscape.errors import FileFormatError, InputError

PACKINGS = (".gz", ".bz2", ".xz", ".zst")

# What reading a compressed file raises when it is cut short or is not one.
BROKEN = (EOFError, zlib.error, lzma.LZMAError, OSError)


def is_packed(path: Path) -> bool:
    """Whether the last extension says that the file is compressed."""
    return path.suffix.lower() in PACKINGS


def extension_of(path: Path) -> str:
    """The last extension; of a compressed file the last two.

    >>> extension_of(Path("ratings.v2.csv.gz"))
    '.csv.gz'
    """
    return "".join(path.suffixes[-2 if is_packed(path) else -1 :])


def unpacked(path: Path) -> BinaryIO:
    """The bytes of a file to read, compressed or not."""
    match path.suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        case ".bz2":
            return cast(BinaryIO, bz2.open(path, "rb"))
        case ".xz":
            return cast(BinaryIO, lzma.open(path, "rb"))
        case ".zst":
            return io.BytesIO(_unpacked_zst(path))
    return path.open("rb")


def content_of(path: Path) -> bytes:
    """All bytes of a file, without its packing."""
    try:
        with unpacked(path) as file:
            return file.read()
    except BROKEN as error:
        raise FileFormatError(f"{path}: {_reason(path, error)}") from error


def _reason(path: Path, error: Exception) -> str:
    return f"the compressed file is broken ({error})" if is_packed(path) else f"cannot be read ({error})"


def _unpacked_zst(path: Path) -> bytes:
    """All frames; a reader of streams would take one that is cut short for the end."""
    zstd, content, parts = _zstandard(path), path.read_bytes(), []
    while content:
        frame: Any = zstd.ZstdDecompressor()
        frame = frame.decompressobj() if hasattr(frame, "decompressobj") else frame  # Python's own needs none
        try:
            parts.append(frame.decompress(content))
        except Exception as error:  # each package has a class of its own
            raise EOFError(str(error)) from error
        if not frame.eof:
            raise EOFError("it is cut short")
        content = frame.unused_data
    return b"".join(parts)


def check_packing(path: Path) -> None:
    """Raise if what unpacks ``path`` is not installed."""
    if path.suffix.lower() == ".zst":
        _zstandard(path)


def _zstandard(path: Path):
    try:
        from compression import zstd  # pyright: ignore  (Python 3.14 brings it)
    except ImportError:
        try:
            import zstandard as zstd
        except ImportError:
            raise InputError(
                f"{path} is compressed with Zstandard, which is read by a package of its own: "
                "pip install 'rankscape[files]' (or unpack it first: zstd -d)"
            ) from None
    return zstd


@contextlib.contextmanager
def packed(file: BinaryIO, path: Path) -> Iterator[IO[bytes]]:
    """What to write into so that `file`, which will be at ``path``, is compressed if its name says so."""
    match path.suffix.lower():
        case ".gz":
            # No name and no time inside: `file` has a temporary one, and the same matrix should give the same bytes.
            out = gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0)
        case ".bz2":
            out = bz2.BZ2File(file, "wb")
        case ".xz":
            out = lzma.LZMAFile(file, "wb")  # noqa: SIM115
        case ".zst":
            out = _zstandard(path).open(file, "wb")
        case _:
            yield file
            return
    with contextlib.closing(out):
        yield cast(IO[bytes], out)
