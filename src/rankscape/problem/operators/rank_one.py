"""Rank-one operators: two vectors for each measurement, and nothing larger."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rankscape.entries.checking import check_shape
from rankscape.errors import InputError
from rankscape.ground.arrays import finite_array
from rankscape.ground.checks import whole
from rankscape.ground.final import final
from rankscape.ground.types import ArrayLike
from rankscape.problem.operators.dense import AbstractOperators, device


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class RankOneOperators(AbstractOperators):
    r"""Rank-one operators :math:`A_k = a_k b_k^\top`, so :math:`\langle A_k, W\rangle = a_k^\top W b_k`.

    Memory is ``m (n_out + n_in)``: the stack is never formed.

    Parameters
    ----------
    left, right : array_like of shape (m, n_out) and (m, n_in)
        The vectors :math:`a_k` and :math:`b_k`, one a row.

    Raises
    ------
    InputError
        The numbers of rows differ, or a value is not finite.

    Examples
    --------
    >>> import numpy as np, rankscape as rs
    >>> operators = rs.RankOneOperators(left=[[1.0, 0.0], [0.0, 1.0]], right=[[1.0, 1.0], [0.0, 1.0]])
    >>> operators.apply(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 4.])
    """

    def __init__(self, left: ArrayLike, right: ArrayLike):
        a, b = finite_array(left, "left", ndim=2), finite_array(right, "right", ndim=2)
        if len(a) != len(b):
            raise InputError(f"`left` has {len(a)} rows but `right` has {len(b)}; each operator needs one of both.")
        self._set(np.hstack([a, b]), (a.shape[1], b.shape[1]))  # one row for each operator, so that SGD can draw rows

    @classmethod
    def gaussian(cls, count: int, shape: tuple[int, int], seed: int = 0, normalize: bool = True) -> "RankOneOperators":
        r"""Independent standard normal vectors, the product times :math:`1/\sqrt m` when normalized."""
        count, shape = whole("count", count, least=1), check_shape(shape)
        left, right = (device(seed).normal((count, n), part=part) for part, n in enumerate(shape))
        return cls(left / count**0.5 if normalize else left, right)

    def vectors(self) -> tuple[Any, Any]:
        """``a_k`` and ``b_k``, one a row."""
        n_out = self.shape[0]
        return self.table[:, :n_out], self.table[:, n_out:]

    def apply(self, W: Any) -> Any:
        """Row by row of ``(a W) * b``."""
        a, b = self.vectors()
        return ((a @ W) * b).sum(axis=1)  # a W first: one product for all operators

    def adjoint(self, z: Any) -> Any:
        """``a^T (z b)``."""
        a, b = self.vectors()
        return a.T @ (z[:, None] * b)

    def largest(self) -> float:
        """The product of the squared norms of the two vectors."""
        return float(np.prod([(v * v).sum(axis=1) for v in self.vectors()], axis=0).max())

    def flops(self) -> float:
        """``2 m n_out n_in``, in a matrix product."""
        return 2.0 * len(self) * self.shape[0] * self.shape[1]
