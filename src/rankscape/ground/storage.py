"""Files that appear whole or not at all."""

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from rankscape.errors import InputError, StorageError
from rankscape.ground.beside import beside, collect, file_beside
from rankscape.ground.durable import sync
from rankscape.ground.kinds import check_kind

# System errors that mean there is no room.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cache_directory() -> Path:
    """Return where rankscape keeps what it can make again: ``RANKSCAPE_CACHE``, or the user's cache directory."""
    import platformdirs

    return Path(os.environ.get("RANKSCAPE_CACHE") or platformdirs.user_cache_dir("rankscape")).expanduser()


def check_readable(path: Path) -> None:
    """Refuse what is there and is no plain file: a pipe would be waited for, and a device read without an end."""
    if path.is_dir():
        raise InputError(f"{path} is a directory; give one file in it")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a pipe or a device, which may have no end; write its content to a file first")


def check_writable(path: Path, kinds: Sequence[str] | None = None) -> None:
    """Raise unless a file can be written at ``path``: to be called before hours of work, not after.

    The directory must be there; a file is created beside ``path`` and removed. A file of another kind than the ending
    says, or than `kinds` where they are given, stays.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is {'a directory' if path.is_dir() else 'not a regular file'}; give a file name")
    check_kind(path, kinds)
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.parent}; create it first")
    if path.exists() and not os.access(path, os.W_OK):
        raise StorageError(f"{path} is there and is read-only; allow writing to it or choose another name")
    collect(path.resolve())
    probe = beside(path)
    try:
        probe.touch(exist_ok=False)
        probe.unlink(missing_ok=True)  # somebody who starts now may take it for left behind
    except OSError as error:
        raise StorageError(f"{path.parent} cannot be written to: {error.strerror}; choose another directory") from error


def check_folder(path: Path) -> None:
    """Raise unless files can be written into the folder ``path``, which is made when its parent is there."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; give the name of a folder")
    if not path.resolve().parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.resolve().parent}; create it first")
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path} cannot be made: {error.strerror}; choose another folder") from error
    check_writable(path / "probe")


def check_format(path: Path, found: object, ours: int) -> None:
    """Refuse what another version laid out in another way, and say what to do.

    >>> check_format(Path("grid.zarr"), 3, ours=2)
    Traceback (most recent call last):
    ...
    rankscape.errors.InputError: grid.zarr was written by a newer rankscape (format 3); update to read it.
    """
    if found != ours:
        older = isinstance(found, int) and found < ours
        age, remedy = ("an older", "run it again") if older else ("a newer", "update to read it")
        raise InputError(f"{path} was written by {age} rankscape (format {found}); {remedy}.")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write; it takes the place of ``path`` when the block ends, and goes when the block raises.

    Raises
    ------
    StorageError
        The system could not write it (a full disk, say); what was at ``path`` before is intact.
    """
    target = path.resolve()  # a link stays a link: what it points to is replaced
    collect(target)
    written = False
    try:
        with file_beside(target) as (part, file):
            yield file
            file.flush()
            os.fsync(file.fileno())  # the name must not be there before the bytes are
            if os.name == "nt":  # where an open file cannot be moved
                file.close()
            part.replace(target)
            written = True
        sync([target.parent])
    except OSError as error:
        reason = error.strerror or error
        if written:  # an error of the disk itself: what refuses to sync folders is no error
            raise StorageError(f"{path} is written, but a power cut may undo that: {reason}.") from error
        state = "the file that was there is intact" if target.exists() else "nothing was left behind"
        remedy = "Free some space or choose" if error.errno in FULL else "Choose"
        raise StorageError(f"{path} could not be written: {reason}; {state}. {remedy} another place.") from error
