"""What the process of the room `complete` does: read, complete, write, and fill new rows.

Fits are imported after the table was read: the picture of its holes does not wait for them.
"""

import warnings
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rankscape.errors import InputError, RankscapeWarning
from rankscape.explore.calls import Frame
from rankscape.explore.reading import called
from rankscape.explore.workers import stand_back
from rankscape.explore.written import Written

if TYPE_CHECKING:
    from rankscape.data.source import Source
    from rankscape.entries import Entries
    from rankscape.estimators import CompletedMatrix
    from rankscape.files import Table

# Cells of a table that is completed here.
LARGEST = 50_000_000


def complete_table(
    line: Connection, source: str, name: str, folder: str, number: str, reading: dict[str, Any],
    settings: dict[str, Any], hide: float,
) -> Iterator[Frame]:  # fmt: skip
    """Frames: what was read, the stages, what was found; then new rows, as they are asked for."""
    from rankscape.data.source import open_source

    with called(source, name, form=True), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        opened = open_source(source, **reading)
        problem, hidden = opened.problem(hide, settings["seed"])
    said = [str(w.message).replace(source, name) for w in caught if issubclass(w.category, RankscapeWarning)]
    yield _read(opened.table, problem.entries, name, _words(opened), said)
    rows, columns = opened.table.shape
    if rows * columns > LARGEST:
        raise InputError(
            f"The table has {rows * columns:,} cells; up to {LARGEST:,} are completed on the page. "
            "`rankscape complete --top 10` writes the best columns of each row, and never forms the whole table."
        )
    stand_back()
    from rankscape.estimators import complete

    done = complete(problem, **settings, progress=_teller(line))
    error = None if hidden is None else done.rmse(hidden.entries)
    yield _done(done, opened.table, number, error)
    yield Frame("stage", {"words": "writing"})
    image = opened.info is not None and opened.info.image
    told = {"settings": settings, "hidden": None if hidden is None else hidden.entries, "image": image}
    written = Written(Path(folder), Path(name).name, opened.extension)
    yield Frame("files", {"number": number, "names": written.save(done, opened.table, told)})
    yield from _new_rows(line, done, opened.table)


def show_model(line: Connection, source: str, name: str, folder: str, number: str) -> Iterator[Frame]:
    """A saved model: as when it was made, its table and its report."""
    from rankscape.estimators.completion.completed.tabled import load_model

    with called(source, name):
        done, table = load_model(Path(source))
    yield _read(table, table.entries, name, "a saved model")
    yield _done(done, table, number, None)
    yield Frame("stage", {"words": "writing"})
    # What its file looked like a model does not know: its table is written as one that any program reads.
    names = Written(Path(folder), Path(name).name, ".csv").save(done, table, {})
    yield Frame("files", {"number": number, "names": {kind: n for kind, n in names.items() if kind != "model"}})
    yield from _new_rows(line, done, table)


def _words(opened: "Source") -> str:
    """How it was read; a file that holds a matrix and nothing else leaves no choice."""
    rows, columns = opened.table.shape
    plain = f"a matrix, {rows:,} rows x {columns:,} columns" if opened.info is None else "a named data set"
    return opened.table.read_as or plain


def _read(table: "Table", entries: "Entries", name: str, read_as: str, said: Sequence[str] = ()) -> Frame:
    from rankscape.explore import pictures
    from rankscape.explore.findings import names

    facts = {
        "name": Path(name).name,
        "read_as": read_as,
        "shape": list(table.shape),
        "observed": entries.count,
        "hidden": table.entries.count - entries.count,
        "columns": names(table.column_labels, table.shape[1])[:40] if table.column_labels is not None else [],
        "sampling": pictures.sampling(table.shape),
        "warnings": list(dict.fromkeys(said)),
    }
    return Frame("read", facts, {"seen": pictures.seen(entries, table.shape)})


def _teller(line: Connection) -> Any:
    """Says each new phase, and which rank is tried."""
    told: list[tuple[str, int]] = []

    def tell(now: Any) -> None:
        if now.phase and (now.phase, now.rank) not in told[-1:]:
            told[:] = [(now.phase, now.rank)]
            line.send(Frame("stage", {"words": now.phase, "rank": now.rank if now.step else None}))

    return tell


def _done(done: "CompletedMatrix", table: "Table", number: str, error: float | None) -> Frame:
    from rankscape.explore import pictures
    from rankscape.explore.findings import found

    return Frame("done", found(done, table) | {"hidden": error, "number": number}, pictures.shades(done))


def _new_rows(line: Connection, done: "CompletedMatrix", table: "Table") -> Iterator[Frame]:
    """Fill rows that are pasted, one a line, as long as anybody may ask."""
    from rankscape.explore.findings import names
    from rankscape.explore.fresh_rows import filled

    columns = names(table.column_labels, table.shape[1])
    while True:
        said = line.recv()
        if "rows" in said:
            yield Frame("rows", filled(str(said["rows"]), done) | {"names": columns})
