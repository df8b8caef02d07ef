"""What a completion found, as facts that the page says."""

from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.files import Table

if TYPE_CHECKING:
    from rankscape.estimators import CompletedMatrix

# Rows and columns of the table that are written out; entries and names that are listed.
ROWS, COLUMNS, LISTED = 16, 12, 20


def found(done: "CompletedMatrix", table: Table) -> dict[str, Any]:
    """Rank, errors, certificate, path, outliers, and the first cells."""
    from rankscape.reports import explain

    certificate = done.certificate
    rows, columns = names(table.row_labels, table.shape[0]), names(table.column_labels, table.shape[1])
    return {
        "rank": done.rank,
        "method": done.method,
        "reason": done.reason,
        "explained": explain(done),
        "trusted": certificate.trusted,
        "warnings": list(certificate.warnings),
        "heldout": done.heldout_rmse,
        "expected": done.expected_error,
        "units": done.units,
        "baselines": done.baselines,
        "undetermined": certificate.undetermined,
        "path": _path(done),
        "outliers": _outliers(done, rows, columns),
        "outlying": len(done.outliers),
        "table": _cells(done),
        "row_names": rows[:ROWS],
        "column_names": columns[:COLUMNS],
        "shape": list(done.shape),
    }


def names(labels: Any, size: int) -> list[str]:
    """Labels as words; positions, counted from zero, where there are none."""
    return list(map(str, range(size))) if labels is None else [str(label) for label in labels]


def _path(done: "CompletedMatrix") -> list[list[float]]:
    """The least held-out error of each rank that was tried."""
    path = done.trajectory
    best: dict[int, float] = {}
    for rank, error in zip(np.asarray(path["rank"]).tolist(), np.asarray(path["heldout_rmse"]).tolist(), strict=True):
        if np.isfinite(error) and error < best.get(int(rank), np.inf):
            best[int(rank)] = float(error)
    return [[rank, best[rank]] for rank in sorted(best)]


def _outliers(done: "CompletedMatrix", rows: list[str], columns: list[str]) -> list[list[Any]]:
    out = done.outliers
    return [
        [rows[out.rows[k]], columns[out.columns[k]], float(out.values[k]), float(out.fitted[k])]
        for k in range(min(len(out), LISTED))
    ]


def _cells(done: "CompletedMatrix") -> list[list[list[Any]]]:
    """At the top left: the value, whether it was filled, its standard error, whether the entries leave it open."""
    height, width = (min(n, most) for n, most in zip(done.shape, (ROWS, COLUMNS), strict=True))
    i, j = (a.ravel() for a in np.meshgrid(range(height), range(width), indexing="ij"))
    given = done.observed_at(i, j)
    known = np.isfinite(given)
    values = np.where(known, given, done.predict(i, j, by="positions"))
    errors = np.where(known, np.nan, done.standard_errors(i, j))
    open_ = ~done.determined[i, j] if done.certificate.undetermined else np.zeros(len(i), dtype=bool)
    cells = [
        list(cell) for cell in zip(values.tolist(), (~known).tolist(), errors.tolist(), open_.tolist(), strict=True)
    ]
    return [cells[k : k + width] for k in range(0, len(cells), width)]
