"""A model with the names of its rows and columns: what `complete --model` keeps and `fill` uses."""

from pathlib import Path

import numpy as np

from rankscape.estimators.completion.result import CompletedMatrix
from rankscape.estimators.completion.storing import load, save
from rankscape.files.table import DEFAULT_NAMES, Table


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
