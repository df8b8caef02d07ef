"""Checkpoints: the states and records of a run in one npz file, replaced atomically and read without pickle.

A run that is killed at any moment leaves either the old or the new file. Started again with the same
configuration it continues from there and ends bit-identical (same machine, same versions). A run that is interrupted,
by Ctrl-C or by the end of a job, leaves where it stood at the last chunk end. A file that another run put there
meanwhile is never replaced.
"""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rankscape.engine import AbstractEngine, State
from rankscape.errors import CheckpointMismatch
from rankscape.ground.final import final
from rankscape.ground.storage import check_writable, replacing
from rankscape.run.outcome import End
from rankscape.run.watchers.base import AbstractWatcher, RunState

# Seconds between two checkpoints; they fall on chunk ends.
INTERVAL = 5.0


@final
class Checkpoint(AbstractWatcher):
    """Keeps the runs in a file, every few seconds and at the end."""

    name: ClassVar[str] = "checkpoint"

    def __init__(self, path: Path, configuration: Mapping[str, Any]):
        check_writable(path, ())  # what is no checkpoint of this run is refused when it is read
        self.path, self.configuration, self.saved = path, configuration, time.monotonic()
        self.unsaved: RunState | None = None  # where the runs stood at the last chunk end, where that was not saved

    def restore(self) -> RunState | None:
        """What the file holds, if there is one."""
        return load(self.path, self.configuration) if self.path.exists() else None

    def pause(self, now: RunState, engine: AbstractEngine, step: int, last: bool) -> None:
        """Save where enough time has passed: how often depends on the clock, what is computed does not."""
        self.unsaved = now.copied()
        if last or time.monotonic() - self.saved > INTERVAL:
            self.interrupted()

    def interrupted(self) -> None:
        """Save the last chunk end: a moment between two would not be met again by the run that continues."""
        if self.unsaved is not None:
            save(self.path, self.unsaved, self.configuration)
            self.unsaved, self.saved = None, time.monotonic()


def save(path: Path, now: RunState, configuration: Mapping[str, Any]) -> None:
    """Write a checkpoint; what another run wrote there since this one began is refused."""
    if path.exists():
        with _opened(path) as stored:
            _check_same(path, _header(stored)["configuration"], configuration)
    header: dict[str, Any] = {"configuration": configuration, "runs": []}
    arrays: dict[str, Any] = {}
    for k, (state, records, end, memory) in enumerate(zip(*now, strict=True)):
        names, packed = list(records[0][1]) if records else [], state.pack()
        header["runs"].append({"end": end, "variables": names, "state": list(packed), "memory": memory})
        arrays |= {f"run{k}/state/{name}": array for name, array in packed.items()}
        arrays[f"run{k}/steps"] = np.array([step for step, _ in records], dtype=np.int64)
        arrays |= {f"run{k}/record/{name}": np.stack([record[name] for _, record in records]) for name in names}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)  # text, so that nothing is pickled
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load(path: Path, configuration: Mapping[str, Any]) -> RunState:
    """Read a checkpoint, and refuse one of another configuration or version."""
    with _opened(path) as stored:
        header = _header(stored)
        _check_same(path, header["configuration"], configuration)
        arrays = {name: stored[name] for name in stored.files}
        now = RunState([], [], [], [])
        for k, run in enumerate(header["runs"]):
            now.states.append(State.unpack({name: arrays[f"run{k}/state/{name}"] for name in run["state"]}))
            columns = {name: arrays[f"run{k}/record/{name}"] for name in run["variables"]}
            steps = arrays[f"run{k}/steps"].tolist()
            now.records.append([(step, {name: c[i] for name, c in columns.items()}) for i, step in enumerate(steps)])
            now.ends.append(None if run["end"] is None else End(*run["end"]))
            now.memories.append(run["memory"])
    return now


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The arrays of a checkpoint, one by one."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            yield stored
    except CheckpointMismatch:
        raise
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        reason = f"{type(error).__name__}: {error}"
        raise CheckpointMismatch(f"{path} is not a checkpoint ({reason}); delete it or name another.") from None


def _header(stored: Any) -> Any:
    return json.loads(stored["header"].tobytes())


def _check_same(path: Path, old: Any, configuration: Mapping[str, Any]) -> None:
    different = differences(old, json.loads(json.dumps(configuration)))
    if different:
        raise CheckpointMismatch(
            f"{path} belongs to another run: {'; '.join(different)}. "
            "Delete it, name another checkpoint, or restore the configuration."
        )


def differences(old: Any, new: Any, name: str = "") -> list[str]:
    """The leaves in which two JSON trees differ, as ``name: old -> new``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        # Keys of both sides: what only one of them knows is a difference, too.
        keys: Sequence[str] = [*old, *(key for key in new if key not in old)]
        found = (differences(old.get(k), new.get(k), f"{name}.{k}" if name else k) for k in keys)
        return [line for lines in found for line in lines]
    return [] if old == new else [f"{name} was {old}, now {new}"]
