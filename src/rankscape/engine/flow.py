r"""The flow engine: gradient flow, in closed form where there is one, else by an adaptive solver of diffrax.

.. math:: \dot W_l = -(W_N \cdots W_{l+1})^T\, \nabla f(W)\, (W_{l-1} \cdots W_1)^T - 2\lambda W_l

Three ways, the first that applies:

1. The start shares the target's vectors and the depth is 1, or 2 (with a ridge: 2 from equal layers). Every mode
   has a closed form, evaluated at the time that is asked for.
2. The start shares the target's vectors. The scalar equations of the modes are solved; nothing is approximated
   by passing from matrices to modes.
3. Otherwise the equations of the factors are solved, for any problem and start.

**Time.** After k steps of a run the flow stands at ``t = time_step * k``.

**A run does not depend on how it is cut.** A solver that is told to stop at a record shortens its step there, takes
other steps from then on, and ends with other bits. Here the solver walks its own grid of times and is never told
where records fall: a state keeps the last grid point before it, with the step size that the solver proposed there.
A look at time t takes one shorter step from that grid point to t, and forgets it. The solver has accepted the longer
step across t, so the shorter one is at least as accurate. Each look costs two steps of the solver.

The method is Dormand and Prince's of order 8: at the default tolerances it takes a fifth of the steps of order 5.
No implicit method is needed: where the flow is stiff, at the bottom of a valley, the longest stable step is a few
times that of gradient descent.
"""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from diffrax import Dopri8, ODETerm, PIDController

from rankscape.dynamics import GradientFlow
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.chain_rule import value_and_gradients
from rankscape.engine.programs import program
from rankscape.engine.spectral import AlignedModes, decouple, misaligned, product_and_slopes
from rankscape.errors import InputError
from rankscape.ground.double import double
from rankscape.ground.final import final
from rankscape.observe import measure

SOLVER = Dopri8(scan_kind="lax")

# Slopes that one step of the solver evaluates.
STAGES = 13

WALKING, CROSSING, DONE = 0, 1, 2


class Walk(NamedTuple):
    """Where the solver stands on its own grid: the time, the next step size, and the values there."""

    time: Any
    size: Any
    values: list[Any]


def _factor_slope(binder: Callable, numbers: Any, factors: list[jax.Array]) -> list[jax.Array]:
    arrays, ridge = numbers
    gradients = value_and_gradients(binder, arrays, factors)[1]
    return [-g - 2 * ridge * W for g, W in zip(gradients, factors, strict=True)]


def _mode_slope(multiplicity: tuple[int, ...], numbers: Any, values: list[jax.Array]) -> list[jax.Array]:
    target, ridge = numbers
    p, slopes = product_and_slopes(multiplicity, values)
    return [(target - p) * slope - 2 * ridge * v for v, slope in zip(values, slopes, strict=True)]


def _largest(tree: Any) -> jax.Array:
    """The worst entry decides whether a step is accepted; a mean would let many good ones hide it."""
    return jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(tree)]))


def _judge(controller: PIDController, size, before, after, error, order):
    """Whether the controller accepts a step, and the size that it proposes next."""
    error = jax.tree.map(lambda e: jnp.where(jnp.isfinite(e), e, jnp.inf), error)
    fresh = (jnp.ones(()), jnp.ones(()), False)  # a purely integral controller has no memory
    zero = jnp.zeros_like(size)
    fits, start, end, *_ = controller.adapt_step_size(zero, size, before, after, None, error, order, fresh)
    return fits, end - start


@program("slope", "constants")
def _advance(slope, constants, numbers, walk, stop, rtol, atol):
    """Walk to the last grid point before `stop`; return it and the values at `stop`."""
    term = ODETerm(lambda t, values, numbers: slope(constants, numbers, values))
    controller, order = PIDController(rtol, atol, norm=_largest), SOLVER.error_order(term)

    def step(values, size):
        zero = jnp.zeros_like(size)
        memory = SOLVER.init(term, zero, size, values, numbers)
        after, error, *_ = SOLVER.step(term, zero, size, values, numbers, memory, made_jump=False)
        return after, error

    def trip(carry):
        (time, size, values), phase, _ = carry
        looks = phase == CROSSING
        after, error = step(values, jnp.where(looks, stop - time, size))
        fits, proposed = _judge(controller, size, values, after, error, order)
        crosses = looks | (fits & (time + size > stop))
        moves = fits & ~crosses  # a step across `stop` is not taken: it is only known to be possible
        stuck = ~(time + size > time) & ~looks  # the solution ends here: no step is small enough
        there = [jnp.where(stuck, jnp.nan, a) for a in after]  # NaN is how the loop of the run learns of the end
        walk = Walk(
            jnp.where(moves, time + size, time),
            jnp.where(crosses, size, proposed),
            [jnp.where(moves, a, v) for a, v in zip(after, values, strict=True)],
        )
        return walk, jnp.where(looks | stuck, DONE, jnp.where(crosses, CROSSING, WALKING)), there

    # One compiled loop walks, crosses and looks: `phase` says which, so that nothing returns to Python in between.
    walk, _, there = jax.lax.while_loop(lambda carry: carry[1] != DONE, trip, (walk, WALKING, walk.values))
    return walk, there


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
            slope, constants, numbers = _factor_slope, setting.problem.binder, (self._arrays, dynamics.ridge)
        elif _has_closed_form(setting, modes):
            start = _walk(state)  # the closed form leaves it where it began
            values = closed_form(modes, np.stack(start.values), dynamics.ridge, time - float(start.time))
            return _state(stop, values, start)
        else:
            slope, constants, numbers = _mode_slope, modes.multiplicity, (modes.target, dynamics.ridge)
        walk, there = _advance(slope, constants, numbers, _walk(state), time, dynamics.rtol, dynamics.atol)
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
        if modes is not None and _has_closed_form(setting, modes):
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


