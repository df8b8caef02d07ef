"""Batches of the matrix engine on the devices that JAX sees, a GPU or many: steps a second by the size of the batch.

Run with ``python benchmarks/devices.py`` where the devices are; with
``XLA_FLAGS=--xla_force_host_platform_device_count=8`` on a processor that plays eight of them.
"""

import time

import jax
import numpy as np

import rankscape as rs
from rankscape.engine import Setting, choose

SIZES = (20, 100, 500)
BATCHES = (1, 8, 64, 512)
SECONDS = 2.0


def steps_per_second(size: int, runs: int) -> float:
    """Steps of one run in a second, of so many runs at once; depth 3, float64."""
    rng = np.random.default_rng(0)
    problem = rs.Estimation(rng.standard_normal((size, size)) / np.sqrt(size))
    rates = np.linspace(1e-4, 1e-3, runs)
    settings = [
        Setting(problem, (size,) * 4, rs.Gaussian(0.1), rs.GradientDescent(rate), k) for k, rate in enumerate(rates)
    ]
    engine = choose(settings[0], "matrix")[0](settings)
    states, steps = engine.start(), 8
    states = engine.advance(states, steps)  # compiles
    while True:
        began, start = time.perf_counter(), states[0].step
        states = engine.advance(states, start + steps)
        seconds = time.perf_counter() - began
        if seconds > SECONDS / 4:
            return steps / seconds
        steps *= 2


def main() -> None:
    devices = jax.devices()
    print(f"# {len(devices)} x {devices[0].device_kind} ({devices[0].platform}), float64, depth 3")
    print("  n  runs   steps/s of a run   run-steps/s   against one run alone")
    for size in SIZES:
        alone = None
        for runs in BATCHES:
            rate = steps_per_second(size, runs)
            alone = alone or rate
            print(f"{size:3d}  {runs:4d}   {rate:16.0f}   {rate * runs:11.0f}   {rate * runs / alone:8.1f}x")


if __name__ == "__main__":
    main()
