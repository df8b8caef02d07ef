"""Checkpoints: the states and records of a run in one npz file, replaced atomically and read without pickle.

A run that is killed at any moment leaves either the old or the new file. Started again with the same
configuration it continues from there and ends bit-identical (same machine, same versions).
"""

import json
import time
from collections.abc import Mapping, Sequence
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
        check_writable(path)
        self.path, self.configuration, self.saved = path, configuration, time.monotonic()

    def restore(self) -> RunState | None:
        """What the file holds, if there is one."""
        return load(self.path, self.configuration) if self.path.exists() else None

    def pause(self, now: RunState, engine: AbstractEngine, step: int, last: bool) -> None:
        """Save where enough time has passed: how often depends on the clock, what is computed does not."""
        if last or time.monotonic() - self.saved > INTERVAL:
            save(self.path, now, self.configuration)
            self.saved = time.monotonic()


def save(path: Path, now: RunState, configuration: Mapping[str, Any]) -> None:
    """Write a checkpoint."""
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
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        reason = f"{type(error).__name__}: {error}"
        raise CheckpointMismatch(f"{path} is not a checkpoint ({reason}); delete it or name another.") from None
    different = differences(header["configuration"], json.loads(json.dumps(configuration)))
    if different:
        raise CheckpointMismatch(
            f"{path} belongs to another run: {'; '.join(different)}. "
            "Delete it, name another checkpoint, or restore the configuration."
        )
    now = RunState([], [], [], [])
    for k, run in enumerate(header["runs"]):
        now.states.append(State.unpack({name: arrays[f"run{k}/state/{name}"] for name in run["state"]}))
        columns = {name: arrays[f"run{k}/record/{name}"] for name in run["variables"]}
        steps = arrays[f"run{k}/steps"].tolist()
        now.records.append([(step, {name: c[i] for name, c in columns.items()}) for i, step in enumerate(steps)])
        now.ends.append(None if run["end"] is None else End(*run["end"]))
        now.memories.append(run["memory"])
    return now


def differences(old: Any, new: Any, name: str = "") -> list[str]:
    """The leaves in which two JSON trees differ, as ``name: old -> new``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        # Keys of both sides: what only one of them knows is a difference, too.
        keys: Sequence[str] = [*old, *(key for key in new if key not in old)]
        found = (differences(old.get(k), new.get(k), f"{name}.{k}" if name else k) for k in keys)
        return [line for lines in found for line in lines]
    return [] if old == new else [f"{name} was {old}, now {new}"]
