"""What the process of the room `complete` does: read, complete, write, and fill new rows."""

from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.explore.calls import Frame

if TYPE_CHECKING:
    from rankscape.data.source import Source
    from rankscape.estimators import CompletedMatrix
    from rankscape.files import Table

# Longest sides of a picture; rows and columns of the table that are written out; entries that are listed.
PICTURE, ROWS, COLUMNS, LISTED = (240, 320), 16, 12, 20

# Added to the seed of what is hidden, as `rankscape complete --hide` does.
HIDING = 1 << 32

# Cells up to which a completed table is written.
WRITTEN = 20_000_000


def complete_table(
    line: Connection, source: str, name: str, folder: str, number: str, settings: dict[str, Any], hide: float
) -> Iterator[Frame]:
    """Frames: what was read, the stages, what was found; then new rows, as they are asked for."""
    from rankscape.data.source import open_source
    from rankscape.estimators import complete
    from rankscape.problem import Completion

    opened = open_source(source)
    table = opened.table
    problem, hidden = Completion(table.rows, table.columns, table.values, table.shape), None
    if hide:
        split = problem.split(hide, seed=settings["seed"] + HIDING)
        problem, hidden = split.training, split.heldout
    seen = np.isfinite(problem.entries.dense())
    facts = _read_facts(opened, name) | {"observed": problem.entries.count}
    yield Frame(
        "read",
        facts | {"hidden": table.entries.count - problem.entries.count},
        {"seen": _thinned(seen.astype(float), _mean)},
    )
    told: list[str] = []

    def tell(now: Any) -> None:
        if now.phase and now.phase not in told[-1:]:
            told.append(now.phase)
            line.send(Frame("stage", {"words": now.phase}))

    done = complete(problem, **settings, progress=tell)
    facts = _found(done, table) | {"hidden": None if hidden is None else done.rmse(hidden.entries)}
    yield Frame("done", facts | {"number": number}, _pictures(done, seen))
    yield Frame("stage", {"words": "writing"})
    yield Frame("files", {"number": number, "names": _write(done, opened, Path(folder), name, settings)})
    yield from _new_rows(line, done, table)


def show_model(line: Connection, source: str, folder: str, number: str) -> Iterator[Frame]:
    """A saved model: as when it was made."""
    from rankscape.estimators.completion.storing import load
    from rankscape.files.table import Table

    done, beside = load(Path(source))
    labels = [beside.get(f"{side}_labels") for side in ("row", "column")]
    table = Table(entries=done.observed, row_labels=labels[0], column_labels=labels[1], format="npz")
    seen = np.isfinite(done.observed.dense())
    facts: dict[str, Any] = {
        "hidden": 0,
        "name": Path(source).name,
        "read_as": "a saved model",
        "shape": list(done.shape),
        "observed": int(seen.sum()),
    }
    yield Frame("read", facts, {"seen": _thinned(seen.astype(float), _mean)})
    yield Frame("done", _found(done, table) | {"hidden": None, "number": number}, _pictures(done, seen))
    yield from _new_rows(line, done, table)


def _read_facts(opened: "Source", name: str) -> dict[str, Any]:
    table = opened.table
    return {
        "name": Path(name).name,
        "read_as": table.read_as or "a named data set",
        "shape": list(table.shape),
        "observed": table.entries.count,
        "columns": _names(table.column_labels, table.shape[1], COLUMNS),
    }


def _names(labels: Any, size: int, most: int) -> list[str]:
    return [str(k) if labels is None else str(labels[k]) for k in range(min(size, most))]


def _found(done: "CompletedMatrix", table: "Table") -> dict[str, Any]:
    from rankscape.reports import explain

    certificate = done.certificate
    out = done.outliers
    rows, columns = (_names(labels, size, size) for labels, size in zip(_labels(table), table.shape, strict=True))
    return {
        "rank": done.rank,
        "method": done.method,
        "reason": done.reason,
        "explained": explain(done),
        "trusted": certificate.trusted,
        "certificate": str(certificate),
        "warnings": list(certificate.warnings),
        "heldout": done.heldout_rmse,
        "expected": done.expected_error,
        "units": done.units,
        "baselines": done.baselines,
        "undetermined": certificate.undetermined,
        "numbers": asdict(certificate),
        "path": _path(done),
        "outliers": [
            [rows[out.rows[k]], columns[out.columns[k]], float(out.values[k]), float(out.fitted[k])]
            for k in range(min(len(out), LISTED))
        ],
        "outlying": len(out),
        "table": _preview(done, rows, columns),
        "row_names": rows[:ROWS],
        "column_names": columns,
    }


def _labels(table: "Table") -> tuple[Any, Any]:
    return table.row_labels, table.column_labels


def _path(done: "CompletedMatrix") -> list[list[float]]:
    """The least held-out error of each rank that was tried."""
    path = done.trajectory
    best: dict[int, float] = {}
    for rank, error in zip(np.asarray(path["rank"]).tolist(), np.asarray(path["heldout_rmse"]).tolist(), strict=True):
        if np.isfinite(error) and error < best.get(int(rank), np.inf):
            best[int(rank)] = float(error)
    return [[rank, best[rank]] for rank in sorted(best)]


