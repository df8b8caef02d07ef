"""The zarr store of a sweep: laid out empty, filled batch by batch, each batch marked as done after its data.

Every array has one chunk a batch along ``run``, so each file has one writer. zarr writes a file beside its place and
renames it. A batch is written in three steps: its data, the digest of their files, and, when these are on the disk, its
mark. So a batch that is interrupted anywhere, also by a power cut, is not done, and one whose files are not what they
were is damaged: it is not read, and is made again.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.errors import CheckpointMismatch, InputError, StorageError
from rankscape.ground.beside import collect, folder_beside
from rankscape.ground.durable import attributes_of, checked, damaged, digest, seal, sync, sync_tree
from rankscape.ground.storage import FULL, check_folder, check_format
from rankscape.run.checkpoint import differences
from rankscape.sweeps.layout import OUTCOMES, RunLayout

# Version of the stored layout.
FORMAT = 2

# The attribute that makes a zarr group a sweep.
MARK = "rankscape_sweep_format"

# Runs in a chunk of a hyperparameter, and held in memory while a store is laid out.
BLOCK = 1 << 14

# What is told of each run beside its variables.
TOLD = "outcome", "message"

# Outcome of a run that was not made yet.
UNKNOWN = -1

# What vouches for the data of a batch: the digest of their files, and the mark, written when all are on the disk.
DIGEST, DONE = "digest", "done"


class Store:
    """An open store.

    Attributes
    ----------
    path : Path
        Where it lies.
    attributes : dict
        Configuration, layout, number of runs, runs in a batch.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.attributes = read_attributes(self.path)
        self.runs, self.batch = self.attributes["runs"], self.attributes["batch"]

    def _array(self, name: str, mode: Any = "r") -> Any:
        import zarr

        return zarr.open_array(self.path / name, mode=mode, zarr_format=3)

    @property
    def layout(self) -> RunLayout:
        """What one run leaves behind."""
        stored = self.attributes["layout"]
        labels = {dim: np.asarray(self._array(dim)[:]) for dim in stored["labels"]}
        return RunLayout({name: tuple(dims) for name, dims in stored["variables"].items()}, stored["sizes"], labels)

    def done(self) -> np.ndarray:
        """For each run whether it is marked as made; a mark that cannot be read is none."""
        return self._read(DONE, False)

    def span(self, start: int) -> str:
        """The runs of a batch in words, by its first one."""
        return f"{start} to {min(start + self.batch, self.runs) - 1}"

    def _starts(self) -> range:
        return range(0, self.runs, self.batch)

    def _read(self, name: str, otherwise: Any) -> np.ndarray:
        """An array's values, and the same value for all runs of a batch whose file is damaged."""
        with contextlib.suppress(Exception):  # zarr and its codecs raise many kinds for a file that is not theirs
            return np.asarray(self._array(name)[:])
        values = np.full(self.runs, otherwise)
        with contextlib.suppress(Exception):  # its description is damaged as well
            array = self._array(name)
            for start in self._starts():
                with contextlib.suppress(Exception):
                    values[start : start + self.batch] = array[start : start + self.batch]
        return values

    def failed(self, among: np.ndarray) -> int:
        """How many of the marked runs ended badly."""
        bad = [code for code, outcome in enumerate(OUTCOMES) if not outcome.good]
        return int(np.isin(self._read("outcome", UNKNOWN)[among], bad).sum())

    def missing(self) -> list[int]:
        """The first run of each batch that is not done, or whose files are damaged."""
        done, broken = self.done(), {*self.damaged()}
        return [k for k in self._starts() if k in broken or not done[k : k + self.batch].all()]

    def damaged(self) -> list[int]:
        """The first run of each marked batch whose files are not those that were written."""
        done, digests = self.done(), self._read(DIGEST, np.uint64(0))
        # A mark that cannot be read was one: a batch without any has no file for it.
        whole = lambda k: int(digests[k]) == self._digest(k)
        lost = lambda k: (self.path / self._file(DONE, k)).exists()
        return [k for k in self._starts() if (not whole(k) if done[k : k + self.batch].any() else lost(k))]

    def check_layout(self) -> None:
        """Refuse a store whose description or hyperparameters are damaged: nothing in it can be relied on."""
        if found := damaged(self.path):
            raise StorageError(
                f"{self.path} is damaged: {', '.join(found[:5])} is not what was written. Restore the store from a "
                "copy, or delete it and run the sweep again."
            )

    def _digest(self, start: int) -> int:
        names = [*self.attributes["layout"]["variables"], *TOLD]
        return int(digest(self.path, [self._file(name, start) for name in names]), 16)

    def _file(self, name: str, start: int) -> str:
        """The one file that holds an array's values of a batch."""
        dims = self.attributes["layout"]["variables"].get(name, [])
        return "/".join([name, "c", str(start // self.batch), *["0"] * len(dims)])

    def write(self, start: int, arrays: Mapping[str, np.ndarray], done: np.ndarray) -> None:
        """The rows of one batch; its mark last, when everything else is on the disk."""
        rows = slice(start, start + len(done))
        try:
            for name, array in arrays.items():
                self._array(name, "r+")[rows] = array
            self._array(DIGEST, "r+")[rows] = np.uint64(self._digest(start))
            self._sync([*arrays, DIGEST], start)
            self._array(DONE, "r+")[rows] = done
            self._sync([DONE], start)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def _sync(self, names: Sequence[str], start: int) -> None:
        files = [self.path / self._file(name, start) for name in names]
        there = [file for file in files if file.exists()]  # zarr writes no file for nothing but NaN
        # Up to the folder of all chunks, which was laid out with the store: names above it are not new.
        inner = [folder for file in there for folder in file.relative_to(self.path).parents if len(folder.parts) > 1]
        sync([*there, *(self.path / folder for folder in inner)])

    def remove_parts(self) -> None:
        """Remove what interrupted writers left beside their files."""
        for part in self.path.rglob("*.partial"):
            with contextlib.suppress(OSError):
                part.unlink()


def create(
    path: Path,
    layout: RunLayout,
    runs: int,
    batch: int,
    shared: Mapping[str, Any],
    dtypes: Mapping[str, Any],
    part_of: Callable[[int, int], Mapping[str, np.ndarray]],
    facts: Mapping[str, Any],
) -> Store:
    """Lay out an empty store; it appears at `path` whole or not at all.

    `shared` are the hyperparameters that are the same for all runs, `dtypes` those of the others, and
    ``part_of(start, stop)`` gives these for some runs.
    """
    try:
        # Beside its place, on the same file system, so that the last step is one rename.
        with folder_beside(path) as part:
            _write_empty(part / "new", layout, runs, batch, shared, dtypes, part_of, facts)
            seal(part / "new")
            sync_tree(part / "new")
            (part / "new").rename(path)
        sync([path.parent])
    except OSError as error:
        raise _cannot_write(path, error) from error
    return Store(path)


def _write_empty(path: Path, layout: RunLayout, runs: int, batch: int, shared, dtypes, part, facts) -> None:
    import zarr

    stored = {"variables": dict(layout.variables), "sizes": dict(layout.sizes), "labels": list(layout.labels)}
    attributes = {MARK: FORMAT, "runs": runs, "batch": batch, "layout": stored} | dict(facts)
    attributes["coordinates"] = " ".join([*shared, *dtypes])
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    for dim, labels in layout.labels.items():
        dtype = str if labels.dtype.kind in "OUT" else labels.dtype
        _reserve(group, dim, (dim,), labels.shape, len(labels), dtype)[...] = labels
    for name, dims in layout.variables.items():
        _reserve(group, name, ("run", *dims), (runs, *layout.shape(name)), batch, "float64", np.nan)
    meanings = {"flag_values": list(range(len(OUTCOMES))), "flag_meanings": " ".join(OUTCOMES)}
    _reserve(group, "outcome", ("run",), (runs,), batch, "int8", UNKNOWN, meanings)
    _reserve(group, "message", ("run",), (runs,), batch, str)
    _reserve(group, DIGEST, ("run",), (runs,), batch, "uint64")
    _reserve(group, DONE, ("run",), (runs,), batch, "bool")
    for name in (*layout.variables, *TOLD, DIGEST, DONE):  # so that no worker has to wonder whether they are synced
        (path / name / "c").mkdir(parents=True, exist_ok=True)
    for name, value in shared.items():  # what an array without a chunk is filled with
        dtype = column_type([value])
        _reserve(group, name, ("run",), (runs,), BLOCK, dtype, column([value], dtype).tolist()[0])
    columns = {"run": "int64", **dtypes}
    arrays = {name: _reserve(group, name, ("run",), (runs,), BLOCK, dtype) for name, dtype in columns.items()}
    for start in range(0, runs, BLOCK):
        stop = min(start + BLOCK, runs)
        for name, values in {"run": np.arange(start, stop), **part(start, stop)}.items():
            arrays[name][start:stop] = values


def _reserve(group, name, dims, shape, first, dtype, fill=None, attributes=None) -> Any:
    """An array without a chunk: its size on disk is that of its description; `first` is the chunk along the first."""
    chunks = (min(max(first, 1), max(shape[0], 1)), *(max(size, 1) for size in shape[1:]))
    settings: dict[str, Any] = dict(fill_value=fill, dimension_names=dims, attributes=attributes)
    return group.create_array(name, shape=shape, chunks=chunks, dtype=dtype, compressors=checked(), **settings)


def read_attributes(path: Path) -> dict[str, Any]:
    """The attributes of a sweep's store, refused when it is none or of a newer version."""
    if not path.exists():
        raise InputError(f"There is no sweep at {path}.")
    attributes = attributes_of(path)
    if attributes is None or MARK not in attributes:
        raise InputError(f"{path} exists and is not the store of a sweep; name another path.")
    check_format(path, attributes[MARK], FORMAT)
    return attributes


def check_place(path: Path) -> None:
    """Refuse a path that cannot become a store, before any work."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}; create it first.")
    if path.exists():
        read_attributes(path)
    check_folder(path if path.exists() else path.parent)
    collect(path)


def check_same(store: Store, configuration: Mapping[str, Any]) -> None:
    """Refuse to continue another sweep, and say in what it differs."""
    different = differences(store.attributes["configuration"], configuration)
    if different:
        raise CheckpointMismatch(
            f"{store.path} holds another sweep: {'; '.join(different)}. "
            "Name another store, delete this one, or restore the configuration."
        )


def column_type(values: Sequence[Any]) -> Any:
    """What a hyperparameter is stored as: whole numbers, switches, numbers (NaN for None), or text."""
    if all(isinstance(value, bool) for value in values):
        return np.dtype(bool)
    if not all(isinstance(value, int | float | None) for value in values):
        return str
    if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values):
        return str  # digits stay digits
    return np.result_type(*{np.dtype(type(value)) if isinstance(value, int) else np.dtype(float) for value in values})


def column(values: Sequence[Any], dtype: Any) -> np.ndarray:
    """A hyperparameter of some runs."""
    if dtype is not str:
        return np.array([np.nan if value is None else value for value in values], dtype)
    plain = [",".join(map(str, v)) if isinstance(v, list | tuple) else "" if v is None else str(v) for v in values]
    return np.array(plain, dtype=object)


def _cannot_write(path: Path, error: OSError) -> StorageError:
    remedy = "Free some space and start" if error.errno in FULL else "Start"
    reason = error.strerror or error
    return StorageError(f"{path} could not be written: {reason}. {remedy} again: what is done stays done.")
