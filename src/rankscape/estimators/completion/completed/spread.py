"""A completion in many files, of which nobody needs all: rows are predicted and ranked where some of them are.

The value of a cell is one product of two short lists of numbers: a size of rows or columns, levels and directions are
all in them. Rows lie in Parquet files of some thousands each, with the columns that were seen; columns in one file.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rankscape.entries import Entries
from rankscape.entries.given.frame import plain
from rankscape.errors import InputError
from rankscape.estimators.completion.completed.best import best_unseen
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.files.foreign import reading
from rankscape.ground.checks import whole
from rankscape.ground.final import final
from rankscape.ground.storage import check_folder, check_format, replacing
from rankscape.ground.stored import let_go

if TYPE_CHECKING:
    from rankscape.estimators.completion.completed.result import CompletedMatrix

FORMAT = 1

# Rows of a file.
ROWS = 100_000

COLUMNS, ABOUT = "columns.parquet", "spread.json"


@final
class Spread:
    """A completion that `CompletedMatrix.spread` wrote.

    It is as small as the name of its folder, so that workers get it with every task; files are read by those who need
    them. Rows and columns go by their names, by positions where they have none.

    Parameters
    ----------
    folder : str or Path
        Where it lies.

    Attributes
    ----------
    parts : list of Path
        The files of rows.

    Raises
    ------
    InputError
        There is none, or a newer rankscape wrote it.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, rankscape as rs
    >>> X = np.outer([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, -1.0, 2.0, 0.5, 1.0, 3.0])
    >>> X[2, [3, 5]] = np.nan
    >>> spread = rs.complete(X).spread(pathlib.Path(tempfile.mkdtemp()))
    >>> spread.predict([2, 2], [3, 5]).round(6)
    array([1.5, 9. ])
    >>> spread.top(spread.parts[0], 1)["column"].to_list()
    [5]
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        path = self.folder / ABOUT
        if not path.is_file():
            raise InputError(f"{folder} holds no completion: write one with `CompletedMatrix.spread`.")
        with reading(path, "description of a completion"):
            about = json.loads(path.read_text(encoding="utf-8"))
            found, self._parts = about["format"], int(about["parts"])
        check_format(path, found, FORMAT)

    def __repr__(self) -> str:
        return f"Spread({str(self.folder)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_parts": self._parts}

    @property
    def parts(self) -> list[Path]:
        """The files of rows, in the order of the rows."""
        return [_part(self.folder, k) for k in range(self._parts)]

    def predict(self, rows: Any, columns: Any) -> np.ndarray:
        """The values of some cells; of the rows only those are read that are asked for.

        Parameters
        ----------
        rows, columns : array_like, shape (k,)
            Names, or positions where there are none. Of a Dask DataFrame ``frame.map_partitions(lambda part:
            part.assign(score=spread.predict(part["user"], part["item"])), meta=frame._meta.assign(score=0.0))``.

        Raises
        ------
        InputError
            A row or a column is not there.
        """
        rows, columns = np.atleast_1d(np.asarray(rows)), np.atleast_1d(np.asarray(columns))
        if rows.shape != columns.shape:
            raise InputError(f"`rows` and `columns` must be of one length, got {len(rows)} and {len(columns)}.")
        known = _columns(self.folder)
        named, left = self._left(rows)
        i, j = _places(named, rows, "row"), _places(known["name"], columns, "column")
        values = np.einsum("ek,ek->e", left[i], known["factors"][j])
        return np.clip(values, known["low"][j], known["high"][j])

    def top(self, part: str | Path, count: int) -> Any:
        """Of each row of a file the unseen columns with the largest values, the largest first.

        Parameters
        ----------
        part : Path
            One of `parts`. On Dask: ``dask.dataframe.from_map(spread.top, spread.parts, count=10)``.
        count : int
            How many columns of each row, fewer where fewer are unseen.

        Returns
        -------
        pandas.DataFrame
            ``row``, ``column`` and ``value``.
        """
        import pandas as pd
        from pyarrow import parquet

        count, known = whole("count", count, least=1), _columns(self.folder)
        with reading(part, "file of rows"):
            table = parquet.read_table(part)
        names, left, seen = _named(table), _factors(table), table["seen"].combine_chunks()
        starts = seen.offsets.to_numpy()
        lines, cells = np.repeat(np.arange(len(left)), np.diff(starts)), seen.values.to_numpy()[starts[0] : starts[-1]]
        observed = Entries.sorted(lines.astype(np.int32), cells, np.zeros(len(cells)), (len(left), len(known["name"])))

        def values(where: np.ndarray) -> np.ndarray:
            return np.clip(left[where] @ known["factors"].T, known["low"], known["high"])

        best = best_unseen(values, observed, count, np.arange(len(left)))
        return pd.DataFrame({"row": names[best.rows], "column": known["name"][best.columns], "value": best.values})

    def _left(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Names and factors of some rows."""
        import pandas as pd
        import pyarrow as pa
        from pyarrow import dataset

        with reading(self.folder, "completion in files"):
            found: Any = dataset.dataset(self.parts, format="parquet")
            kind = found.schema.field("name").type
        try:
            asked = dataset.field("name").isin(pa.array(pd.unique(wanted), from_pandas=True).cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            raise InputError(
                f"Rows are called by {kind}, and not so in `rows`: {plain(wanted[0])!r}, for one."
            ) from None
        with reading(self.folder, "completion in files"):
            table = found.to_table(columns=["name", "factors"], filter=asked)
        return _named(table), _factors(table)


def write(completed: "CompletedMatrix", folder: Path) -> Spread:
    """Write it file by file; what says that it is whole comes last."""
    if not isinstance(completed.model.model, LowRank):
        what = type(completed.model.model).__name__
        raise InputError(f"This completion is no product of thin factors ({what}): `save` keeps it, in one file.")
    check_folder(folder)
    (folder / ABOUT).unlink(missing_ok=True)
    _part(folder, 0).parent.mkdir(exist_ok=True)
    left, right = _both(completed.model.model, completed.model.scaling)
    _write_columns(completed, right, folder / COLUMNS)
    firsts = range(0, len(left), ROWS)
    for k, first in enumerate(firsts):
        _write_rows(completed, left, slice(first, min(first + ROWS, len(left))), _part(folder, k))
    with replacing(folder / ABOUT) as file:
        file.write(json.dumps({"format": FORMAT, "parts": len(firsts)}).encode())
    _columns.cache_clear()
    return Spread(folder)


def _part(folder: Path, k: int) -> Path:
    """The k-th file of rows."""
    return folder / "rows" / f"{k:05d}.parquet"


def _both(model: LowRank, scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """Short lists of numbers of rows and of columns, whose products are the values of cells."""
    row, column, offset = scaling.unit * scaling.row, scaling.column, model.offset
    left = np.column_stack([row * (offset.mean + offset.row), row, row[:, None] * model.modes.U * model.modes.s])
    return left, np.column_stack([column, column * offset.column, column[:, None] * model.modes.V])


def _write_columns(completed: "CompletedMatrix", right: np.ndarray, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names, within = completed.names.columns, (completed.model.low, completed.model.high)
    ends = [np.broadcast_to(np.clip(end, *within), len(right)) for end in (completed.bounds.low, completed.bounds.high)]
    name = np.arange(len(right)) if names is None else names
    with replacing(path) as file:
        parquet.write_table(pa.table({"name": name, "factors": _listed(right), "low": ends[0], "high": ends[1]}), file)


def _write_rows(completed: "CompletedMatrix", left: np.ndarray, part: slice, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names, starts = completed.names.rows, completed.observed.row_starts[part.start : part.stop + 1]
    cells = pa.array(np.asarray(completed.observed.columns[starts[0] : starts[-1]]))
    seen = pa.ListArray.from_arrays(pa.array(starts - starts[0], pa.int32()), cells)
    name = np.arange(part.start, part.stop) if names is None else names[part]
    with replacing(path) as file:
        parquet.write_table(pa.table({"name": name, "factors": _listed(left[part]), "seen": seen}), file)
    let_go(completed.observed.columns)


@lru_cache(maxsize=1)
def _columns(folder: Path) -> dict[str, np.ndarray]:
    """All columns, which every call of a process needs."""
    from pyarrow import parquet

    with reading(folder / COLUMNS, "file of columns"):
        table = parquet.read_table(folder / COLUMNS)
    return {
        "name": _named(table),
        "factors": _factors(table),
        **{name: table[name].to_numpy() for name in ("low", "high")},
    }


def _listed(factors: np.ndarray) -> Any:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(factors).ravel()), factors.shape[1])


def _factors(table: Any) -> np.ndarray:
    column = table["factors"].combine_chunks()
    width = column.type.list_size
    return column.flatten().to_numpy().reshape(-1, width)


def _named(table: Any) -> np.ndarray:
    return np.asarray(table["name"].to_pylist()) if table.num_rows else np.zeros(0, np.int64)


def _places(known: np.ndarray, wanted: np.ndarray, axis: str) -> np.ndarray:
    """Where names stand among those that are known, in any order."""
    import pandas as pd

    found = pd.Index(known).get_indexer(pd.Index(wanted))
    if (found < 0).any():
        raise InputError(f"No {axis} is called {plain(wanted[int(np.argmax(found < 0))])!r}.")
    return found
