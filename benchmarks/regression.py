"""SGD over samples of a regression against a plain PyTorch loop, and against reading and writing the factors once.

Run with ``python benchmarks/regression.py``; the comparison with PyTorch needs ``pip install torch``.
"""

from _timing import pin_to_one_core, seconds_per_call  # first: it limits the threads of what is imported next

# isort: split
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

import rankscape as rs
from rankscape.engine import Setting, padding
from rankscape.engine.samples.engine import SamplesEngine

LEARNING_RATE, RIDGE, SAMPLES = 1e-5, 1e-5, 1000  # the weights stay alive: numbers that die can be slower or faster


@njit
def _read_and_write(numbers, factor, times):
    """The floor: every number of the factors is read, changed and written, and nothing else."""
    for _ in range(times):
        for i in range(numbers.size):
            numbers[i] *= factor


def problem(depth: int, size: int, seed: int = 0) -> tuple[rs.Regression, list[np.ndarray]]:
    """Samples and random factors of one size."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(2, SAMPLES, size))
    return rs.Regression(X, Y), [rng.normal(size=(size, size)) / size**0.5 for _ in range(depth)]


def here(depth: int, size: int, batch: int, ridge: float, steps: int) -> Callable[[], object]:
    """The engine as a run uses it, the draws included."""
    samples, factors = problem(depth, size)
    widths, start = (size,) * (depth + 1), rs.Factors(factors)
    engine = SamplesEngine([Setting(samples, widths, start, rs.SGD(LEARNING_RATE, ridge, batch))])
    states = engine.start()
    return lambda: engine.advance(states, steps)


def torch_run(torch: Any, depth: int, size: int, batch: int, steps: int) -> Callable[[], object]:
    """What one writes first: a chain of products, the loss of the batch, ``backward``, SGD with weight decay."""
    samples, factors = problem(depth, size)
    X, Y = torch.tensor(samples.inputs.copy()), torch.tensor(samples.outputs.copy())
    parameters = [torch.tensor(factor, requires_grad=True) for factor in factors]
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE, weight_decay=2 * RIDGE)
    batches = torch.tensor(np.random.default_rng(1).integers(0, SAMPLES, (steps, batch)))

    def run():
        for drawn in batches:
            z = X[drawn]
            for parameter in parameters:
                z = z @ parameter.T
            loss = 0.5 * ((z - Y[drawn]) ** 2).sum() / batch
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def floor(depth: int, size: int, times: int) -> Callable[[], object]:
    """Reading and writing as many numbers as the factors have."""
    numbers = padding.aligned_zeros((depth * size * size,), np.dtype(float))
    numbers[:] = 1.0
    return lambda: _read_and_write(numbers, 0.9999999, times)


def against_autograd() -> None:
    """Batches of one and of 32."""
    try:
        import torch
    except ImportError as error:
        print(f"against PyTorch: skipped ({error})")
        return
    torch.set_num_threads(1)
    print("against a plain PyTorch loop, d = 100        torch us    here us     ratio   bar")
    for batch, bar, steps, torch_steps in ((1, 25, 20_000, 300), (32, 5, 1_000, 200)):
        runs = {"here": here(3, 100, batch, RIDGE, steps), "torch": torch_run(torch, 3, 100, batch, torch_steps)}
        seconds = seconds_per_call(runs)
        ours, theirs = seconds["here"] / steps, seconds["torch"] / torch_steps
        print(f"  depth 3, batch {batch:3d}{theirs * 1e6:36.1f}{ours * 1e6:11.2f}{theirs / ours:10.1f}   >= {bar}")


def against_the_floor() -> None:
    """Single samples."""
    print("against reading and writing the factors once  floor us   here us     ratio   bar")
    for depth, size, ridge, bar, steps in ((3, 100, 0.0, "2", 20_000), (3, 100, RIDGE, "2", 20_000),
                                           (2, 100, RIDGE, "2.5", 20_000), (3, 200, RIDGE, "2", 5_000)):  # fmt: skip
        runs = {"here": here(depth, size, 1, ridge, steps), "floor": floor(depth, size, steps)}
        seconds = seconds_per_call(runs)
        limit, ours = seconds["floor"] / steps, seconds["here"] / steps
        print(
            f"  depth {depth}, d = {size:3d}, ridge {ridge:5g}{limit * 1e6:26.2f}{ours * 1e6:11.2f}{ours / limit:10.2f}"
            f"   <= {bar}"
        )


def main() -> None:
    """Both comparisons."""
    print(pin_to_one_core())
    against_the_floor()
    against_autograd()


if __name__ == "__main__":
    main()
