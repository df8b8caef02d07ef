"""Places beside a file or folder, where it is made before it takes its name; and what dead writers left of them.

Who makes something holds the system's lock on the place. The lock goes with its process, however that ends: a place
that nobody holds was left behind, and the next who writes under the same name takes it away.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Seconds after which a place was left behind where the system has no such locks (Windows).
OLD = 3600.0

# Where what is replaced stands for a moment; it is not left behind as long as nothing has taken its name.
REPLACED = "old"


def beside(path: Path) -> Path:
    """Return a name that nobody else uses, in the directory of ``path``."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


@contextlib.contextmanager
def file_beside(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file, and where it lies; it goes when the block ends, if it is there."""
    while True:
        part = beside(path)
        file = part.open("xb")
        if _held(file.fileno(), part):
            break
        file.close()  # taken away before it was held
    try:
        with file:
            yield part, file
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A new folder, which goes with all that is in it when the block ends."""
    collect(path)
    while True:
        part = beside(path)
        part.mkdir(mode=0o700)
        descriptor = os.open(part, os.O_RDONLY) if os.name != "nt" else None
        if descriptor is None or _held(descriptor, part):
            break
        os.close(descriptor)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def scratch() -> contextlib.AbstractContextManager[Path]:
    """A new folder where the system keeps what is soon gone."""
    return folder_beside(Path(tempfile.gettempdir(), "rankscape"))


def places(path: Path) -> list[Path]:
    """The places beside a path, whoever made them."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part")
    try:
        return sorted(part for part in path.parent.iterdir() if name.fullmatch(part.name))
    except OSError:
        return []


def collect(path: Path) -> None:
    """Remove what dead writers left beside a path."""
    for part in places(path):
        with contextlib.suppress(OSError):  # of another user, or gone already
            _collect(path, part)


def _collect(path: Path, part: Path) -> None:
    if part.is_symlink() or not (part.is_dir() or part.is_file()):
        return
    if part.is_dir() and (part / REPLACED).exists() and not path.exists():
        return
    if os.name == "nt":
        if time.time() - part.stat().st_mtime > OLD:
            _remove(part)
        return
    descriptor = os.open(part, os.O_RDONLY if part.is_dir() else os.O_RDWR)
    try:
        if grab(descriptor):
            _remove(part)
    finally:
        os.close(descriptor)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink()


def _held(descriptor: int, part: Path) -> bool:
    """Take a place that was just made; False when somebody took it for one that was left behind."""
    return grab(descriptor) is not False and same_file(descriptor, part)


def grab(descriptor: int) -> bool | None:
    """Take the system's lock on a file until it is closed; False when somebody has it, None where there are none."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True


def same_file(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one that stands at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
