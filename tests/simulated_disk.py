"""A disk that loses and reorders what was not synced: which states may a power cut leave?

`Recorder` watches a folder while a block of code writes into it. Names (renames, links, new and removed files and
folders) and bytes are logged as they change, and so is each fsync. Names stand in folders, which are inodes as files
are: a folder that gets another name takes along the names in it as far as they have come to the disk. `states` gives,
for every moment of the log, trees that a cut there may leave; the bytes of a file are what was last synced, half of
what was written since, or all of it, each file by itself. `mutants` gives what it leaves without one of the syncs.
"""

import builtins
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# The inode of the folder that is watched.
ROOT = 0

_active: list["Recorder"] = []
_hooked = False


def _audit(event: str, arguments: tuple) -> None:
    if event == "open" and _active and isinstance(arguments[0], str | bytes | os.PathLike):
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            _active[-1].opened(os.fsdecode(arguments[0]))


class Recorder:
    """What happens in a folder, in order.

    ("data", inode, bytes), ("names", [(folder's inode, name, inode or None), ...], None), ("sync", inode, path) and
    ("told", what, None).
    """

    def __init__(self, folder: Path):
        self.folder, self.log, self.lock = folder.resolve(), [], threading.RLock()
        self.inodes: dict[str, int] = {".": ROOT}  # of each path: a number, the same after a rename
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
            self._name(name, self._new())
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
        self.log.append(("names", [self._entry(path, inode)], None))
        if inode is None:
            self.inodes.pop(path, None)
        else:
            self.inodes[path] = inode

    def _entry(self, path: str, inode: int | None) -> tuple[int, str, int | None]:
        return self.inodes[str(Path(path).parent)], Path(path).name, inode

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
        path = self._inside(os.readlink(f"/proc/self/fd/{descriptor}")) or "."
        self.log.append(("sync", self.inodes[path], path))

    def _renamed(self, kind: str, first: object, second: object = None) -> None:
        source, target = self._inside(first), self._inside(second) if second is not None else None
        if kind in ("replace", "rename", "link"):
            if source is None or target is None:
                return  # somewhere else
            gone = [] if kind == "link" else [self._entry(source, None)]
            # One event: a rename happens whole or not at all.
            self.log.append(("names", [*gone, self._entry(target, self.inodes[source])], None))
            for path in [p for p in self.inodes if p == source or p.startswith(f"{source}/")]:
                inode = self.inodes[path] if kind == "link" else self.inodes.pop(path)
                self.inodes[target + path[len(source) :]] = inode
            for path in [p for p in self.watched if p == source or p.startswith(f"{source}/")]:
                self.watched.discard(path)
                self.watched.add(target + path[len(source) :])
        elif kind in ("unlink", "remove", "rmdir") and source in self.inodes:
            self.watched.discard(source)
            self._name(source, None)
        elif kind == "mkdir" and source is not None:
            self._name(source, self._new())

    def mutants(self) -> dict[str, Iterator[tuple[dict[str, bytes], list[object]]]]:
        """For each sync what a cut may leave if just this one had not been called, as `states` gives it."""
        syncs = [k for k, entry in enumerate(self.log) if entry[0] == "sync" and k >= self.begin]
        return {f"{k}: {self.log[k][2]}": self._losses(k) for k in syncs}

    def _losses(self, k: int) -> Iterator[tuple[dict[str, bytes], list[object]]]:
        """Trees in which all came to the disk but what this sync was for, until another one brings it."""
        _, inode, _ = self.log[k]
        log = self.log[:k] + self.log[k + 1 :]
        until = next((j for j in range(k, len(log)) if log[j][:2] == ("sync", inode)), len(log))
        # The latest moment first, and those at which the caller was told something: most losses show there.
        for moment in sorted(range(k, until + 1), key=lambda m: (m != until, log[m - 1][0] != "told", -m)):
            past = log[:moment]
            told, versions, changes = [e[1] for e in past if e[0] == "told"], _versions(past), {*_changes(past)}
            if inode in versions:
                yield _tree(past, changes, versions, lambda i: 0 if i == inode else 2), told
                continue
            synced = max((j for j, e in enumerate(past) if e[:2] == ("sync", inode)), default=-1)
            loose = [c for c in sorted(changes) if c > max(synced, self.begin - 1) and inode in _folders(past[c])]
            for lost in [loose, *([c] for c in loose[:-1])] if loose else []:
                yield _tree(past, changes - {*lost}, versions, lambda i: 2), told

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
    return [k for k, entry in enumerate(past) if entry[0] == "names"]


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
        synced = {entry[1] for entry in past[k:] if entry[0] == "sync"}
        if k < begin or folders <= synced:
            safe.add(k)
        else:
            loose.append(k)
    yield safe
    yield safe | {*loose}
    for _ in range(2):
        yield safe | {k for k in loose if random.random() < 0.5}


def _folders(entry: tuple) -> set[int]:
    """The folders whose sync brings a change of names to the disk: where something new stands."""
    return {folder for folder, _, inode in entry[1] if inode is not None} or {folder for folder, _, _ in entry[1]}


def _choices(random: np.random.Generator):
    """For each file which of its versions a cut leaves: all old, all new, half of the newest, or by chance."""
    yield lambda inode: 0
    yield lambda inode: 2
    yield lambda inode: 1
    picks: dict[int, int] = {}
    yield lambda inode: picks.setdefault(inode, int(random.integers(3)))


def _tree(past: list, applied: set[int], versions: dict, choose) -> dict[str, bytes]:
    folders: dict[int, dict[str, int]] = {}
    for k in sorted(applied):
        for folder, name, inode in past[k][1]:
            names = folders.setdefault(folder, {})
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
    tree, left = {}, [("", ROOT)]
    while left:  # what no name leads to is lost
        path, inode = left.pop()
        if inode in versions:
            tree[path] = versions[inode][choose(inode)]
        left += [(f"{path}/{name}".lstrip("/"), below) for name, below in folders.get(inode, {}).items()]
    return tree


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
