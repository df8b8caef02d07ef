"""Compressed files: gzip around any format that is text, told by a second extension."""

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

PACKED = ".gz"

# What reading a compressed file raises when it is cut short or is not one.
BROKEN = (EOFError, zlib.error, OSError)


def is_packed(path: Path) -> bool:
    """Whether the last extension says that the file is compressed."""
    return path.suffix.lower() == PACKED


def extension_of(path: Path) -> str:
    """The last extension; of a compressed file the last two.

    >>> extension_of(Path("ratings.v2.csv.gz"))
    '.csv.gz'
    """
    return "".join(path.suffixes[-2 if is_packed(path) else -1 :])


def unpacked(path: Path) -> BinaryIO:
    """The bytes of a file to read, compressed or not."""
    return cast(BinaryIO, gzip.open(path, "rb")) if is_packed(path) else path.open("rb")


@contextlib.contextmanager
def packed(file: BinaryIO, path: Path) -> Iterator[IO[bytes]]:
    """What to write into so that `file`, which will be at ``path``, is compressed if its name says so."""
    if not is_packed(path):
        yield file
        return
    # No name inside: `file` has a temporary one, and the same matrix should give the same bytes.
    with gzip.GzipFile(fileobj=file, mode="wb", filename="") as out:
        yield cast(IO[bytes], out)
