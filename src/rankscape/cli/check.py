"""``rankscape check``."""

import zipfile
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.cli.output import print_facts, print_json
from rankscape.errors import InputError, StorageError
from rankscape.ground.storage import check_readable


def check(path: Path, /, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Say whether a sweep, a run, a model or a checkpoint is what was written.

    Reads every byte. Exit code 0 where nothing is damaged, else 2.

    Parameters
    ----------
    path
        The store of a sweep, a saved run (.zarr), a saved model or a checkpoint (.npz).
    json
        Print JSON.
    """
    facts = {"path": str(path)} | _examined(path)
    if json:
        print_json(facts)
    else:
        print_facts([(name, _words(value)) for name, value in facts.items() if facts["damaged"] or name != "remedy"])
    if facts["damaged"]:
        raise StorageError(f"{path} is damaged. {facts['remedy']}")


def _words(value: object) -> str:
    return (", ".join(map(str, value)) or "nothing") if isinstance(value, list) else str(value)


def _examined(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(f"There is nothing at {path}.")
    if path.is_dir():
        return _group(path)
    check_readable(path)
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no store, run, model or checkpoint of rankscape.")
    return _archive(path)


def _group(path: Path) -> dict[str, Any]:
    from rankscape.ground.durable import ROOT, attributes_of, damaged

    attributes = attributes_of(path)
    if attributes is None and not any(path.glob("*/zarr.json")) and not (path / ROOT).exists():
        raise InputError(f"{path} is no store, run, model or checkpoint of rankscape.")
    if attributes is None:
        remedy = "Its description cannot be read: restore it from a copy, or make it again."
        return {"kind": "store", "damaged": [ROOT], "remedy": remedy}
    if "rankscape_sweep_format" not in attributes:
        remedy = "Restore it from a copy, or run again."
        return {"kind": "run", "damaged": damaged(path), "remedy": remedy}
    return _sweep(path, damaged(path))


def _sweep(path: Path, broken: list[str]) -> dict[str, Any]:
    from rankscape.sweeps.store import Store

    if broken:
        remedy = "What it describes cannot be relied on: restore it from a copy, or delete it and run the sweep again."
        return {"kind": "sweep", "damaged": broken, "remedy": remedy}
    store = Store(path)
    runs = [f"runs {store.span(start)}" for start in store.damaged()]
    remedy = "The same sweep makes these runs again, and nothing else."
    return {"kind": "sweep", "runs": store.runs, "done": int(store.done().sum()), "damaged": runs, "remedy": remedy}


def _archive(path: Path) -> dict[str, Any]:
    """Every member of a zip file carries a checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            kind = "model" if "facts.npy" in archive.namelist() else "checkpoint"
    except Exception as error:  # zipfile raises many kinds
        return {"kind": "archive", "damaged": [str(error)], "remedy": "Restore it from a copy, or make it again."}
    damaged = [] if broken is None else [broken]
    return {"kind": kind, "damaged": damaged, "remedy": "Restore it from a copy, or make it again."}
