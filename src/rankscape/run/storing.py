"""A trajectory as a zarr store, without pickle: the data set, and beside it what it takes to go on from its end."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape import initialization
from rankscape.engine import State
from rankscape.errors import InputError, StorageError
from rankscape.ground.beside import REPLACED, folder_beside, places
from rankscape.ground.durable import FILES, SEAL, attributes_of, checked, damaged, seal, sync, sync_tree
from rankscape.ground.parts import needs
from rankscape.ground.storage import check_format
from rankscape.initialization import AbstractInitialization, Balanced, Factors
from rankscape.run.continuing import Continuation
from rankscape.run.labelling import LABELS

if TYPE_CHECKING:
    import xarray as xr

# Version of the stored layout.
FORMAT = 3

# What a continuation holds that JSON can.
WORDS = ("origin", "seed", "drawn", "remembers", "settings", "memories")


def save(path: Path, dataset: "xr.Dataset", runs: Sequence[Continuation]) -> Path:
    """Write a store, replacing a trajectory that stood there only when all is written."""
    needs("zarr", f"{path}: a stored trajectory")
    if path.exists() and _format_of(path) is None:
        raise InputError(f"{path} exists and is not a stored trajectory; name another path.")
    stored = dataset.drop_vars(LABELS, errors="ignore")
    tables, places = _tables(runs)
    for name, table in tables.items():
        # Dimensions of its own for each table: xarray would line up equal names, and widths differ.
        stored[name] = ([f"{name}_{axis}" for axis in range(table.ndim)], table)
    stored.attrs["rankscape_format"] = FORMAT
    stored.attrs["continuations"] = json.dumps([_words(*run) for run in zip(runs, places, strict=True)])
    _bring_back(path)
    try:
        with folder_beside(path) as part:
            encoding = {name: {"compressors": checked()} for name in stored.variables}
            stored.to_zarr(part / "new", mode="w", consolidated=False, zarr_format=3, encoding=encoding)
            seal(part / "new")
            sync_tree(part / "new")
            _exchange(part / "new", path, part / REPLACED)
    except OSError as error:
        raise StorageError(f"Could not write {path}: {error.strerror or error}; nothing was replaced.") from None
    return path


def load(path: Path) -> tuple["xr.Dataset", list[Continuation]]:
    """Read what `save` wrote."""
    needs("zarr", f"{path}: a stored trajectory")
    import xarray as xr

    _bring_back(path)
    if not path.exists():
        raise InputError(f"There is no trajectory at {path}.")
    _check_whole(path)
    try:
        stored = xr.open_zarr(path, consolidated=False, chunks=None).load()
    except Exception as error:  # zarr and xarray raise many kinds for a broken store
        raise InputError(f"{path} is not a stored trajectory ({error}).") from None
    for name in ("rankscape_format", FILES, SEAL):
        stored.attrs.pop(name)
    words = json.loads(stored.attrs.pop("continuations"))
    names = {name for word in words for name, _ in word["places"].values()}
    tables = {name: stored[name].values for name in names}
    labels = {dim: labels for dim, labels in LABELS.items() if dim in stored.dims}
    return stored.drop_vars(names).assign_coords(labels), [_continuation(tables, word) for word in words]


def _arrays(run: Continuation) -> dict[str, np.ndarray]:
    """The factors, the state, and the spectrum of a start that has one of its own."""
    named = {f"factor{l}": W for l, W in enumerate(run.factors, start=1)}
    named |= {f"state_{name}": array for name, array in run.state.pack().items()}
    spectrum = run.start.spectrum if isinstance(run.start, Balanced) else None
    return named if spectrum is None else named | {"spectrum": np.asarray(spectrum)}


def _tables(runs: Sequence[Continuation]) -> tuple[dict[str, np.ndarray], list[dict[str, tuple[str, int]]]]:
    """Arrays of one name and shape, stacked over the runs, and for each run the tables and rows where its own stand.

    An array costs a store about a millisecond, however small it is: a table for each run would be a slow way to save.
    """
    stacks: dict[tuple, list[np.ndarray]] = {}
    places: list[dict[str, tuple[str, int]]] = []
    for run in runs:
        places.append({})
        for name, array in _arrays(run).items():
            key = (name, array.shape, array.dtype.str)
            stack = stacks.setdefault(key, [])
            places[-1][name] = (f"continuation_{[*stacks].index(key)}", len(stack))
            stack.append(array)
    return {f"continuation_{k}": np.stack(stack) for k, stack in enumerate(stacks.values())}, places


def _words(run: Continuation, places: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    """The rest of a run, as JSON, and where its arrays stand."""
    return {name: getattr(run, name) for name in WORDS} | {"start": run.start.describe(), "places": places}


def _continuation(tables: Mapping[str, np.ndarray], words: Mapping[str, Any]) -> Continuation:
    arrays = {name: np.array(tables[table][row]) for name, (table, row) in words["places"].items()}
    packed = {name.removeprefix("state_"): a for name, a in arrays.items() if name.startswith("state_")}
    factors = [a for name, a in arrays.items() if name.startswith("factor")]
    start = _start(words["start"], factors, arrays.get("spectrum"))
    return Continuation(State.unpack(packed), factors, start, **{name: words[name] for name in WORDS})


def _start(
    described: Mapping[str, Any], factors: list[np.ndarray], spectrum: np.ndarray | None
) -> AbstractInitialization:
    """The start of a run, where its state may need it; else its end, from which any engine can go on."""
    if spectrum is not None:
        return Balanced(spectrum=spectrum)
    if described["kind"] in ("Identical", "PerturbedIdentical"):
        numbers = {name: value for name, value in described.items() if name != "kind"}
        return getattr(initialization, described["kind"])(**numbers)
    return Factors(factors)


def _format_of(path: Path) -> Any:
    """The version of the trajectory at `path`; None where there is none."""
    return (attributes_of(path) or {}).get("rankscape_format")


def _check_whole(path: Path) -> None:
    """Refuse what is no trajectory, one of another version, and one whose files are not what was written."""
    version = _format_of(path)
    if version is None:
        raise InputError(f"{path} is not a stored trajectory.")
    check_format(path, version, FORMAT)
    if found := damaged(path):
        words = f"{', '.join(found[:5])} is not what was written; restore it from a copy, or run again"
        raise StorageError(f"{path} is damaged: {words}.")


def _exchange(new: Path, path: Path, old: Path) -> None:
    """Move `new` to `path`; what stood there comes back if that fails."""
    sync([path.parent])  # the folder that holds the old one for a moment must not be lost
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    sync([path.parent])


def _bring_back(path: Path) -> None:
    """Where the power went between the two moves, what stood at `path` before is put there again."""
    if path.exists():
        return
    for part in places(path):
        if _format_of(part / REPLACED) is not None:
            (part / REPLACED).rename(path)
            return
