"""A product of thin factors plus an offset: what the trajectory finds."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries, entries_of_product
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.ground.final import final
from rankscape.ground.jit import begin_in_numpy
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.least_squares.new_rows import fold
from rankscape.solvers.noise.noise_variances import Variances


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

    @begin_in_numpy()
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

    @begin_in_numpy()
    def folded(self, entries: Entries) -> np.ndarray:
        """Each new row's most probable factor, given the columns' and that it is a row like the others, times these.

        Of a row without entries nothing is known but what rows have in common: it gets their mean.
        """
        right, column = self._right
        return self._rows_of(entries, self._of_new_rows(entries)) @ right.T + column

    def with_rows(self, entries: Entries, variances: Variances | None = None) -> "LowRank":
        """The same columns, with the most probable factors and biases of other rows, of these variances if known."""
        variances = self._of_new_rows(entries) if variances is None else variances
        rows, right, k = self._rows_of(entries, variances), self._right[0], len(self.modes.s)
        row = rows[:, -1] if self.offset.sides[0] else np.zeros(len(rows))
        modes = modes_of(rows[:, :k], right[:, :k]) if k else Modes.none(entries.shape)
        return replace(self, modes=modes, offset=replace(self.offset, row=row), variances=variances)

    def _of_new_rows(self, entries: Entries) -> Variances | None:
        # Nothing is known of the noise of a new row: only its columns' variances count.
        return None if self.variances is None else self.variances._replace(row=np.ones(entries.shape[0]))

    @property
    def _right(self) -> tuple[np.ndarray, np.ndarray]:
        """What a row's factor is multiplied by, and what is added; a row's bias is one more direction."""
        right = self.modes.V * np.sqrt(self.modes.s)
        if self.offset.sides[0]:
            right = np.column_stack([right, np.ones(len(right))])
        return right, self.offset.mean + self.offset.column

    def _rows_of(self, entries: Entries, variances: Variances | None) -> np.ndarray:
        left, (right, column) = self.modes.U * np.sqrt(self.modes.s), self._right
        if self.offset.sides[0]:
            left = np.column_stack([left, self.offset.row])
        mean = left.mean(0)
        left_over = entries.with_values(entries.values - (column + right @ mean)[entries.columns])
        if variances is not None:
            weights = left_over.root_weights**2 / variances.at(entries.rows, entries.columns)
            left_over = left_over.with_weights(weights)
        spread = (left - mean).T @ (left - mean) / len(left)
        return mean + fold(PreparedEntries(left_over, "sparse"), right, spread, self.noise**2)

    def transposed(self) -> "LowRank":
        """The same model of the transposed matrix."""
        modes, variances = Modes(self.modes.V, self.modes.s, self.modes.U), self.variances
        if variances is not None:
            variances = Variances(variances.column, variances.row)
        return replace(self, modes=modes, offset=self.offset.transposed(), variances=variances)

    def scaled(self, factor: float) -> "LowRank":
        """The same model in units that are `factor` times finer."""
        modes = self.modes._replace(s=self.modes.s * factor)
        return replace(self, modes=modes, offset=self.offset.scaled(factor), noise=self.noise * factor)
