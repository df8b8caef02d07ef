"""Which versions compute: everything that decides the last bits of a run, here and on workers."""

import platform
from functools import cache
from importlib.metadata import version

from rankscape import __version__
from rankscape.errors import InputError

# Packages whose versions decide the last bits of a run.
VERSIONS = ("numpy", "scipy", "numba", "jax", "optax", "diffrax")


@cache
def versions() -> dict[str, str]:
    """Everything whose version decides the last bits of a run; to look it up costs as much as a short run."""
    return {"rankscape": __version__, "python": platform.python_version()} | {name: version(name) for name in VERSIONS}


def check_versions(expected: dict[str, str]) -> None:
    """Refuse to work with other versions than those of the client: the bits would differ."""
    here = versions()
    different = [f"{name} {here.get(name)} instead of {v}" for name, v in expected.items() if here.get(name) != v]
    if different:
        raise InputError(
            f"A worker has {', '.join(different)}: runs would not be repeatable. Install rankscape "
            f"{expected['rankscape']} with the same packages on all workers."
        )
