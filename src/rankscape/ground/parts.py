"""Parts of rankscape that are installed on request, and the one sentence about one that is missing."""

import importlib
from types import ModuleType

from rankscape.errors import MissingPart

# What each extra of the package brings (`pyproject.toml`), by the name under which it is imported.
PARTS = {
    "simulate": ("jax", "diffrax", "optax", "xarray", "zarr", "pandas", "pydantic"),
    "files": ("pyarrow", "python_calamine", "openpyxl", "h5py"),
    "explore": ("starlette", "uvicorn", "websockets"),
    "cluster": ("dask", "distributed", "dask_jobqueue"),
}


def needs(module: str, purpose: str) -> ModuleType:
    """Import a module that a part brings.

    Parameters
    ----------
    module : str
        Its name, with dots.
    purpose : str
        What needs it: the subject of the sentence.

    Raises
    ------
    MissingPart
        It is not installed; the text has the command that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = missing_part(error, purpose)
        raise error if missing is None else missing from None


def missing_part(error: BaseException, purpose: str = "This") -> MissingPart | None:
    """What to say of a module that was not found; None of other errors, and where no part of rankscape brings it."""
    name = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    part = next((part for part, modules in PARTS.items() if name in modules), None)
    if part is None:
        return None
    return MissingPart(f"{purpose} needs the package {name.replace('_', '-')}: pip install 'rankscape[{part}]'")
