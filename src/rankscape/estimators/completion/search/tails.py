"""How far entries are from a fit, and what was done about it."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.fits.left_over import LeftOver, tail_index
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.estimators.outliers import FAR, Outliers
from rankscape.ground.final import final
from rankscape.ground.stored import let_go

# Excess kurtosis of what is left over from which on tails are heavy: 0 for normal noise, -1 for rounded values.
HEAVY = 1.0

# Entries that are compared with a model at a time.
PART = 1_000_000


@final
@dataclass(frozen=True, eq=False)
class Tails:
    """What a fit leaves of the entries given.

    Attributes
    ----------
    kurtosis : float or None
        Its excess kurtosis; None of an exact fit.
    sizes : ndarray, shape (m,)
        Standard deviation of the noise at each entry, in standard units, by which one that is far off is known to be
        wrong; infinite where it is not, because tails are heavy throughout.
    alone : int
        Entries that a direction of the fit serves for themselves.
    lone_rows, lone_columns : tuple of int
        Rows and columns that one serves for a few of their entries.
    robust : bool
        Whether the robust fit was taken.
    words : str
        What it did, in a sentence; empty without it.
    index : float
        The largest power of which what is left has a mean.
    """

    kurtosis: float | None
    sizes: np.ndarray
    alone: int = 0
    lone_rows: tuple[int, ...] = ()
    lone_columns: tuple[int, ...] = ()
    robust: bool = False
    words: str = ""
    index: float = np.inf

    @classmethod
    def of(cls, left: LeftOver, exact: bool, suspects: np.ndarray, words: str = "") -> "Tails":
        """Of what the final fit leaves; `suspects` marks entries that may be wrong, `words` tell of a robust fit."""
        rows, columns = (tuple(map(int, lines)) for lines in left.lone)
        sizes = np.where(suspects, left.sizes, np.inf)
        kurtosis = None if exact else left.kurtosis
        index = np.inf if exact else tail_index(left.scaled)
        return cls(kurtosis, sizes, int(left.alone.sum()), rows, columns, bool(words), words, index)

    @classmethod
    def light(cls, kurtosis: float, size: float, count: int) -> "Tails":
        """Of entries with noise of one size, whose tails were seen not to be heavy."""
        return cls(kurtosis, np.broadcast_to(size, count))

    def outliers(self, observed: Entries, model: Scaled) -> Outliers:
        """Entries that the model misses by far more than these sizes."""
        found = [self._far(observed, model, slice(k, k + PART)) for k in range(0, max(observed.count, 1), PART)]
        return Outliers.of(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def _far(self, observed: Entries, model: Scaled, part: slice) -> tuple[np.ndarray, ...]:
        """Rows, columns, values, fitted values and deviations of those of some entries that may be far."""
        rows, columns, values = observed.rows[part], observed.columns[part], observed.values[part]
        fitted = model.at(rows, columns)
        own = 1.0 if observed.weights is None else np.sqrt(observed.weights[part] / observed.weights.mean())
        missed = (values - fitted) / model.scaling.at(rows, columns) * own
        deviations = np.abs(missed) / self.sizes[part]
        let_go(observed.rows, observed.columns, observed.values)
        far = deviations > FAR
        return rows[far], columns[far], values[far], fitted[far], deviations[far]
