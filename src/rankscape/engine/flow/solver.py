"""The adaptive solver of a flow, which walks its own grid of times.

**A run does not depend on how it is cut.** A solver that is told to stop at a record shortens its step there, takes
other steps from then on, and ends with other bits. Here the solver walks its own grid of times and is never told
where records fall: a state keeps the last grid point before it, with the step size that the solver proposed there.
A look at time t takes one shorter step from that grid point to t, and forgets it. The solver has accepted the longer
step across t, so the shorter one is at least as accurate. Each look costs two steps of the solver.

The method is Dormand and Prince's of order 8: at the default tolerances it takes a fifth of the steps of order 5.
No implicit method is needed: where the flow is stiff, at the bottom of a valley, the longest stable step is a few
times that of gradient descent.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from diffrax import Dopri8, ODETerm, PIDController

from rankscape.engine.chain_rule import value_and_gradients
from rankscape.engine.programs import program
from rankscape.engine.spectral import product_and_slopes

SOLVER = Dopri8(scan_kind="lax")

# Slopes that one step of the solver evaluates.
STAGES = 13

WALKING, CROSSING, DONE = 0, 1, 2


class Walk(NamedTuple):
    """Where the solver stands on its own grid: the time, the next step size, and the values there."""

    time: Any
    size: Any
    values: list[Any]


def factor_slope(binder: Callable, numbers: Any, factors: list[jax.Array]) -> list[jax.Array]:
    """The flow of whole factors; `numbers` are the arrays of the problem and the ridge."""
    arrays, ridge = numbers
    gradients = value_and_gradients(binder, arrays, factors)[1]
    return [-g - 2 * ridge * W for g, W in zip(gradients, factors, strict=True)]


def mode_slope(multiplicity: tuple[int, ...], numbers: Any, values: list[jax.Array]) -> list[jax.Array]:
    """The flow of modes that evolve alone; `numbers` are their targets and the ridge."""
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
def walk_to(slope, constants, numbers, walk, stop, rtol, atol):
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
