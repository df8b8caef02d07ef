"""Side-by-side timing: one core, CPU time, interleaved rounds, medians.

On a machine that others use too, wall time says little and the clock drifts from minute to minute. So everything that
is compared runs in the same process, on one core, in turns: what disturbs one candidate disturbs the next as well.
Quote the ratios; the absolute times hold for this machine on this day.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

for _library in ("OMP", "OPENBLAS", "MKL"):  # read when the library is loaded, so before NumPy or PyTorch are
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")


def pin_to_one_core() -> str:
    """Pin this process to one core, where the system can, and return a line to print above the results."""
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {core})
        where = f"pinned to core {core}"
    else:
        where = "not pinned to a core on this system"
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return f"# one process, {where}, {load}; shared machine: trust the ratios to 10-15 %, the times less"


def seconds_per_call(candidates: Mapping[str, Callable[[], object]], rounds: int = 9) -> dict[str, float]:
    """Return the median CPU time of each candidate, called in turns.

    One call each comes first and is not counted: it compiles and warms the caches.
    """
    for run in candidates.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_memory() -> int:
    """Most bytes that this process has held at once, on Linux.

    `getrusage` would say more: there a new process starts with the peak of the one that started it.
    """
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])
