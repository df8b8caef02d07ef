"""Triplets in NPY files, which are mapped: three of one number a record, or one whose records have three fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.entries.duplicates import Duplicates
from rankscape.errors import FileFormatError, InputError
from rankscape.files.foreign import reading
from rankscape.files.in_parts.base import PART, Part, Triplets
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
class InNpy(Triplets):
    """Rows and columns are positions, counted from zero."""

    format = "npy"

    def __init__(self, source: str, wanted: Wanted, duplicates: Duplicates):
        path = Path(source).expanduser()
        self.source, self.duplicates = source, duplicates
        if path.is_dir():
            self._where, self.names = [path / f"{name}.npy" for name in FILES], FILES
            self._arrays = [_mapped(file) for file in self._where]
        else:
            check_exists(path)
            whole = _mapped(path)
            fields = whole.dtype.names or ()
            if not fields:
                raise InputError(f"{path} holds {whole.dtype}: triplets need records of three fields, or three files")
            at = choose_columns(path, fields, wanted)
            self._where, self.names = [path] * 3, (fields[at[0]], fields[at[1]], fields[at[2]])
            self._arrays = [whole[name] for name in self.names]
        self._check()

    @property
    def count(self) -> int:
        """As long as the files are."""
        return len(self._arrays[0])

    def lines(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The first two."""
        for before in range(0, self.count, PART):
            yield self._positions(0, before), self._positions(1, before)

    def parts(self) -> Iterator[Part]:
        """All three."""
        for before in range(0, self.count, PART):
            values = np.asarray(self._arrays[2][before : before + PART], np.float64)
            infinite = np.isinf(values)
            if infinite.any():
                raise self._wrong(2, before + int(infinite.argmax()), "is not a finite number")
            yield Part(self._positions(0, before), self._positions(1, before), values, self.source, before)

    def _positions(self, k: int, before: int) -> np.ndarray:
        found = np.asarray(self._arrays[k][before : before + PART])
        below = found < 0
        if below.any():
            raise self._wrong(k, before + int(below.argmax()), "is no position, which count from zero")
        beyond = found >= 2**31 - 1
        if beyond.any():
            raise self._wrong(k, before + int(beyond.argmax()), "is more than an index of 32 bits counts")
        return found.astype(np.int64)

    def _wrong(self, k: int, place: int, what: str) -> FileFormatError:
        return FileFormatError(f"{self._where[k]}, record {place + 1}: {self._arrays[k][place]} {what}")

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
