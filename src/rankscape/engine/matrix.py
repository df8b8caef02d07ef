r"""The matrix engine: full gradients of any problem, by the products of the chain rule, in JAX.

With ``G`` the gradient of the loss at ``W = W_N ... W_1``, all factors move at once:

.. math:: \nabla_{W_l} = (W_N \cdots W_{l+1})^T\, G\, (W_{l-1} \cdots W_1)^T + 2\lambda W_l

The partial products to the right are kept from the forward pass and ``G`` is carried down to the left,
so a step costs ``3(N-1)`` matrix products. Optax optimizers receive the same gradients.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rankscape.dynamics import GradientDescent, Optimizer
from rankscape.engine.base import MEMORY, AbstractEngine, Setting, State, check_dynamics, named, prefixed

Factors = list[jax.Array]


def value_and_gradients(binder: Callable, arrays: Mapping[str, Any], factors: Factors) -> tuple[jax.Array, Factors]:
    """The loss of the product and its gradient with respect to every factor, without ridge."""
    problem = binder(arrays)
    partial_products = [factors[0]]
    for W in factors[1:]:
        partial_products.append(W @ partial_products[-1])
    carried = problem.gradient(partial_products[-1])
    gradients: Factors = []
    for W, right in zip(reversed(factors[1:]), reversed(partial_products[:-1]), strict=True):
        gradients.append(carried @ right.T)
        carried = W.T @ carried
    return problem.loss(partial_products[-1]), [carried, *reversed(gradients)]


def _descend(binder, arrays, factors, learning_rate, ridge, steps):
    """`steps` steps of gradient descent on one run."""

    def step(_, factors):
        gradients = value_and_gradients(binder, arrays, factors)[1]
        return [W - learning_rate * (g + 2 * ridge * W) for W, g in zip(factors, gradients, strict=True)]

    return jax.lax.fori_loop(0, steps, step, factors)


@partial(jax.jit, static_argnames=("binder", "together"))
def _descend_batch(binder, together, arrays, factors, learning_rate, ridge, steps):
    """All runs of a batch: one after the other, or together."""

    def run(lane):
        factors, learning_rate, ridge = lane
        return _descend(binder, arrays, factors, learning_rate, ridge, steps)

    return (jax.vmap(run) if together else partial(jax.lax.map, run))((factors, learning_rate, ridge))


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


class MatrixEngine(AbstractEngine):
    """Any problem, any start, gradient descent or an optax optimizer."""

    name = "matrix"
    why = "dense products of the factors, for any problem and start"

    def __init__(self, settings: Sequence[Setting]):
        super().__init__(settings)
        first = self.settings[0]
        self._arrays = {name: _cast(getattr(first.problem, name), first.dtype) for name in first.problem.arrays}

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It takes full gradients only."""
        return check_dynamics(setting, (GradientDescent, Optimizer))

    def begin(self, setting: Setting, factors: Sequence[np.ndarray], step: int) -> State:
        """The factors, and behind them the optimizer's own state."""
        arrays = named("factor", [W.astype(setting.dtype) for W in factors])
        if isinstance(setting.dynamics, Optimizer):
            arrays |= named(MEMORY, jax.tree.leaves(_optimizer_state(setting.dynamics, arrays)))
        return State(step, arrays)

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """Full-gradient steps up to `stop`."""
        with jax.enable_x64(True):
            if isinstance(self.settings[0].dynamics, Optimizer):
                return [self._optimize(s, setting, stop) for s, setting in zip(states, self.settings, strict=True)]
            return self._descend(states, stop)

    def _descend(self, states: Sequence[State], stop: int) -> list[State]:
        dtype, dynamics = self.settings[0].dtype, [setting.dynamics for setting in self.settings]
        names = list(states[0].arrays)
        stacked = [np.stack([s.arrays[name] for s in states]) for name in names]
        learning_rate = np.array([d.learning_rate for d in dynamics], dtype)
        ridge = np.array([d.ridge for d in dynamics], dtype)
        binder = self.settings[0].problem.binder
        # A processor core is full with one run, and alone it repeats bit for bit; a GPU wants many at once.
        together = jax.default_backend() != "cpu"
        moved = _descend_batch(binder, together, self._arrays, stacked, learning_rate, ridge, stop - states[0].step)
        columns = [np.asarray(column) for column in moved]
        return [State(stop, {n: c[k] for n, c in zip(names, columns, strict=True)}) for k in range(len(states))]

    def _optimize(self, state: State, setting: Setting, stop: int) -> State:
        transformation = _with_extra_arguments(setting.dynamics.transformation)
        template = _optimizer_state(setting.dynamics, state.arrays)
        leaves = [jnp.asarray(a) for a in prefixed(state.arrays, MEMORY)]
        optimizer_state = jax.tree.unflatten(jax.tree.structure(template), leaves)
        ridge = np.asarray(setting.dynamics.ridge, setting.dtype)
        factors, optimizer_state = _optimize(
            setting.problem.binder,
            transformation,
            self._arrays,
            [jnp.asarray(W) for W in prefixed(state.arrays, "factor")],
            optimizer_state,
            ridge,
            stop - state.step,
        )
        return State(stop, named("factor", factors) | named(MEMORY, jax.tree.leaves(optimizer_state)))

    def factors(self, state: State) -> list[np.ndarray]:
        """The factors of the state in float64."""
        return [W.astype(np.float64) for W in prefixed(state.arrays, "factor")]

    def step_cost(self) -> float:
        """``3(N-1)`` products at 3e4 floating-point operations a microsecond, plus the loop."""
        n_in, *_ = widths = self.settings[0].widths
        flops = sum(6 * after * before * n_in for before, after in pairwise(widths[1:]))
        return 2 + flops / 3e4


@lru_cache(maxsize=64)
def _with_extra_arguments(transformation: Any) -> Any:
    """One wrapper for each optimizer, so that it is compiled once."""
    import optax

    return optax.with_extra_args_support(transformation)


def _optimizer_state(dynamics: Optimizer, arrays: Mapping[str, np.ndarray]) -> Any:
    with jax.enable_x64(True):
        return dynamics.transformation.init([jnp.asarray(W) for W in prefixed(arrays, "factor")])


def _cast(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(dtype, copy=False) if array.dtype.kind == "f" else array
