r"""The curvature engine: full gradients with steps as long as is safe where the factors stand, in NumPy.

Such steps are few, and every few of them the factors are looked at on the way: compiled loops would wait longer for
their compiler than all of the steps take.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from rankscape.dynamics import GradientDescent
from rankscape.engine.base import AbstractEngine, Setting, State, check_dynamics
from rankscape.engine.chain_rule import operators_cost, partial_products, products_cost, pulled_back
from rankscape.engine.rules import Moving, Rates, descended
from rankscape.ground.final import final
from rankscape.problem import AbstractProblem


@final
class CurvatureEngine(AbstractEngine):
    """Gradient descent whose learning rate is a `Curvature`, on any problem whose smoothness is known."""

    name = "curvature"
    why = "a learning rate that follows the curvature is found from the factors on the way"

    @staticmethod
    def obstacle(setting: Setting) -> str | None:
        """It needs a rate that follows the curvature, and a bound on that of the loss."""
        wrong = check_dynamics(setting, GradientDescent, follows=True)
        if wrong is None and type(setting.problem).smoothness is AbstractProblem.smoothness:
            return f"the smoothness of a loss given as {type(setting.problem).__name__} is unknown"
        return wrong

    def begin(self, setting: Setting, moving: Sequence[np.ndarray], step: int) -> State:
        """The factors, and beside them the rate in force."""
        state = super().begin(setting, moving, step)
        factors = list(state.moving)
        with np.errstate(over="ignore", invalid="ignore"):  # of a start that is too large the loop will say so
            rate = self._rate(setting, factors, _gradient(setting, partial_products(factors)), step)
        return state._replace(memory=[np.array(rate)])

    def remembers(self, setting: Setting) -> str:
        """The learning rate in force: it was found some steps ago."""
        return "learning rate"

    def advance(self, states: Sequence[State], stop: int) -> list[State]:
        """Full-gradient steps up to `stop`."""
        return [self._walk(state, setting, stop) for state, setting in zip(states, self.settings, strict=True)]

    def _walk(self, state: State, setting: Setting, stop: int) -> State:
        path, ridge = setting.dynamics.learning_rate, setting.dynamics.at(state.step).ridge
        factors, rate = list(state.moving), float(state.memory[0])
        with np.errstate(over="ignore", invalid="ignore"):  # whoever asks for too long steps sees the run diverge
            products = partial_products(factors)
            gradient = _gradient(setting, products)
            for step in range(state.step + 1, stop + 1):
                factors = descended(
                    factors, factors, pulled_back(factors, products, gradient), Rates(rate, ridge, momentum=0.0)
                )
                products = partial_products(factors)
                gradient = _gradient(setting, products)
                # Counted from step 0 of the whole run, so that it makes no difference where the run is cut.
                if step % path.refresh == 0:
                    rate = self._rate(setting, factors, gradient, step)
        return State(stop, factors, [np.array(rate)])

    def record(self, state: State, setting: Setting) -> dict[str, Any]:
        """The usual, and the rate of the step that begins here."""
        return super().record(state, setting) | {"learning_rate": np.float64(state.memory[0])}

    @cached_property
    def _smoothness(self) -> float:
        smoothness = self.settings[0].problem.smoothness()
        assert smoothness is not None
        return smoothness

    def _rate(self, setting: Setting, factors: Moving, gradient: np.ndarray, step: int) -> float:
        """The learning rate at these factors, where the loss has this gradient with respect to W."""
        if not all(np.isfinite(W).all() for W in [*factors, gradient]):
            return 0.0  # norms of these are errors; the run has diverged, and its loop will see it
        sizes = [float(np.linalg.norm(W, 2)) for W in factors]
        ridge = setting.dynamics.at(step).ridge
        return setting.dynamics.learning_rate.at(self._smoothness, sizes, float(np.linalg.norm(gradient, 2)), ridge)

    def step_cost(self) -> float:
        """The products, the operators, and the calls of NumPy."""
        return 40 + products_cost(self.settings[0]) + operators_cost(self.settings[0])


def _gradient(setting: Setting, products: Moving) -> np.ndarray:
    return np.asarray(setting.problem.gradient(products[-1]), setting.dtype)
