"""What the tests of sweeps run in other processes: importable by name there."""

import os
import sys
import time
from pathlib import Path

import numpy as np

SIMULATIONS = dict(eigenvalues=[3.0, 1.0, 0.2], steps=4000, record=[0, 1000, 4000])
OVER = {"alpha": [0.05, 0.1, 0.2], "learning_rate": [1e-3, 1e-2, 5.0]}


def numbers(x: float, seed: int, pause: float = 0.0):
    """Numbers that depend on the setting alone."""
    time.sleep(pause)
    drawn = np.random.default_rng([int(x), seed]).normal(size=(7, 3))
    return {"mean": drawn.mean(), "table": drawn, "twice": 2 * x}


def draw(x: float):
    """A few numbers, at once."""
    random = np.random.default_rng(int(x))
    return {"mean": random.normal(), "table": random.normal(size=(3, 2))}


def slowly(x: float, seed: int):
    """The same, long enough to be interrupted."""
    return numbers(x, seed, pause=0.03)


def moody(x: float):
    """A function that fails for some settings until a file appears."""
    if x > 2 and not Path(os.environ["RANKSCAPE_MOOD"]).exists():
        raise ValueError(f"{x} is too much")
    return x


def deadly(x: float):
    """Ends the process that calls it."""
    os._exit(9)


# Three batches of the above.
DRAWN = dict(over={"x": list(range(6))}, batch=2)

GRIDS = {
    "numbers": dict(base=slowly, over={"x": range(30)}, seeds=4, batch=2),
    "simulations": dict(base=SIMULATIONS, over=OVER, seeds=20, batch=3),
}


def main() -> None:
    """A client as a process of its own: ``python -m sweep_runs GRID STORE EXECUTOR``; it prints what it is told."""
    import rankscape as rs

    told = lambda now: print(now.done, flush=True)
    rs.sweep(**GRIDS[sys.argv[1]], store=sys.argv[2], executor=sys.argv[3], workers=2, progress=told)


if __name__ == "__main__":
    sys.modules["sweep_runs"] = sys.modules["__main__"]  # functions are known by the name of the module
    for function in (numbers, slowly):
        function.__module__ = "sweep_runs"
    main()
