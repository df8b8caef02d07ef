"""Completion beyond the memory, and over workers: ``python benchmarks/beyond_memory.py [--entries 100e6] [--workers]``.

Ratings as in `scale.py`, written block by block into Parquet files, each of which holds rows from everywhere in random
order. Every fit runs in a process of its own with one thread; its memory is limited by the system (`RLIMIT_DATA`: all
that a process has of its own, but not the pages of files) and measured as the peak that it held (`VmHWM`, of which
`RssAnon` is its own). Fits from memory and from disk are compared by a digest of factors and predictions. Linux only.

``--workers`` fits over one, two and three Dask workers as well, each allowed half of what the fit from memory held.
"""

import _timing  # first: it limits the threads of what is imported next

# isort: split
import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

RANK, NOISE, FILES = 8, 0.8, 40
MEMORY = 1.5e9


def generate(folder: Path, count: int, shape: tuple[int, int], seed: int) -> int:
    """Write the files; how many entries they hold."""
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(seed)
    n_out, n_in = shape
    active, popular = np.exp(random.standard_normal(n_out)), np.exp(1.5 * random.standard_normal(n_in))
    lengths = np.minimum(1.1 * count * active / active.sum(), n_in / 4).astype(np.int64) + 1
    U, V = (0.4 * random.standard_normal((n, RANK)) for n in shape)
    levels, chances = [0.4 * random.standard_normal(n) for n in shape], np.cumsum(popular) / popular.sum()
    written = 0
    for k in range(FILES):
        rows = np.repeat(np.arange(k, n_out, FILES), lengths[k::FILES])
        columns = np.minimum(np.searchsorted(chances, random.random(len(rows))), n_in - 1)
        key = random.permutation(np.unique(rows * n_in + columns))
        rows, columns = key // n_in, key % n_in
        values = 3.5 + levels[0][rows] + levels[1][columns] + NOISE * random.standard_normal(len(key))
        values += np.einsum("ek,ek->e", U[rows], V[columns])
        table = {"user": rows.astype(np.int32), "item": columns.astype(np.int32), "rating": values}
        parquet.write_table(pa.table(table), folder / f"{k:03d}.parquet")
        written += len(key)
    return written


def from_memory(folder: str):
    """All files at once, as a problem."""
    from pyarrow import parquet

    import rankscape as rs

    table = parquet.read_table(folder)
    (users, i), (items, j) = (np.unique(table[name].to_numpy(), return_inverse=True) for name in ("user", "item"))
    shape, named = (len(users), len(items)), {"row_labels": users, "column_labels": items}
    return rs.Completion(i.astype(np.int32), j.astype(np.int32), table["rating"].to_numpy(), shape, **named)


def digest(done) -> str:
    """Of factors, offset and predictions."""
    random, total = np.random.default_rng(0), hashlib.sha256()
    rows, columns = (random.integers(0, n, 10_000) for n in done.shape)
    parts = done.modes.U, done.modes.s, done.modes.V, done.removed.row, done.predict(rows, columns, by="positions")
    for array in (*parts, np.array([done.heldout_rmse, done.noise])):
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def own_memory(found: list[int]) -> None:
    """Watch what the process has of its own."""
    while True:
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
        found[0] = max(found[0], int(lines["RssAnon"].split()[0]) * 1024)
        time.sleep(0.05)


def child(options: argparse.Namespace) -> None:
    """One fit; print what it took as JSON."""
    if options.limit:
        resource.setrlimit(resource.RLIMIT_DATA, (int(options.limit),) * 2)
    import rankscape as rs
    from rankscape.errors import FallbackWarning

    warnings.simplefilter("ignore", FallbackWarning)  # unpopular columns may be empty
    rs.complete(np.outer(np.arange(1.0, 9.0), np.arange(1.0, 9.0)))  # what is imported and compiled in any case
    found = [0]
    threading.Thread(target=own_memory, args=[found], daemon=True).start()
    began, used = time.perf_counter(), time.process_time()
    data = from_memory(options.folder) if options.fit == "memory" else options.folder
    if options.fit == "workers":
        done, more = over_workers(data, options)
    else:
        done, more = rs.complete(data, n_jobs=1, progress=options.progress), {"workers_cpu": 0.0}
    facts = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used, "own": found[0]}
    facts |= {"peak": _timing.peak_memory(), "digest": digest(done), "error": done.heldout_rmse, "rank": done.rank}
    print(json.dumps(facts | more | {"trust": str(done.certificate), "reason": done.reason}))


