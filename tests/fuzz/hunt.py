"""Processes that try case after case, and the watch over them: a crash, a hang or a peak of memory is a finding too."""

import faulthandler
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .case import Case, kept
from .trial import Came, trial

# Seconds of a processor that a case may take, and how often as long it may wait; the first one loads packages.
PATIENCE, FIRST, BUSY = 30.0, 180.0, 8

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


def hunt(name: str, seconds: float, seed: int | None, most: float = math.inf) -> Tally:
    """Try cases of a door for so long, and `most` of them; without a seed those that the corpus keeps."""
    end, first, counts, found = time.monotonic() + seconds, 0, {"answered": 0, "refused": 0}, {}
    tried = times = 0
    most = len(kept(name)) if seed is None else most
    going = lambda: time.monotonic() < end and tried < most
    while going():
        case, patience = None, FIRST
        with _worker(name, seed, first) as (ours, process, heard):
            try:
                while going():
                    if not _answers(ours, process.pid, patience):
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
                words = f"the interpreter ended with {process.exitcode}: {_last_words(heard)}"
                if case is None:  # it would be the same again, for ever
                    raise RuntimeError(f"The door {name} does not open; {words}") from None
                found.setdefault(("crash", str(process.exitcode), case.name), Found(case, Came("crash", words)))
                tried, times = tried + 1, times + 1
    return Tally(tried, counts["answered"], counts["refused"], found, times)


@contextmanager
def _worker(name: str, seed: int | None, first: int) -> Iterator[tuple[Connection, BaseProcess, str]]:
    """A process that tries cases from `first` on, the line to it, and the file of what it says."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.NamedTemporaryFile(prefix="fuzz-", suffix=".txt") as heard:
        process = context.Process(target=_try_all, args=(theirs, name, seed, first, heard.name))
        process.start()
        theirs.close()
        try:
            yield ours, process, heard.name
        finally:
            process.kill()
            process.join()
            ours.close()


def _last_words(path: str) -> str:
    """What a process wrote before it ended: where each thread was if its interpreter crashed, or its last lines."""
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    start = text.find("Fatal Python error")
    return text[start : start + 2000] if start >= 0 else text[-500:]


def _answers(line: Connection, process: int | None, patience: float) -> bool:
    """Whether something comes before the process has worked, or the time has passed, for too long."""
    began = _worked(process)
    for _ in range(BUSY):
        if line.poll(patience):
            return True
        if _worked(process) - began > patience * 0.9:
            return False
    return False


def _worked(process: int | None) -> float:
    """Seconds of a processor that a process has taken; without end where no system says so."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return float("inf")


def _try_all(line: Connection, name: str, seed: int | None, first: int, heard: str) -> None:
    """In a process of its own: a case is told before it is tried, and what came of it after."""
    _limit(heard)
    door, number = import_module(f".doors.{name}", __package__), first
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        while seed is not None or number < len(kept(name)):
            case = kept(name)[number] if seed is None else door.make(np.random.default_rng([seed, number]))
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


def _limit(heard: str) -> None:
    """Bounded memory, nothing said aloud, and the last words of a crash into a file."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(heard, os.O_WRONLY | os.O_APPEND), 2)
    faulthandler.enable()
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
