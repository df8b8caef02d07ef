"""At a known rank: remove the bias of the ridge by least squares, on the part of the matrix that is determined.

A row with no more entries than the rank is fitted exactly by any column space: it says nothing, and leads solvers
astray. So rows and columns are left out until each of the others keeps more entries than the rank (the core); what
was left out is then filled with the most probable values.
"""

from typing import NamedTuple

import numpy as np

from rankscape.entries.prepared import PreparedEntries
from rankscape.ground.modes import Modes, modes_of
from rankscape.solvers.least_squares.gauss_newton import gauss_newton
from rankscape.solvers.least_squares.new_rows import fold
from rankscape.solvers.least_squares.variable_projection import project

# Steps of one fit; a good start needs 4 to 8. Scarce entries may need patience: the valley to their solution is narrow.
STEPS, PATIENT = 15, 60

# Entries per parameter below which the valley to the solution is narrow and its descent slow.
NARROW = 1.5

# Relative decrease at which a fit that is not exact ends, for ample and for scarce entries.
GAIN = 1e-2, 1e-4

# Root mean square residual, over that of the entries, below which they count as free of noise.
NOISELESS = 1e-8

# Largest number of unknowns of the smaller factor whose normal matrix is factored.
DENSE_UNKNOWNS = 1500

# Largest work of forming that matrix.
DENSE_WORK = 3e8


class Polished(NamedTuple):
    """A least squares fit.

    Attributes
    ----------
    modes : Modes
        Of the whole matrix, the part outside the core filled.
    mean_square : float
        Squared residual of the core, over its entries.
    size, excess : int
        Entries of the core, and how many of them there are beyond its free parameters.
    inside : ndarray of bool, shape (m,)
        Which entries lie in the core.
    rows, columns : ndarray of int
        The core's.
    steps : int
        Steps taken.
    converged : bool
        Whether they ended by their tolerance.
    """

    modes: Modes
    mean_square: float
    size: int
    excess: int
    inside: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    steps: int
    converged: bool

    @property
    def noise(self) -> float:
        """Root mean square residual over its degrees of freedom."""
        return float(np.sqrt(self.mean_square * self.size / max(self.excess, 0.05 * self.size, 1.0)))

    @property
    def scarce(self) -> bool:
        """Whether there are hardly more entries than parameters."""
        return self.size < NARROW * (self.size - self.excess)


def core(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int], rank: int) -> np.ndarray:
    """Which entries lie in rows and columns that keep more than `rank` of them (the ``rank + 1`` core).

    >>> core(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1]), (3, 2), rank=1)
    array([ True,  True,  True,  True, False])
    """
    keep = np.ones(len(rows), dtype=bool)
    while True:
        by_row = np.bincount(rows[keep], minlength=shape[0])
        by_column = np.bincount(columns[keep], minlength=shape[1])
        thin = keep & ((by_row[rows] <= rank) | (by_column[columns] <= rank))
        if not thin.any():
            return keep
        keep &= ~thin


def polish(entries: PreparedEntries, modes: Modes, patience: int = PATIENT) -> Polished:
    """Least squares at the rank of `modes`, started there; `patience` is the number of steps for scarce entries."""
    rank = len(modes.s)
    inside = core(entries.rows, entries.columns, entries.shape, rank)
    count = int(inside.sum())
    if not rank or not count:
        missed = float(np.mean(entries.weighted(entries.values**2)))
        nothing = np.zeros(0, dtype=int)
        return Polished(modes, missed, count, count, inside, nothing, nothing, 0, not rank)
    part, i, j = entries.part(inside)
    excess = count - rank * (len(i) + len(j) - rank)
    patient = patience > STEPS and count < NARROW * (count - excess)
    steps, gain = (patience if patient else STEPS), GAIN[patient]
    flip = len(j) > len(i)
    unknowns = min(len(i), len(j)) * rank
    lengths = np.bincount(part.columns if flip else part.rows)
    if unknowns <= DENSE_UNKNOWNS and float((lengths.astype(float) ** 2).sum()) * rank**2 <= DENSE_WORK:
        fitted = project(part.transposed() if flip else part, (modes.U[i] if flip else modes.V[j]), steps, gain)
        left, right = (fitted.right, fitted.left) if flip else (fitted.left, fitted.right)
    else:
        root = np.sqrt(modes.s)
        fitted = gauss_newton(part, modes.U[i] * root, modes.V[j] * root, steps, gain)
        left, right = fitted.left, fitted.right
    mean_square = fitted.squared / count
    whole = fill(entries, i, j, modes_of(left, right), mean_square * count / max(excess, 0.05 * count))
    return Polished(whole, mean_square, count, excess, inside, i, j, fitted.steps, fitted.converged)


def fill(entries: PreparedEntries, i: np.ndarray, j: np.ndarray, modes: Modes, noise: float) -> Modes:
    """Modes of the whole matrix from those of the rows `i` and columns `j`: all others are folded in.

    Without noise, as many entries as directions determine a row; only what these leave over is folded.
    """
    n_out, n_in = entries.shape
    if len(i) == n_out and len(j) == n_in:
        return modes
    root = np.sqrt(modes.s)
    left, right = np.zeros((n_out, len(root))), np.zeros((n_in, len(root)))
    left[i], right[j] = modes.U * root, modes.V * root
    if noise < NOISELESS**2 * float(np.mean(entries.values**2)):
        i, j = _solved(entries, left, right, i, j)
    rest = np.setdiff1d(np.arange(n_out), i)
    known = np.isin(entries.columns, j)
    left[rest] = fold(entries.part(known, compact=False)[0], right, left[i].T @ left[i] / len(i), noise)[rest]
    rest = np.setdiff1d(np.arange(n_in), j)
    right[rest] = fold(entries.transposed(), left, right[j].T @ right[j] / len(j), noise)[rest]
    return modes_of(left, right)


def _solved(
    entries: PreparedEntries, left: np.ndarray, right: np.ndarray, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fill in the factors of rows and columns that as many known entries as directions determine, from the core out."""
    factors, rank = (left, right), left.shape[1]
    known = [np.isin(np.arange(len(factor)), at) for factor, at in zip(factors, (i, j), strict=True)]
    places, grew = (entries.rows, entries.columns), True
    while grew:
        grew = False
        for side in (0, 1):
            usable = known[1 - side][places[1 - side]] & ~known[side][places[side]]
            counts = np.bincount(places[side][usable], minlength=len(factors[side]))
            for line in np.flatnonzero(counts >= rank):
                mine = usable & (places[side] == line)
                given = factors[1 - side][places[1 - side][mine]]
                factors[side][line] = np.linalg.lstsq(given, entries.values[mine], rcond=None)[0]
                known[side][line] = grew = True
    return np.flatnonzero(known[0]), np.flatnonzero(known[1])