def over_workers(folder: str, options: argparse.Namespace):
    """The fit with workers of this machine, each of which is limited; their CPU seconds and peaks."""
    from distributed import Client, LocalCluster

    import rankscape as rs

    settings = {"n_workers": options.count, "threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
    with LocalCluster(**settings) as cluster, Client(cluster) as client:
        client.run(resource.setrlimit, resource.RLIMIT_DATA, (int(options.each),) * 2)
        before = sum(client.run(time.process_time).values())
        done = rs.complete(folder, n_jobs=1, progress=options.progress, executor=client)
        used = sum(client.run(time.process_time).values()) - before
        peaks = client.run(_timing.peak_memory).values()
    return done, {"workers_cpu": used, "workers_peak": max(peaks)}


def fit(folder: str, how: str, progress: bool, limit: float = 0, count: int = 0, each: float = 0) -> dict:
    """A fit in a fresh process."""
    command = [sys.executable, __file__, "--fit", how, "--folder", folder, "--limit", str(limit)]
    command += ["--count", str(count), "--each", str(each)] + ["--progress"] * progress
    # Another pool of pyarrow's reserves a gigabyte of addresses at once, which the limit counts, used or not.
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"the fit from {how} failed")
    return json.loads(done.stdout.splitlines()[-1])


def said(what: str, facts: dict, beside: str = "") -> None:
    print(
        f"  {what:34s} {facts['seconds']:7.0f} s {facts['cpu']:7.0f} CPU s   peak {facts['peak'] / 1e9:.2f} GB, own "
        f"{facts['own'] / 1e9:.2f} GB   rank {facts['rank']}, error {facts['error']:.4f}   {facts['digest']} {beside}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--entries", type=float, default=100e6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="folder for the files, which are written if it is empty, and stay")
    parser.add_argument("--memory", action="store_true", help="also from memory, without a limit")
    parser.add_argument("--workers", action="store_true", help="also over Dask workers")
    parser.add_argument("--progress", action="store_true")
    for name, kind in (("fit", str), ("folder", str), ("limit", float), ("count", int), ("each", float)):
        parser.add_argument(f"--{name}", type=kind, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        child(options)
        return
    count = int(options.entries)
    shape = max(count // 140, 2_000), max(count // 1_000, 1_000)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(options.keep or place)
        folder.mkdir(exist_ok=True)
        if not any(folder.iterdir()):
            written = generate(folder, count, shape, options.seed)
            print(f"{written:,} entries of {shape[0]:,} x {shape[1]:,}, {16 * written / 1e9:.2f} GB of triplets")
        compare(str(folder), options)


def compare(folder: str, options: argparse.Namespace) -> None:
    """Fit in every way that is asked for."""
    disk = fit(folder, "disk", options.progress, MEMORY)
    said(f"from disk, {MEMORY / 1e9:.1f} GB allowed", disk)
    print(f"    {disk['reason']} {disk['trust']}", flush=True)
    if not (options.memory or options.workers):
        return
    equal = lambda facts: "equal" if facts["digest"] == disk["digest"] else "DIFFERENT"
    memory = fit(folder, "memory", options.progress)
    said("from memory", memory, equal(memory))
    for count in (1, 2, 3) if options.workers else ():
        found = fit(folder, "workers", options.progress, 0, count, memory["own"] / 2)
        ratio = (found["cpu"] + found["workers_cpu"]) / disk["cpu"]
        what = f"{count} workers, {memory['own'] / 2e9:.2f} GB allowed each"
        said(what, found, equal(found))
        print(
            f"    workers {found['workers_cpu']:.0f} CPU s, peak {found['workers_peak'] / 1e9:.2f} GB each; "
            f"{ratio:.2f} x the CPU time of one process (bar: <= 1.5)",
            flush=True,
        )


if __name__ == "__main__":
    main()