# -- states ------------------------------------------------------------------------------------------------


def _state(step: int, values: Sequence[Any], walk: Walk) -> State:
    """What moves, and beside it where the solver stands."""
    return State(step, *([np.asarray(a) for a in part] for part in (values, (walk.time, walk.size, *walk.values))))


def _walk(state: State) -> Walk:
    time, size, *values = state.memory
    return Walk(time, size, values)


# -- closed forms ------------------------------------------------------------------------------------------


def _has_closed_form(setting: Setting, modes: AlignedModes) -> bool:
    return modes.multiplicity in ((1,), (2,)) or (modes.multiplicity == (1, 1) and setting.dynamics.ridge == 0)


def closed_form(modes: AlignedModes, start: np.ndarray, ridge: float, time: float) -> list[np.ndarray]:
    r"""The modes of each group when `time` has passed since they were `start`, for depth 1 and 2.

    Depth 1 is linear. At depth 2, ``s = (a + b)^2`` of the modes a, b of the two layers solves a Riccati equation,

    .. math:: \dot s = 2\lambda s - \tfrac12 s^2 + \tfrac12 \delta^2, \qquad \delta = a^2 - b^2,

    and ``(a - b)^2`` the same with :math:`-\lambda`. A ridge lowers :math:`\lambda` by :math:`2\rho` where the
    layers are equal.
    """
    target = modes.target
    if modes.multiplicity == (1,):
        (v,), decay = start, 1 + 2 * ridge
        return [v * np.exp(-decay * time) - target / decay * np.expm1(-decay * time)]
    a, b = start if len(start) == 2 else np.repeat(start, 2, axis=0)
    # (a - b)(a + b), not a^2 - b^2: nearly equal layers would lose their difference.
    shifted, delta = target - 2 * ridge, (a - b) * (a + b)
    # Neither a + b nor a - b crosses zero in finite time.
    u = np.copysign(np.sqrt(_riccati((a + b) ** 2, shifted, delta, time)), a + b)
    w = np.copysign(np.sqrt(_riccati((a - b) ** 2, -shifted, delta, time)), a - b)
    return [(u + w) / 2, (u - w) / 2][: len(start)]


def _riccati(s, lam, delta, time):
    r"""``s(t)`` of :math:`\dot s = 2\lambda s - s^2/2 + \delta^2/2`, written so that every term is nonnegative.

    With :math:`\omega = \sqrt{4\lambda^2 + \delta^2}`, ``E = exp(-omega t)``, ``psi = (1 - E) / omega`` and the
    shares ``plus, minus = (1 +- 2 lambda / omega) / 2``:

    .. math:: s(t) = \frac{2 s\,(c_+ + c_- E) + \delta^2 \psi}{s\,\psi + 2 (c_- + c_+ E)}
    """
    omega = np.hypot(2 * lam, delta)
    moving = omega > 0
    scale = np.where(moving, omega, 1.0)
    E, psi = np.exp(-omega * time), np.where(moving, -np.expm1(-omega * time) / scale, time)
    # The smaller of the two shares directly, the other as 1 minus it: 1 - 2 lambda / omega would cancel.
    smaller = np.where(moving, (delta / scale) ** 2 / (2 + 4 * np.abs(lam) / scale), 0.5)
    plus, minus = np.where(lam > 0, (1 - smaller, smaller), (smaller, 1 - smaller))
    denominator = s * psi + 2 * (minus + plus * E)
    numerator = 2 * s * (plus + minus * E) + delta**2 * psi
    # s = 0 only in a mode that stays there, and its denominator may have decayed to 0.
    return np.divide(numerator, denominator, out=np.zeros_like(s), where=s > 0)
