"""A sweep as a TOML file: the keys of `rankscape simulate`, a table ``over``, and where and how to run."""

from pathlib import Path
from typing import Any

from rankscape.config import SimulationConfig, load_toml
from rankscape.errors import InputError, did_you_mean

# What a file may say beside the names of `SimulationConfig`.
OPTIONS = ("over", "seeds", "store", "executor", "workers", "cluster", "batch")


def read_sweep(path: Path) -> dict[str, Any]:
    """The arguments of `sweep` from a file; the store lies beside the file unless it says where."""
    named = {key.replace("-", "_"): value for key, value in load_toml(path).items()}
    known = [*OPTIONS, *SimulationConfig.model_fields]
    for key in named:
        if key not in known:
            raise InputError(f"{path}: unknown key {key!r}{did_you_mean(key, known) or '.'}")
    arguments = {name: named.pop(name) for name in OPTIONS if name in named}
    arguments["store"] = path.parent / arguments.get("store", f"{path.stem}.zarr")
    return {"base": named} | arguments
