r"""The measurements engine: SGD over single linear measurements or small batches of them, in JAX.

With ``B`` the batch of a step, all factors follow the gradient of an estimate of the loss,

.. math:: \frac{m}{|B|} \sum_{k \in B} \tfrac12 (\langle A_k, W\rangle - y_k)^2 + \lambda \sum_l \|W_l\|_F^2,

whose mean over all batches is the loss itself. An entry of the table of the operators is all that a step reads of a
measurement, except for operators given by functions, which are applied whole.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np

from rankscape.dynamics import SGD
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.chain_rule import operators_cost, products_cost, value_and_gradients
from rankscape.engine.lanes import Lanes, each, on_device, on_gpu, states_of
from rankscape.engine.programs import program
from rankscape.engine.rules import descended
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.problem import FunctionOperators, Sensing

# Steps whose batches are handed to the compiler at once; always the same number, so that it compiles once.
STEPS_AT_ONCE = 2048


@program("binder", "together")
def _walk(binder, together, arrays, factors, rates, batches, steps):
    """The first `steps` of the steps that `batches` describes, all runs of a batch."""
    count, size = len(arrays["measurements"]), batches.shape[-1]

    def run(lane):
        factors, rates, batches = lane

        def step(k, factors):
            drawn = {name: array[batches[k]] for name, array in arrays.items()}
            # On average over batches the gradient of the sum.
            gradients = [count / size * g for g in value_and_gradients(binder, drawn, factors)[1]]
            return descended(factors, factors, gradients, rates)

        return jax.lax.fori_loop(0, steps, step, factors)

    return each(run, together)((factors, rates, batches))


@final
class MeasurementsEngine(AbstractEngine):
    """SGD with ridge on a `Sensing` problem, any depth and operators, with and without replacement."""

    name = "measurements"
    why = "SGD over measurements reads the operators of its batch only"

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It needs SGD on a `Sensing` problem."""
        wrong = check_dynamics(setting, SGD)
        if wrong is None and not isinstance(setting.problem, Sensing):
            return f"the problem is of kind {type(setting.problem).__name__} and has no measurements to draw"
        return wrong

    @cached_property
    def _arrays(self) -> dict[str, jax.Array]:
        return on_device(self.settings[0])

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """SGD steps up to `stop`."""
        (factors, velocity, rates), step = Lanes.of(states, self.settings), states[0].step
        binder = self.settings[0].problem.binder
        with double():
            while step < stop:
                # The block has one size and is walked for `end - step` steps: other sizes would compile again.
                end = min(stop, step + STEPS_AT_ONCE)
                drawn = jnp.asarray(np.stack([self._batches(setting, step, end) for setting in self.settings]))
                factors = _walk(binder, on_gpu(), self._arrays, factors, rates, drawn, end - step)
                step = end
        return states_of(factors, velocity, stop, len(states))

    def _batches(self, setting: Setting, step: int, end: int) -> np.ndarray:
        """The measurements that each step uses; the rest of the block is zero and never looked at."""
        # Philox draws on the host; the device only reads indices.
        batches = np.zeros((STEPS_AT_ONCE, setting.dynamics.batch_size), dtype=np.int32)
        batches[: end - step] = setting.batches(step, end, len(self._arrays["measurements"]))
        return batches

    def step_cost(self) -> float:
        """The products, and the share of the operators that a batch reads."""
        first, operators = self.settings[0], cast(Sensing, self.settings[0].problem).operators
        whole = isinstance(operators, FunctionOperators)
        # Functions apply all their operators whatever is drawn.
        share = 1.0 if whole else min(1.0, first.dynamics.batch_size / len(operators))
        return 2 + products_cost(first) + share * operators_cost(first)
