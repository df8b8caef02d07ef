"""The spectral engine against the matrix engine, the matrix engine against the arithmetic peak, and what records cost.

Run with ``python benchmarks/engines.py``.
"""

from _timing import pin_to_one_core, seconds_per_call  # first: it limits the threads of what is imported next

# isort: split
import resource
import subprocess
import sys
from functools import partial

import numpy as np
from entrywise import fma_burn, fma_peak

import rankscape as rs
from rankscape.engine import AbstractEngine, Setting, choose

DESCENT = rs.GradientDescent(learning_rate=1e-3)


def engine(name: str, size: int, depth: int = 3) -> AbstractEngine:
    """An engine on a random symmetric target of the given size, from the identical initialization."""
    rng = np.random.default_rng(0)
    V = np.linalg.qr(rng.standard_normal((size, size)))[0]
    target = (V * np.linspace(5, 0.1, size)) @ V.T
    setting = Setting(rs.Estimation((target + target.T) / 2), (size,) * (depth + 1), rs.Identical(0.1), DESCENT)
    return choose(setting, name)[0]([setting])


def spectral_against_matrix() -> None:
    print("spectral against matrix engine, N = 3        matrix us  spectral us     ratio   bar          difference")
    for size, bar, short, long in ((100, 3000, 100, 200_000), (500, 100_000, 2, 100_000)):
        matrix, spectral = engine("matrix", size), engine("spectral", size)
        dense, modes = matrix.start(), spectral.start()
        runs = {"matrix": partial(matrix.advance, dense, short), "spectral": partial(spectral.advance, modes, long)}
        seconds = seconds_per_call(runs)
        slow, fast = seconds["matrix"] / short, seconds["spectral"] / long
        check = 20 * short
        ends = [rs.product(e.factors(e.advance(s, check)[0])) for e, s in ((matrix, dense), (spectral, modes))]
        difference = np.abs(ends[0] - ends[1]).max()
        print(
            f"  n = {size}{slow * 1e6:38.1f}{fast * 1e6:13.4f}{slow / fast:10.0f}   >= {bar:<8}"
            f"   {difference:.1e} after {check} steps (<= 1e-12)"
        )


def matrix_against_the_peak() -> None:
    rounds = 1_000_000
    print("matrix engine against the multiply-add peak   step us      GFLOP/s  share   bar")
    for size, steps in ((200, 20), (500, 2)):
        dense = engine("matrix", size)
        states = dense.start()
        seconds = seconds_per_call({"step": partial(dense.advance, states, steps), "peak": partial(fma_burn, rounds)})
        step, peak = seconds["step"] / steps, 2 * fma_peak(seconds["peak"], rounds)
        rate = 6 * 2 * size**3 / step
        print(f"  n = {size}{step * 1e6:38.1f}{rate / 1e9:13.1f}{rate / peak:7.0%}   >= 45%")


def records() -> None:
    print("default schedule against no records           with s    without s   share   bar")
    rng = np.random.default_rng(1)
    low = rng.standard_normal((100, 5)) @ rng.standard_normal((5, 100)) / 10
    entries = rs.Completion.from_array(np.where(rng.random(low.shape) < 0.5, low, np.nan))
    cases = {
        "entry-wise, n = 100": (entries, rs.Gaussian(0.05), rs.SGD(0.05, ridge=1e-4), 1_000_000),
        "matrix, n = 50": (rs.Estimation(low[:50, :50]), rs.Gaussian(0.05), rs.GradientDescent(1e-3), 20_000),
        "matrix, n = 200": (rs.Estimation(np.kron(low, np.eye(2))), rs.Gaussian(0.05), rs.GradientDescent(1e-3), 500),
    }
    for name, (problem, start, dynamics, steps) in cases.items():
        setting = dict(depth=3, initialization=start, dynamics=dynamics, steps=steps)
        run = partial(rs.simulate, problem, **setting)
        seconds = seconds_per_call({"with": run, "without": partial(run, record=[0, steps])}, rounds=5)
        share = seconds["with"] / seconds["without"] - 1
        print(f"  {name:20}{seconds['with']:30.2f}{seconds['without']:13.2f}{share:8.1%}   <= 10%")


def help_text() -> None:
    def run():
        subprocess.run([sys.executable, "-m", "rankscape", "--help"], capture_output=True, check=True)

    run()
    times = []
    for _ in range(9):
        before = _children()
        run()
        times.append(_children() - before)
    print(f"rankscape --help: {np.median(times):.2f} s CPU (<= 0.4)")


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    print(pin_to_one_core())
    spectral_against_matrix()
    matrix_against_the_peak()
    records()
    help_text()


if __name__ == "__main__":
    main()
