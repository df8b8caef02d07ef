"""Gradient descent on all factors at once."""

from dataclasses import dataclass

from rankscape.dynamics.base import AbstractDynamics, check_rates
from rankscape.ground.final import final
from rankscape.rates import Path


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
        check_rates(self, self.learning_rate, self.ridge)
