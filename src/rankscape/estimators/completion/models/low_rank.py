"""A product of thin factors plus an offset: what the trajectory finds."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries, entries_of_product
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.offsets import Offset
from rankscape.ground.final import final
from rankscape.ground.modes import Modes
from rankscape.solvers.new_rows import fold
from rankscape.solvers.noise_variances import Variances


@final
@dataclass(frozen=True, eq=False)
class LowRank(Model):
    r"""``W + offset``, with ``W = U diag(s) V^T``.

    Attributes
    ----------
    modes : Modes
        Thin singular value decomposition of W.
    offset : Offset
        Mean and biases.
    noise : float
        Standard deviation of what the model leaves unexplained.
    variances : Variances, optional
        Of rows and columns, over ``noise**2``; None where all are taken for equal.
    """

    modes: Modes
    offset: Offset
    noise: float
    variances: Variances | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return len(self.modes.U), len(self.modes.V)

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        product = entries_of_product(rows, columns, self.modes.U * self.modes.s, self.modes.V)
        return product + self.offset.at(rows, columns)

    def lines(self, rows: np.ndarray) -> np.ndarray:
        """Every value of these rows, in one product."""
        offset = self.offset.mean + self.offset.row[rows][:, None] + self.offset.column
        return (self.modes.U[rows] * self.modes.s) @ self.modes.V.T + offset

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return (self.modes.U * self.modes.s) @ self.modes.V.T + self.offset.dense()

    def folded(self, entries: Entries) -> np.ndarray:
        """Each new row's most probable factor, given the columns', times these."""
        root = np.sqrt(self.modes.s)
        left, right = self.modes.U * root, self.modes.V * root
        if self.offset.sides[0]:  # a new row's bias is folded in as one more direction
            left = np.column_stack([left, self.offset.row])
            right = np.column_stack([right, np.ones(len(right))])
        column = self.offset.mean + self.offset.column
        # Nothing is known of the noise of a new row: only its columns' variances count.
        weights = None if self.variances is None else 1 / self.variances.column[entries.columns]
        left_over = entries.with_values(entries.values - column[entries.columns]).with_weights(weights)
        rows = fold(PreparedEntries(left_over, "sparse"), right, left.T @ left / len(left), self.noise**2)
        return rows @ right.T + column

    def scaled(self, factor: float) -> "LowRank":
        """The same model in units that are `factor` times finer."""
        modes = self.modes._replace(s=self.modes.s * factor)
        return replace(self, modes=modes, offset=self.offset.scaled(factor), noise=self.noise * factor)
