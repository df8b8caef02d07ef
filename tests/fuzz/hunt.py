"""Processes that try case after case, and the watch over them: a crash, a hang or a peak of memory is a finding too."""

import multiprocessing
import os
import tempfile
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .case import Case
from .trial import Came, trial

# Seconds without an answer after which a case hangs; the first one loads packages.
PATIENCE, FIRST = 30.0, 180.0

# Bytes that a process may take for a case; and what it may ask the system for at all.
PEAK, LIMIT = 4 << 30, 9 << 30


class Found(NamedTuple):
    """A case and what came of it."""

    case: Case
    came: Came


class Tally(NamedTuple):
    """What came of all cases of a door."""

    tried: int
    answered: int
    refused: int
    found: dict[tuple[str, str, str], Found]  # the first of each kind, by kind, place and type
    times: int  # findings in all


def hunt(name: str, seconds: float, seed: int) -> Tally:
    """Try cases of a door for so long."""
    end, first, counts, found = time.monotonic() + seconds, 0, {"answered": 0, "refused": 0}, {}
    tried = times = 0
    while time.monotonic() < end:
        theirs, ours = (lines := multiprocessing.get_context("spawn").Pipe())[1], lines[0]
        process = multiprocessing.get_context("spawn").Process(target=_try_all, args=(theirs, name, seed, first))
        process.start()
        theirs.close()
        case, patience = None, FIRST
        try:
            while time.monotonic() < end:
                if not ours.poll(patience):
                    came = Came("hang", f"no answer in {patience:.0f} s")
                else:
                    number, case, came = ours.recv()
                    if came is None:
                        first = number + 1
                        continue
                    patience = PATIENCE
                    tried += 1
                if not came.is_finding:
                    counts[came.kind] += 1
                    continue
                times += 1
                if case is not None:
                    found.setdefault((came.kind, came.place, came.words.split(":")[0]), Found(case, came))
                if came.kind == "hang":
                    tried += 1
                    break
        except EOFError:
            process.join()
            if case is not None:
                came = Came("crash", f"the interpreter ended with {process.exitcode}")
                found.setdefault((came.kind, str(process.exitcode), case.name), Found(case, came))
                tried, times = tried + 1, times + 1
        finally:
            process.kill()
            process.join()
    return Tally(tried, counts["answered"], counts["refused"], found, times)


def _try_all(line: Connection, name: str, seed: int, first: int) -> None:
    """In a process of its own: a case is told before it is tried, and what came of it after."""
    _limit()
    door, number = import_module(f".doors.{name}", __package__), first
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        while True:
            case = door.make(np.random.default_rng([seed, number]))
            line.send((number, case, None))
            line.send((number, case, watched(door, case, Path(folder))))
            number += 1


def watched(door, case: Case, folder: Path) -> Came:
    """A trial, and how much memory it took."""
    before = _memory("VmRSS", forget=True)
    came = trial(door, case, folder)
    peak = _memory("VmHWM") - before
    most = getattr(door, "MOST", PEAK)
    if peak > most and not came.is_finding:
        return Came("memory", f"{peak / 1e9:.1f} GB, and {came.kind}: {came.words[:150]}")
    return came


def _memory(name: str, forget: bool = False) -> int:
    """Bytes that this process has or, at most, had since it was last told to forget; 0 where no system says so."""
    try:
        if forget:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration):
        return 0


def _limit() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
