r"""The update rules that move by full gradients, written once for factors and for modes.

An engine supplies one thing: a list `base`, moved by the gradient step whose gradient is taken at a `point`,

.. math:: \mathrm{base} - \eta\,(\nabla f(\mathrm{point}) + 2\lambda\,\mathrm{point}).

A rule says where the point is (`look`) and what becomes of the step (`move`). Both are handed to compiled functions,
which keep one variant for each rule.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rankscape.dynamics import GradientDescent, HeavyBall, Nesterov
from rankscape.engine.base import Setting

Moving = list[Any]
"""What moves, layer by layer; of a batch, each layer of all runs."""


class Rates(NamedTuple):
    """The numbers of a step, one for each run of a batch."""

    learning_rate: Any
    ridge: Any
    momentum: Any


class Rule(NamedTuple):
    """One update rule; the velocity is an empty list where a rule has none."""

    look: Callable[[Moving, Moving, Rates], Moving]
    move: Callable[[Callable[[Moving], Moving], Moving, Moving, Rates], tuple[Moving, Moving]]


def _here(moving: Moving, velocity: Moving, rates: Rates) -> Moving:
    del velocity, rates
    return moving


def _descend(stepped: Callable, moving: Moving, velocity: Moving, rates: Rates) -> tuple[Moving, Moving]:
    del rates
    return stepped(moving), velocity


def _ahead(moving: Moving, velocity: Moving, rates: Rates) -> Moving:
    return [W + rates.momentum * V for W, V in zip(moving, velocity, strict=True)]


def _roll(stepped: Callable, moving: Moving, velocity: Moving, rates: Rates) -> tuple[Moving, Moving]:
    # The step is added to the small velocity, not to the large weights: differences of weights would lose its digits.
    velocity = stepped([rates.momentum * V for V in velocity])
    return [W + V for W, V in zip(moving, velocity, strict=True)], velocity


RULES = {
    GradientDescent: Rule(_here, _descend),
    HeavyBall: Rule(_here, _roll),
    Nesterov: Rule(_ahead, _roll),
}


def descended(base: Moving, point: Moving, gradients: Moving, rates: Rates) -> Moving:
    """`base` moved by the step of gradient descent on loss plus ridge at `point`, where these are the `gradients`."""
    layers = zip(base, point, gradients, strict=True)
    # Keep this order of operations: another one would change the last bits of every run.
    return [B - rates.learning_rate * (g + 2 * rates.ridge * W) for B, W, g in layers]


def rates_at(settings: Sequence[Setting], step: int, dtype: str = "float64") -> Rates:
    """The numbers of each run for the step that begins at `step`."""
    now = [setting.dynamics.at(step) for setting in settings]  # rates hold until the next break; no call crosses one
    return Rates(*(np.array([getattr(d, name, 0.0) for d in now], dtype) for name in Rates._fields))
