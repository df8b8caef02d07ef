"""Compressed files: gzip, bzip2, xz or Zstandard around any format that is text, told by a second extension."""

import bz2
import contextlib
import gzip
import importlib
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any, BinaryIO, cast

from rankscape.errors import FileFormatError, InputError
from rankscape.files.foreign import reading
from rankscape.ground.memory import check_bytes, in_words

PACKINGS = (".gz", ".bz2", ".xz", ".zst")

# Bytes that are unpacked at a time; and those that may come of one packed byte, once there are more than `SMALL`.
# A table of nothing but zeros shrinks to a thousandth; only what is made to fill a memory shrinks to less.
BLOCK, RATIO, SMALL = 1 << 22, 1100, 1 << 26

# How often the bytes are held: as blocks, and as one.
COPIES = 2

# Bytes of a Zstandard file that are unpacked at a time: each may become thousands.
FED = 1 << 10


def is_packed(path: Path) -> bool:
    """Whether the last extension says that the file is compressed."""
    return path.suffix.lower() in PACKINGS


def extension_of(path: Path) -> str:
    """The last extension; of a compressed file the last two.

    >>> extension_of(Path("ratings.v2.csv.gz"))
    '.csv.gz'
    """
    return "".join(path.suffixes[-2 if is_packed(path) else -1 :])


def content_of(path: Path, look: Callable[[bytes], None] | None = None) -> bytes:
    """All bytes of a file, without its packing; what would not fit the memory is refused on the way.

    `look` is shown every block, to refuse what these lead to.
    """
    size = path.stat().st_size
    found, total = [], 0
    with reading(path, f"compressed file of the kind {path.suffix}" if is_packed(path) else "file that can be read"):
        for block in blocks(path):
            found.append(block)
            total += len(block)
            if is_packed(path):
                check_ratio(path, total, size)
            check_bytes(COPIES * total, f"{path}, as far as it is read,", "Split it.")
            if look is not None:
                look(block)
        return b"".join(found)


def check_ratio(path: Path, unpacked: int, packed: int) -> None:
    """Refuse what grows beyond all measure when it is unpacked."""
    if unpacked > max(SMALL, RATIO * packed):
        raise FileFormatError(
            f"{path} has {in_words(packed)} and unpacks to more than {in_words(unpacked)}, {RATIO} times as much: no "
            "table does, and it is not read further"
        )


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file without its packing, block by block."""
    if path.suffix.lower() == ".zst":
        yield from _blocks_zst(path)
        return
    opened = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix.lower(), open)
    with cast(BinaryIO, opened(path, "rb")) as file:
        while block := file.read(BLOCK):
            yield block


def _blocks_zst(path: Path) -> Iterator[bytes]:
    """All frames, piece by piece; a reader of streams would take one that is cut short for the end."""
    zstd, content = zstandard(path), path.read_bytes()
    while content:
        frame: Any = zstd.ZstdDecompressor()
        frame = frame.decompressobj() if hasattr(frame, "decompressobj") else frame  # Python's own needs none
        for start in range(0, len(content), FED):
            yield frame.decompress(content[start : start + FED])
            if frame.eof:
                content = frame.unused_data + content[start + FED :]
                break
        else:
            raise EOFError("it is cut short")


def check_packing(path: Path) -> None:
    """Raise if what unpacks ``path`` is not installed."""
    if path.suffix.lower() == ".zst":
        zstandard(path)


def zstandard(path: Path) -> ModuleType:
    """What reads and writes Zstandard: Python's own from 3.14 on, and what brings it to older ones."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise InputError(
        f"{path} is compressed with Zstandard, which is read by a package of its own: "
        "pip install 'rankscape[files]' (or unpack it first: zstd -d)"
    )


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
            out = zstandard(path).open(file, "wb")
        case _:
            yield file
            return
    with contextlib.closing(out):
        yield cast(IO[bytes], out)
