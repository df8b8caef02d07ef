"""Entry-wise SGD against automatic differentiation, against the arithmetic limit, and at compressed width.

Run with ``python benchmarks/entrywise.py``; the comparison with PyTorch needs ``pip install torch``.
"""

from _timing import pin_to_one_core, seconds_per_call  # first: it limits the threads of what is imported next

# isort: split
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

import rankscape as rs
from rankscape.engine import padding
from rankscape.engine.entrywise import kernels

LEARNING_RATE, RIDGE = 0.02, 1e-5  # the weights stay alive: numbers that die can be slower or faster
LANES = padding.VECTOR_BYTES // 8
CHAINS = 12  # independent sums: more than latency times pipes, few enough for the registers


@intrinsic
def _fma_rounds(typingctx, rounds):
    """Do ``rounds * CHAINS`` vector multiply-adds on registers alone."""

    def codegen(context, builder, signature, arguments):
        vector = ir.VectorType(ir.DoubleType(), LANES)
        fma_type = ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, fma_type, f"llvm.fmuladd.v{LANES}f64")
        factor, addend = (ir.Constant(vector, [number] * LANES) for number in (0.999999, 1e-9))
        chains = [cgutils.alloca_once_value(builder, ir.Constant(vector, [float(k)] * LANES)) for k in range(CHAINS)]
        with cgutils.for_range(builder, arguments[0]):
            for chain in chains:
                builder.store(builder.call(fma, [builder.load(chain), factor, addend]), chain)
        total = builder.load(chains[0])
        for chain in chains[1:]:
            total = builder.fadd(total, builder.load(chain))
        return builder.extract_element(total, ir.IntType(32)(0))

    return types.float64(types.intp), codegen


@njit
def fma_burn(rounds):
    return _fma_rounds(rounds)


@njit
def _add_chain(rounds):
    """Do ``rounds * 8`` dependent integer operations, one a cycle: this shows the clock."""
    x = rounds
    for k in range(rounds):
        for _ in range(4):
            x = (x ^ k) + 1
    return x


def fma_peak(burn_seconds: float, rounds: int) -> float:
    """Return multiply-adds per second of one core, from the time of one `fma_burn`."""
    return rounds * CHAINS * LANES / burn_seconds


def problem(depth: int, size: int, width: int, seed: int = 0):
    """Return random factors of hidden width ``width`` and a half-observed rank-5 matrix of size ``size``."""
    generator = np.random.default_rng(seed)
    sizes = [size] + [width] * (depth - 1) + [size]
    factors = [generator.standard_normal((b, a)) / np.sqrt(max(a, b)) for a, b in pairwise(sizes)]
    target = generator.standard_normal((size, 5)) @ generator.standard_normal((5, size)) / np.sqrt(5)
    rows, columns = np.nonzero(generator.random((size, size)) < 0.5)
    return factors, rows, columns, target[rows, columns]


def numba_run(depth: int, size: int, width: int, steps: int) -> Callable[[], object]:
    factors, rows, columns, values = problem(depth, size, width)
    batches = np.random.default_rng(1).integers(0, rows.size, (steps, 1))
    packed = kernels.pack(factors)
    return lambda: kernels.advance(packed, rows, columns, values, batches, LEARNING_RATE, RIDGE)


