"""Entries that look wrong: far from what the model says, in standard deviations of the noise."""

from dataclasses import dataclass

import numpy as np

from rankscape.ground.final import final

# Standard deviations of the noise from which on an entry looks wrong: of a million normal ones, less than one does.
# Errors of 3 to 10 standard deviations of the matrix, in 1 to 10 % of the entries, were all found, and nothing else.
FAR = 5.0

# Share of the entries between the first number of standard deviations and `FAR` from which on tails are heavy
# throughout, and not a few errors: it is 0.012 of normal ones, 0.06 and 0.07 of Student's with 3 and 2 degrees of
# freedom.
NEAR, THROUGHOUT = 2.5, 0.025


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
    def of(
        cls, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, fitted: np.ndarray, deviations: np.ndarray
    ) -> "Outliers":
        """Those of the entries that deviate by more than `FAR`."""
        far = np.flatnonzero(deviations > FAR)
        far = far[np.argsort(-deviations[far], kind="stable")]
        return cls(rows[far], columns[far], values[far], fitted[far], deviations[far])

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Outliers({len(self)})"


def heavy_throughout(deviations: np.ndarray) -> bool:
    """Whether tails are heavy throughout: then an entry that is far off need not be wrong.

    >>> rng = np.random.default_rng(0)
    >>> heavy_throughout(rng.standard_normal(10_000)), heavy_throughout(rng.standard_t(3, 10_000))
    (False, True)
    """
    far = np.abs(deviations)
    return bool(np.mean((far > NEAR) & (far <= FAR)) > THROUGHOUT)
