"""HOW it moves: one frozen setting for each update rule."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, positive, whole
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_function
from rankscape.rates import Path

# Smallest relative tolerance of a solver in float64.
FINEST_TOLERANCE = 1e-13


@dataclass(frozen=True)
class AbstractDynamics:
    """Numbers of an update rule, checked once; some may be paths, that is, change with the step.

    Subclass it, as a frozen dataclass, together with an engine that runs it: every other engine refuses the new rule.
    """

    inertia: ClassVar[bool] = False
    """Whether a run remembers how it moved: a velocity beside all that moves."""

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
        return {"kind": type(self).__name__} | numbers | {n: path.describe() for n, path in self.paths.items()}


def _checked(settings: AbstractDynamics, **numbers: Any) -> None:
    """Put the checked numbers in the place of those that were given."""
    for name, number in numbers.items():
        object.__setattr__(settings, name, number)


def _rate(name: str, value: Any, check: Callable[[str, Any], float]) -> Any:
    """A number, or a path of them."""
    return value.checked(name, check) if isinstance(value, Path) else check(name, value)


def _constant(settings: AbstractDynamics) -> None:
    """Refuse paths where a rate cannot change on the way."""
    for name in settings.paths:
        kind = type(settings).__name__
        raise InputError(
            f"`{name}` of {kind} must be one number: paths are for GradientDescent and SGD. Run one stage after the "
            "other instead, each with `initialization` set to the run before."
        )


@final
@dataclass(frozen=True)
class GradientDescent(AbstractDynamics):
    r"""Full-batch gradient descent, all factors at once:

    .. math:: W_l \leftarrow W_l - \eta\,(\nabla_{W_l} f(W_N \cdots W_1) + 2\lambda W_l)

    Parameters
    ----------
    learning_rate : float or Path
        :math:`\eta`, one simultaneous update of all factors; a path (`rankscape.rates`) changes it with the step.
    ridge : float or Path
        :math:`\lambda` of :math:`+\lambda \sum_l \|W_l\|_F^2`; half of PyTorch's ``weight_decay``.
    """

    learning_rate: float | Path
    ridge: float | Path = 0.0

    def __post_init__(self):
        _checked(
            self,
            learning_rate=_rate("learning_rate", self.learning_rate, positive),
            ridge=_rate("ridge", self.ridge, nonnegative),
        )


@final
@dataclass(frozen=True)
class GradientFlow(AbstractDynamics):
    r"""Gradient flow, the limit of gradient descent for small learning rates:

    .. math:: \dot W_l = -\nabla_{W_l} f(W_N \cdots W_1) - 2\lambda W_l

    One step of a run lets the time :math:`t` advance by `time_step`, so step k shows the flow at
    ``t = time_step * k``, beside gradient descent with ``learning_rate = time_step`` at the same step.
    `time_step` says how finely time is counted, not how accurately the flow is solved: that is for `rtol` and `atol`.

    Parameters
    ----------
    time_step : float
        Time of one step.
    ridge : float
        :math:`\lambda`, as in `GradientDescent`.
    rtol, atol : float
        A step of the solver may err by ``atol + rtol * |v|`` in a number ``v`` of its state. Closed forms ignore them.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[1.0]), depth=3, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.GradientFlow(time_step=0.1), steps=100, record=[0, 30, 100])
    >>> run.dataset.eigenvalues.values[:, 0].round(6).tolist()
    [0.001, 0.002909, 0.909427]
    """

    time_step: float
    ridge: float = 0.0
    rtol: float = 1e-10
    atol: float = 1e-12

    def __post_init__(self):
        _constant(self)
        _checked(
            self,
            time_step=positive("time_step", self.time_step),
            ridge=nonnegative("ridge", self.ridge),
            rtol=positive("rtol", self.rtol),
            atol=positive("atol", self.atol),
        )
        if self.rtol < FINEST_TOLERANCE:
            raise InputError(
                f"`rtol` must be at least {FINEST_TOLERANCE:g}: below, rounding hides the error. Got {self.rtol:g}."
            )


@final
@dataclass(frozen=True)
class SGD(AbstractDynamics):
    r"""Stochastic gradient descent on entries of a `Completion` (Wang, Jacot 2024) or measurements of a `Sensing`.

    Each step draws a batch :math:`B` of `batch_size` out of the :math:`m` observations and follows the gradient of

    .. math:: \frac{1}{|B|} \sum_{(i,j) \in B} \tfrac12 (W_{ij} - y_{ij})^2
              \qquad\text{or}\qquad \frac{m}{|B|} \sum_{k \in B} \tfrac12 (\langle A_k, W\rangle - y_k)^2,

    plus the whole ridge :math:`\lambda \sum_l \|W_l\|_F^2`. The loss of a completion is a mean and that of sensing a
    sum, so on average over B either is the loss itself: but for the noise, SGD follows the path of `GradientDescent`
    with the same learning rate. With operators that carry the usual factor :math:`1/\sqrt m`, the weight :math:`m/|B|`
    makes a step the mean over the batch of operators without that factor.

    Parameters
    ----------
    learning_rate, ridge : float or Path
        As in `GradientDescent`.
    batch_size : int
        Entries or measurements a step. A learning rate that grows with it keeps the noise as it is
        (`rankscape.rates.convert`).
    replacement : bool
        True draws every one uniformly and independently; False goes through fresh permutations of all of them.
    """

    learning_rate: float | Path
    ridge: float | Path = 0.0
    batch_size: int = 1
    replacement: bool = True

    def __post_init__(self):
        _checked(
            self,
            learning_rate=_rate("learning_rate", self.learning_rate, positive),
            ridge=_rate("ridge", self.ridge, nonnegative),
            batch_size=whole("batch_size", self.batch_size, least=1),
            replacement=bool(self.replacement),
        )


@final
@dataclass(frozen=True)
class Optimizer(AbstractDynamics):
    """Any optax optimizer on the full gradient of loss plus ridge.

    Parameters
    ----------
    transformation : optax.GradientTransformation
        For example ``optax.adam(1e-3)``.
    ridge : float
        As in `GradientDescent`.

    Examples
    --------
    >>> import optax, rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=2, initialization=rs.Identical(alpha=0.1),
    ...                   dynamics=rs.Optimizer(optax.adam(0.01)), steps=500)
    >>> bool(run.dataset.loss[-1] < 1e-6)
    True
    """

    transformation: Any
    ridge: float = 0.0

    def __post_init__(self):
        _constant(self)
        _checked(self, ridge=nonnegative("ridge", self.ridge))
        if not (hasattr(self.transformation, "init") and hasattr(self.transformation, "update")):
            raise InputError("`transformation` must be an optax GradientTransformation such as optax.adam(1e-3).")

    def describe(self) -> dict[str, Any]:
        """The kind, a digest of the optimizer with its numbers, and the ridge."""
        digest = of_function(self.transformation.update)
        return {"kind": "Optimizer", "transformation": digest, "ridge": self.ridge}
