"""What a page is about: a completion, and what it does not know of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from rankscape.entries import Entries
from rankscape.estimators import CompletedMatrix

# Names of rows or columns, in their order.
Labels: TypeAlias = Sequence[object] | np.ndarray | None

# Characters of a label that are shown.
LONGEST = 40


@dataclass(frozen=True, eq=False)
class Subject:
    """A completion and its circumstances.

    Attributes
    ----------
    completed : CompletedMatrix
        What is reported.
    name : str
        Of the matrix.
    settings : mapping
        How it was asked for, to be repeated: the seed above all.
    hidden : Entries or None
        Entries that nothing has seen, with their true values.
    row_labels, column_labels : sequence or None
        Names of the rows and columns, where they have any.
    image : bool
        Whether the matrix is a photograph.

    Examples
    --------
    >>> import rankscape as rs
    >>> X = np.outer(np.arange(1.0, 9.0), [1.0, -1.0, 2.0, 0.5, 3.0, 1.0])
    >>> X[np.arange(8), np.arange(8) % 6] = np.nan
    >>> subject = Subject(rs.complete(X), name="my table", column_labels=list("abcdef"))
    >>> subject.cells, subject.column(2)
    (48, 'c')
    """

    completed: CompletedMatrix
    name: str = "matrix"
    settings: Mapping[str, Any] = field(default_factory=dict)
    hidden: Entries | None = None
    row_labels: Labels = None
    column_labels: Labels = None
    image: bool = False

    @property
    def cells(self) -> int:
        """Entries of the matrix, observed or not."""
        return self.completed.shape[0] * self.completed.shape[1]

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Observed entries of each row and of each column."""
        return self.completed.observed.counts()

    def row(self, i: int) -> str:
        """The label of a row, or its number."""
        return _label(self.row_labels, i)

    def column(self, j: int) -> str:
        """The label of a column, or its number."""
        return _label(self.column_labels, j)

    def hidden_rmse(self) -> float | None:
        """Root mean square error on the hidden entries, in the units of the completion's errors."""
        return self.completed.rmse(self.hidden) if self.hidden is not None and self.hidden.count else None


def _label(labels: Labels, position: int) -> str:
    if labels is None:
        return str(position)
    text = str(labels[position])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
