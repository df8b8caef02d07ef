"""How much memory there is, asked before work whose result may not fit."""

import contextlib
from pathlib import Path

from rankscape.errors import InputError

# Where Linux says what is free, and what a container may use and has used.
FREE = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")


def available() -> int | None:
    """Bytes that this process can still get, by what the system, its limits and its container say; None if unknown."""
    known = [bytes_ for bytes_ in (_free(), _limited(), _in_group()) if bytes_ is not None]
    return max(0, min(known)) if known else None


def check_room(shape: tuple[int, int], arrays: int, remedy: str) -> None:
    """Refuse so many dense arrays of a shape, 8 bytes a cell, when they do not fit the memory.

    Raises
    ------
    InputError
        With the size of one of them, what there is, and the remedy.
    """
    one, there = 8 * shape[0] * shape[1], available()
    if there is not None and arrays * one > there:
        raise InputError(
            f"The whole matrix, {shape[0]:,} x {shape[1]:,}, has {in_words(one)}, and completing it takes "
            f"{in_words(arrays * one)} of memory, of which {in_words(there)} are free: {remedy}"
        )


def check_bytes(need: float, what: str, remedy: str) -> None:
    """Refuse what takes so many bytes when they are not free.

    >>> check_bytes(1e18, "The run", "Record fewer steps.")   # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: The run takes 1e+06 TB of memory, of which ... are free. Record fewer steps.
    """
    there = available()
    if there is not None and need > there:
        raise InputError(f"{what} takes {in_words(need)} of memory, of which {in_words(there)} are free. {remedy}")


def in_words(count: float) -> str:
    """Bytes for people.

    >>> in_words(19.2e9), in_words(2_500_000), in_words(800)
    ('19.2 GB', '2.5 MB', '0.8 kB')
    """
    units = (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")
    count = min(count, 1e300)  # beyond any float, it does not matter how far
    unit, name = next((unit for unit in units if count >= unit[0]), units[-1])
    return f"{count / unit:.3g} {name}"


def _free() -> int | None:
    with contextlib.suppress(OSError, ValueError, LookupError):
        lines = dict(line.split(":", 1) for line in FREE.read_text(encoding="utf-8").splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError, KeyError):  # macOS: all there is
        import os

        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _limited() -> int | None:
    """What `ulimit -v` leaves."""
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        return limit - pages * resource.getpagesize()
    return None


def _in_group() -> int | None:
    with contextlib.suppress(OSError, ValueError):
        most, used = (
            int((GROUP / f"memory.{name}").read_text(encoding="utf-8")) for name in ("max", "current")
        )  # "max": no number
        lines = dict(line.split() for line in (GROUP / "memory.stat").read_text(encoding="utf-8").splitlines())
        return most - used + int(lines.get("inactive_file", 0))  # files that were read are dropped when need be
    return None
