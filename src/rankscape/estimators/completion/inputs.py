"""From what people have to entries: missing is NaN or not stored, and what cannot be used is named with its place."""

import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import issparse

from rankscape.entries import Entries
from rankscape.entries.checking import warn_empty, without_entries
from rankscape.entries.given import Given, given_of
from rankscape.entries.given.given import MatrixLike
from rankscape.entries.given.returning import AsNamed
from rankscape.errors import FallbackWarning, InputError
from rankscape.files.in_parts import Triplets, triplets
from rankscape.files.in_parts.base import Each, one_by_one
from rankscape.files.in_parts.frames import is_dask_frame
from rankscape.ground.arrays import real_array
from rankscape.ground.types import ArrayLike, SparseMatrix
from rankscape.problem import Completion

MatrixData: TypeAlias = Completion | MatrixLike | Triplets
Weights: TypeAlias = ArrayLike | SparseMatrix | None


def taken(data: MatrixData, aside: bool, each: Each = one_by_one) -> tuple[Given, np.ndarray | None]:
    """What was given, and which of its entries a problem holds out; None when it is not split.

    A matrix without any entry is refused; rows and columns without one are warned about, as a problem does.
    """
    if isinstance(data, Completion):
        return given_problem(data)
    given = given_of(data, "data", aside) if (many := many_of(data)) is None else given_triplets(many, each)
    if not given.entries.count:
        raise InputError(f"No entry of the matrix of shape {given.shape} is observed: all are missing.")
    warn_empty(given.entries, stacklevel=4)
    return given, None


def many_of(data: Any) -> Triplets | None:
    """Triplets on disk or on Dask, or a path to them; None of what holds a matrix."""
    if isinstance(data, Triplets):
        return data
    return triplets(data) if isinstance(data, str | Path) or is_dask_frame(data) else None


def given_triplets(many: Triplets, each: Each = one_by_one) -> Given:
    """Their entries, sorted on disk, with their names; `each` says who sorts."""
    table = many.sorted_by(each)
    return _named(table.entries, (table.row_labels, table.column_labels))


def given_problem(problem: Completion) -> tuple[Given, np.ndarray | None]:
    """All entries of a problem with their names, and which of them it holds out."""
    entries, held = entries_and_split(problem)
    return _named(entries, (problem.row_labels, problem.column_labels)), held


def _named(entries: Entries, labels: tuple[np.ndarray | None, np.ndarray | None]) -> Given:
    dtype, like = np.dtype(np.float64), AsNamed(*labels)
    return Given(entries=entries, row_labels=labels[0], column_labels=labels[1], dtype=dtype, like=like)


def rows_of(data: MatrixData | Entries) -> Given:
    """Rows to be filled, which may be empty; a list of numbers is one of them."""
    if isinstance(data, Entries):
        return Given(entries=data, dtype=np.dtype(np.float64), like=AsNamed(None, None))
    if isinstance(data, Completion):
        return given_problem(data)[0]
    single = isinstance(data, np.ndarray | list | tuple) and np.ndim(data) == 1
    return given_of([data] if single else data, "data", aside=True)


def entries_and_split(problem: Completion) -> tuple[Entries, np.ndarray | None]:
    """All entries of a problem, and which of them it holds out; None when it is not split."""
    if problem.heldout is None:
        return problem.entries, None
    training, heldout = problem.entries, problem.heldout.entries
    # Merging sorts: the marks go through the same merge, so that they stay with their entries.
    marks = training.with_values(np.zeros(training.count)).merge(heldout.with_values(np.ones(heldout.count)))
    return training.merge(heldout), marks.values > 0


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


def weighted(entries: Entries, weights: Weights, sample_weight: ArrayLike | None) -> Entries:
    """Entries with the weights of entries and of rows; those of rows of weight zero are left out."""
    if weights is not None:
        entries = entries.with_weights(given_weights(weights, entries))
    if sample_weight is None:
        return entries
    by_row = real_array(sample_weight, "sample_weight")
    if by_row.ndim == 0:
        by_row = np.full(entries.shape[0], by_row)
    if by_row.shape != (entries.shape[0],):
        raise InputError(f"`sample_weight` must weigh each of {entries.shape[0]} rows, got shape {by_row.shape}.")
    if not (np.isfinite(by_row) & (by_row >= 0)).all():
        raise InputError("`sample_weight` must be finite, and zero or positive.")
    of_entry = by_row[entries.rows]
    kept = of_entry > 0
    if entries.count and not kept.any():
        raise InputError("`sample_weight` is zero for every row with entries: there is nothing to learn from.")
    entries, of_entry = (entries, of_entry) if kept.all() else (entries.part(kept), of_entry[kept])
    return entries.with_weights(of_entry if entries.weights is None else of_entry * entries.weights)


def warn_of_empty(entries: Entries, columns: bool = True) -> None:
    """One warning that counts the rows and columns without any entry, and says what becomes of them."""
    if empty := without_entries(entries, columns):
        known = "the offset" if columns else "what is known of the columns"
        message = f"No entry is observed in {empty}: they are filled with {known}."
        warnings.warn(message, FallbackWarning, stacklevel=4)
