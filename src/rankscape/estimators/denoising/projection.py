"""Rows of a matrix on the directions that were learned: the fitted matrix and new rows alike."""

from typing import NamedTuple

import numpy as np

from rankscape.estimators.denoising.robust import Counting
from rankscape.ground.final import final
from rankscape.solvers.noise.median_polish import NORMAL

# Standard deviations of the noise beyond which a residual counts linearly at first: from anywhere that leads to one
# fit, near which what counts in the end has one as well.
NEAR = 1.5

# Most steps of either kind, and the movement, in standard deviations of the noise, at which they end.
STEPS, STILL = 100, 1e-4


@final
class Projection(NamedTuple):
    """What takes rows to their denoised selves.

    Attributes
    ----------
    right : ndarray, shape (m, r)
        Directions, of rows that are divided by the scales of columns.
    shares : ndarray, shape (r,)
        How much of each is kept.
    columns : ndarray, shape (m,)
        These scales.
    counting : Counting or None
        How residuals count; None where all do as they are.
    unequal : bool
        Whether rows have noise of their own.
    """

    right: np.ndarray
    shares: np.ndarray
    columns: np.ndarray
    counting: Counting | None
    unequal: bool

    def of(self, X: np.ndarray) -> np.ndarray:
        """Denoised rows, shape (k, m)."""
        x = X / self.columns
        return (self._shrunk(x) if self.counting is None else self._resisting(x, self.counting)) * self.columns

    def _shrunk(self, x: np.ndarray) -> np.ndarray:
        return ((x @ self.right) * self.shares) @ self.right.T

    def _resisting(self, x: np.ndarray, counting: Counting) -> np.ndarray:
        """From a fit without shrinkage that counts far residuals linearly, to what entries say."""
        fit, size = np.zeros(x.shape), np.full((len(x), 1), counting.size)
        for _ in range(STEPS):
            left = x - fit
            if self.unequal:
                size = np.maximum(NORMAL * np.median(np.abs(left), axis=1, keepdims=True), 1e-300)
            step = np.clip(left, -NEAR * size, NEAR * size) @ self.right @ self.right.T
            fit += step
            if np.abs(step).max(initial=0.0) < STILL * float(size.min(initial=np.inf)):
                break
        size = size / counting.size
        for _ in range(STEPS):
            before, fit = fit, self._shrunk(fit + size * counting.said((x - fit) / size))
            if np.abs((fit - before) / size).max(initial=0.0) < STILL * counting.size:
                break
        return fit
