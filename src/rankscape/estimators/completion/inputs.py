"""From what people have to entries: missing is NaN or not stored, and what cannot be used is named with its place."""

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse

from rankscape.entries import Entries
from rankscape.entries.duplicates import settle
from rankscape.errors import FallbackWarning, InputError
from rankscape.problem import Completion


def entries_of(X: Any, weights: Any = None, allow_empty: bool = False) -> Entries:
    """The observed entries of a dense matrix (not NaN) or of a sparse one (stored), in row order; all of a problem."""
    if isinstance(X, Completion):
        entries = entries_of_problem(X)[0]
        return entries.with_weights(given_weights(weights, entries.rows, entries.columns, X.shape))
    if issparse(X):
        coo = X.tocoo()
        rows, columns, values = coo.row.astype(np.int64), coo.col.astype(np.int64), coo.data
        stored = ~np.isnan(values)
        rows, columns, values, _ = settle(rows[stored], columns[stored], values[stored], None, X.shape, "error")
    else:
        rows, columns = np.nonzero(~np.isnan(X))
        values = X[rows, columns]
    if np.isinf(values).any():
        k = int(np.argmax(np.isinf(values)))
        raise InputError(f"X holds {values[k]} at row {rows[k]}, column {columns[k]}; missing entries are NaN.")
    if not len(values) and not allow_empty:
        raise InputError(f"No entry of X of shape {X.shape} is observed: there is nothing to learn from.")
    values = values.astype(np.float64)
    return Entries.sorted(rows, columns, values, X.shape, given_weights(weights, rows, columns, X.shape))


def entries_of_problem(problem: Completion) -> tuple[Entries, np.ndarray | None]:
    """All entries of a problem, and which of them it holds out; None when it is not split."""
    if problem.heldout is None:
        return problem.entries, None
    parts = problem.entries, problem.heldout.entries
    whole = parts[0].merge(parts[1])
    held = parts[0].with_values(np.zeros(parts[0].count)).merge(parts[1].with_values(np.ones(parts[1].count)))
    return whole, held.values > 0


def precision_of(X: Any) -> np.dtype:
    """The type of the values of a matrix or of a problem."""
    return X.values.dtype if isinstance(X, Completion) else X.dtype


def given_weights(weights: Any, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
    """The weights of the observed entries, checked."""
    if weights is None:
        return None
    if issparse(weights):
        weights = weights.tocsr()
        chosen = np.asarray(weights[rows, columns]).ravel() if weights.shape == shape else None
    else:
        dense = np.asarray(weights, dtype=np.float64)
        chosen = dense[rows, columns] if dense.shape == shape else None
    if chosen is None:
        raise InputError(f"`weights` must have the shape {shape} of X, got {np.shape(weights)}.")
    wrong = ~((chosen > 0) & np.isfinite(chosen))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise InputError(
            f"`weights` must be positive and finite where X is observed, got {chosen[k]} at row {rows[k]}, "
            f"column {columns[k]}."
        )
    return chosen.astype(np.float64)


def warn_of_empty(entries: Entries, columns: bool = True) -> None:
    """One warning that counts the rows and columns without any entry, and says what becomes of them."""
    sides = [("row", entries.rows, entries.shape[0])]
    if columns:
        sides.append(("column", entries.columns, entries.shape[1]))
    parts = []
    for name, indices, size in sides:
        missing = np.flatnonzero(np.bincount(indices, minlength=size) == 0)
        if len(missing):
            shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            parts.append(f"{len(missing)} {name}(s) ({shown})")
    if parts:
        message = f"No entry is observed in {' and '.join(parts)}: they are filled with the offset."
        warnings.warn(message, FallbackWarning, stacklevel=4)


def clip_range(clip: Any, values: np.ndarray) -> tuple[float, float]:
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
