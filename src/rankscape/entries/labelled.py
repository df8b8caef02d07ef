"""Entries with the names of their rows and columns beside them: what a file and a data set have in common."""

from dataclasses import dataclass

import numpy as np

from rankscape.entries.observed import Entries


@dataclass(frozen=True, eq=False, kw_only=True)
class AbstractLabelled:
    """Holds observed entries, and what their rows and columns are called."""

    # Labels stay beside the entries, not inside: arithmetic on entries should not carry names along.
    entries: Entries
    row_labels: np.ndarray | None = None
    column_labels: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray:
        """Row of each observed entry, counted from zero, shape (m,)."""
        return self.entries.rows

    @property
    def columns(self) -> np.ndarray:
        """Column of each observed entry, shape (m,)."""
        return self.entries.columns

    @property
    def values(self) -> np.ndarray:
        """The observed entries, shape (m,)."""
        return self.entries.values

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_out, n_in)`` of the whole matrix."""
        return self.entries.shape

    def dense(self) -> np.ndarray:
        """Return the matrix, NaN where no entry was observed."""
        return self.entries.dense()
