"""Run one peer on all tasks, inside its own environment: ``python work.py ADAPTER FOLDER LIMIT``.

Writes the asked values of each method and task as NPY, and one line of JSON each with CPU seconds. Everything runs on
one thread: the caller sets the environment. Imports and compilation are paid for by a warm-up that is not counted.
"""

import contextlib
import importlib
import importlib.metadata
import json
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np
from task import Method, Task


class TimeUp(BaseException):
    """The CPU time of one fit is spent; not an `Exception`, so that no peer catches it."""


@contextlib.contextmanager
def cpu_limit(seconds: float):
    def stop(*_):
        raise TimeUp

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def measure(complete: Callable[[Task], np.ndarray], task: Task, limit: float) -> tuple[np.ndarray | None, dict]:
    """Return the asked values, or None and the reason, with the CPU seconds spent."""
    began, found, failed = time.process_time(), None, {}
    try:
        with cpu_limit(limit):
            found = np.asarray(complete(task), float)
    except TimeUp:
        failed = {"failed": f"> {limit:g} s"}
    except Exception as error:
        failed = {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
    return found, {"seconds": time.process_time() - began} | failed


def warm_up(method: Method, tasks: list[Task], limit: float) -> None:
    for task in tasks:
        measure(method.complete, task, limit)


def run(method: Method, tasks: list[Task], folder: Path, label: str, limit: float, report: TextIO) -> None:
    for task in tasks:
        found, line = measure(method.complete, task, limit)
        if found is not None:
            np.save(folder / f"{label}.{task.name}.npy", found)
        line |= {
            "method": method.name,
            "told": method.told,
            "scores": method.scores,
            "slow": method.slow,
            "task": task.name,
        }
        print(json.dumps(line | {"values": label}), file=report, flush=True)


def main(adapter: str, folder: str, limit: str) -> None:
    module = importlib.import_module(f"adapters.{adapter}")
    everything = [Task.load(path) for path in sorted(Path(folder, "tasks").glob("*.npz"))]
    warm = [task for task in everything if task.kind == "warm-up"]
    results = Path(folder, "results")
    with open(results / f"{adapter}.jsonl", "w") as report, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers warn of their own use of other packages
        versions = {name: importlib.metadata.version(name) for name in (*module.SHOWN, "numpy")}
        print(json.dumps({"versions": versions}), file=report, flush=True)
        for number, method in enumerate(module.METHODS):
            warm_up(method, warm, float(limit))
            mine = [task for task in everything if task.kind in method.kinds and (task.first or not method.slow)]
            run(method, mine, results, f"{adapter}.{number}", float(limit), report)


if __name__ == "__main__":
    main(*sys.argv[1:])
