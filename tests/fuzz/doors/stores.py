"""What was saved and then damaged: checkpoints, trajectories, sweeps, locks and models are read as they were or refused.

A case names what is damaged, which file of it, and how: ``sweep 3 flip 17``.
"""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

import rankscape as rs

from ..case import Case
from ..damage import harmed
from ..pieces import pick
from ..trial import Wrong

KINDS = ("checkpoint", "trajectory", "sweep", "model", "lock")

# Content of a lock that is JSON, and not a lock's.
LOCKS = [
    "", "{", "[]", "1", "null", '"a"', "{}", '{"host": 1}', '{"host": "x", "started": "a"}', '{"started": null}', "[1, 2]", "\x00",
    '{"host": "elsewhere", "user": 1, "process": "a", "started": 1e400}', '{"host": "elsewhere"}', "[" * 5000, "NaN", "\xff\xfe",
]  # fmt: skip


def make(rng: np.random.Generator) -> Case:
    """What, and a seed of the damage."""
    return Case.of(f"{pick(rng, list(KINDS))} {int(rng.integers(1 << 30))}")


def hand_in(case: Case, folder: Path) -> None:
    """Damage a copy, and read it."""
    kind, seed = case.text.split()
    rng = np.random.default_rng(int(seed))
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        copy = place / sound()[kind].name
        (shutil.copytree if sound()[kind].is_dir() else shutil.copy)(sound()[kind], copy)
        files = sorted(path for path in copy.rglob("*") if path.is_file()) if copy.is_dir() else [copy]
        hit = files[int(rng.integers(len(files)))]
        if kind == "lock":
            copy.write_bytes(LOCKS[int(rng.integers(len(LOCKS)))].encode("latin-1"))
        elif rng.random() < 0.1:
            hit.unlink()
        else:
            hit.write_bytes(harmed(rng, hit.read_bytes(), text=hit.suffix == ".json"))
        READ[kind](copy, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def simulated(**options) -> rs.Trajectory:
    """A small run."""
    start, dynamics = rs.Identical(0.3), rs.GradientDescent(0.01)
    return rs.simulate(
        rs.Estimation([[2.0, 0.5], [0.5, 1.0]]), 2, 2, initialization=start, dynamics=dynamics, steps=20, **options
    )


def drawn(x: int) -> dict[str, float]:
    """One run of the sweep."""
    return {"mean": np.sin(x), "table": np.arange(3.0) * x}


SWEPT = dict(over={"x": list(range(6))}, batch=2)


@cache
def sound() -> dict[str, Path]:
    """Whole ones."""
    folder = Path(tempfile.mkdtemp())
    run = simulated(checkpoint=folder / "c.npz")
    run.save(folder / "run.zarr")
    rs.sweep(drawn, **SWEPT, store=folder / "s.zarr")
    table = np.where(
        np.add.outer(np.arange(8), np.arange(6)) % 3 > 0, np.add.outer(np.arange(8.0), np.arange(6.0)), np.nan
    )
    rs.complete(table).save(folder / "m.npz")
    (folder / "s.zarr.lock").write_text("{}")
    names = {
        "checkpoint": "c.npz",
        "trajectory": "run.zarr",
        "sweep": "s.zarr",
        "model": "m.npz",
        "lock": "s.zarr.lock",
    }
    return {kind: folder / name for kind, name in names.items()}


@cache
def true() -> dict[str, np.ndarray]:
    """What whole ones say."""
    return {
        "checkpoint": simulated().product,
        "trajectory": rs.Trajectory.load(sound()["trajectory"]).product,
        "sweep": rs.Sweep(sound()["sweep"]).dataset["table"].values,
        "model": rs.CompletedMatrix.load(sound()["model"]).matrix,
    }


def _same(kind: str, found: np.ndarray) -> None:
    if not np.array_equal(found, true()[kind]):
        raise Wrong(f"a damaged {kind} is read as other numbers")


def _checkpoint(path: Path, folder: Path) -> None:
    _same("checkpoint", simulated(checkpoint=path).product)


def _trajectory(path: Path, folder: Path) -> None:
    _same("trajectory", rs.Trajectory.load(path).product)


def _sweep(path: Path, folder: Path) -> None:
    _same("sweep", rs.sweep(drawn, **SWEPT, store=path).dataset["table"].values)


def _model(path: Path, folder: Path) -> None:
    _same("model", rs.CompletedMatrix.load(path).matrix)


def _lock(path: Path, folder: Path) -> None:
    from rankscape.sweeps.lock import locked, read_lock

    store = path.with_name(path.name.removesuffix(".lock"))
    json.dumps(read_lock(store))
    with locked(store):
        pass


READ = {"checkpoint": _checkpoint, "trajectory": _trajectory, "sweep": _sweep, "model": _model, "lock": _lock}
