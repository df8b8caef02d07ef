"""Files that a power cut does not take, and damage that is noticed.

A file that was written is in the memory of the machine; only `sync` brings it to the disk: its bytes and, of its
folder, its name. Whatever vouches for other files (a mark, the name under which a folder appears) is written after they
are synced. A zarr group that is complete is sealed: its attributes hold the digest of each of its files, and their own.
"""

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

# The file of a group's attributes, and what the digests are called among them.
ROOT, FILES, SEAL = "zarr.json", "digests", "seal"

# Threads that sync: twenty files one after the other took 93 ms, at once 4, because the journal groups them.
THREADS = 16

# What a system answers that cannot open folders or sync them, where nothing went wrong: PostgreSQL, too, takes these
# and no others for an answer (`fsync_fname_ext` in its src/backend/storage/file/fd.c).
REFUSED = errno.EISDIR, errno.EACCES, errno.EBADF, errno.EINVAL

# Nanoseconds after which the times of a file tell whether it has changed since: clocks of file systems tick each 4 ms
# (ext4) to 2 s (FAT).
SETTLED = 2_500_000_000


def sync(paths: Iterable[Path]) -> None:
    """Bring files and folders to the disk, in any order."""
    paths = list(dict.fromkeys(paths))
    if len(paths) < 2:
        for path in paths:
            _sync(path)
        return
    with ThreadPoolExecutor(min(THREADS, len(paths))) as pool:
        list(pool.map(_sync, paths))


def sync_tree(folder: Path) -> None:
    """Bring everything in a folder to the disk; where the folder lies is brought by a sync of its parent."""
    sync(path for path in [folder, *folder.rglob("*")] if path.is_file() or any(path.iterdir()))


def attributes_of(group: Path) -> dict[str, Any] | None:
    """The attributes of a zarr group; None where there is no group whose description can be read."""
    try:
        found = json.loads((group / ROOT).read_text(encoding="utf-8"))["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def _sync(path: Path) -> None:
    """Sync one; a folder whose file system knows no such thing, or that may not be read, is left to it."""
    folder = path.is_dir()
    if folder and os.name == "nt":
        return  # Windows keeps names by itself, and opens no folders
    refused = REFUSED if folder else ()
    try:
        descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in refused:
            raise


def digest(folder: Path, names: Iterable[str]) -> str:
    """The digest of these files of a folder; one that is not there counts as such."""
    total = hashlib.blake2b(digest_size=8)
    for name in names:
        total.update(f"{name}:{digest_of(folder / name)};".encode())
    return total.hexdigest()


def digest_of(path: Path) -> str:
    """The digest of a file's bytes, or a word where there is none; bytes are read once for each time they change."""
    try:
        now = path.stat()
        stamp = now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns
        # Of two changes within one tick of the file system's clock the second one leaves no trace in its times.
        settled = time.time_ns() - max(stamp[2:]) > SETTLED
        return (_digest_of if settled else _digest_of.__wrapped__)(path, stamp)
    except OSError:
        return "missing"


@lru_cache(maxsize=1 << 14)
def _digest_of(path: Path, stamp: tuple[int, ...]) -> str:
    del stamp  # files with another one are others
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def seal(group: Path) -> None:
    """Write down the digest of every file that is in a zarr group now."""
    files = sorted(path.relative_to(group).as_posix() for path in group.rglob("*") if path.is_file())
    described = json.loads((group / ROOT).read_text(encoding="utf-8"))
    described["attributes"][FILES] = {name: digest_of(group / name) for name in files if name != ROOT}
    described["attributes"][SEAL] = _seal(described)
    (group / ROOT).write_text(json.dumps(described, indent=2), encoding="utf-8")


def damaged(group: Path) -> list[str]:
    """The files of a sealed group that are not as they were."""
    try:
        described = json.loads((group / ROOT).read_text(encoding="utf-8"))
        if described["attributes"].pop(SEAL) != _seal(described):
            return [ROOT]
        return [name for name, value in described["attributes"][FILES].items() if digest_of(group / name) != value]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return [ROOT]


def _seal(described: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(described).encode(), digest_size=16).hexdigest()


def checked() -> Sequence[Any]:
    """How zarr compresses what it stores, with a checksum of the bytes before and after."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    return ZstdCodec(level=0, checksum=True), Crc32cCodec()
