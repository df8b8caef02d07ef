"""Arrays in files: read slice by slice, or mapped, in a folder that goes when nothing needs it any more."""

import contextlib
import mmap
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rankscape.errors import InputError, StorageError
from rankscape.ground.beside import folder_beside
from rankscape.ground.final import final
from rankscape.ground.memory import in_words

# What the folders of arrays are called in the folder for temporary files.
NAME = "rankscape-blocks"


@final
class Folder:
    """A new folder, removed when nobody holds this object or the process ends; after a kill, when the next is made."""

    def __init__(self, parent: str | Path | None = None):
        place = folder_beside(Path(parent or tempfile.gettempdir()).resolve() / NAME)
        self.path, self._count = place.__enter__(), 0
        self.remove = weakref.finalize(self, place.__exit__, None, None, None)

    def check_space(self, need: int, what: str) -> None:
        """Refuse what needs more bytes than are free.

        Raises
        ------
        StorageError
            With both numbers, and what to do.
        """
        free = shutil.disk_usage(self.path).free
        if need > free:
            raise StorageError(
                f"{what} needs {in_words(need)} in {self.path.parent}, and {in_words(free)} are free there: free some "
                "space, or name another folder in the environment variable TMPDIR."
            )

    def new(self, count: int, dtype: Any) -> "Stored":
        """An array of so many zeros."""
        self._count += 1
        made = Stored(str(self.path / f"{self._count}.bin"), np.dtype(dtype), count, self)
        with open(made.path, "wb") as file:
            file.truncate(count * made.dtype.itemsize)
        return made


@final
class Stored:
    """An array of one dimension in a file: a slice of it is read, or written, and nothing else is in memory.

    Examples
    --------
    >>> folder = Folder()
    >>> array = folder.new(4, np.int32)
    >>> array[1:3] = np.array([5, 6])
    >>> array[0:3].tolist(), len(array), array.mapped().tolist()
    ([0, 5, 6], 4, [0, 5, 6, 0])
    """

    def __init__(self, path: str, dtype: np.dtype, count: int, folder: Folder | None = None):
        self.path, self.dtype, self.count, self.folder = path, dtype, count, folder

    def __reduce__(self):
        # Who reads it elsewhere does not keep the folder.
        return Stored, (self.path, self.dtype, self.count)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: slice) -> np.ndarray:
        start, stop, _ = part.indices(self.count)
        size = max(stop - start, 0)
        found = np.fromfile(self.path, self.dtype, size, offset=start * self.dtype.itemsize)
        if len(found) < size:
            raise StorageError(f"{self.path} was cut short while it was in use: begin again.")
        return found

    def __setitem__(self, part: slice, values: np.ndarray) -> None:
        start, _, _ = part.indices(self.count)
        try:
            with open(self.path, "r+b") as file:
                file.seek(start * self.dtype.itemsize)
                file.write(np.ascontiguousarray(values, self.dtype).data)
        except OSError as error:
            raise StorageError(f"{self.path} could not be written: {error.strerror or error}; begin again.") from error

    def mapped(self) -> np.ndarray:
        """The whole array, read-only: pages come when they are looked at, and go when memory is short."""
        if not self.count:
            return np.zeros(0, self.dtype)
        whole = np.memmap(self.path, self.dtype, "r", shape=(self.count,))
        whole.folder = self.folder  # pyright: ignore[reportAttributeAccessIssue]
        return whole.view(np.ndarray)


# An array of either kind; both give and take slices.
Array = np.ndarray | Stored


def folder_of(array: Array) -> Folder | None:
    """Where an array lies; None of one in memory."""
    return getattr(_mapping(array), "folder", None)


def room(count: int, dtype: Any, like: np.ndarray) -> Any:
    """Room for another array: in memory, or in a file where the array `like` is in one."""
    folder = folder_of(like)
    return np.empty(count, dtype) if folder is None else folder.new(count, dtype)


def blank(array: Array, part: slice) -> np.ndarray:
    """Where a part of an array may be written: in its place, or to be put there."""
    if isinstance(array, np.ndarray):
        return array[part]
    return np.empty(part.stop - part.start, array.dtype)


def put(array: Array, part: slice, values: np.ndarray) -> None:
    """Write what was made in a `blank`."""
    if not isinstance(array, np.ndarray):
        array[part] = values


def let_go(*arrays: np.ndarray) -> None:
    """Give back the pages of mapped arrays; they come again when they are looked at."""
    for array in arrays:
        mapping = _mapping(array)
        pages = getattr(mapping, "_mmap", None)
        if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
            pages.madvise(mmap.MADV_DONTNEED)


def _mapping(array: Any) -> Any:
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return array


def deal(kind: np.dtype, columns: Sequence[np.ndarray], where: np.ndarray, path: Callable[[int], Path]) -> None:
    """Write records behind those of the range that each belongs to, in their order; `columns` are their fields."""
    order = np.argsort(where, kind="stable")
    records = np.empty(len(order), kind)
    for name, column in zip(kind.names or (), columns, strict=True):
        records[name] = column[order]
    used, starts = np.unique(where[order], return_index=True)
    for number, part in zip(used, np.split(records, starts[1:]), strict=True) if len(used) else ():
        append(path(number), part)


def append(path: Path, records: np.ndarray) -> None:
    """Write records behind those that a file holds."""
    with _written(path), open(path, "ab") as file:
        records.tofile(file)


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """A file to write in such a folder, which takes its name when it is whole; whoever makes it twice makes the same.

    Nothing here outlives its process: unlike `ground.storage.replacing` this does not wait for the disk.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with _written(path):
        with open(part, "wb") as file:
            yield file
        os.replace(part, path)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(
            f"{path.parent} could not be written: {error.strerror or error}; free some space, or name another folder "
            "in the environment variable TMPDIR."
        ) from error


def check_indices_fit(count: int, what: str) -> None:
    """Refuse more lines than an index of 32 bits counts."""
    if count >= 2**31:
        raise InputError(f"{count:,} {what} are more than an index of 32 bits counts ({2**31 - 1:,}): split the data.")
