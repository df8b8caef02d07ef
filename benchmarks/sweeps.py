"""Sweeps: what the machinery costs beside the engine, many small runs, replicas on two threads, memory.

Run with ``python benchmarks/sweeps.py``. Wall times mean something on an idle machine only; CPU times always do.
"""

import _timing  # first: it limits the threads of what is imported next

# isort: split
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import rankscape as rs

SPECTRUM = np.linspace(5, 0.1, 50).tolist()
RECORDED = rs.Every(200).steps(10_000)[1:].tolist()
SMALL = dict(eigenvalues=SPECTRUM, steps=10_000, record=RECORDED)
RUNS, SECONDS = 10_000, 20


def cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call."""
    wall, used = time.perf_counter(), cpu()
    call()
    return time.perf_counter() - wall, cpu() - used


def overhead(folder: Path) -> None:
    """A sweep of one batch and of three, beside the one call of `simulate` that each batch makes; CPU seconds."""
    target = rs.Estimation(np.random.default_rng(0).standard_normal((60, 60)) / 8)
    shared: dict = dict(steps=1500, record=[0, 500, 1000, 1500])
    base = dict(problem=target, initialization="gaussian", learning_rate=1e-3) | shared
    size, dynamics = 16, rs.GradientDescent(1e-3)

    def bare() -> object:
        starts = [rs.Gaussian(scale) for scale in np.linspace(0.05, 0.2, size)]
        return rs.simulate(target, initialization=starts, dynamics=dynamics, **shared)

    def swept(batches: int) -> object:
        scales = np.linspace(0.05, 0.2, batches * size).tolist()
        store = Path(tempfile.mkdtemp(dir=folder)) / "grid.zarr"
        return rs.sweep(base, {"scale": scales}, batch=size, store=store)

    candidates = {"bare": bare, "one": partial(swept, 1), "three": partial(swept, 3)}
    seconds = _timing.seconds_per_call(candidates, rounds=5)
    batch = (seconds["three"] - seconds["one"]) / 2
    print("16 runs, n = 60, N = 3, 1500 steps     engine s   a batch s   overhead    bar     once for a sweep s")
    share, once = batch / seconds["bare"] - 1, seconds["one"] - batch
    print(f"{seconds['bare']:46.2f} {batch:11.2f} {share:10.1%}   <= 5 % {once:14.2f}")


def many_small_runs(folder: Path) -> None:
    """Spectral runs in two processes: wall and CPU seconds, and the size of the store."""
    over = {"alpha": np.linspace(0.05, 0.2, RUNS // 10).tolist(), "learning_rate": np.linspace(1e-4, 1e-3, 10).tolist()}
    made: list[rs.Sweep] = []
    options = dict(store=folder / "many.zarr", executor="processes", workers=2)
    wall, used = timed(lambda: made.append(rs.sweep(SMALL, over, **options)))
    size = sum(path.stat().st_size for path in made[0].path.rglob("*") if path.is_file())
    raw = sum(v.nbytes for v in made[0].dataset.data_vars.values() if v.dtype == np.float64)
    print(f"{RUNS} spectral runs, n = 50, 1e4 steps, 50 records: {wall:.1f} s (bar {SECONDS} s, idle machine)")
    print(f"with {used:.1f} s of CPU time in all processes; store {size / raw:.2f} of the raw arrays (bar 2)")


REPLICAS = """
import os, sys, time
cores = int(sys.argv[1])
os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[:cores])); os.cpu_count = lambda: cores
import numpy as np, rankscape as rs
rng = np.random.default_rng(0)
X = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 100))
run = lambda steps: rs.simulate(
    rs.Completion.from_array(np.where(rng.random(X.shape) < 0.5, X, np.nan)), depth=3, initialization=rs.Gaussian(0.1),
    dynamics=rs.SGD(1e-3), steps=steps, record=[steps], seed=[0, 1], engine="entrywise")
run(1000)
wall, used = time.perf_counter(), time.process_time()
run(1_000_000)
print(time.perf_counter() - wall, time.process_time() - used)
"""


def replicas() -> None:
    """Two entry-wise runs on two threads and on one."""
    rounds: list[list[float]] = []
    for _ in range(5):
        both = [subprocess.run([sys.executable, "-c", REPLICAS, n], capture_output=True, text=True) for n in "12"]
        rounds.append([float(number) for done in both for number in done.stdout.split()])
    one_wall, one, two_wall, two = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"entry-wise replicas, n = 100, N = 3, two threads: {one_wall / two_wall:.2f}x (bar 1.8x, idle machine);")
    print(f"CPU time of a step {two / one:.2f}x of one thread (bar 1.15x)")


MEMORY = """
import sys, sweep_memory, rankscape as rs
from _timing import peak_memory
def sweep(runs):
    rs.sweep(sweep_memory.numbers, {"x": range(runs)}, store=f"{sys.argv[2]}.{runs}", batch=200, executor="processes")
sweep(2)
before = peak_memory()
sweep(int(sys.argv[1]))
print((peak_memory() - before) / 1e6)
"""


def memory(folder: Path) -> None:
    """Peak memory of the client above that of a sweep of two runs, for few and for many runs of 80 kB each."""
    (folder / "sweep_memory.py").write_text(
        "import numpy as np\ndef numbers(x):\n    return np.full(10_000, float(x))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    for runs in (400, 4000, 40_000):
        command = [sys.executable, "-c", MEMORY, str(runs), str(folder / "memory.zarr")]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        print(
            f"client memory for {runs:6d} runs ({runs * 0.08:5.0f} MB in the store): {float(done.stdout):5.1f} MB more"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overhead(folder)
        many_small_runs(folder)
        replicas()
        memory(folder)


if __name__ == "__main__":
    main()
