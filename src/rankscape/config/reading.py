"""From a TOML file, or from names and values, to a checked configuration."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rankscape.config.simulation import SimulationConfig
from rankscape.errors import InputError, did_you_mean
from rankscape.ground.storage import check_readable


def load_toml(path: Path) -> dict[str, Any]:
    r"""The keys of a TOML file as they stand there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "run.toml")
    ...     _ = path.write_text("eigenvalues = [2, 1]\nlearning-rate = 0.01\n", encoding="utf-8")
    ...     load_toml(path)
    {'eigenvalues': [2, 1], 'learning-rate': 0.01}
    """
    check_readable(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None
    except (RecursionError, ValueError):  # thousands of brackets, or of digits
        raise InputError(f"{path}: not valid TOML: a value in it is nested too deeply or too long.") from None


def read_toml(path: Path) -> dict[str, Any]:
    r"""The settings of a TOML file, hyphens allowed for underscores, refused when unknown.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "run.toml")
    ...     _ = path.write_text("eigenvalues = [2, 1]\nlearning-rate = 0.01\n", encoding="utf-8")
    ...     read_toml(path)
    {'eigenvalues': [2, 1], 'learning_rate': 0.01}
    """
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
    """A checked configuration; `where` names the file or the command line in the error.

    Examples
    --------
    >>> make_config({"eigenvalues": [2.0, 1.0], "depth": 3}, "here").depth
    3
    >>> make_config({"depth": 0}, "run.toml")
    Traceback (most recent call last):
    rankscape.errors.InputError: run.toml: depth = 0: Input should be greater than or equal to 1.
    """
    try:
        return SimulationConfig(**settings)
    except ValidationError as error:
        # One mistake at a time, in one line: the list of pydantic names its own URLs.
        first = error.errors()[0]
        raise InputError(
            f"{where}: {first['loc'][0]} = {first['input']!r}: {first['msg'].removeprefix('Value error, ')}."
        ) from None
