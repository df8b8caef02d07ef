"""Parts of rankscape that are installed on request, and the one sentence about one that is missing.

The parts are the extras of the package: the names that each brings stand in ``pyproject.toml``.
"""

import importlib
from types import ModuleType
from typing import Literal, TypeAlias

from rankscape.errors import MissingPart

Part: TypeAlias = Literal["simulate", "files", "cluster"]


def needs(module: str, part: Part, purpose: str = "this") -> ModuleType:
    """Import a module that a part brings.

    Parameters
    ----------
    module : str
        Name of the module, with dots.
    part : str
        The extra that brings it.
    purpose : str
        What it is needed for, as the subject of the error's sentence.

    Raises
    ------
    MissingPart
        It is not installed; the text has the command that brings it.

    Examples
    --------
    >>> needs("json", "files").loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise  # it is there, and broken
        name = module.split(".")[0]
        raise MissingPart(f"{purpose} needs {name}, which is not installed: pip install 'rankscape[{part}]'") from None
