"""From a TOML file, or from names and values, to a checked configuration."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rankscape.config.simulation import SimulationConfig
from rankscape.errors import InputError, did_you_mean


def load_toml(path: Path) -> dict[str, Any]:
    """The keys of a TOML file as they stand there."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None
    except (RecursionError, ValueError):  # thousands of brackets, or of digits
        raise InputError(f"{path}: not valid TOML: a value in it is nested too deeply or too long.") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The settings of a TOML file, hyphens allowed for underscores, refused when unknown."""
    known = SimulationConfig.model_fields
    settings = {}
    for key, value in load_toml(path).items():
        name = key.replace("-", "_")
        if name not in known:
            raise InputError(f"{path}: unknown key {key!r}{did_you_mean(name, known) or '.'}")
        if name in settings:
            raise InputError(f"{path}: {name} is given twice, with a hyphen and with an underscore.")
        # Without this TOML's true would pass as the number 1, and depth = true would run at depth 1.
        if isinstance(value, bool) != (known[name].annotation is bool):
            raise InputError(f"{path}: {name} = {str(value).lower()}: true and false are for switches, and only they.")
        settings[name] = value
    return settings


def make_config(settings: Mapping[str, Any], where: str) -> SimulationConfig:
    """A checked configuration; `where` names the file or the command line in the error."""
    try:
        return SimulationConfig(**settings)
    except ValidationError as error:
        # One mistake at a time, in one line: the list of pydantic names its own URLs.
        first = error.errors()[0]
        raise InputError(
            f"{where}: {first['loc'][0]} = {first['input']!r}: {first['msg'].removeprefix('Value error, ')}."
        ) from None
