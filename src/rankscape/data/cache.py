"""Where fetched data sets are kept: an NPZ file of arrays and a JSON file of provenance for each."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rankscape.data.catalogue import DatasetInfo
from rankscape.errors import InputError, StorageError
from rankscape.ground.storage import cache_directory, replacing


def path_of(what: DatasetInfo) -> Path:
    """Return where the arrays of a data set are kept, whether or not they are there."""
    return cache_directory() / f"{what.name}.npz"


def is_current(what: DatasetInfo) -> bool:
    """Return whether a data set is there and came from the very archive that the registry names."""
    path = path_of(what)
    try:
        provenance = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return path.is_file() and provenance.get("sha256") == what.sha256


def store(what: DatasetInfo, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write the arrays of a data set and its provenance; the arrays come last, so their presence means all is there."""
    path = path_of(what)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the cache directory {path.parent} cannot be made: {error.strerror}; "
            "set RANKSCAPE_CACHE to a directory that can be written to"
        ) from error
    described = ("name", "title", "licence", "citation", "source", "package", "version", "sha256")
    with replacing(path.with_suffix(".json")) as file:
        file.write(json.dumps({field: getattr(what, field) for field in described}, indent=2).encode())
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return path


def content(what: DatasetInfo) -> dict[str, np.ndarray]:
    """Return the arrays of a fetched data set."""
    path = path_of(what)
    command = f"rankscape data fetch {what.name}"
    if not path.exists():
        raise InputError(f"{what.name} is not on this machine yet: run `{command}`")
    if not is_current(what):
        raise InputError(f"{path} comes from another version of the data: run `{command} --force`")
    try:
        # Opened here, because np.load leaves a broken file open; without pickle nothing in it can be run.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)  # read now: the file is closed when this returns
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is broken: run `{command} --force`") from error
