"""Which simulations go together: equal shapes are planned once, equal kinds share one vectorised call."""

import os
from collections.abc import Sequence

from rankscape.config import SimulationConfig
from rankscape.engine import AbstractEngine

# What decides the problem; with held-out entries, the seed does too.
PROBLEM = ("eigenvalues", "target", "entries", "rows", "columns", "values", "heldout")

# Runs that agree in these can share one vectorised call.
KIND = (
    *PROBLEM,
    "depth",
    "width",
    "initialization",
    "dynamics",
    "optimizer",
    "steps",
    "dtype",
    "engine",
    "compress_width",
)

# Runs that a GPU takes at once where a processor would take them one after the other.
GPU_BATCH = 64


def shape_of(config: SimulationConfig) -> tuple:
    """Runs that agree in this leave arrays of the same shape."""
    modes = None if config.eigenvalues is None else len(config.eigenvalues)
    rest = [name for name in KIND if name not in ("eigenvalues", "heldout", "steps")]
    return (modes, config.heldout > 0, *(str(getattr(config, name)) for name in rest))


def kinds_of(configs: Sequence[SimulationConfig]) -> list[list[int]]:
    """The places of runs that can go in one call; a run whose width is compressed, or of optax, goes alone."""
    kinds: dict[str, list[int]] = {}
    for k, config in enumerate(configs):
        alone = [k] if config.compress_width or config.dynamics == "optimizer" else []
        seed = [config.seed] if config.heldout else []
        kinds.setdefault(repr([getattr(config, name) for name in KIND] + alone + seed), []).append(k)
    return list(kinds.values())


def at_once(engine: AbstractEngine) -> int:
    """Runs below which an engine leaves cores or devices idle."""
    if engine.name == "entrywise":
        return os.cpu_count() or 1
    import jax

    return GPU_BATCH if jax.default_backend() != "cpu" else jax.device_count()
