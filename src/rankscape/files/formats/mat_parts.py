"""What stands in a MATLAB file of version 5 to 7: its variables, after every length in it was checked.

SciPy's compiled reader believes the file, and a wrong length or type ends the interpreter.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rankscape.errors import FileFormatError

HEADER = 128

MATRIX, COMPRESSED = 14, 15

# Bytes of the numbers that the format knows, by its code of a type.
SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}

# The classes of variables that are matrices of numbers: sparse, and dense ones by their code.
SPARSE, NUMBERS = 5, range(6, 16)

# How often a compressed variable may be larger than what is stored: zlib reaches about a thousand.
RATIO = 1100


class Part(NamedTuple):
    """One element of a file: the code of its type, and its bytes."""

    type: int
    content: bytes


class Variable(NamedTuple):
    """A variable that holds numbers, or anything else (no `shape`)."""

    name: str
    shape: tuple[int, ...]


def variables(path: Path, content: bytes) -> list[Variable]:
    """The variables of a file, whose lengths, types and indices agree."""
    try:
        order = {b"IM": "<", b"MI": ">"}[content[126:HEADER]]
        return [_variable(Parts(order, part.content)) for part in _top(Parts(order, content[HEADER:]))]
    except (KeyError, struct.error, ValueError, UnicodeDecodeError, zlib.error) as error:
        raise FileFormatError(
            f"{path} is broken, cut short or no MATLAB file ({type(error).__name__}: {error})"
        ) from None


class Parts:
    """Elements one after the other."""

    def __init__(self, order: str, content: bytes):
        self.order, self.content = order, content

    def __iter__(self) -> Iterator[Part]:
        at = 0
        while at < len(self.content):
            (word,) = struct.unpack_from(f"{self.order}I", self.content, at)
            if word >> 16:  # up to four bytes stand in the tag itself
                kind, size, start, stop = word & 0xFFFF, word >> 16, at + 4, at + 8
            else:
                kind, (size,) = word, struct.unpack_from(f"{self.order}I", self.content, at + 4)
                start = at + 8
                stop = start + size + (0 if kind == COMPRESSED else -size % 8)
            if size > min(stop, len(self.content)) - start:
                raise ValueError(f"an element of {size} bytes is cut short")
            yield Part(kind, self.content[start : start + size])
            at = stop


def _top(parts: Parts) -> Iterator[Part]:
    for part in parts:
        if part.type == COMPRESSED:
            (part,) = Parts(parts.order, _inflated(part.content))
        if part.type != MATRIX:
            raise ValueError(f"type {part.type} is no variable")
        yield part


def _inflated(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    inside = inflater.decompress(content, RATIO * len(content) + 1024)
    if not inflater.eof:
        raise ValueError("a compressed variable is cut short")
    return inside


def _variable(parts: Parts) -> Variable:
    """Its name and shape; of one that holds numbers all lengths are checked."""
    flags, sizes, name, *inside = parts
    if (flags.type, sizes.type, name.type) != (6, 5, 1) or len(flags.content) != 8 or len(sizes.content) % 4:
        raise ValueError("a variable does not begin as one")
    (word,) = struct.unpack_from(f"{parts.order}I", flags.content)
    shape = struct.unpack(f"{parts.order}{len(sizes.content) // 4}i", sizes.content)
    if not shape or min(shape) < 0:
        raise ValueError(f"the shape {shape}")
    kind, copies = word & 0xFF, 1 + bool(word & 0x0800)  # complex numbers have two parts
    label = name.content.decode("latin-1")
    if kind == SPARSE:
        _check_sparse(parts.order, inside, shape, copies)
    elif kind in NUMBERS:
        _check_dense(inside, shape, copies)
    else:
        return Variable(label, ())
    return Variable(label, shape)


def _check_dense(parts: list[Part], shape: tuple[int, ...], copies: int) -> None:
    wanted = math.prod(shape)
    if len(parts) != copies or any(SIZES[part.type] * wanted != len(part.content) for part in parts):
        raise ValueError(f"the numbers of a matrix of shape {shape} are not all there")


def _check_sparse(order: str, parts: list[Part], shape: tuple[int, ...], copies: int) -> None:
    rows, starts, *numbers = parts
    if len(shape) != 2 or rows.type not in (5, 6) or starts.type not in (5, 6) or len(numbers) != copies:
        raise ValueError("a sparse matrix is not whole")
    ends = struct.unpack(f"{order}{len(starts.content) // 4}i", starts.content)
    counts = [len(rows.content) // 4, *(len(part.content) // SIZES[part.type] for part in numbers)]
    if len(ends) != shape[1] + 1 or not 0 <= ends[-1] <= min(counts):
        raise ValueError("the columns of a sparse matrix are not all there")