def torch_run(torch, depth: int, size: int, steps: int) -> Callable[[], object]:
    """Return what one writes first: full product, loss on one entry, ``backward``, SGD with weight decay."""
    factors, rows, columns, values = problem(depth, size, size)
    parameters = [torch.tensor(factor, requires_grad=True) for factor in factors]
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE, weight_decay=2 * RIDGE)
    entries = np.random.default_rng(1).integers(0, rows.size, steps)

    def run():
        for k in entries:
            product = parameters[0]
            for parameter in parameters[1:]:
                product = parameter @ product
            loss = 0.5 * (product[rows[k], columns[k]] - values[k]) ** 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def against_autograd() -> None:
    try:
        import torch
    except ImportError as error:
        print(f"against PyTorch: skipped ({error})")
        return
    torch.set_num_threads(1)
    print("against a plain PyTorch autograd loop        torch us    here us     ratio   bar")
    for depth, size, bar, steps, torch_steps in ((3, 100, 300, 20_000, 60), (3, 30, 400, 60_000, 150),
                                                 (2, 100, 5000, 200_000, 60)):  # fmt: skip
        runs = {"here": numba_run(depth, size, size, steps), "torch": torch_run(torch, depth, size, torch_steps)}
        seconds = seconds_per_call(runs)
        here, there = seconds["here"] / steps, seconds["torch"] / torch_steps
        print(f"  depth {depth}, n = {size:3d}{there * 1e6:36.1f}{here * 1e6:11.3f}{there / here:10.0f}   >= {bar}")


def against_the_limit() -> None:
    rounds, cycles = 1_000_000, 1_000_000
    print("against the limit 3 n^2 (N-2) multiply-adds  limit us    here us     ratio   bar")
    for depth, size, bar, steps in ((3, 30, "6.0", 60_000), (3, 100, "2.6", 20_000), (3, 200, "2.2", 6_000),
                                    (4, 100, "3.5", 10_000), (6, 100, "3.5", 5_000)):  # fmt: skip
        runs = {
            "here": numba_run(depth, size, size, steps),
            "peak": lambda: fma_burn(rounds),
            "clock": lambda: _add_chain(cycles),
        }
        seconds = seconds_per_call(runs)
        peak = fma_peak(seconds["peak"], rounds)
        clock = 8 * cycles / seconds["clock"]
        limit, here = 3 * size**2 * (depth - 2) / peak, seconds["here"] / steps
        print(
            f"  depth {depth}, n = {size:3d}{limit * 1e6:36.2f}{here * 1e6:11.2f}{here / limit:10.2f}   <= {bar}"
            f"   ({2e-9 * peak:.0f} GFLOP/s, {peak / clock:.1f} multiply-adds a cycle)"
        )


def after_compression() -> None:
    """Train until the rank has collapsed, compress, and go on with the same stream at both widths."""
    rate, more = 0.05, 200_000
    print("compressed against full width after collapse  full us  compressed us  ratio   bar")
    for size, ridge, bar, steps in ((100, 1e-3, 8, 20_000), (200, 5e-4, 30, 6_000)):
        entries = rs.Completion(*problem(3, size, size)[1:], (size, size))
        setting = dict(dynamics=rs.SGD(rate, ridge), record=[0])
        start = rs.Gaussian(size**-0.5)
        wide = rs.simulate(entries, 3, initialization=start, steps=800_000, **setting)
        narrow = rs.compress(wide.factors).factors
        batches = np.random.default_rng(1).integers(0, len(entries.values), (20 * steps, 1))

        def run(factors, count, entries=entries, batches=batches, ridge=ridge):
            packed = kernels.pack(factors)
            observed = entries.rows, entries.columns, entries.values
            return lambda: kernels.advance(packed, *observed, batches[:count], rate, ridge)

        seconds = seconds_per_call({"full": run(wide.factors, steps), "narrow": run(narrow, 20 * steps)})
        full, fast = seconds["full"] / steps, seconds["narrow"] / (20 * steps)
        ends = [
            rs.simulate(entries, 3, initialization=rs.Factors(factors), steps=more, **setting).product
            for factors in (wide.factors, narrow)
        ]
        difference = np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(ends[0])
        print(
            f"  n = {size:3d}, width {len(narrow[0])}{full * 1e6:36.2f}{fast * 1e6:14.3f}{full / fast:8.1f}   >= {bar}"
            f"   difference {difference:.1e} after {more} steps (<= 1e-12)"
        )


def main() -> None:
    print(pin_to_one_core())
    against_the_limit()
    after_compression()
    against_autograd()


if __name__ == "__main__":
    main()
