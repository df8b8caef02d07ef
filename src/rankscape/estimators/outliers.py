"""Entries that look wrong: far from what the model says, in standard deviations of the noise."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators.completion.models.scaled import Scaled
from rankscape.ground.final import final

# Standard deviations of the noise from which on an entry looks wrong: of a million normal ones, less than one does.
# Errors of 3 to 10 standard deviations of the matrix, in 1 to 10 % of the entries, were all found, and nothing else.
FAR = 5.0


@final
@dataclass(frozen=True, eq=False, repr=False)
class Outliers:
    """Entries far from the model, the farthest first.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (k,)
        Positions, counted from zero.
    values, fitted : ndarray, shape (k,)
        What was given there, and what the model says; in the units of the data.
    deviations : ndarray, shape (k,)
        How far apart they are, in standard deviations of the noise in their row and column.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    fitted: np.ndarray
    deviations: np.ndarray

    @classmethod
    def none(cls) -> "Outliers":
        """No entry looks wrong."""
        nothing, nowhere = np.zeros(0), np.zeros(0, dtype=np.int64)
        return cls(nowhere, nowhere, nothing, nothing, nothing)

    @classmethod
    def of(cls, observed: Entries, model: Scaled, sizes: np.ndarray) -> "Outliers":
        """Entries that the model misses by more than `FAR` of these sizes, which are in standard units."""
        fitted = model.at(observed.rows, observed.columns)
        own = 1.0 if observed.weights is None else np.sqrt(observed.weights / observed.weights.mean())
        missed = (observed.values - fitted) / model.scaling.at(observed.rows, observed.columns) * own
        deviations = np.abs(missed) / sizes
        far = np.flatnonzero(deviations > FAR)
        far = far[np.argsort(-deviations[far], kind="stable")]
        return cls(observed.rows[far], observed.columns[far], observed.values[far], fitted[far], deviations[far])

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Outliers({len(self)})"
