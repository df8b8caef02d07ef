"""Sensing: linear measurements of the matrix are seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rankscape.checks import share
from rankscape.errors import InputError
from rankscape.problem.base import AbstractProblem, finite_array
from rankscape.problem.entries import entry_hash


@dataclass(frozen=True, eq=False, init=False)
class Sensing(AbstractProblem):
    r"""Fit linear measurements, :math:`f(W) = \tfrac12 \sum_{k=1}^m (\langle A_k, W\rangle - y_k)^2`.

    Parameters
    ----------
    operators : array_like of shape (m, n_out, n_in)
        The measurement matrices :math:`A_k`, stacked.
    measurements : array_like of shape (m,)
        The numbers :math:`y_k`.

    Raises
    ------
    InputError
        The shapes do not match, or a value is not finite.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> operators = np.eye(4).reshape(4, 2, 2)              # reads one entry each
    >>> problem = rs.Sensing(operators, [1.0, 2.0, 3.0, 4.0])
    >>> problem.gradient(np.zeros((2, 2)))
    array([[-1., -2.],
           [-3., -4.]])
    """

    arrays: ClassVar[tuple[str, ...]] = ("operators", "measurements")
    data: ClassVar[tuple[str, ...]] = ("operators", "measurements")
    operators: np.ndarray
    measurements: np.ndarray
    heldout: "Sensing | None" = None

    def __init__(self, operators: Any, measurements: Any):
        stack = finite_array(operators, "operators", ndim=3)
        y = finite_array(measurements, "measurements", ndim=1)
        if len(stack) != len(y):
            raise InputError(
                f"{len(stack)} operators but {len(y)} measurements; each operator needs exactly one number."
            )
        object.__setattr__(self, "operators", stack)
        object.__setattr__(self, "measurements", y)
        object.__setattr__(self, "heldout", None)

    def split(self, fraction: float = 0.1, seed: int = 0) -> "Sensing":
        """Hold out a share of the measurements, chosen by a hash of their position; training sees the others only.

        Returns
        -------
        Sensing
            The training problem; its `heldout` is the problem of the held-out measurements.
        """
        fraction = share("fraction", fraction)
        position = np.arange(len(self.measurements))
        held = entry_hash(position, np.zeros_like(position), seed) < np.uint64(int(fraction * 2**64))
        if held.all() or not held.any():
            raise InputError(f"Holding out {fraction:g} of {len(position)} measurements leaves one part empty.")
        training = Sensing(self.operators[~held], self.measurements[~held])
        object.__setattr__(training, "heldout", Sensing(self.operators[held], self.measurements[held]))
        return training

    def heldout_loss_of_factors(self, factors: Sequence[np.ndarray]) -> float | None:
        """The same loss over the held-out measurements."""
        return None if self.heldout is None else self.heldout.loss_of_factors(factors)

    @property
    def shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """``(n_out, n_in)``."""
        return (self.operators.shape[1], self.operators.shape[2])

    def residual(self, W: Any) -> Any:
        """``<A_k, W> - y_k`` for all k."""
        flat = self.operators.reshape(len(self.measurements), -1)
        return flat @ W.reshape(-1) - self.measurements

    def loss(self, W: Any) -> Any:
        """Half the sum of squared residuals."""
        residual = self.residual(W)
        return 0.5 * (residual * residual).sum()

    def gradient(self, W: Any) -> Any:
        """``sum_k (<A_k, W> - y_k) A_k``."""
        flat = self.operators.reshape(len(self.measurements), -1)
        return (self.residual(W) @ flat).reshape(W.shape)

    def smoothness(self) -> float:
        """The squared spectral norm of the measurement map."""
        return float(np.linalg.norm(self.operators.reshape(len(self.measurements), -1), 2)) ** 2

    def scale(self) -> float:
        """The spectral norm of the least-squares solution of smallest norm."""
        flat = self.operators.reshape(len(self.measurements), -1)
        solution = np.linalg.lstsq(flat, self.measurements, rcond=None)[0]
        return float(np.linalg.norm(solution.reshape(self.shape), 2))
