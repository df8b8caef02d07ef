"""Where HDF5 keeps text of any length: heaps whose lengths its library believes, for ever if they lead nowhere."""

import mmap
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from rankscape.errors import FileFormatError

# How a heap begins: a word, a version, and its size; and an object in it: its number, and its size at 8.
HEAP, OBJECT = struct.Struct("<4sB3xQ"), struct.Struct("<HHxxxxQ")


def check_heaps(path: Path) -> None:
    """Raise if a heap reaches beyond the file, or one of its objects beyond the heap."""
    if path.stat().st_size < HEAP.size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for found in re.finditer(b"GCOL\x01", content):
            start = found.start()
            if start % 8 == 0 and not all(_objects(content, start)):
                raise FileFormatError(f"{path} is broken or cut short: a heap of text at byte {start:,} is damaged")


def _objects(content: mmap.mmap, start: int) -> Iterator[bool]:
    """Whether each object of a heap is whole; the one with number 0 is the space that is left."""
    if start + HEAP.size > len(content):
        yield False
        return
    end, at = start + HEAP.unpack_from(content, start)[2], start + HEAP.size
    yield end <= len(content)
    while at + OBJECT.size <= min(end, len(content)):
        number, _, size = OBJECT.unpack_from(content, at)
        taken = size if number == 0 else OBJECT.size + size + -size % 8
        yield OBJECT.size <= taken <= end - at
        if number == 0:
            return
        at += taken
