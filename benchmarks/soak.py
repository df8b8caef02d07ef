"""Long use in one process: memory, open files, threads and leftovers stay flat. ``python benchmarks/soak.py``.

Three parts, each in a process of its own: ``shapes`` makes fits and runs of 2,000 shapes, ``small`` 200,000 small runs
in sweeps that share the process, ``sweeps`` a day of sweeps compressed: written, opened, continued, exported and
removed again, on a pool of processes. Each prints what it holds along the way, and the command ends with 1 where the
last quarter held more than the second one, in which all is loaded and warm. ``--share 0.05``
makes a twentieth of it, ``shapes small`` these parts alone. Read from ``/proc``, so on Linux only.
"""

import argparse
import gc
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import rankscape as rs
from rankscape.errors import FallbackWarning

POINTS = 24
"""Looks along the way: six in each quarter."""

GROWTH = 12.0
"""MB that the last quarter may hold more. Allocators keep what they got; 500 shapes that were kept would be 1,000."""


class Held(NamedTuple):
    """What the process holds."""

    memory: float
    files: int
    threads: int
    children: int
    leftovers: int

    def __str__(self) -> str:
        return f"{self.memory:8.1f} MB {self.files:4d} files {self.threads:3d} threads {self.children:2d} children " + (
            f"{self.leftovers:2d} leftovers"
        )


def held(folder: Path) -> Held:
    """As the system sees it; leftovers are what lies in the folder of temporary files."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Held(
        int(status["VmRSS"].split()[0]) / 1e3,
        len(os.listdir("/proc/self/fd")),
        int(status["Threads"]),
        sum(len(line.read_text().split()) for line in Path("/proc/self/task").glob("*/children")),
        sum(1 for _ in folder.rglob("*")),
    )


def shapes(count: int, folder: Path) -> Iterator[None]:
    """Fits and runs, each of another shape: by full gradients, by modes, along a flow, with an optimizer, completed."""
    import optax

    order = np.random.default_rng(0).permutation(2000)  # no shape twice, and no way from small ones to large ones
    for k in range(count):
        number, random = int(order[k % 2000]), np.random.default_rng(k)
        rows, columns = 8 + number // 40, 4 + number % 40
        X = random.normal(size=(rows, 2)) @ random.normal(size=(2, columns)) + 0.1 * random.normal(size=(rows, columns))
        usual: dict = dict(depth=2, initialization=rs.Gaussian(0.1), steps=20, record=[0, 20])
        match k % 5:
            case 0:
                rs.simulate(rs.Estimation(X), dynamics=rs.GradientDescent(1e-3), **usual)
            case 1:
                spectrum = np.diag(np.arange(1.0, number + 2.0) / 1000)
                aligned = usual | dict(initialization=rs.Identical(0.1))
                rs.simulate(rs.Estimation(spectrum[:rows, :rows]), dynamics=rs.GradientDescent(1e-3), **aligned)
            case 2:
                rs.simulate(rs.Estimation(X), dynamics=rs.GradientFlow(1e-3), **usual)
            case 3:
                rs.simulate(rs.Estimation(X), dynamics=rs.Optimizer(optax.adam(1e-3)), **usual)
            case _:
                X[random.random(X.shape) < 0.2] = np.nan
                rs.complete(X, seed=0)
        yield


def small(count: int, folder: Path) -> Iterator[None]:
    """Sweeps of 2,000 small runs in this process, each sweep in a store that is removed when it was read."""
    for k in range(0, count, 2000):
        store = folder / f"{k}.zarr"
        rates = np.linspace(0.01, 0.05, 2000).tolist()
        found = rs.sweep(dict(eigenvalues=[2.0, 1.0], steps=50, record=[50]), {"learning_rate": rates}, store=store)
        assert bool(found.dataset.done.all())
        shutil.rmtree(store)
        yield


def cell(a: float, b: int) -> dict[str, float]:
    """A function to be swept."""
    return {"value": a * b}


def sweeps(count: int, folder: Path) -> Iterator[None]:
    """One sweep after the other: made by processes, opened, continued where nothing is left, exported, removed."""
    for k in range(count):
        store, table = folder / "day.zarr", folder / "day.csv"
        grid: dict = {"a": [0.1 * k, 1.0 + k], "b": list(range(8))}
        made = rs.sweep(cell, grid, store=store, executor="processes" if k % 4 == 0 else None, batch=4)
        assert np.array_equal(rs.Sweep(store).dataset.value, made.dataset.value)
        rs.sweep(cell, grid, store=store, batch=4)
        rs.Sweep(store).dataset.value.to_dataframe().to_csv(table)
        table.unlink()
        shutil.rmtree(store)
        yield


PARTS: dict[str, tuple[Callable[[int, Path], Iterator[None]], int]] = {
    "shapes": (shapes, 2_000),
    "small": (small, 200_000),
    "sweeps": (sweeps, 1_440),  # one a minute
}


def soak(name: str, share: float) -> list[str]:
    """Run a part, print what is held along the way, and say what grew."""
    warnings.simplefilter("ignore", FallbackWarning)
    part, most = PARTS[name]
    count = max(POINTS, round(most * share))
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = Path(temporary)
        os.environ["TMPDIR"] = tempfile.tempdir = temporary  # whatever is left lies here
        rounds = sum(1 for _ in range(0, count, 2000)) if name == "small" else count
        looks, seen = {round((k + 1) * rounds / POINTS) for k in range(POINTS)}, []
        for done, _ in enumerate(part(count, folder), start=1):
            if done in looks:
                seen.append(held(folder))
                print(f"{name:7s} {done:6d} of {rounds}: {seen[-1]}", flush=True)
    return grown(name, seen)


def grown(name: str, seen: list[Held]) -> list[str]:
    """What the last quarter held more of than the second one, in words."""
    quarter = len(seen) // 4
    # Memory goes up and down by what is being compiled: its median. All else at its most.
    most = lambda field: statistics.median if field == "memory" else max
    before, after = (
        Held(*(most(field)([getattr(look, field) for look in part]) for field in Held._fields))
        for part in (seen[quarter : 2 * quarter], seen[-quarter:])
    )
    return [
        f"{name}: {field} grew from {was} to {now}"
        for field, was, now in zip(Held._fields, before, after, strict=True)
        if now > was + (GROWTH if field == "memory" else 0)
    ]


def _apart(name: str, share: float, answers: multiprocessing.Queue) -> None:
    answers.put(soak(name, share))


def main() -> None:
    """The parts that are named, each in a new process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="how much of the whole, 1 without")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
    fresh, wrong = multiprocessing.get_context("spawn"), []
    for name in given.parts:
        answers = fresh.Queue()
        process = fresh.Process(target=_apart, args=(name, given.share, answers))
        process.start()
        process.join()
        wrong += answers.get() if process.exitcode == 0 else [f"{name}: ended with {process.exitcode}"]
    print("\n".join(wrong) or "flat")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
