"""Sweeps: grids of any kind, and functions that return anything."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from ..case import Case
from ..pieces import ODD, names, pick
from ..trial import Wrong

# Names that a function gives its results.
NAMES = [
    "done", "outcome", "run", "message", "digest", "a/b", "../evil", "/abs", "", ".", "..", "a b", "x", "zarr.json", "c", "\u00fc",
    "mean", "a\\b", "\x00", "a" * 300, "step", "coordinates", "_x", "given_x", "CON", "seed", "%2e", "layout", "a\n", "__proto__",
]  # fmt: skip
RESULTS = [
    "1.0", "np.ones(3)", "nan", "True", "np.eye(2)", "np.ones((2, 0))", "[1, 2]", "np.float32(1)", "10**400", "'text'", "None",
    "{'b': 1}", "1j", "np.ones(3) * (x + 1)", "np.ones(int(x) + 1)", "np.array(['a'])", "np.datetime64('NaT')", "1 / 0", "object()",
]  # fmt: skip
GRIDS = [
    "{'x': [1, 2]}", "[{'x': 1}, {'x': 2}]", "{'x': {'from': 0, 'to': 1, 'count': 3}}", "{'x': range(2)}", "{'x': np.arange(2)}",
    "{'x': []}", "{'x': [1, 1]}", "{'x': [nan, nan]}", "{'x': 'ab'}", "{'x': {'from': 0, 'to': 1, 'count': 10**8}}",
    "{'x': {'from': 0, 'to': inf, 'count': 3}}", "{'x': range(10**12)}", "{'x': range(2000), 'seed': range(10**9)}", "{1: [1, 2]}",
    "[{'x': 1}, {'y': 2}]", "[1]", "{'x': [[1], [2]]}", "{'x': [object(), 1]}", "{'x': ['a', 1]}", "{'x': [None, 2]}",
    "{'x': [2**70, 1]}", "{'x': [1e308, 1e-308]}", "{'x': {'from': 'a', 'to': 1, 'count': 2}}", "{'a/b': [1, 2]}", "{'': [1]}",
    "{'x': iter(range(2))}", "{'x': [1.0, True]}", "{'x': {'from': 1, 'to': 2, 'count': 1.5}}", "{'x': [{}]}", "{'done': [1, 2]}",
]  # fmt: skip


def make(rng: np.random.Generator) -> Case:
    """A call of `sweep`."""
    returned = ", ".join(f"{pick(rng, NAMES)!r}: {pick(rng, RESULTS)}" for _ in range(int(rng.integers(1, 3))))
    body = f"{{{returned}}}" if rng.random() < 0.85 else pick(rng, [*RESULTS, *ODD])
    over = pick(rng, GRIDS) if rng.random() < 0.7 else pick(rng, GRIDS[:5])
    if rng.random() < 0.08:
        over = pick(rng, ODD)
    options = {name: pick(rng, ODD) for name in ("seeds", "batch", "most_runs", "workers") if rng.random() < 0.1}
    extra = "".join(f", {name}={value}" for name, value in options.items())
    return Case.of(f"rs.sweep(lambda x=0, **_: {body}, {over}, store=store{extra})")


def hand_in(case: Case, folder: Path) -> None:
    """Sweep; nothing is written outside of the store, and what was returned is there under its name."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        sweep = eval(case.text, names() | {"store": place / "s.zarr"})
        strangers = [path for path in place.iterdir() if path.name != "s.zarr"]
        if strangers:
            raise Wrong(f"{strangers} is written beside the store")
        sweep.dataset.load()
    finally:
        shutil.rmtree(place, ignore_errors=True)
