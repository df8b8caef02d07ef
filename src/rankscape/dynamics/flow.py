"""Gradient flow: gradient descent in the limit of small steps."""

from dataclasses import InitVar, dataclass

from rankscape.dynamics.base import AbstractDynamics, checked, constant, decayed
from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative, positive
from rankscape.ground.final import final

# Smallest relative tolerance of a solver in float64.
FINEST_TOLERANCE = 1e-13


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
    ridge, weight_decay : float
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
    weight_decay: InitVar[float | None] = None

    def __post_init__(self, weight_decay: float | None):
        constant(self)  # the solver steps across breaks without seeing them
        checked(
            self,
            time_step=positive("time_step", self.time_step),
            ridge=nonnegative("ridge", decayed(self.ridge, weight_decay)),
            rtol=positive("rtol", self.rtol),
            atol=positive("atol", self.atol),
        )
        if self.rtol < FINEST_TOLERANCE:
            raise InputError(
                f"`rtol` must be at least {FINEST_TOLERANCE:g}: below, rounding hides the error. Got {self.rtol:g}."
            )
