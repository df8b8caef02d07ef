"""A model where the entries determine it, and the offset where they do not."""

from dataclasses import dataclass, replace

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.base import Model
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.ground.final import final
from rankscape.solvers.least_squares.determined import Motions

# Rows that are looked at at a time.
BLOCK = 500_000


@final
@dataclass(frozen=True, eq=False)
class Open:
    """Which cells the entries leave open.

    Attributes
    ----------
    free : Motions or None
        Changes of the factors that no entry sees; None where a ridge and not the entries hold the fit.
    noisy : Motions or None
        Changes by noise of variance one, where entries hardly hold the fit.
    most : float
        Motion by noise beyond which a cell counts as open.
    row_part, column_part : ndarray of int
        Connected parts of the graph of entries: between two of them nothing is known.
    """

    free: Motions | None
    noisy: Motions | None
    most: float
    row_part: np.ndarray
    column_part: np.ndarray

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Whether the cells at these positions are open, shape (k,)."""
        found = self.row_part[rows] != self.column_part[columns]
        if self.free is not None:
            found |= self.free.moves(rows, columns)
        if self.noisy is not None:
            found |= self.noisy.at(rows, columns) > self.most
        return found

    def dense(self) -> np.ndarray:
        """Of every cell, shape (n_out, n_in)."""
        shape = len(self.row_part), len(self.column_part)
        mask = np.empty(shape, dtype=bool)
        for begin in range(0, shape[0], max(1, BLOCK // shape[1])):
            rows = np.arange(begin, min(begin + max(1, BLOCK // shape[1]), shape[0]))
            i, j = np.repeat(rows, shape[1]), np.tile(np.arange(shape[1]), len(rows))
            mask[rows] = self.at(i, j).reshape(len(rows), shape[1])
        return mask


@final
@dataclass(frozen=True, eq=False)
class Determined(Model):
    """A model, and a guess for what the entries leave open.

    Attributes
    ----------
    model : Model
        Of the determined cells.
    guess : Offset
        Of the open ones.
    error : float
        Root mean square error of the guess on the observed entries: what to expect of it.
    open : Open
        Which is which.
    held : bool
        Whether the prior of the factors holds open cells where entries connect their row and column: then the model
        itself is the guess there.
    """

    model: Model
    guess: Offset
    error: float
    open: Open
    held: bool = False

    @property
    def guessed(self) -> Open:
        """Which cells are filled with the guess."""
        return replace(self.open, free=None, noisy=None) if self.held else self.open

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the matrix."""
        return self.model.shape

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values at pairs of positions, shape (k,)."""
        return np.where(self.guessed.at(rows, columns), self.guess.at(rows, columns), self.model.at(rows, columns))

    def dense(self) -> np.ndarray:
        """The value of every cell."""
        return np.where(self.guessed.dense(), self.guess.dense(), self.model.dense())

    def folded(self, entries: Entries) -> np.ndarray:
        """Other rows, by the model: each is held by its own entries, and by the prior of rows where these are few."""
        return self.model.folded(entries)

    def errors(self, rows: np.ndarray, columns: np.ndarray, fitted: np.ndarray) -> np.ndarray:
        """That of the guess where a cell is filled with it."""
        return np.where(self.guessed.at(rows, columns), self.error, fitted)

    def for_sizes(self, scaling: Scaling) -> "Determined":
        """The model, for rows of these sizes."""
        return replace(self, model=self.model.for_sizes(scaling))
