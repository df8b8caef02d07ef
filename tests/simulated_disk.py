"""A disk that loses and reorders what was not synced: which states may a power cut leave?

`Recorder` watches a folder while a block of code writes into it. Names (renames, links, new and removed files and
folders) and bytes are logged as they change, and so is each fsync. `states` then gives, for every moment of the log,
trees that a cut there may leave; the bytes of a file are what was last synced, half of what was written since, or all
of it, each file by itself.
"""

import builtins
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_active: list["Recorder"] = []
_hooked = False


def _audit(event: str, arguments: tuple) -> None:
    if event == "open" and _active and isinstance(arguments[0], str | bytes | os.PathLike):
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            _active[-1].opened(os.fsdecode(arguments[0]))


class Recorder:
    """What happens in a folder, in order: ("data", inode, bytes), ("name", path, inode or None), ("sync", inode)."""

    def __init__(self, folder: Path):
        self.folder, self.log, self.lock = folder.resolve(), [], threading.RLock()
        self.inodes: dict[str, int] = {}  # of each path: a number, the same after a rename
        self.bytes: dict[int, bytes] = {}  # what was logged last
        self.watched: set[str] = set()
        self.count, self.begin = 0, 0
        self.real: dict[str, object] = {}

    def __enter__(self) -> "Recorder":
        global _hooked
        if not _hooked:  # a hook cannot be taken away again
            sys.addaudithook(_audit)
            _hooked = True
        for name in ("replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir", "fsync"):
            self.real[name] = getattr(os, name)
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        for path in sorted(self.folder.rglob("*")):  # what is there is on the disk
            name = str(path.relative_to(self.folder))
            self._name(name, -1 if path.is_dir() else self._new())
            if path.is_file():
                self.bytes[self.inodes[name]] = path.read_bytes()
                self.log += [("data", self.inodes[name], path.read_bytes()), ("sync", self.inodes[name], None)]
        self.begin = len(self.log)
        _active.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _active.remove(self)
        self._look()
        for name, function in self.real.items():
            setattr(os, name, function)

    def opened(self, path: str) -> None:
        """A file was opened for writing."""
        inside = self._inside(path)
        if inside is not None:
            with self.lock:
                self.watched.add(inside)

    def acknowledge(self, what: object) -> None:
        """From here on the caller was told that this is done."""
        with self.lock:
            self._look()
            self.log.append(("told", what, None))

    def _inside(self, path: object) -> str | None:
        try:
            full = Path(os.path.abspath(os.fsdecode(path)))
        except TypeError:
            return None
        return str(full.relative_to(self.folder)) if full.is_relative_to(self.folder) and full != self.folder else None

    def _look(self) -> None:
        """Log what changed in files that were opened for writing."""
        for name in sorted(self.watched):
            try:
                with builtins.open(self.folder / name, "rb") as file:
                    content = file.read()
            except OSError:
                continue  # another thread is about to make it
            if name not in self.inodes:
                self._name(name, self._new())
            if self.bytes.get(self.inodes[name]) != content:
                self.bytes[self.inodes[name]] = content
                self.log.append(("data", self.inodes[name], content))

    def _new(self) -> int:
        self.count += 1
        return self.count

    def _name(self, path: str, inode: int | None) -> None:
        self.log.append(("name", path, inode))
        if inode is None:
            self.inodes.pop(path, None)
        else:
            self.inodes[path] = inode

    def _wrapped(self, kind: str, real):
        def call(*arguments, **options):
            with self.lock:
                if kind == "fsync":
                    self._look()
                    result = real(*arguments, **options)
                    self._synced(arguments[0])
                    return result
                self._look()
                result = real(*arguments, **options)
                self._renamed(kind, *arguments[:2])
                return result

        return call

    def _synced(self, descriptor: int) -> None:
        path = self._inside(os.readlink(f"/proc/self/fd/{descriptor}"))
        self.log.append(("sync", self.inodes.get(path) if path is not None else None, path or "."))

    def _renamed(self, kind: str, first: object, second: object = None) -> None:
        source, target = self._inside(first), self._inside(second) if second is not None else None
        if kind in ("replace", "rename", "link"):
            below = [p for p in self.inodes if p == source or p.startswith(f"{source}/")]
            moved = {p: self.inodes[p] for p in below}
            event = {}
            for path, inode in moved.items():
                if kind != "link":
                    event[path] = None
                event[target + path[len(source) :]] = inode
            for path in [p for p in self.watched if p == source or p.startswith(f"{source}/")]:
                self.watched.discard(path)
                self.watched.add(target + path[len(source) :])
            self.log.append(("names", event, None))  # one event: a rename happens whole or not at all
            for path, inode in event.items():
                if inode is None:
                    self.inodes.pop(path, None)
                else:
                    self.inodes[path] = inode
        elif kind in ("unlink", "remove", "rmdir") and source in self.inodes:
            self.watched.discard(source)
            self._name(source, None)
        elif kind == "mkdir" and source is not None:
            self._name(source, -1)  # a folder

    def without(self, kind: str) -> "Recorder":
        """The same log as if the syncs of files, of folders, or of what was written last had not been called."""
        syncs = [k for k, entry in enumerate(self.log) if entry[0] == "sync" and k >= self.begin]
        folders = [k for k in syncs if self.log[k][1] in (-1, None)]
        told = [k for k, entry in enumerate(self.log) if entry[0] == "told"]
        last = [k for k in syncs if any(end - 12 < k < end for end in told)]
        dropped = {"files": {*syncs} - {*folders}, "folders": {*folders}, "mark": {*last}}[kind]
        twin = Recorder(self.folder)
        twin.log, twin.begin = [entry for k, entry in enumerate(self.log) if k not in dropped], self.begin
        return twin

    @property
    def syncs(self) -> int:
        """How many there were."""
        return sum(entry[0] == "sync" for entry in self.log[self.begin :])

    def states(
        self, seed: int = 0, ordered: bool = True, share: float = 1.0
    ) -> Iterator[tuple[dict[str, bytes], list[object]]]:
        """Trees that a cut may leave, as contents by path, with what the caller had been told; each tree once.

        In an `ordered` journal a sync of anything brings all names before it to the disk, and names come in their
        order; without, a name is safe when its folder was synced, and those that are not come or do not.
        """
        random, chance, seen = np.random.default_rng(seed), np.random.default_rng(seed + 1), set()
        for moment in range(self.begin, len(self.log) + 1):
            past = self.log[:moment]
            told = [entry[1] for entry in past if entry[0] == "told"]
            versions = _versions(past)
            for applied in _ordered(past) if ordered else _independent(past, self.begin, random):
                for choose in _choices(random):
                    if chance.random() >= share:
                        continue
                    tree = _tree(past, applied, versions, choose)
                    key = hash(tuple(sorted(tree.items()))), len(told)
                    if key not in seen:
                        seen.add(key)
                        yield tree, told


