"""One client at a time: a lock beside the store, with its owner and a sign of life every few seconds.

The operating system drops the lock of a process that dies, however it dies. Where its locks do not reach (another host
on a network file system), and where it has none of this kind (Windows), the sign of life decides.
"""

import contextlib
import getpass
import json
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rankscape.errors import InputError, StorageError
from rankscape.ground.beside import grab, same_file

# Seconds between two signs of life.
BEAT = 5.0

# Seconds without a sign of life after which the owner on another host is taken for dead.
SILENT = 60.0

# Seconds by which clocks of two hosts may differ: a sign of life further ahead is none.
AHEAD = 10.0

# Bytes of the file.
LENGTH = 512

# What it says.
OWNER = {"user": str, "host": str, "process": int, "started": float, "done": int}


def lock_path(store: Path) -> Path:
    """Where the lock of a store lies."""
    return store.with_name(f"{store.name}.lock")


def read_lock(store: Path) -> dict[str, Any] | None:
    """Who works on a store, since when, and how long ago the last sign of life was; None for nobody."""
    path = lock_path(store)
    owner = _peek(path)
    return owner if owner is not None and _lives(path, owner) else None


@contextlib.contextmanager
def locked(store: Path) -> Iterator["Lock"]:
    """Hold the lock of a store, or refuse with the name of its owner."""
    path = lock_path(store)
    descriptor = _acquire(path)
    lock = Lock(descriptor, path)
    try:
        lock.note(done=0)
        yield lock
    finally:
        lock.stop()
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        if os.name == "nt":  # where an open file cannot be removed
            with contextlib.suppress(OSError):
                path.unlink()


class Lock:
    """A lock that is held: keeps beating, and carries what others may want to know."""

    def __init__(self, descriptor: int, path: Path):
        self._descriptor, self._path, self._stopped = descriptor, path, threading.Event()
        self._owner = {"user": _user(), "host": socket.gethostname(), "process": os.getpid(), "started": time.time()}
        self._thread = threading.Thread(target=self._beat, name="rankscape-lock", daemon=True)
        self._thread.start()

    def note(self, **facts: Any) -> None:
        """Write facts beside the owner's name."""
        self._owner |= facts
        text = json.dumps(self._owner).ljust(LENGTH).encode()  # in one piece over the old one: readers see either
        with contextlib.suppress(OSError):  # a full disk is said by who writes data
            if os.fstat(self._descriptor).st_size > LENGTH:  # of something else
                os.ftruncate(self._descriptor, LENGTH)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text)

    def _beat(self) -> None:
        while not self._stopped.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(self._descriptor if os.utime in os.supports_fd else self._path)

    def stop(self) -> None:
        """No more signs of life."""
        self._stopped.set()
        self._thread.join()


def _acquire(path: Path) -> int:
    """A descriptor that holds the lock as long as this process lives."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(f"{path} cannot be made: {error.strerror}; choose another place.") from None
        owner = _peek(path)
        if not _grab_patiently(descriptor) or (owner and _elsewhere(owner) and _beats(owner["silent"])):
            os.close(descriptor)
            raise InputError(_refusal(path, owner))
        # The lock is on the file, and the path may lead to another one by now.
        if same_file(descriptor, path):
            return descriptor
        os.close(descriptor)  # the owner left in between and took the file along


def _lives(path: Path, owner: dict[str, Any]) -> bool:
    if _elsewhere(owner):
        return _beats(owner["silent"])
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _grab(descriptor)
    finally:
        os.close(descriptor)  # gives back what was grabbed


def _beats(silent: float) -> bool:
    """Whether a sign of life so long ago is one; what lies ahead of the clock tells nothing of when it was given."""
    return -AHEAD < silent < SILENT


def _grab(descriptor: int) -> bool:
    """Take the system's lock, if nobody has it."""
    taken = grab(descriptor)
    if taken is None:  # there are none: signs of life decide
        file = os.fstat(descriptor)
        return not _beats(time.time() - file.st_mtime) or file.st_size == 0
    return taken


def _grab_patiently(descriptor: int) -> bool:
    """Somebody may be looking whether the owner lives."""
    for _ in range(5):
        if _grab(descriptor):
            return True
        time.sleep(0.02)
    return False


def _peek(path: Path) -> dict[str, Any] | None:
    """Who wrote the file, and how long ago he gave a sign of life."""
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        known = {name: kind(owner[name]) for name, kind in OWNER.items()}
        silent = time.time() - path.stat().st_mtime
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return known | {"silent": silent} if math.isfinite(known["started"]) else None


def _elsewhere(owner: dict[str, Any]) -> bool:
    return owner["host"] != socket.gethostname()


def _refusal(path: Path, owner: dict[str, Any] | None) -> str:
    store = path.name.removesuffix(".lock")
    if owner is None:
        return f"Another sweep is just starting on {store}; try again in a moment."
    minutes, silent = (time.time() - owner["started"]) / 60, max(0.0, owner["silent"])
    return (
        f"{store} is being filled by {owner['user']} on {owner['host']} (process {owner['process']}) for "
        f"{minutes:.0f} minutes, with a sign of life {silent:.0f} s ago. Watch it with `rankscape sweep "
        f"status`, or end that process first; if it cannot be alive any more, delete {path}."
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
