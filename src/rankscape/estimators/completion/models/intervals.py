"""Intervals for single cells, of two kinds: for a new observation, and for the cell itself.

What is observed carries noise. The first kind is calibrated on held-out entries, whatever the model: it holds the given
share of new observations. The second needs the model to be true: it covers the cell where what the fit leaves is noise.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import scipy

from rankscape.ground.final import final

IntervalKind: TypeAlias = Literal["observation", "entry"]

# Held-out entries nearest in their fitted value, of which the local size of errors is measured.
NEAR = 150

# Held-out entries that are kept.
KEPT = 5_000


@final
@dataclass(frozen=True, eq=False)
class Calibration:
    """Held-out errors over what was expected of each, ordered by the fitted value; in standard units.

    Attributes
    ----------
    fitted : ndarray, shape (k,)
        What was predicted, ascending.
    ratio : ndarray, shape (k,)
        Magnitude of the error over the spread expected, in which each set of entries has root mean square one.
    level : float
        Size of the spread of the missing cells, relative to that of the held-out ones, that is in the ratios.
    spread : float
        Root mean square of the spread that the final fit expects of the missing cells.
    cut : float
        Standard deviation of what was cut off: of the held-out error, the part that neither noise nor the uncertainty
        of the fit explains.
    """

    fitted: np.ndarray
    ratio: np.ndarray
    level: float
    spread: float
    cut: float

    @classmethod
    def of(
        cls, predicted: np.ndarray, missed: np.ndarray, expected: np.ndarray, level: float, spread: float, cut: float
    ) -> "Calibration":
        """From held-out predictions, what they missed, and the spread that was expected of each."""
        if len(missed) > KEPT:
            kept = np.sort(np.random.default_rng(0).choice(len(missed), KEPT, replace=False))
            predicted, missed, expected = predicted[kept], missed[kept], expected[kept]
        order = np.argsort(predicted, kind="stable")
        size = np.sqrt(np.mean(expected**2)) or 1.0
        ratio = np.abs(missed) / np.maximum(expected / size, 1e-3)
        return cls(predicted[order], ratio[order], level, spread, cut)

    def half_width(self, fitted: np.ndarray, spread: np.ndarray, level: float) -> np.ndarray:
        """Half the interval for an observation: of held-out errors, so many were within it.

        Errors are compared where the fitted value is alike: those of counts and of proportional noise grow with it.
        """
        local = self._local(self.fitted)
        share = np.quantile(self.ratio / local, min(1.0, level * (1 + 1 / len(self.ratio))))
        return share * self._local(fitted) * (spread / (self.spread or 1.0)) * self.level

    def _local(self, fitted: np.ndarray) -> np.ndarray:
        """Root mean square ratio of the `NEAR` held-out entries nearest in fitted value."""
        k, near = len(self.fitted), min(NEAR, len(self.fitted))
        squares = np.concatenate([[0.0], np.cumsum(self.ratio**2)])
        begin = np.clip(np.searchsorted(self.fitted, fitted) - near // 2, 0, k - near)
        mean = (squares[begin + near] - squares[begin]) / near
        return np.sqrt(np.maximum(mean, 1e-300))


def normal_width(level: float) -> float:
    """Half the interval of a standard normal that holds this share."""
    return float(scipy.special.ndtri(0.5 + level / 2))
