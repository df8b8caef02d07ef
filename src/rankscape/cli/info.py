"""``rankscape info``."""

import importlib.metadata
import importlib.util
import os
import platform
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.cli.app import PROJECT
from rankscape.cli.output import print_facts, print_json
from rankscape.ground.memory import available, in_words
from rankscape.ground.storage import cache_directory

# What rankscape can use; what is missing decides which commands work.
PARTS = (
    "numpy", "scipy", "numba", "scikit-learn", "pandas", "polars", "pyarrow", "xarray", "zarr", "jax", "diffrax",
    "optax", "matplotlib", "dask", "cyclopts", "rich",
)  # fmt: skip


def info(*, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Print what a bug report needs: versions, machine, folders, variables, and what is installed.

    Parameters
    ----------
    json
        Print JSON.
    """
    facts = _facts()
    if json:
        print_json(facts)
        return
    memory = facts["memory"]
    shown = facts | {
        "memory": "unknown" if memory is None else f"{in_words(memory)} free",
        "blas": ", ".join(f"{b['name']} {b['version']}, {b['threads']} thread(s)" for b in facts["blas"]) or "unknown",
        "project": facts["project"] or "none",
        "variables": ", ".join(f"{name}={value}" for name, value in facts["variables"].items()) or "none",
        "parts": ", ".join(f"{name} {version}" for name, version in facts["parts"].items() if version),
        "missing": ", ".join(name for name, version in facts["parts"].items() if not version) or "nothing",
    }
    print_facts([(name, str(value)) for name, value in shown.items()])


def _facts() -> dict[str, Any]:
    return {
        "rankscape": importlib.metadata.version("rankscape"),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": _cores(),
        "memory": available(),
        "blas": _blas(),
        "executable": sys.executable,
        "cache": str(cache_directory()),
        "project": next((str(file) for file in (project.found() for project in PROJECT) if file), None),
        "variables": {name: value for name, value in sorted(os.environ.items()) if name.startswith("RANKSCAPE_")},
        "parts": {name: _version(name) for name in PARTS},
    }


def _cores() -> int:
    """Those that this process may use, which a container may have limited."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blas() -> list[dict[str, Any]]:
    if importlib.util.find_spec("scipy") is None or importlib.util.find_spec("threadpoolctl") is None:
        return []
    import scipy.linalg  # loads the library that is asked about  # noqa: F401
    import threadpoolctl

    found = [b for b in threadpoolctl.threadpool_info() if b.get("user_api") == "blas"]
    facts = [{"name": b["internal_api"], "version": b["version"], "threads": b["num_threads"]} for b in found]
    return [fact for k, fact in enumerate(facts) if fact not in facts[:k]]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
