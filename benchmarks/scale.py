"""How completion grows with its entries, up to 20 million ratings: ``python benchmarks/scale.py [--quick]``.

First one pass of the gradient (depth 3, float64, one thread), from triplets in random order; then a whole fit with
defaults. Each runs in a process of its own, whose peak memory above that of the imported library is divided by the size
of the triplets that it was given (two int32 and a float64: 16 bytes an entry, counted in the peak). Ratings are
synthetic: active rows, popular columns, biases, `RANK` directions and noise. ``--quick`` takes the smallest size alone,
``--gradient`` leaves the fits out. Memory is read from ``/proc``, so on Linux only.
"""

import _timing  # first: it limits the threads of what is imported next

# isort: split
import argparse
import multiprocessing
import statistics
import tempfile
import time
import warnings

import numpy as np
from scipy.sparse import csr_array

from rankscape.entries import Entries
from rankscape.entries.prepared import value_and_gradient
from rankscape.errors import FallbackWarning
from rankscape.estimators import DeepMatrixCompletion

SIZES = (100_000, 1_000, 1_700), (1_000_000, 6_000, 4_000), (20_000_000, 140_000, 27_000)
"""Entries, rows, columns: as in collections of ratings."""

WIDTHS = 16, 32
RANK, NOISE = 8, 0.8
SECONDS, MEMORY, WHOLE = 0.6, 2.5, 4.0


def ratings(count: int, n_out: int, n_in: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triplets in row order; a little more or less than `count`, because a position occurs once."""
    random = np.random.default_rng(seed)
    active, popular = np.exp(random.standard_normal(n_out)), np.exp(1.5 * random.standard_normal(n_in))
    lengths = np.minimum(1.1 * count * active / active.sum(), n_in / 4).astype(np.int64) + 1
    rows = np.repeat(np.arange(n_out), lengths)
    columns = np.searchsorted(np.cumsum(popular) / popular.sum(), random.random(len(rows)))
    key = np.sort(rows * n_in + np.minimum(columns, n_in - 1))
    key = key[np.append(True, key[1:] != key[:-1])]
    rows, columns = (key // n_in).astype(np.int32), (key % n_in).astype(np.int32)
    U, V = (0.4 * random.standard_normal((n, RANK)) for n in (n_out, n_in))
    values = 3.5 + 0.4 * random.standard_normal(n_out)[rows] + 0.4 * random.standard_normal(n_in)[columns]
    values += NOISE * random.standard_normal(len(key))
    for k in range(RANK):
        values += U[rows, k] * V[columns, k]
    return rows, columns, values


def gradient(folder: str, shape: tuple[int, int], width: int) -> tuple[float, float, float]:
    """Seconds of sorting, CPU seconds of a pass (median), and peak memory over the triplets."""
    random = np.random.default_rng(0)
    factors = [random.standard_normal(size) / width for size in ((width, shape[1]), (width, width), (shape[0], width))]
    few = np.array([1, 0, 0], dtype=np.int32)
    value_and_gradient(Entries(few, np.arange(3), np.ones(3), shape).prepared("sparse"), factors, 1e-9)
    before = _timing.peak_memory()
    rows, columns, values = (np.load(f"{folder}/{name}.npy") for name in ("rows", "columns", "values"))
    start = time.process_time()
    entries = Entries(rows, columns, values, shape).prepared()
    sorting, times = time.process_time() - start, []
    for _ in range(5):
        start = time.process_time()
        value_and_gradient(entries, factors, 1e-9)
        times.append(time.process_time() - start)
    return sorting, statistics.median(times), (_timing.peak_memory() - before) / (16 * len(values))


def fit(folder: str, shape: tuple[int, int]) -> tuple[float, float, str]:
    """CPU seconds of a fit, peak memory over the triplets, and what it says."""
    DeepMatrixCompletion().fit(np.outer(np.arange(1.0, 9.0), np.arange(1.0, 9.0)))
    before = _timing.peak_memory()
    rows, columns, values = (np.load(f"{folder}/{name}.npy") for name in ("rows", "columns", "values"))
    X = csr_array((values, columns, np.searchsorted(rows, np.arange(shape[0] + 1)).astype(np.int32)), shape=shape)
    warnings.simplefilter("ignore", FallbackWarning)  # unpopular columns may be empty
    start = time.process_time()
    model = DeepMatrixCompletion(n_jobs=1).fit(X)
    used = time.process_time() - start
    found = f"{model.completed_.method}, rank {model.rank_}; {model.certificate_}"
    return used, (_timing.peak_memory() - before) / (16 * len(values)), found


def alone(function, *arguments):
    """The result of a function in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def report(count: int, n_out: int, n_in: int, seed: int, fits: bool) -> None:
    """Measure one size, and print."""
    triplets = ratings(count, n_out, n_in, seed)
    m, shape = len(triplets[0]), (n_out, n_in)
    order = np.random.default_rng(seed + 1).permutation(m)
    with tempfile.TemporaryDirectory() as folder:
        for name, array in zip(("rows", "columns", "values"), triplets, strict=True):
            np.save(f"{folder}/{name}.npy", array[order])
        print(f"{m:,} entries of {n_out:,} x {n_in:,}")
        for width in WIDTHS:
            sorting, once, memory = alone(gradient, folder, shape, width)
            bars = f"<= {SECONDS} s, {MEMORY}" if count == SIZES[-1][0] else ""
            print(
                f"  gradient, width {width:2d}: {once:7.3f} CPU s   {memory:.2f} x the triplets   {bars:16s}"
                f"(sorting once: {sorting:.2f} s)",
                flush=True,
            )
        if not fits:
            return
        for name, array in zip(("rows", "columns", "values"), triplets, strict=True):
            np.save(f"{folder}/{name}.npy", array)
        used, memory, found = alone(fit, folder, shape)
        print(f"  whole fit: {used:.1f} CPU s   {memory:.2f} x the triplets   <= {WHOLE}\n    {found}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the smallest size alone")
    parser.add_argument("--gradient", action="store_true", help="no whole fits")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(_timing.pin_to_one_core())
    for size in SIZES[:1] if options.quick else SIZES:
        report(*size, options.seed, fits=not options.gradient)


if __name__ == "__main__":
    main()
