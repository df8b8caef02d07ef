"""Gradient descent that keeps a share of its last movement."""

from dataclasses import InitVar, dataclass

from rankscape.dynamics.base import AbstractDynamics, check_rates
from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative
from rankscape.ground.final import final
from rankscape.rates import Path


@dataclass(frozen=True)
class _Momentum(AbstractDynamics):
    """Gradient descent that keeps a share of its last movement."""

    learning_rate: float | Path
    # No path: rules whose momentum grows with the step, as Nesterov's first one, are rules of their own.
    momentum: float
    ridge: float | Path = 0.0
    weight_decay: InitVar[float | None] = None
    inertia = True

    def __post_init__(self, weight_decay: float | None):
        momentum = nonnegative("momentum", self.momentum)
        check_rates(self, self.learning_rate, self.ridge, weight_decay, momentum=momentum)
        if self.momentum >= 1:
            raise InputError(f"`momentum` must be below 1, or movement never ends; got {self.momentum:g}.")


@final
class HeavyBall(_Momentum):
    r"""Gradient descent with the momentum of Polyak (1964), all factors at once, from rest:

    .. math:: W_l \leftarrow W_l - \eta\,(\nabla_{W_l} f(W_N \cdots W_1) + 2\lambda W_l)
              + \mu\,(W_l - W_l^{\mathrm{previous}})

    At a constant rate this is ``torch.optim.SGD(lr, momentum)`` with ``weight_decay`` twice the ridge. Where the rate
    changes, PyTorch applies the new one to all of its remembered gradients; here what is remembered is the movement.
    Near a minimum with largest curvature L (of the loss with ridge, in all factors together) the steps are stable for
    :math:`\eta < 2 (1 + \mu) / L`. Limits that theory knows for plain gradient descent are not limits here.

    Parameters
    ----------
    learning_rate, ridge, weight_decay : float or Path
        :math:`\eta` and :math:`\lambda`, as in `GradientDescent`.
    momentum : float
        :math:`0 \le \mu < 1`.

    Examples
    --------
    >>> import rankscape as rs
    >>> setting = dict(depth=3, initialization=rs.Identical(alpha=0.1), steps=400)
    >>> for dynamics in rs.GradientDescent(0.01), rs.HeavyBall(0.01, momentum=0.9):
    ...     run = rs.simulate(rs.Estimation(eigenvalues=[2.0]), dynamics=dynamics, **setting)
    ...     print(round(float(run.eigenvalues[-1, 0]), 3))
    0.11
    2.0
    """


@final
class Nesterov(_Momentum):
    r"""Gradient descent with the momentum of Nesterov (1983) at a constant :math:`\mu`, all factors at once, from rest:

    .. math:: V_l \leftarrow \mu V_l - \eta\,(\nabla_{W_l} f + 2\lambda W_l)\big|_{W + \mu V}, \qquad
              W_l \leftarrow W_l + V_l

    The gradient is taken at the look-ahead point ``W + mu V``. ``torch.optim.SGD(lr, momentum, nesterov=True)`` takes
    the same steps at a constant rate, but what it calls the weights are these look-ahead points. Near a minimum with
    largest curvature L the steps are stable for :math:`\eta < 2 (1 + \mu) / ((1 + 2\mu) L)`.

    Parameters
    ----------
    learning_rate, momentum, ridge
        As in `HeavyBall`.

    Examples
    --------
    >>> import rankscape as rs
    >>> run = rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), depth=3, initialization=rs.Identical(alpha=0.2),
    ...                   dynamics=rs.Nesterov(learning_rate=0.01, momentum=0.9), steps=1000)
    >>> run.dataset.eigenvalues.values[-1].round(3).tolist()
    [2.0, 1.0]
    """