def _changes(past: list) -> list[int]:
    return [k for k, entry in enumerate(past) if entry[0] in ("name", "names")]


def _ordered(past: list) -> Iterator[set[int]]:
    """Which changes of names are on the disk: all before the last sync, and some of the next ones."""
    safe = max((k for k, entry in enumerate(past) if entry[0] == "sync"), default=-1)
    changes = _changes(past)
    for end in sorted({safe, *(k for k in changes if k > safe)}):
        yield {k for k in changes if k <= end}


def _independent(past: list, begin: int, random: np.random.Generator) -> Iterator[set[int]]:
    """Which changes of names are on the disk: those whose folder was synced later, and any of the others."""
    safe, loose = set(), []
    for k in _changes(past):
        folders = _folders(past[k])
        synced = {entry[2] for entry in past[k:] if entry[0] == "sync"}
        if k < begin or folders <= synced:
            safe.add(k)
        else:
            loose.append(k)
    yield safe
    yield safe | {*loose}
    for _ in range(2):
        yield safe | {k for k in loose if random.random() < 0.5}


def _folders(entry: tuple) -> set[str]:
    """The folders whose sync brings a change of names to the disk."""
    paths = [entry[1]] if entry[0] == "name" else [path for path, inode in entry[1].items() if inode is not None]
    top = min(paths, key=len) if paths else min(entry[1], key=len)  # of a folder that is moved, its own name
    return {str(Path(top).parent)}


def _choices(random: np.random.Generator):
    """For each file which of its versions a cut leaves: all old, all new, half of the newest, or by chance."""
    yield lambda inode: 0
    yield lambda inode: 2
    yield lambda inode: 1
    picks: dict[int, int] = {}
    yield lambda inode: picks.setdefault(inode, int(random.integers(3)))


def _tree(past: list, applied: set[int], versions: dict, choose) -> dict[str, bytes]:
    names: dict[str, int] = {}
    for k in sorted(applied):
        kind, first, second = past[k]
        for path, inode in ({first: second} if kind == "name" else first).items():
            if inode is None:
                names.pop(path, None)
            else:
                names[path] = inode
    folders = {path for path, inode in names.items() if inode == -1}
    there = {path for path in names if all(str(p) in folders for p in Path(path).parents if str(p) != ".")}
    nothing = (b"", b"", b"")
    return {p: versions.get(names[p], nothing)[choose(names[p])] for p in there if names[p] != -1}


def _versions(past: list) -> dict[int, tuple[bytes, bytes, bytes]]:
    """Of each file what was synced, half of what is newer, and the newest."""
    synced, newest = {}, {}
    for kind, first, second in past:
        if kind == "data":
            newest[first] = second
        elif kind == "sync" and first in newest:
            synced[first] = newest[first]
    old = {inode: synced.get(inode, b"") for inode in newest}
    half = {inode: new if new == old[inode] else new[: len(new) // 2] for inode, new in newest.items()}
    return {inode: (old[inode], half[inode], newest[inode]) for inode in newest}


def write(tree: dict[str, bytes], folder: Path) -> None:
    """Make the files of a state."""
    for path, content in tree.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
