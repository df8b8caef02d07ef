"""The entry-wise engine: SGD on single observed entries or small batches, in numba.

A step touches one row of ``W_N``, one column of ``W_1`` and, for depth >= 3, the inner factors once; the
kernels are in `kernels`. Runs of a batch go to one thread each.
"""

import os
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rankscape.dynamics import SGD
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.entrywise import kernels
from rankscape.ground.final import final
from rankscape.ground.threads import each
from rankscape.problem import Completion

# Draws held in memory at a time.
DRAWS_AT_ONCE = 1 << 20


@final
class EntrywiseEngine(AbstractEngine):
    """SGD with ridge on a `Completion`, any depth, with and without replacement."""

    name = "entrywise"
    why = "SGD over observed entries moves one row, one column and the inner factors at a time"

    def __init__(self, settings: Sequence[Setting]):
        super().__init__(settings)
        problem, dtype = self.settings[0].problem, self.settings[0].dtype
        assert isinstance(problem, Completion)
        # Converted once; the state and the draws come with each call.
        self._entries = problem.rows, problem.columns, problem.values.astype(dtype)

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It needs SGD on a `Completion`."""
        wrong = check_dynamics(setting, SGD)
        if wrong is None and not isinstance(setting.problem, Completion):
            hint = "Completion.from_array(target) turns a matrix into its entries"
            return f"the problem is of kind {type(setting.problem).__name__}; {hint}"
        return wrong

    def begin(self, setting: Setting, moving: Sequence[np.ndarray], step: int) -> State:
        """The factors, and beside them their scale."""
        return _state(step, kernels.pack([W.astype(setting.dtype) for W in moving]))

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """SGD steps up to `stop`, one thread a run."""
        # Threads suffice, the kernels hold no lock; a run stays on one core, so it repeats bit for bit.
        advance = lambda k: self._advance(states[k], self.settings[k], stop)
        return each(advance, range(len(states)), os.cpu_count() or 1)

    def _advance(self, state: State, setting: Setting, stop: int) -> State:
        dynamics, packed, step = setting.dynamics.at(state.step), _packed(state), state.step
        size = dynamics.batch_size
        while step < stop:
            end = min(stop, step + max(1, DRAWS_AT_ONCE // size))
            batches = setting.batches(step, end, len(self._entries[2]))
            packed = kernels.advance(packed, *self._entries, batches, dynamics.learning_rate, dynamics.ridge)
            step = end
        return _state(step, packed)

    def factors(self, state: State) -> list[np.ndarray]:
        """The factors in float64."""
        return [W.astype(np.float64) for W in kernels.unpack(_packed(state))]

    def step_cost(self) -> float:
        """About 0.1 ns for each number of the inner factors, more for single calls of tiny ones."""
        first = self.settings[0]
        inner = sum(a * b for a, b in pairwise(first.widths[1:-1]))
        return first.dynamics.batch_size * (0.055 + 1e-4 * inner)


def _state(step: int, packed: kernels.Packed) -> State:
    return State(step, packed.stored, [np.array(packed.scale)])


def _packed(state: State) -> kernels.Packed:
    return kernels.Packed(list(state.moving), float(state.memory[0]))
