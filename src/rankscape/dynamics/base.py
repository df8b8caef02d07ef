"""What all dynamics share: numbers that are checked once, and may change with the step."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, positive
from rankscape.rates import Curvature, Path


@dataclass(frozen=True)
class AbstractDynamics:
    """Numbers of an update rule, checked once; some may be paths, that is, change with the step.

    Subclass it, as a frozen dataclass, together with an engine that runs it: every other engine refuses the new rule.

    Examples
    --------
    >>> import rankscape as rs
    >>> rs.GradientDescent(rs.rates.piecewise({0: 0.1, 100: 0.01})).at(150)
    GradientDescent(learning_rate=0.01, ridge=0.0)
    """

    inertia: ClassVar[bool] = False
    """Whether a run remembers how it moved: a velocity beside all that moves, or the memory of an optimizer."""
    curved: ClassVar[bool] = False
    """Whether the learning rate may follow the curvature."""

    @property
    def follows(self) -> bool:
        """Whether the learning rate follows the curvature."""
        return isinstance(getattr(self, "learning_rate", None), Curvature)

    @property
    def paths(self) -> dict[str, Path]:
        """The rates that change with the step, by name."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if isinstance(value, Path)}

    def at(self, step: int) -> Self:
        """The same dynamics with the numbers in force for the step that begins at `step`."""
        paths = self.paths
        return replace(self, **{name: path.at(step) for name, path in paths.items()}) if paths else self

    def breaks(self, steps: int) -> np.ndarray:
        """The steps within ``1 .. steps - 1`` at which a number changes; no `advance` of an engine may cross one."""
        return np.unique(np.concatenate([np.empty(0, np.int64), *(p.breaks(steps) for p in self.paths.values())]))

    def describe(self) -> dict[str, Any]:
        """The kind and the numbers, as JSON."""
        numbers = {field.name: getattr(self, field.name) for field in fields(self)}
        told = {name: v.describe() if isinstance(v, Path | Curvature) else v for name, v in numbers.items()}
        return {"kind": type(self).__name__} | told


def checked(settings: AbstractDynamics, **numbers: Any) -> None:
    """Put the checked numbers in the place of those that were given."""
    for name, number in numbers.items():
        object.__setattr__(settings, name, number)  # frozen for everybody else


def rate(name: str, value: Any, check: Callable[[str, Any], float]) -> Any:
    """A number, or a path of them."""
    return value.checked(name, check) if isinstance(value, Path) else check(name, value)


def decayed(ridge: Any, weight_decay: Any) -> Any:
    """The ridge; half of a weight decay in PyTorch's units, which adds itself times a weight to its gradient.

    Examples
    --------
    >>> decayed(0.0, 0.02), decayed(0.01, None)
    (0.01, 0.01)
    """
    if weight_decay is None:
        return ridge
    if isinstance(ridge, Path) or nonnegative("ridge", ridge):
        raise InputError(
            f"Give `ridge` or `weight_decay`, which is twice the ridge; got {ridge!r} and {weight_decay!r}."
        )
    return 0.5 * nonnegative("weight_decay", weight_decay)


def check_rates(
    settings: AbstractDynamics, learning_rate: Any, ridge: Any, weight_decay: Any = None, **others: Any
) -> None:
    """Both rates may be paths; the `others` are checked already."""
    ridge = decayed(ridge, weight_decay)
    if isinstance(learning_rate, Curvature):
        if not settings.curved:
            kind = type(settings).__name__
            raise InputError(f"`learning_rate` of {kind} cannot follow the curvature: that is for GradientDescent.")
    else:
        learning_rate = rate("learning_rate", learning_rate, positive)
    checked(settings, learning_rate=learning_rate, ridge=rate("ridge", ridge, nonnegative), **others)


def constant(settings: AbstractDynamics) -> None:
    """Refuse paths where a rate cannot change on the way."""
    for name in settings.paths:
        kind = type(settings).__name__
        raise InputError(
            f"`{name}` of {kind} must be one number: paths are for GradientDescent, HeavyBall, Nesterov and SGD. "
            "Run one stage after the other instead, each with `initialization` set to the run before."
        )
