"""Gradient descent on all factors at once."""

from dataclasses import InitVar, dataclass
from typing import ClassVar, TypeAlias

from rankscape.dynamics.base import AbstractDynamics, check_rates
from rankscape.ground.final import final
from rankscape.rates import Curvature, Path

# How long steps are: one length for all, by the step, or by where the factors stand.
StepSize: TypeAlias = float | Path | Curvature


@final
@dataclass(frozen=True)
class GradientDescent(AbstractDynamics):
    r"""Full-batch gradient descent, all factors at once:

    .. math:: W_l \leftarrow W_l - \eta\,(\nabla_{W_l} f(W_N \cdots W_1) + 2\lambda W_l)

    Parameters
    ----------
    learning_rate : float, Path or Curvature
        :math:`\eta`, one simultaneous update of all factors; a path (`rankscape.rates`) changes it with the step, and
        ``rankscape.rates.Curvature()`` makes every step as long as is safe where the factors stand.
    ridge : float or Path
        :math:`\lambda` of :math:`+\lambda \sum_l \|W_l\|_F^2`; half of PyTorch's ``weight_decay``.
    weight_decay : float, optional
        In the place of `ridge`, in PyTorch's units: twice the ridge.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.2),
    ...                   dynamics=rs.GradientDescent(learning_rate=0.01, ridge=1e-3), steps=3000)
    >>> run.dataset.eigenvalues.values[-1].round(3).tolist()
    [1.998, 0.998]
    """

    learning_rate: StepSize
    ridge: float | Path = 0.0
    weight_decay: InitVar[float | None] = None

    curved: ClassVar[bool] = True

    def __post_init__(self, weight_decay: float | None):
        check_rates(self, self.learning_rate, self.ridge, weight_decay)
