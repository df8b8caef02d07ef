"""The constants of `rankscape.estimators.completion_cost`, measured here: ``python benchmarks/cost.py``.

CPU seconds of one core. A sweep is measured from files at two widths, on many entries a line (which gives the cost of
an entry) and on few (which gives that of a line); sorting from Parquet files; a task of Dask without work in it.
"""

import _timing  # first: it limits the threads of what is imported next

# isort: split
import tempfile
import time
from pathlib import Path

import numpy as np
from beyond_memory import generate

import rankscape as rs
from rankscape.entries import Entries
from rankscape.entries.stored.keeping import on_disk
from rankscape.estimators.completion.search.at_scale import whole
from rankscape.files import triplets
from rankscape.solvers.packed import orders
from rankscape.solvers.packed.orders import Orders
from rankscape.solvers.packed.posterior import PackedPosterior
from rankscape.solvers.packed.records import State, record_size

SHAPE, COUNT, FEW = (140_000, 27_000), 20_000_000, 1_000_000
WIDTHS = 8, 16


def cpu(function) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def sweep(count: int, width: int) -> float:
    """CPU seconds of a sweep over uniform entries in files, the second one."""
    random = np.random.default_rng(0)
    place = np.unique(random.integers(0, SHAPE[0] * SHAPE[1], count))
    rows, columns = (place // SHAPE[1]).astype(np.int32), (place % SHAPE[1]).astype(np.int32)
    entries = on_disk(Entries.sorted(rows, columns, random.standard_normal(len(place)), SHAPE))
    both = Orders.of(entries, np.zeros(entries.count, bool), 0.0, 1.0)
    vectors = random.standard_normal((SHAPE[1], width))
    state = State.begin(vectors, (np.zeros(SHAPE[0]), np.zeros(SHAPE[1])))
    posterior = PackedPosterior(both, state, (True, True))
    posterior.sweep()
    posterior = PackedPosterior(both, state, (True, True))  # noise alone: directions die in a sweep or two
    return cpu(posterior.sweep)


def sorting(count: int) -> tuple[float, float]:
    """CPU seconds a record, from Parquet files to sorted entries, and of all else beside sweeps and search."""
    with tempfile.TemporaryDirectory() as folder:
        written = generate(Path(folder), count, (count // 140, count // 1000), 0)

        given = triplets(folder)
        sort = cpu(lambda: given.table)
        orders.PUT, orders.PASSES = count // 20, 0  # the second order is dealt first, as that of 10^8 and more entries
        elsewhere = [0.0]
        for owner, name in ((whole._Whole, "_sweeps"), (whole, "search"), (whole, "something_else")):
            setattr(owner, name, counted(getattr(owner, name), elsewhere))
        alone = cpu(lambda: rs.complete(given, n_jobs=1)) - elsewhere[0]
        return sort / written, alone / written


def counted(function, total: list[float]):
    """The same function, whose CPU seconds are added up."""

    def call(*given, **settings):
        start = time.process_time()
        try:
            return function(*given, **settings)
        finally:
            total[0] += time.process_time() - start

    return call


def task(number: int = 300) -> float:
    """CPU seconds of client, scheduler and one worker for a task, beside its work."""
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        here = lambda: sum(client.run(time.process_time).values()) + time.process_time()
        before = here()
        client.gather([client.submit(abs, k, pure=False) for k in range(number)])
        return (here() - before) / number


def main() -> None:
    print(_timing.pin_to_one_core())
    for width in WIDTHS:
        many, few = sweep(COUNT, width), sweep(FEW, width)
        entry = (many - few) / (COUNT - FEW)
        line = (few - entry * FEW) / sum(SHAPE)
        size = record_size(width)
        print(
            f"width {width:2d}: {entry * 1e9:5.1f} ns an entry and sweep, {entry * 1e9 / size:.3f} a number of a "
            f"record; {line * 1e6:.2f} us a line, {line * 1e9 / (width + 1) ** 2:.1f} ns a square of its coordinates"
        )
    sort, alone = sorting(10_000_000)
    print(f"sorting: {sort * 1e9:.0f} ns a record; what the client does alone: {alone * 1e9:.0f} ns")
    print(f"a task: {task() * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
