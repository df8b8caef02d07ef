r"""The flow engine: gradient flow, in closed form where there is one, else by an adaptive solver of diffrax.

.. math:: \dot W_l = -(W_N \cdots W_{l+1})^T\, \nabla f(W)\, (W_{l-1} \cdots W_1)^T - 2\lambda W_l

Three ways, the first that applies:

1. The start shares the target's vectors and the depth is 1, or 2 (with a ridge: 2 from equal layers). Every mode
   has a closed form, evaluated at the time that is asked for.
2. The start shares the target's vectors. The scalar equations of the modes are solved; nothing is approximated
   by passing from matrices to modes.
3. Otherwise the equations of the factors are solved, for any problem and start.

**Time.** After k steps of a run the flow stands at ``t = time_step * k``.

**A run does not depend on how it is cut**: the solver walks its own grid of times (`solver`).
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rankscape.dynamics import GradientFlow
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.flow.closed_form import closed_form, has_closed_form
from rankscape.engine.flow.solver import STAGES, Walk, factor_slope, mode_slope, walk_to
from rankscape.engine.spectral import AlignedModes, decouple, misaligned
from rankscape.errors import InputError
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.observe import measure


@final
class FlowEngine(AbstractEngine):
    """Gradient flow of any problem from any start."""

    name = "flow"
    why = "gradient flow, by closed forms of the modes, their scalar equations, or those of the factors"
    tied = True

    def __init__(self, settings: Sequence[Setting]):
        super().__init__(settings)
        self.modes = [decouple(s) if misaligned(s) is None else None for s in self.settings]
        first = self.settings[0].problem
        self._arrays = {name: getattr(first, name) for name in first.arrays}

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It solves `GradientFlow`, in float64."""
        wrong = check_dynamics(setting, GradientFlow)
        if wrong is None and setting.dtype != "float64":
            return f"a flow is solved in float64, {setting.dtype} has no room for its tolerances"
        return wrong

    def initial(self) -> list[list[np.ndarray]]:
        """The modes at time 0 where they evolve alone, else the factors."""
        runs = zip(self.settings, self.modes, strict=True)
        return [setting.initial_factors() if modes is None else list(modes.start) for setting, modes in runs]

    def begin(self, setting: Setting, moving: Sequence[np.ndarray], step: int) -> State:
        """What moves, and the solver about to leave it."""
        if moving[0].ndim == 2 and misaligned(setting) is None:
            raise InputError("`compress_width` is not for a flow whose modes evolve alone; leave it out.")
        size = setting.dynamics.time_step  # any size will do: the controller corrects it within a few trials
        return _state(step, moving, Walk(size * step, size, list(moving)))

    def remembers(self, setting: Setting) -> str:
        """Where the solver stands, which is of use to the same flow only."""
        return json.dumps(setting.dynamics.describe())

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """The flow at step `stop`, one run after the other."""
        with double():
            runs = zip(states, self.settings, self.modes, strict=True)
            return [self._advance(state, setting, modes, stop) for state, setting, modes in runs]

    def _advance(self, state: State, setting: Setting, modes: AlignedModes | None, stop: int) -> State:
        dynamics = setting.dynamics
        time = dynamics.time_step * stop
        if modes is None:
            slope, constants, numbers = factor_slope, setting.problem.binder, (self._arrays, dynamics.ridge)
        elif has_closed_form(setting, modes):
            start = _walk(state)  # the closed form leaves it where it began
            values = closed_form(modes, np.stack(start.values), dynamics.ridge, time - float(start.time))
            return _state(stop, values, start)
        else:
            slope, constants, numbers = mode_slope, modes.multiplicity, (modes.target, dynamics.ridge)
        walk, there = walk_to(slope, constants, numbers, _walk(state), time, dynamics.rtol, dynamics.atol)
        return _state(stop, there, walk)

    def factors(self, state: State) -> list[np.ndarray]:
        """The factors of the state."""
        if self.modes[0] is None:
            return list(state.moving)
        return self.modes[0].factors(np.stack(state.moving), self.settings[0].widths)

    def record(self, state: State, setting: Setting) -> dict[str, Any]:
        """The measurements of the matrices; straight from the modes where they evolve alone."""
        return self._measured(self.modes[0], state, setting)

    def records(self, states: Sequence[State]) -> list[dict[str, Any]]:
        """Each run by its own modes: of a batch, some may have them and others not."""
        return [self._measured(*lane) for lane in zip(self.modes, states, self.settings, strict=True)]

    def _measured(self, modes: AlignedModes | None, state: State, setting: Setting) -> dict[str, Any]:
        if modes is None:
            return measure(setting.problem, state.moving, setting.dynamics.ridge, setting.tolerance)
        return modes.record(np.stack(state.moving), setting.dynamics.ridge, setting.tolerance)

    def step_cost(self) -> float:
        """The share of a solver step in one `time_step`; at the default tolerances one step spans ``1 / curvature``."""
        setting, modes = self.settings[0], self.modes[0]
        if modes is not None and has_closed_form(setting, modes):
            return 1e-3
        safe = setting.safe_learning_rate()
        return self._solver_step_cost() * (1.0 if safe is None else setting.dynamics.time_step / (3 * safe))

    def record_cost(self) -> float:
        """The record, and two steps of the solver to look between the points of its grid."""
        return super().record_cost() + 2 * self._solver_step_cost()

    def _solver_step_cost(self) -> float:
        """Thirteen slopes of 12 microseconds and their arithmetic."""
        n_in, *_ = widths = self.settings[0].widths
        flops = 0 if self.modes[0] is not None else sum(6 * a * b * n_in for b, a in pairwise(widths[1:]))
        return STAGES * (12 + flops / 3e4)


def _state(step: int, values: Sequence[Any], walk: Walk) -> State:
    """What moves, and beside it where the solver stands."""
    return State(step, *([np.asarray(a) for a in part] for part in (values, (walk.time, walk.size, *walk.values))))


def _walk(state: State) -> Walk:
    time, size, *values = state.memory
    return Walk(time, size, values)
