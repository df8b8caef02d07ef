r"""The matrix engine: full gradients of any problem, by the products of the chain rule, in JAX.

With ``G`` the gradient of the loss at ``W = W_N ... W_1``, all factors move at once:

.. math:: \nabla_{W_l} = (W_N \cdots W_{l+1})^T\, G\, (W_{l-1} \cdots W_1)^T + 2\lambda W_l

The partial products to the right are kept from the forward pass and ``G`` is carried down to the left,
so a step costs ``3(N-1)`` matrix products. Optax optimizers receive the same gradients.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from rankscape.dynamics import GradientDescent, Optimizer
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.ground.final import final
from rankscape.problem import Sensing

Factors = list[jax.Array]


def partial_products(factors: Factors) -> Factors:
    """``[W_1, W_2 W_1, ..., W_N ... W_1]``."""
    products = [factors[0]]
    for W in factors[1:]:
        products.append(W @ products[-1])
    return products


def pulled_back(factors: Factors, products: Factors, gradient: jax.Array) -> Factors:
    """The gradient with respect to every factor, from the `gradient` with respect to the product."""
    carried, gradients = gradient, []
    for W, right in zip(reversed(factors[1:]), reversed(products[:-1]), strict=True):
        gradients.append(carried @ right.T)
        carried = W.T @ carried
    return [carried, *reversed(gradients)]


def value_and_gradients(binder: Callable, arrays: Mapping[str, Any], factors: Factors) -> tuple[jax.Array, Factors]:
    """The loss of the product and its gradient with respect to every factor, without ridge."""
    problem, products = binder(arrays), partial_products(factors)
    gradients = pulled_back(factors, products, problem.gradient(products[-1]))
    return problem.loss(products[-1]), gradients


def descended(factors: Factors, gradients: Factors, learning_rate: Any, ridge: Any) -> Factors:
    """One step of gradient descent on loss plus ridge, all factors at once."""
    return [W - learning_rate * (g + 2 * ridge * W) for W, g in zip(factors, gradients, strict=True)]


def _descend(binder, arrays, factors, learning_rate, ridge, steps):
    """`steps` steps of gradient descent on one run."""

    def step(_, factors):
        return descended(factors, value_and_gradients(binder, arrays, factors)[1], learning_rate, ridge)

    return jax.lax.fori_loop(0, steps, step, factors)


@partial(jax.jit, static_argnames=("binder", "together", "mesh"))
def _descend_batch(binder, together, mesh, arrays, factors, learning_rate, ridge, steps):
    """All runs of a batch: one after the other, or together; each device of the mesh takes its share of them."""

    def share(arrays, steps, lanes):
        def run(lane):
            factors, learning_rate, ridge = lane
            return _descend(binder, arrays, factors, learning_rate, ridge, steps)

        return each(run, together)(lanes)

    if mesh is not None:
        specs = PartitionSpec(), PartitionSpec(), PartitionSpec("run")
        share = jax.shard_map(share, mesh=mesh, in_specs=specs, out_specs=PartitionSpec("run"), check_vma=False)
    return share(arrays, steps, (factors, learning_rate, ridge))


@lru_cache
def mesh_for(runs: int) -> Mesh | None:
    """The devices that JAX sees in a row, at most one a run; None when one device does it all."""
    devices = jax.devices()[:runs]
    if len(devices) == 1:
        return None
    return jax.make_mesh((len(devices),), ("run",), axis_types=(AxisType.Auto,), devices=devices)


def filled_up(arrays: Sequence[np.ndarray], devices: int) -> list[np.ndarray]:
    """Stacks whose last run is repeated until all devices have equally many."""
    missing = -len(arrays[0]) % devices
    return [np.concatenate([a, np.repeat(a[-1:], missing, axis=0)]) if missing else a for a in arrays]


def each(run: Callable, together: bool) -> Callable:
    """`run` for all runs of a batch.

    A processor core is full with one run, and alone it repeats bit for bit; a GPU wants many at once.
    """
    return jax.vmap(run) if together else partial(jax.lax.map, run)


def on_gpu() -> bool:
    """Whether JAX computes on an accelerator."""
    return jax.default_backend() != "cpu"


@partial(jax.jit, static_argnames=("binder", "transformation"))
def _optimize(binder, transformation, arrays, factors, optimizer_state, ridge, steps):
    """`steps` steps of an optax optimizer on loss plus ridge, one run."""

    def objective(factors):
        value, _ = value_and_gradients(binder, arrays, factors)
        return value + ridge * sum((W * W).sum() for W in factors)

    def step(_, carry):
        factors, state = carry
        value, gradients = value_and_gradients(binder, arrays, factors)
        value += ridge * sum((W * W).sum() for W in factors)
        gradients = [g + 2 * ridge * W for g, W in zip(gradients, factors, strict=True)]
        updates, state = transformation.update(
            gradients, state, factors, value=value, grad=gradients, value_fn=objective
        )
        return [W + u for W, u in zip(factors, updates, strict=True)], state

    return jax.lax.fori_loop(0, steps, step, (factors, optimizer_state))


class Lanes:
    """The runs of a batch side by side: their factors and rates, stacked along the first axis."""

    def __init__(self, states: Sequence[State], settings: Sequence[Setting]):
        dtype, self._count = settings[0].dtype, len(states)
        dynamics = [setting.dynamics.at(states[0].step) for setting in settings]
        self.factors = [np.stack(layer) for layer in zip(*(s.moving for s in states), strict=True)]
        self.learning_rate = np.array([d.learning_rate for d in dynamics], dtype)
        self.ridge = np.array([d.ridge for d in dynamics], dtype)

    def states(self, factors: Sequence[Any], step: int) -> list[State]:
        """The state of each run, from stacked factors."""
        columns = [np.asarray(column) for column in factors]
        return [State(step, [c[k] for c in columns]) for k in range(self._count)]


@final
class MatrixEngine(AbstractEngine):
    """Any problem, any start, gradient descent or an optax optimizer."""

    name = "matrix"
    why = "dense products of the factors, for any problem and start"

    @cached_property
    def _mesh(self) -> Mesh | None:
        return mesh_for(len(self.settings))

    @cached_property
    def _arrays(self) -> dict[str, jax.Array]:
        arrays = on_device(self.settings[0])
        return arrays if self._mesh is None else jax.device_put(arrays, NamedSharding(self._mesh, PartitionSpec()))

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It takes full gradients only."""
        return check_dynamics(setting, (GradientDescent, Optimizer))

    def begin(self, setting: Setting, moving: Sequence[np.ndarray], step: int) -> State:
        """The factors, and beside them the optimizer's own state."""
        state = super().begin(setting, moving, step)
        if isinstance(setting.dynamics, Optimizer):
            leaves = jax.tree.leaves(_optimizer_state(setting.dynamics, state.moving))
            state = state._replace(memory=[np.asarray(leaf) for leaf in leaves])
        return state

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """Full-gradient steps up to `stop`."""
        with jax.enable_x64(True):
            if isinstance(self.settings[0].dynamics, Optimizer):
                return [self._optimize(s, setting, stop) for s, setting in zip(states, self.settings, strict=True)]
            return self._descend(states, stop)

    def _descend(self, states: Sequence[State], stop: int) -> list[State]:
        lanes = Lanes(states, self.settings)
        binder = self.settings[0].problem.binder
        stacks, devices = (
            [*lanes.factors, lanes.learning_rate, lanes.ridge],
            1 if self._mesh is None else self._mesh.size,
        )
        *factors, learning_rate, ridge = filled_up(stacks, devices)
        moved = _descend_batch(
            binder, on_gpu(), self._mesh, self._arrays, factors, learning_rate, ridge, stop - states[0].step
        )
        return lanes.states(moved, stop)

    def _optimize(self, state: State, setting: Setting, stop: int) -> State:
        transformation = _with_extra_arguments(setting.dynamics.transformation)
        template = _optimizer_state(setting.dynamics, state.moving)
        leaves = [jnp.asarray(a) for a in state.memory]
        optimizer_state = jax.tree.unflatten(jax.tree.structure(template), leaves)
        ridge = np.asarray(setting.dynamics.ridge, setting.dtype)
        factors, optimizer_state = _optimize(
            setting.problem.binder,
            transformation,
            self._arrays,
            [jnp.asarray(W) for W in state.moving],
            optimizer_state,
            ridge,
            stop - state.step,
        )
        return State(stop, *([np.asarray(a) for a in part] for part in (factors, jax.tree.leaves(optimizer_state))))

    def step_cost(self) -> float:
        """``3(N-1)`` products at 3e4 floating-point operations a microsecond, the operators, and the loop."""
        return 2 + products_cost(self.settings[0]) + operators_cost(self.settings[0])


