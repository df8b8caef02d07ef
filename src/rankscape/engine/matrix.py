r"""The matrix engine: full gradients of any problem, by the products of the chain rule, in JAX.

All factors move at once, by an update rule of `rules` or by an optax optimizer; both receive the gradients of
`chain_rule`.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rankscape.dynamics import Optimizer
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.chain_rule import operators_cost, products_cost, value_and_gradients
from rankscape.engine.lanes import Lanes, each, filled_up, mesh_for, on_device, on_gpu, states_of
from rankscape.engine.programs import program
from rankscape.engine.rules import RULES, descended
from rankscape.ground.double import double
from rankscape.ground.final import final


def _descend(rule, binder, arrays, lane, steps):
    """`steps` steps of an update rule on one run."""
    moving, velocity, rates = lane

    def step(_, carry):
        moving, velocity = carry
        point = rule.look(moving, velocity, rates)
        gradients = value_and_gradients(binder, arrays, point)[1]
        return rule.move(lambda base: descended(base, point, gradients, rates), moving, velocity, rates)

    return jax.lax.fori_loop(0, steps, step, (moving, velocity))


@program("rule", "binder", "together", "mesh")
def _descend_batch(rule, binder, together, mesh, arrays, lanes, steps):
    """All runs of a batch: one after the other, or together; each device of the mesh takes its share of them."""

    def share(arrays, steps, lanes):
        return each(lambda lane: _descend(rule, binder, arrays, lane, steps), together)(lanes)

    if mesh is not None:
        specs = PartitionSpec(), PartitionSpec(), PartitionSpec("run")
        # Runs never meet, so nothing has to be checked for agreement between the devices.
        share = jax.shard_map(share, mesh=mesh, in_specs=specs, out_specs=PartitionSpec("run"), check_vma=False)
    return share(arrays, steps, lanes)


@program("binder", "transformation")
def _optimize(binder, transformation, arrays, factors, optimizer_state, ridge, steps):
    """`steps` steps of an optax optimizer on loss plus ridge, one run."""

    def objective(factors):
        value, _ = value_and_gradients(binder, arrays, factors)
        return value + ridge * sum((W * W).sum() for W in factors)

    def step(_, carry):
        factors, state = carry
        value, gradients = value_and_gradients(binder, arrays, factors)
        # Optimizers with a line search (L-BFGS) compare values: they must be of what is descended.
        value += ridge * sum((W * W).sum() for W in factors)
        gradients = [g + 2 * ridge * W for g, W in zip(gradients, factors, strict=True)]
        updates, state = transformation.update(
            gradients, state, factors, value=value, grad=gradients, value_fn=objective
        )
        return [W + u for W, u in zip(factors, updates, strict=True)], state

    return jax.lax.fori_loop(0, steps, step, (factors, optimizer_state))


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
        # Every device holds the whole problem.
        return arrays if self._mesh is None else jax.device_put(arrays, NamedSharding(self._mesh, PartitionSpec()))

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It takes full gradients only."""
        return check_dynamics(setting, (*RULES, Optimizer))

    def begin(self, setting: Setting, moving: Sequence[np.ndarray], step: int) -> State:
        """The factors, and beside them the optimizer's own state."""
        state = super().begin(setting, moving, step)
        if isinstance(setting.dynamics, Optimizer):
            leaves = jax.tree.leaves(_optimizer_state(setting.dynamics, state.moving))
            # Leaves alone are plain arrays for a file; the tree around them is known from the optimizer.
            state = state._replace(memory=[np.asarray(leaf) for leaf in leaves])
        return state

    def remembers(self, setting: Setting) -> str:
        """Of an optimizer the names of what it keeps: another rate does not change them."""
        if not isinstance(setting.dynamics, Optimizer):
            return super().remembers(setting)
        return str(jax.tree.structure(_optimizer_state(setting.dynamics, [np.zeros((1, 1))] * setting.depth)))

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """Full-gradient steps up to `stop`."""
        with double():
            if isinstance(self.settings[0].dynamics, Optimizer):
                # One by one: optimizers of a batch may be of different kinds, with memories of different shapes.
                return [self._optimize(s, setting, stop) for s, setting in zip(states, self.settings, strict=True)]
            return self._descend(states, stop)

    def _descend(self, states: Sequence[State], stop: int) -> list[State]:
        first, lanes = self.settings[0], Lanes.of(states, self.settings)
        rule, binder = RULES[type(first.dynamics)], first.problem.binder
        # A mesh wants equally many runs on each device; the copies are dropped afterwards.
        lanes = filled_up(lanes, 1 if self._mesh is None else self._mesh.size)
        steps = stop - states[0].step
        moving, velocity = _descend_batch(rule, binder, on_gpu(), self._mesh, self._arrays, lanes, steps)
        return states_of(moving, velocity, stop, len(states))

    def _optimize(self, state: State, setting: Setting, stop: int) -> State:
        transformation = _with_extra_arguments(setting.dynamics.transformation)
        template = _optimizer_state(setting.dynamics, state.moving)  # only for its tree: the leaves come from the state
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
        """The products, the operators, and the loop."""
        return 2 + products_cost(self.settings[0]) + operators_cost(self.settings[0])


@lru_cache(maxsize=64)
def _with_extra_arguments(transformation: Any) -> Any:
    """One wrapper for each optimizer, so that it is compiled once."""
    import optax

    return optax.with_extra_args_support(transformation)


def _optimizer_state(dynamics: Optimizer, factors: Sequence[np.ndarray]) -> Any:
    with double():
        return dynamics.transformation.init([jnp.asarray(W) for W in factors])
