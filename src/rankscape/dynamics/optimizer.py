"""Every optimizer of optax."""

from dataclasses import dataclass
from typing import Any

from rankscape.dynamics.base import AbstractDynamics, checked, constant
from rankscape.errors import InputError
from rankscape.ground.checks import nonnegative
from rankscape.ground.final import final
from rankscape.ground.fingerprint import of_function


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
    inertia = True

    def __post_init__(self):
        constant(self)  # optax has schedules of its own
        checked(self, ridge=nonnegative("ridge", self.ridge))
        if not (hasattr(self.transformation, "init") and hasattr(self.transformation, "update")):
            raise InputError("`transformation` must be an optax GradientTransformation such as optax.adam(1e-3).")

    def describe(self) -> dict[str, Any]:
        """The kind, a digest of the optimizer with its numbers, and the ridge."""
        # An optax rule is a pair of closures: its numbers are in their cells, and nowhere else.
        digest = of_function(self.transformation.update)
        return {"kind": "Optimizer", "transformation": digest, "ridge": self.ridge}
