"""The runs of a batch side by side, and where they are computed: one core, a GPU, or many devices."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh

from rankscape.engine.base import Setting, State
from rankscape.engine.rules import Moving, Rates, rates_at
from rankscape.ground.double import double


class Lanes(NamedTuple):
    """What moves, the velocity where there is one, and the rates: each stacked along the first axis, the run."""

    moving: Moving
    velocity: Moving
    rates: Rates

    @classmethod
    def of(cls, states: Sequence[State], settings: Sequence[Setting]) -> "Lanes":
        """From the states of the runs, all at one step."""
        parts = [state.moving for state in states], [state.memory for state in states]
        moving, velocity = ([np.stack(layer) for layer in zip(*part, strict=True)] for part in parts)
        return cls(moving, velocity, rates_at(settings, states[0].step, settings[0].dtype))


def states_of(moving: Moving, velocity: Moving, step: int, runs: int) -> list[State]:
    """The state of each run, from stacks; what was filled up behind the last run is dropped."""
    # To the host once for each layer, then cut: a transfer costs more than a lane.
    columns = [[np.asarray(stack) for stack in part] for part in (moving, velocity)]
    return [State(step, *([c[k] for c in part] for part in columns)) for k in range(runs)]


def each(run: Callable, together: bool) -> Callable:
    """`run` for all runs of a batch.

    A processor core is full with one run, and alone it repeats bit for bit; a GPU wants many at once.
    """
    return jax.vmap(run) if together else partial(jax.lax.map, run)  # vmap may sum in another order


def on_gpu() -> bool:
    """Whether JAX computes on an accelerator."""
    return jax.default_backend() != "cpu"


def on_device(setting: Setting) -> dict[str, jax.Array]:
    """The arrays of a problem where JAX computes, in the precision of the run."""
    arrays = {name: getattr(setting.problem, name) for name in setting.problem.arrays}
    with double():
        # Indices keep their type; only what is computed with takes the precision of the run.
        return {n: jnp.asarray(a, setting.dtype if a.dtype.kind == "f" else None) for n, a in arrays.items()}


@lru_cache
def mesh_for(runs: int) -> Mesh | None:
    """The devices that JAX sees in a row, at most one a run; None when one device does it all."""
    devices = jax.devices()[:runs]  # fewer runs than devices: some stay idle
    if len(devices) == 1:
        return None
    return jax.make_mesh((len(devices),), ("run",), axis_types=(AxisType.Auto,), devices=devices)


def filled_up(lanes: Any, devices: int) -> Any:
    """Stacks whose last run is repeated until all devices have equally many."""

    def fill(stack: np.ndarray) -> np.ndarray:
        missing = -len(stack) % devices
        return np.concatenate([stack, np.repeat(stack[-1:], missing, axis=0)]) if missing else stack

    return jax.tree.map(fill, lanes)
