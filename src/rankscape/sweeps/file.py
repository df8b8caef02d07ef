"""A sweep as a TOML file: the keys of `rankscape simulate`, a table ``over``, and where and how to run."""

import tomllib
from pathlib import Path
from typing import Any

from rankscape.config import SimulationConfig
from rankscape.errors import InputError, did_you_mean

# What a file may say beside the names of `SimulationConfig`.
OPTIONS = ("over", "seeds", "store", "executor", "workers", "cluster", "batch")


def read_sweep(path: Path) -> dict[str, Any]:
    """The arguments of `sweep` from a file; the store lies beside the file unless it says where."""
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None
    named = {key.replace("-", "_"): value for key, value in keys.items()}
    known = [*OPTIONS, *SimulationConfig.model_fields]
    for key in named:
        if key not in known:
            raise InputError(f"{path}: unknown key {key!r}{did_you_mean(key, known) or '.'}")
    arguments = {name: named.pop(name) for name in OPTIONS if name in named}
    arguments["store"] = path.parent / arguments.get("store", f"{path.stem}.zarr")
    return {"base": named} | arguments
