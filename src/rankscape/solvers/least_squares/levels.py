r"""Least squares at a known rank with levels of rows and columns that are fitted jointly, not taken away before.

.. math:: W = r 1^T + 1 c^T + U V^T

A column of ones that does not move joins V for the levels r of rows, and levels c of columns move beside V: each is one
column more for variable projection. Affine columns (x, a x + b, c x + d) are levels of columns and one direction, and
then one known entry determines a row; any other levels leave a second direction over.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.arrays import root_mean_square
from rankscape.ground.final import final
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.least_squares.levenberg import Damping, Ended, levenberg_marquardt
from rankscape.solvers.least_squares.variable_projection import (
    GIVE_UP,
    NO_LEVEL,
    NOTHING_LEFT,
    assemble,
    damped_solution,
)


class Levels(NamedTuple):
    """Whether there are levels of rows, and of columns."""

    row: bool = False
    column: bool = False

    @property
    def flipped(self) -> "Levels":
        """Of the transposed matrix."""
        return Levels(self.column, self.row)

    def parameters(self, shape: tuple[int, int], rank: int) -> int:
        """Free parameters of a matrix of this shape: those of the rank, and what levels add to it.

        >>> Levels(column=True).parameters((200, 3), 1), Levels().parameters((200, 3), 2)
        (204, 402)
        """
        n_out, n_in = shape
        added = self.row * (n_out - rank) + self.column * (n_in - rank) - (self.row and self.column)
        return rank * (n_out + n_in - rank) + added


@final
@dataclass(frozen=True, eq=False)
class Levelled:
    """A fit with levels.

    Attributes
    ----------
    modes : Modes
        Without the levels.
    row, column : ndarray
        Levels; zero where there are none.
    squared : float
        Squared residual.
    steps : int
        Steps taken.
    converged : bool
        Whether they ended by their tolerance.
    """

    modes: Modes
    row: np.ndarray
    column: np.ndarray
    squared: float
    steps: int
    converged: bool

    def residual(self, entries: PreparedEntries) -> np.ndarray:
        """Prediction minus value of entries of this matrix."""
        low = entries.residual(self.modes.U * self.modes.s, self.modes.V)
        return low + self.row[entries.rows] + self.column[entries.columns]


def fit_with_levels(
    entries: PreparedEntries, levels: Levels, start: Modes, column: np.ndarray, row: np.ndarray,
    steps: int, tolerance: float,
) -> Levelled:  # fmt: skip
    """Minimise ``sum w_ij (W_ij - y_ij)^2`` from a start, with the longer side eliminated.

    Parameters
    ----------
    entries : PreparedEntries
        Of the matrix; at least one in each row and column.
    levels : Levels
        What is fitted beside the directions.
    start : Modes
        Directions to begin with; their number is the rank.
    column, row : ndarray, shapes (n_in,) and (n_out,)
        Levels to begin with.
    steps : int
        At most so many.
    tolerance : float
        Relative decrease of the squared residual at which a fit that is not exact ends.
    """
    # In units in which directions are as large as the ones beside them: one damping serves both.
    unit = root_mean_square(entries.values - row[entries.rows] - column[entries.columns]) or 1.0
    entries, row, column = entries.with_values(entries.values / unit), row / unit, column / unit
    flipped = entries.shape[1] > entries.shape[0]
    if flipped:
        entries, levels, start, column = entries.transposed(), levels.flipped, Modes(start.V, start.s, start.U), row
    problem = _Problem(entries, levels)
    first = problem.at(start.V, column)
    moved = lambda point, damping: problem.at(*problem.step(point, damping))
    end = levenberg_marquardt(first, moved, steps, tolerance, NOTHING_LEFT * entries.count, Damping(GIVE_UP))
    return _told(end, unit, flipped)


@final
@dataclass(frozen=True, eq=False)
class _Point:
    """Where the solver stands: of `right` the first `free` columns move, the last may be ones; and the level."""

    squared: float
    left: np.ndarray
    right: np.ndarray
    level: np.ndarray
    free: int
    normal: np.ndarray
    gradient: np.ndarray
    entries: PreparedEntries


@final
@dataclass(frozen=True, eq=False)
class _Problem:
    """Entries whose rows are eliminated."""

    entries: PreparedEntries
    levels: Levels

    def at(self, V: np.ndarray, level: np.ndarray) -> _Point:
        """The best row factors for these columns, and the equations of the next step."""
        n, free = V.shape
        right = _orthonormal(V, self.levels.row) * np.sqrt(n)
        if self.levels.column:  # what the directions can hold is no level: steps stay well conditioned
            level = level - right @ (right.T @ level) / n
        else:
            level = NO_LEVEL
        moving = free + (len(level) > 0)
        left = np.zeros((self.entries.shape[0], right.shape[1]))
        normal, gradient = np.zeros((n * moving, n * moving)), np.zeros(n * moving)
        parts = self.entries.row_starts, self.entries.columns, self.entries.values, self.entries.weights
        squared = assemble(*parts, right, level, free, left, normal, gradient)
        return _Point(squared, left, right, level, free, normal, gradient, self.entries)

    def step(self, point: _Point, damping: float) -> tuple[np.ndarray, np.ndarray]:
        """Columns and level after a damped Gauss-Newton step."""
        n, free = len(point.right), point.free
        V = point.right[:, :free]
        moving = free + (len(point.level) > 0)
        if not moving:
            return V, point.level
        change = damped_solution(point.normal, point.right, moving, -point.gradient, damping).reshape(n, moving)
        return V + change[:, :free], point.level + change[:, free] if self.levels.column else point.level


def _orthonormal(V: np.ndarray, ones: bool) -> np.ndarray:
    """An orthonormal basis of these columns; with ones as the last of it, if asked for."""
    if not ones:
        return np.linalg.qr(V)[0]
    one = np.full((len(V), 1), len(V) ** -0.5)
    return np.hstack([np.linalg.qr(np.hstack([one, V]))[0][:, 1:], one])


def _told(end: Ended["_Point"], unit: float, flipped: bool) -> Levelled:
    """Modes and levels of the matrix as it was given."""
    point = end.point
    free, ones = point.free, point.left.shape[1] > point.free
    U, V = point.left[:, :free], point.right[:, :free]
    row, column = np.zeros(len(U)), np.zeros(len(V))
    if ones:
        row = point.left[:, free]
    if len(point.level):  # the level of a column is that of its cells: directions have mean zero
        column = point.level + V @ U.mean(0)
        U = U - U.mean(0)
    modes, row, column = modes_of(U * unit, V), row * unit, column * unit
    if flipped:
        modes, row, column = Modes(modes.V, modes.s, modes.U), column, row
    return Levelled(modes, row, column, point.squared * unit**2, end.steps, end.converged)
