"""Checkpoints: the states and records of a run in one npz file, replaced atomically and read without pickle.

A run that is killed at any moment leaves either the old or the new file. Started again with the same
configuration it continues from there and ends bit-identical (same machine, same versions).
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from rankscape.engine.base import State
from rankscape.errors import CheckpointMismatch
from rankscape.ground.storage import replacing
from rankscape.run.watchers.jumps import Jump

# Seconds between two checkpoints; they fall on chunk ends.
INTERVAL = 5.0

Records = list[tuple[int, Mapping[str, Any]]]


class End(NamedTuple):
    """How a run ended before its last step."""

    outcome: str
    step: int
    reason: str = ""


class Progress(NamedTuple):
    """Where a batch of runs stands: of each run the state, the records, the early end, the live modes and jumps."""

    states: list[State]
    records: list[Records]
    ends: list[End | None]
    events: list[str]
    alive: list[int]
    jumps: list[list[Jump]]


def save(path: Path, progress: Progress, configuration: Mapping[str, Any]) -> None:
    """Write a checkpoint."""
    header: dict[str, Any] = {"configuration": configuration, "events": progress.events, "runs": []}
    arrays: dict[str, Any] = {}
    for k, (state, records) in enumerate(zip(progress.states, progress.records, strict=True)):
        names = list(records[0][1]) if records else []
        header["runs"].append({"end": progress.ends[k], "variables": names})
        packed = state.pack()
        header["runs"][-1] |= {"arrays": list(packed), "alive": progress.alive[k], "jumps": progress.jumps[k]}
        arrays |= {f"run{k}/state/{name}": array for name, array in packed.items()}
        arrays[f"run{k}/steps"] = np.array([step for step, _ in records], dtype=np.int64)
        arrays |= {f"run{k}/record/{name}": np.stack([record[name] for _, record in records]) for name in names}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load(path: Path, configuration: Mapping[str, Any]) -> Progress:
    """Read a checkpoint, and refuse one of another configuration or version."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error) as error:
        reason = f"{type(error).__name__}: {error}"
        raise CheckpointMismatch(f"{path} is not a checkpoint ({reason}); delete it or name another.") from None
    different = differences(header["configuration"], json.loads(json.dumps(configuration)))
    if different:
        raise CheckpointMismatch(
            f"{path} belongs to another run: {'; '.join(different)}. "
            "Delete it, name another checkpoint, or restore the configuration."
        )
    states, records, ends, alive, jumps = [], [], [], [], []
    for k, run in enumerate(header["runs"]):
        states.append(State.unpack({name: arrays[f"run{k}/state/{name}"] for name in run["arrays"]}))
        columns = {name: arrays[f"run{k}/record/{name}"] for name in run["variables"]}
        steps = arrays[f"run{k}/steps"].tolist()
        records.append([(step, {name: c[i] for name, c in columns.items()}) for i, step in enumerate(steps)])
        ends.append(None if run["end"] is None else End(*run["end"]))
        alive.append(run["alive"])
        jumps.append([Jump(*jump) for jump in run["jumps"]])
    return Progress(states, records, ends, header["events"], alive, jumps)


def differences(old: Any, new: Any, name: str = "") -> list[str]:
    """The leaves in which two JSON trees differ, as ``name: old -> new``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys: Sequence[str] = [*old, *(key for key in new if key not in old)]
        found = (differences(old.get(k), new.get(k), f"{name}.{k}" if name else k) for k in keys)
        return [line for lines in found for line in lines]
    return [] if old == new else [f"{name} was {old}, now {new}"]
