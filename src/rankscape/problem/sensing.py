"""Sensing: linear measurements of the matrix are seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rankscape.entries.heldout import entry_hash
from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array
from rankscape.ground.checks import nonnegative, share
from rankscape.ground.final import final
from rankscape.ground.types import ArrayLike
from rankscape.problem.base import AbstractProblem
from rankscape.problem.operators.dense import AbstractOperators, DenseOperators, Form, OperatorsLike, device
from rankscape.problem.operators.pauli import PauliOperators
from rankscape.problem.operators.rank_one import RankOneOperators
from rankscape.problem.samples import Samples


class Binder(NamedTuple):
    """Rebuilds a problem around a compiler's arrays; problems whose operators have one form share what is compiled."""

    form: Form

    def __call__(self, arrays: Mapping[str, Any]) -> "Sensing":
        """The problem, unchecked."""
        operators = self.form(arrays["table"])
        # A named tuple compares by content, so two problems of one form share a compiled step; a method would not.
        problem: Any = Sensing._from_arrays({"operators": operators, "measurements": arrays["measurements"]})
        return problem


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Sensing(AbstractProblem):
    r"""Fit linear measurements, :math:`f(W) = \tfrac12 \sum_{k=1}^m (\langle A_k, W\rangle - y_k)^2`.

    Parameters
    ----------
    operators : array_like of shape (m, n_out, n_in), or a family of operators
        The measurement matrices :math:`A_k`: stacked, or as `RankOneOperators`, `PauliOperators` or
        `FunctionOperators`, which never form the stack.
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

    Measurements of a known matrix, for experiments:

    >>> rs.Sensing.gaussian(np.diag([2.0, 1.0, 0.0]), count=7, seed=1)
    Sensing(DenseOperators(count=7, shape=(3, 3)))
    """

    # One row of both for each measurement: SGD draws its batch by rows, whatever the family.
    arrays: ClassVar[tuple[str, ...]] = ("table", "measurements")
    data: ClassVar[tuple[str, ...]] = ("table", "measurements")
    operators: AbstractOperators
    measurements: np.ndarray
    heldout: "Sensing | None" = None

    def __init__(self, operators: OperatorsLike, measurements: ArrayLike):
        family = operators if isinstance(operators, AbstractOperators) else DenseOperators(operators)
        y = finite_array(measurements, "measurements", ndim=1)
        if len(family) != len(y):
            raise InputError(
                f"{len(family)} operators but {len(y)} measurements; each operator needs exactly one number."
            )
        self._set(family, y, None)

    def _set(self, operators: AbstractOperators, measurements: np.ndarray, heldout: "Sensing | None") -> None:
        measurements.setflags(write=False)
        vars(self).update(operators=operators, measurements=measurements, heldout=heldout)

    def __repr__(self) -> str:
        held = f", heldout={len(self.heldout.measurements)}" if self.heldout is not None else ""
        return f"Sensing({self.operators}{held})"

    # -- measurements of a known matrix --------------------------------------------------------------------

    @classmethod
    def of(cls, target: ArrayLike, operators: OperatorsLike, *, noise: float = 0.0, seed: int = 0) -> "Sensing":
        """What the operators measure of a known matrix, with Gaussian noise of standard deviation `noise`."""
        W = finite_array(target, "target", ndim=2)
        family = operators if isinstance(operators, AbstractOperators) else DenseOperators(operators)
        if family.shape != W.shape:
            raise InputError(f"The operators measure matrices of shape {family.shape}, `target` has shape {W.shape}.")
        y = family.apply(W)
        if nonnegative("noise", noise):
            y = y + noise * device(seed).normal(y.shape, part=2)  # parts 0 and 1 are the operators
        return cls(family, y)

    @classmethod
    def gaussian(cls, target: ArrayLike, count: int, *, noise: float = 0.0, seed: int = 0) -> "Sensing":
        r"""Measure a matrix with `count` dense operators of independent :math:`N(0, 1/m)` entries."""
        return cls.of(target, DenseOperators.gaussian(count, np.shape(target), seed), noise=noise, seed=seed)

    @classmethod
    def rank_one(cls, target: ArrayLike, count: int, *, noise: float = 0.0, seed: int = 0) -> "Sensing":
        r"""Measure a matrix with `count` operators :math:`a_k b_k^\top / \sqrt m` of standard normal vectors."""
        return cls.of(target, RankOneOperators.gaussian(count, np.shape(target), seed), noise=noise, seed=seed)

    @classmethod
    def pauli(
        cls, target: ArrayLike, count: int, *, noise: float = 0.0, seed: int = 0, symmetric: bool = False
    ) -> "Sensing":
        """Measure a matrix with `count` different Pauli strings, normalized; see `PauliOperators.random`."""
        operators = PauliOperators.random(count, np.shape(target), seed, symmetric=symmetric)
        return cls.of(target, operators, noise=noise, seed=seed)

    # -- held-out measurements -----------------------------------------------------------------------------

    def split(self, fraction: float = 0.1, seed: int = 0) -> "Sensing":
        """Hold out a share of the measurements, chosen by a hash of their position; training sees the others only.

        Returns
        -------
        Sensing
            The training problem; its `heldout` is the problem of the held-out measurements.
        """
        fraction = share("fraction", fraction)
        position = np.arange(len(self.measurements))
        # By position: more measurements never move one to the other side.
        held = entry_hash(position, np.zeros_like(position), seed) < np.uint64(int(fraction * 2**64))
        if held.all() or not held.any():
            raise InputError(f"Holding out {fraction:g} of {len(position)} measurements leaves one part empty.")
        return self._take(~held, heldout=self._take(held))

    def _take(self, which: np.ndarray, heldout: "Sensing | None" = None) -> "Sensing":
        part = object.__new__(Sensing)
        part._set(self.operators.take(which), self.measurements[which], heldout)
        return part

    def heldout_loss_of_factors(self, factors: Sequence[np.ndarray]) -> float | None:
        """The same loss over the held-out measurements."""
        return None if self.heldout is None else self.heldout.loss_of_factors(factors)

    # -- the loss ------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """``(n_out, n_in)``."""
        return self.operators.shape

    @property
    def table(self) -> np.ndarray:
        """One row for each operator: what its family keeps of it."""
        return self.operators.table

    @property
    def binder(self) -> Binder:
        """Rebuilds the problem from its `arrays`."""
        return Binder(self.operators.form)

    def residual(self, W: Any) -> Any:
        """``<A_k, W> - y_k`` for all k."""
        return self.operators.apply(W) - self.measurements

    def loss(self, W: Any) -> Any:
        """Half the sum of squared residuals."""
        residual = self.residual(W)
        return 0.5 * (residual * residual).sum()

    def gradient(self, W: Any) -> Any:
        """``sum_k (<A_k, W> - y_k) A_k``."""
        return self.operators.adjoint(self.residual(W))

    def smoothness(self) -> float:
        """The squared spectral norm of the measurement map."""
        return self.operators.squared_norm()

    def sample_smoothness(self) -> float:
        """The same for the worst estimate of the loss from one measurement, ``m`` times its part."""
        return len(self.measurements) * self.operators.largest()  # as SGD weights one measurement

    @cached_property
    def samples(self) -> Samples | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Rank-one operators see ``W`` through what it makes of their second vector."""
        if not isinstance(self.operators, RankOneOperators):
            return None
        a, b = (np.ascontiguousarray(part) for part in self.operators.vectors())
        return Samples(b, a, self.measurements, "projection", float(len(a)))

    def scale(self) -> float:
        """The spectral norm of the least-squares solution of smallest norm."""
        from scipy.sparse.linalg import lsqr

        # By products alone: the stack need not exist.
        solution = lsqr(self.operators.as_linear_map(), self.measurements, atol=1e-10, btol=1e-10)[0]
        return float(np.linalg.norm(solution.reshape(self.shape), 2))

    def describe(self) -> dict[str, Any]:
        """What identifies the problem: the family of operators, and a digest of its table and the measurements."""
        return super().describe() | {"operators": self.operators.describe()}
