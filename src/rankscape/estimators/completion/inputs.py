"""From what people have to entries: missing is NaN or not stored, and what cannot be used is named with its place."""

import warnings
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import issparse

from rankscape.entries import Entries
from rankscape.entries.checking import without_entries
from rankscape.errors import FallbackWarning, InputError
from rankscape.ground.types import ArrayLike, SparseMatrix
from rankscape.problem import Completion

MatrixData: TypeAlias = Completion | ArrayLike | SparseMatrix
Bounds: TypeAlias = tuple[float, float] | str | None


def problem_of(data: MatrixData) -> Completion:
    """What was given as a problem: a dense array has NaN where nothing is known, a sparse one stores what is."""
    if isinstance(data, Completion):
        return data
    given: Any = data
    return Completion.from_sparse(given) if issparse(given) else Completion.from_array(given)


def entries_of(X: Any, weights: Any = None, allow_empty: bool = False) -> Entries:
    """The observed entries of a dense matrix (not NaN) or of a sparse one (stored), in row order; all of a problem."""
    if isinstance(X, Completion):
        entries = entries_and_split(X)[0]
        return entries.with_weights(given_weights(weights, entries))
    if issparse(X):
        coo = X.tocoo()
        stored = ~np.isnan(coo.data)
        rows, columns, values = coo.row[stored].astype(np.int64), coo.col[stored].astype(np.int64), coo.data[stored]
    else:
        rows, columns = np.nonzero(~np.isnan(X))
        values = X[rows, columns]
    if np.isinf(values).any():
        k = int(np.argmax(np.isinf(values)))
        raise InputError(f"X holds {values[k]} at row {rows[k]}, column {columns[k]}; missing entries are NaN.")
    # Rows to be predicted may be empty; a matrix to be learned from may not.
    if not len(values) and not allow_empty:
        raise InputError(f"No entry of X of shape {X.shape} is observed: there is nothing to learn from.")
    entries = Entries(rows, columns, values, X.shape)
    return entries.with_weights(given_weights(weights, entries))


def rows_of(data: MatrixData | Entries) -> Entries:
    """The observed entries of rows to be filled, which may be empty."""
    if isinstance(data, Entries):
        return data
    given: Any = data
    if not isinstance(data, Completion) and not issparse(given):
        given = np.atleast_2d(np.asarray(given, dtype=np.float64))
    return entries_of(given, allow_empty=True)


def entries_and_split(problem: Completion) -> tuple[Entries, np.ndarray | None]:
    """All entries of a problem, and which of them it holds out; None when it is not split."""
    if problem.heldout is None:
        return problem.entries, None
    training, heldout = problem.entries, problem.heldout.entries
    # Merging sorts: the marks go through the same merge, so that they stay with their entries.
    marks = training.with_values(np.zeros(training.count)).merge(heldout.with_values(np.ones(heldout.count)))
    return training.merge(heldout), marks.values > 0


def precision_of(X: Any) -> np.dtype:
    """The type of the values of a matrix or of a problem."""
    return X.values.dtype if isinstance(X, Completion) else X.dtype


def given_weights(weights: Any, entries: Entries) -> np.ndarray | None:
    """The weights of the observed entries, out of a matrix of weights."""
    if weights is None:
        return None
    if issparse(weights):
        weights = weights.tocsr()
    else:
        weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != entries.shape:
        raise InputError(f"`weights` must have the shape {entries.shape} of X, got {np.shape(weights)}.")
    return np.asarray(entries.at(weights), dtype=np.float64).ravel()


def warn_of_empty(entries: Entries, columns: bool = True) -> None:
    """One warning that counts the rows and columns without any entry, and says what becomes of them."""
    if empty := without_entries(entries, columns):
        message = f"No entry is observed in {empty}: they are filled with the offset."
        warnings.warn(message, FallbackWarning, stacklevel=4)


def clip_range(clip: Bounds, values: np.ndarray) -> tuple[float, float]:
    """Bounds of predictions, infinite when there are none."""
    if clip is None:
        return -np.inf, np.inf
    if isinstance(clip, str):
        if clip != "observed":
            raise InputError(f"`clip` must be two numbers, 'observed' or None, got {clip!r}.")
        return float(values.min()), float(values.max())
    try:
        low, high = (float(bound) for bound in clip)
    except (TypeError, ValueError):
        raise InputError(f"`clip` must be two numbers, 'observed' or None, got {clip!r}.") from None
    if not low < high:
        raise InputError(f"`clip` must be a smaller and a larger number, got {clip!r}.")
    return low, high
