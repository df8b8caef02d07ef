"""Triplets in NPY files, which are mapped: three of one number a record, or one whose records have three fields."""

from collections.abc import Iterator
from itertools import pairwise, starmap
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError
from rankscape.files.foreign import reading
from rankscape.files.in_parts.base import PART, SHARE, Part, Share, Triplets, check_seen
from rankscape.files.reading import check_exists
from rankscape.files.table import choose_columns
from rankscape.files.wanted import Wanted
from rankscape.ground.final import final

# Files of a folder that holds three.
FILES = "rows", "columns", "values"


def is_store(folder: Path) -> bool:
    """Whether a folder holds the three files."""
    return all((folder / f"{name}.npy").is_file() for name in FILES)


@final
class Records(Share):
    """Some records of the files."""

    def __init__(self, source: str, where: list[Path], names: tuple[str, str, str], first: int, last: int):
        self.where, self._where, self._names, self._first, self._last = source, where, names, first, last

    def lines(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The first two."""
        arrays = _opened(self._where, self._names)
        for part in self._slices():
            yield self._positions(arrays, 0, part), self._positions(arrays, 1, part)

    def parts(self) -> Iterator[Part]:
        """All three."""
        arrays = _opened(self._where, self._names)
        for part in self._slices():
            values = np.asarray(arrays[2][part], np.float64)
            self._refuse(arrays, 2, part, np.isinf(values), "is not a finite number")
            lines = self._positions(arrays, 0, part), self._positions(arrays, 1, part)
            yield Part(*lines, values, self.where, part.start)

    def _slices(self) -> Iterator[slice]:
        return starmap(slice, pairwise([*range(self._first, self._last, PART), self._last]))

    def _positions(self, arrays: list[Any], k: int, part: slice) -> np.ndarray:
        found = np.asarray(arrays[k][part])
        self._refuse(arrays, k, part, found < 0, "is no position, which count from zero")
        self._refuse(arrays, k, part, found >= 2**31 - 1, "is more than an index of 32 bits counts")
        return found.astype(np.int64)

    def _refuse(self, arrays: list[Any], k: int, part: slice, wrong: np.ndarray, what: str) -> None:
        if wrong.any():
            place = part.start + int(wrong.argmax())
            raise FileFormatError(f"{self._where[k]}, record {place + 1}: {arrays[k][place]} {what}")


@final
class InNpy(Triplets):
    """Rows and columns are positions, counted from zero."""

    format = "npy"

    def __init__(self, source: str, wanted: Wanted, duplicates: Duplicates):
        path = Path(source).expanduser()
        self.source, self.duplicates = source, duplicates
        if path.is_dir():
            self._where, self.names = [path / f"{name}.npy" for name in FILES], FILES
        else:
            check_exists(path)
            whole = _mapped(path)
            fields = whole.dtype.names or ()
            if not fields:
                raise InputError(f"{path} holds {whole.dtype}: triplets need records of three fields, or three files")
            at = choose_columns(path, fields, wanted)
            self._where, self.names = [path] * 3, (fields[at[0]], fields[at[1]], fields[at[2]])
        self._arrays = _opened(self._where, self.names)
        self._check()

    @property
    def count(self) -> int:
        """As long as the files are."""
        return len(self._arrays[0])

    def shares(self) -> list["Records"]:
        """Some records at a time."""
        cuts = [*range(0, self.count, SHARE), self.count]
        where = [path.absolute() for path in self._where]  # workers have a directory of their own
        return [Records(self.source, where, self.names, *cut) for cut in pairwise(cuts)]

    def _check(self) -> None:
        for array, path, name, kinds in zip(self._arrays, self._where, self.names, ("iu", "iu", "iuf"), strict=True):
            if array.ndim != 1 or array.dtype.kind not in kinds:
                what = "numbers" if kinds == "iuf" else "whole numbers"
                raise FileFormatError(f"{path}: {name!r} must be a list of {what}, got {array.dtype} of {array.shape}")
            if len(array) != len(self._arrays[0]):
                raise FileFormatError(f"{path} has {len(array):,} records, and {self._where[0]} {self.count:,}")


def _mapped(path: Path) -> Any:
    with reading(path, "NPY file"):
        return np.load(path, mmap_mode="r", allow_pickle=False)


def _opened(where: list[Path], names: tuple[str, str, str]) -> list[Any]:
    """The three arrays: of three files, or three fields of one."""
    for path in where:
        check_seen(path)
    return [array[name] if array.dtype.names else array for array, name in zip(map(_mapped, where), names, strict=True)]
