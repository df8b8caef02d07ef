"""A model with the names of its rows and columns: what `complete --model` keeps and `fill` uses."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rankscape.errors import InputError
from rankscape.files.table import DEFAULT_NAMES, Table

if TYPE_CHECKING:
    from rankscape.estimators import CompletedMatrix

ENDING = ".npz"


def check_model(path: Path) -> None:
    """Raise unless a model can be written at `path`."""
    from rankscape.ground.kinds import MODEL
    from rankscape.ground.storage import check_writable

    if path.suffix.lower() != ENDING:
        raise InputError(f"--model {path}: a model is an NPZ file; end its name in {ENDING}.")
    check_writable(path, [MODEL])


def save_model(path: Path, done: "CompletedMatrix", table: Table) -> None:
    """Write a completion, with what its table calls rows, columns and values."""
    from rankscape.estimators.completion.storing import save

    labels = {"row_labels": table.row_labels, "column_labels": table.column_labels}
    # Words of any length and numbers, never objects: those would need a pickle.
    kept = {name: np.asarray(a, np.str_) if a.dtype == object else a for name, a in labels.items() if a is not None}
    save(done, path, **kept, names=list(table.names))


def load_model(path: Path) -> tuple["CompletedMatrix", Table]:
    """Read a completion, and its entries as the table that they came from."""
    from rankscape.estimators.completion.storing import load

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
