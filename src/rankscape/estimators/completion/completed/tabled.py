"""A completion and the table that it came from: the model with its names, and what is written in the table's layout."""

from pathlib import Path

import numpy as np

from rankscape.estimators.completion.completed.new_rows import NewRows
from rankscape.estimators.completion.completed.result import CompletedMatrix
from rankscape.estimators.completion.completed.storing import load, save
from rankscape.files.table import DEFAULT_NAMES, Table
from rankscape.files.writing import has_errors, write


def save_model(path: Path, done: CompletedMatrix, table: Table) -> None:
    """Write a completion, with what its table calls rows, columns and values."""
    labels = {"row_labels": table.row_labels, "column_labels": table.column_labels}
    # Words of any length and numbers, never objects: those would need a pickle.
    kept = {name: np.asarray(a, np.str_) if a.dtype == object else a for name, a in labels.items() if a is not None}
    save(done, path, **kept, names=list(table.names))


def load_model(path: Path) -> tuple[CompletedMatrix, Table]:
    """Read a completion, and its entries as the table that they came from."""
    done, beside = load(path)
    labels = {name: beside.get(f"{name}_labels") for name in ("row", "column")}
    if labels["column"] is None and "feature_names" in beside:  # an estimator in Python saved it
        labels["column"] = beside["feature_names"]
    first, second, third = beside.get("names", DEFAULT_NAMES)
    return done, Table(
        entries=done.observed,
        row_labels=labels["row"],
        column_labels=labels["column"],
        format="npz",
        names=(first, second, third),
    )


def errors_of(done: CompletedMatrix, table: Table) -> np.ndarray:
    """Standard errors of the cells that a table lacks, NaN in the others."""
    rows, columns = np.nonzero(~table.known)
    errors = np.full(table.shape, np.nan)
    errors[rows, columns] = done.standard_errors(rows, columns)
    return errors


def write_whole(path: Path, done: CompletedMatrix | NewRows, table: Table, columns: np.ndarray | None = None) -> None:
    """Write every cell, or every one in some columns; with standard errors where the layout has room for them."""
    matrix = done.matrix.copy() if columns is None else done.matrix[:, columns]
    matrix[table.rows, table.columns] = table.values  # those that were hidden for a test are given, too
    errors = errors_of(done, table) if isinstance(done, CompletedMatrix) and has_errors(path, table) else None
    write(path, matrix, table, errors=errors)
