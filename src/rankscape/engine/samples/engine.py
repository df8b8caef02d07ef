r"""The samples engine: SGD over observations that see the product through what it makes of one vector, in numba.

These are the samples of a `Regression` or a `Classification`, and the measurements :math:`a^\top W b` of rank-one
operators (`rankscape.problem.samples`). With ``B`` the batch of a step, all factors follow the gradient of

.. math:: \frac{w}{|B|} \sum_{k \in B} f_k(W) + \lambda \sum_l \|W_l\|_F^2,

w = 1 where the loss is a mean over its observations and P where it is their sum. Runs of a batch go to one thread each.
"""

import os
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rankscape.dynamics import SGD
from rankscape.engine import padding
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.samples import layout
from rankscape.engine.samples.batch import batch_steps, signals_for
from rankscape.engine.samples.single import single_steps
from rankscape.ground.final import final
from rankscape.ground.threads import each

# Draws held in memory at a time.
DRAWS_AT_ONCE = 1 << 20


@final
class SamplesEngine(AbstractEngine):
    """SGD with ridge over samples, any depth, with and without replacement."""

    name = "samples"
    why = "SGD over samples reads each factor a few times a step, and never forms the product"

    def __init__(self, settings: Sequence[Setting]):
        super().__init__(settings)
        samples = self.settings[0].problem.samples
        assert samples is not None
        self._samples = layout.padded(samples, np.dtype(self.settings[0].dtype))

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It needs SGD, and a problem whose observations are `Samples`."""
        wrong = check_dynamics(setting, SGD)
        if wrong is None and setting.problem.samples is None:
            return f"this {type(setting.problem).__name__} has no samples to draw"
        return wrong

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """SGD steps up to `stop`, one thread a run."""
        # Threads suffice, the kernels hold no lock; a run stays on one core, so it repeats bit for bit.
        advance = lambda k: self._advance(states[k], self.settings[k], stop)
        return each(advance, range(len(states)), os.cpu_count() or 1)

    def _advance(self, state: State, setting: Setting, stop: int) -> State:
        dynamics, step = setting.dynamics.at(state.step), state.step
        size = dynamics.batch_size
        chain = layout.chain_of(state.moving, by_rows=size > 1)
        span = layout.span_of(chain)
        work = signals_for(chain, size) if size > 1 else None
        while step < stop:
            end = min(stop, step + max(1, DRAWS_AT_ONCE // size))
            batches = setting.batches(step, end, len(self._samples.numbers))
            drawn = layout.drawn(self._samples, batches, dynamics.learning_rate, dynamics.ridge)
            if work is not None:
                batch_steps(chain, drawn, work)
            else:
                signals = padding.aligned_zeros(((2 * len(chain.rows) + 3) * span,), chain.flat.dtype)
                single_steps(chain, drawn, signals, span)
            step = end
        return State(stop, layout.factors_of(chain, by_rows=size > 1))

    def step_cost(self) -> float:
        """About 0.08 ns for each number of the factors, more for single calls of tiny ones."""
        first = self.settings[0]
        numbers = sum(a * b for a, b in pairwise(first.widths))
        return first.dynamics.batch_size * (0.05 + 8e-5 * numbers)
