"""What is known of very many entries once they were fitted, so that nobody has to go through all of them again."""

from dataclasses import dataclass

import numpy as np

from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.ready.offsets import Offset
from rankscape.ground.final import final
from rankscape.solvers.packed.records import Moments


@final
@dataclass(frozen=True, eq=False)
class Known:
    """Of a search on a sample (`at_scale`).

    Attributes
    ----------
    asked : int
        The entries that decided.
    shown : Fit
        The chosen fit as these see it.
    kurtosis : float
        Excess kurtosis of what the final fit leaves of all entries.
    baselines : dict
        Held-out errors of predictions without any direction.
    column_means : ndarray, shape (n_in,)
        Of the training entries.
    levels, left : Offset, float
        Mean and damped levels of all rows and columns, and the root mean square of what they leave.
    moments : Moments
        Of the final fit's rows and columns, in units of `scale`.
    scale, noise : float
        Standard deviation of the noise.
    """

    asked: int
    shown: Fit
    kurtosis: float
    baselines: dict[str, float]
    column_means: np.ndarray
    levels: Offset
    left: float
    moments: Moments
    scale: float
    noise: float

    def words(self, training: int) -> str:
        """How much of so many training entries was searched."""
        if self.asked == training:
            return "Method, offset and rank were decided on all entries."
        return f"Method, offset and rank were decided on {self.asked:,} of {training:,} entries, in the fullest lines."

    def spread_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Errors to expect at these cells, the noise included."""
        return np.hypot(self.scale * np.sqrt(self.moments.variance(rows, columns)), self.noise)
