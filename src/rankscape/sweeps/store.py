"""The zarr store of a sweep: laid out empty, filled batch by batch, each batch marked as done after its data.

Every array has one chunk a batch along ``run``, so each file has one writer. zarr writes a file beside its place and
renames it, and the mark comes last: a batch that is interrupted anywhere is not done, and is made again.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rankscape.errors import CheckpointMismatch, InputError, StorageError
from rankscape.ground.storage import FULL, check_folder
from rankscape.run.checkpoint import differences
from rankscape.sweeps.layout import OUTCOMES, RunLayout

# Version of the stored layout.
FORMAT = 1

# The attribute that makes a zarr group a sweep.
MARK = "rankscape_sweep_format"

# Runs in a chunk of a hyperparameter, and held in memory while a store is laid out.
BLOCK = 1 << 14

# Outcome of a run that was not made yet.
UNKNOWN = -1


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
        """For each run whether it stands in the store."""
        return np.asarray(self._array("done")[:])

    def failed(self, among: np.ndarray) -> int:
        """How many of the marked runs ended badly."""
        bad = [code for code, outcome in enumerate(OUTCOMES) if not outcome.good]
        return int(np.isin(self._array("outcome")[:][among], bad).sum())

    def missing(self) -> list[int]:
        """The first run of each batch that is not done."""
        done = self.done()
        return [start for start in range(0, self.runs, self.batch) if not done[start : start + self.batch].all()]

    def write(self, start: int, arrays: Mapping[str, np.ndarray], done: np.ndarray) -> None:
        """The rows of one batch, its mark last."""
        rows = slice(start, start + len(done))
        try:
            for name, array in arrays.items():
                self._array(name, "r+")[rows] = array
            # Last of all: what is marked as done is there.
            self._array("done", "r+")[rows] = done
        except OSError as error:
            raise _cannot_write(self.path, error) from error

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
    part: Callable[[int, int], Mapping[str, np.ndarray]],
    facts: Mapping[str, Any],
) -> Store:
    """Lay out an empty store; it appears at `path` whole or not at all.

    `shared` are the hyperparameters that are the same for all runs, `dtypes` those of the others, and
    ``part(start, stop)`` gives these for some runs.
    """
    temporary = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        _write_empty(temporary / "new", layout, runs, batch, shared, dtypes, part, facts)
        # Beside its place, on the same file system, so that the last step is one rename.
        (temporary / "new").rename(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
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
    _reserve(group, "done", ("run",), (runs,), batch, "bool")
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
    return group.create_array(
        name, shape=shape, chunks=chunks, dtype=dtype, fill_value=fill, dimension_names=dims, attributes=attributes
    )


def read_attributes(path: Path) -> dict[str, Any]:
    """The attributes of a sweep's store, refused when it is none or of a newer version."""
    if not path.exists():
        raise InputError(f"There is no sweep at {path}.")
    try:
        attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        version = attributes[MARK]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} exists and is not the store of a sweep; name another path.") from None
    if not isinstance(version, int) or version > FORMAT:
        raise InputError(f"{path} was written by a newer rankscape (format {version}); update to use it.")
    return attributes


def check_place(path: Path) -> None:
    """Refuse a path that cannot become a store, before any work."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}; create it first.")
    if path.exists():
        read_attributes(path)
    check_folder(path if path.exists() else path.parent)


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