def products_cost(setting: Setting) -> float:
    """Rough microseconds of the products of a step."""
    n_in, *_ = widths = setting.widths
    return sum(6 * after * before * n_in for before, after in pairwise(widths[1:])) / 3e4


def operators_cost(setting: Setting) -> float:
    """Rough microseconds of a gradient of measurements, which waits for memory more than it computes."""
    return 2 * setting.problem.operators.flops() / 1e4 if isinstance(setting.problem, Sensing) else 0.0


@lru_cache(maxsize=64)
def _with_extra_arguments(transformation: Any) -> Any:
    """One wrapper for each optimizer, so that it is compiled once."""
    import optax

    return optax.with_extra_args_support(transformation)


def _optimizer_state(dynamics: Optimizer, factors: Sequence[np.ndarray]) -> Any:
    with jax.enable_x64(True):
        return dynamics.transformation.init([jnp.asarray(W) for W in factors])


def on_device(setting: Setting) -> dict[str, jax.Array]:
    """The arrays of a problem where JAX computes, in the precision of the run."""
    arrays = {name: getattr(setting.problem, name) for name in setting.problem.arrays}
    with jax.enable_x64(True):
        return {n: jnp.asarray(a, setting.dtype if a.dtype.kind == "f" else None) for n, a in arrays.items()}