def _preview(done: "CompletedMatrix", rows: list[str], columns: list[str]) -> list[list[Any]]:
    """Cells at the top left: the value, whether it was filled, its standard error, whether it is doubtful."""
    i, j = (
        a.ravel() for a in np.meshgrid(range(min(len(rows), ROWS)), range(min(len(columns), COLUMNS)), indexing="ij")
    )
    given, fitted = done.observed_at(i, j), done.predict(i, j)
    known = np.isfinite(given)
    errors = np.where(known, np.nan, done.standard_errors(i, j))
    sure = done.determined[i, j] if done.certificate.undetermined else np.ones(len(i), dtype=bool)
    values = np.where(known, given, fitted)
    cells = zip(values.tolist(), (~known).tolist(), errors.tolist(), (~sure).tolist(), strict=True)
    width = min(len(columns), COLUMNS)
    flat = [list(cell) for cell in cells]
    return [flat[k : k + width] for k in range(0, len(flat), width)]


def _pictures(done: "CompletedMatrix", seen: np.ndarray) -> dict[str, np.ndarray]:
    """The completed matrix between 0 and 1, by its columns where their sizes differ; and standard errors likewise."""
    matrix = done.matrix
    axis = 0 if done.scaling.kind in ("column", "both") else None
    low, high = (np.nanquantile(matrix, q, axis=axis, keepdims=True) for q in (0.02, 0.98))
    scaled = np.clip((matrix - low) / np.where(high > low, high - low, 1.0), 0, 1)
    given = np.where(seen, scaled, np.nan)
    return {"given": _thinned(given, _some), "completed": _thinned(scaled, _some)}


def _thinned(matrix: np.ndarray, of: Any) -> np.ndarray:
    """A picture of at most `PICTURE` cells, each of a block of the matrix."""
    edges = [
        np.unique(np.linspace(0, n, min(n, most) + 1).astype(int))
        for n, most in zip(matrix.shape, PICTURE, strict=True)
    ]
    return of(matrix, *edges)


def _mean(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    sums = np.add.reduceat(np.add.reduceat(matrix, rows[:-1], axis=0), columns[:-1], axis=1)
    return sums / np.outer(np.diff(rows), np.diff(columns))


def _some(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return matrix[np.ix_(rows[:-1], columns[:-1])]


def _write(
    done: "CompletedMatrix", opened: "Source", folder: Path, name: str, settings: dict[str, Any]
) -> dict[str, str]:
    """The completed table as it stood, the report and the model; the names under which they are saved."""
    from rankscape import files
    from rankscape.reports import report

    table, stem, written = opened.table, opened.stem, {}
    if table.shape[0] * table.shape[1] <= WRITTEN:
        path = folder / f"table{opened.extension}"
        files.write(path, done.matrix, table)
        written["table"] = f"{stem}-completed{opened.extension}"
    report(
        done,
        folder / "report.html",
        name=Path(name).name,
        settings=settings,
        image=opened.info is not None and opened.info.image,
        row_labels=table.row_labels,
        column_labels=table.column_labels,
    )
    done.save(folder / "model.npz")
    return written | {"report": f"{stem}-report.html", "model": f"{stem}-model.npz"}


def _new_rows(line: Connection, done: "CompletedMatrix", table: "Table") -> Iterator[Frame]:
    """Fill rows that are pasted, one a line, as long as anybody may ask."""
    while True:
        said = line.recv()
        if "rows" not in said:
            continue
        try:
            new = _parsed(str(said["rows"]), done.shape[1])
            filled = done.new_rows(new).matrix
            cells = [
                [[float(v), bool(m)] for v, m in zip(*row, strict=True)]
                for row in zip(filled, np.isnan(new), strict=True)
            ]
            yield Frame("rows", {"cells": cells, "names": _names(table.column_labels, done.shape[1], done.shape[1])})
        except Exception as error:
            yield Frame("rows", {"error": str(error)})


def _parsed(text: str, columns: int) -> np.ndarray:
    from rankscape.errors import InputError

    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or len(lines) > ROWS * 10:
        raise InputError(f"Paste 1 to {ROWS * 10} rows, one a line.")
    mark = next((mark for mark in ("\t", ";", ",") if mark in lines[0]), None)
    rows = []
    for at, text_line in enumerate(lines, 1):
        cells = [cell.strip() for cell in (text_line.split(mark) if mark else text_line.split())]
        if len(cells) != columns:
            raise InputError(f"Line {at} has {len(cells)} cells; the table has {columns} columns.")
        rows.append([_cell(cell, at) for cell in cells])
    return np.array(rows)


def _cell(cell: str, at: int) -> float:
    from rankscape.errors import InputError

    if cell.lower() in ("", "na", "nan", "null", "?", "-", "."):
        return np.nan
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"Line {at}: {cell[:40]!r} is no number; leave a cell empty where it is missing.") from None
