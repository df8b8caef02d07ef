"""What a command writes of a completion: the whole matrix, chosen pairs, or the best columns of each row."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rankscape.errors import FallbackWarning, InputError
from rankscape.files.long import STD_ERROR, labels_of
from rankscape.files.table import OBSERVED, Table
from rankscape.ground.final import final
from rankscape.ground.memory import check_room, in_words

if TYPE_CHECKING:
    from rankscape.estimators import CompletedMatrix
    from rankscape.estimators.completion.completed.new_rows import NewRows
    from rankscape.files.pairs import Pairs

# Dense arrays that stand side by side while a whole matrix is made and written: what is predicted, the completed
# matrix, what is written, and its standard errors.
ARRAYS = 4

# What to do with a matrix that is too large to be written.
INSTEAD = (
    "--pairs FILE predicts chosen cells, --top N gives the best columns of each row, and --model FILE keeps the model."
)


class AbstractAnswer(ABC):
    """What is written, where; everything that may be refused is refused when it is made."""

    title: ClassVar[str]
    output: Any  # a path, or None where nothing is written

    @abstractmethod
    def write(self, done: "CompletedMatrix | NewRows", table: Table) -> None:
        """Write it."""

    def words(self) -> str:
        """Where it is, for people."""
        return str(self.output)

    def check_standing(self, table: Table, force: bool) -> None:
        """Refuse to replace what is no earlier answer of this kind."""
        from rankscape.files.standing import check_standing

        if self.output is not None:
            check_standing(self.output, table, self.names(table), force=force)

    def names(self, table: Table) -> Sequence[str] | None:
        """How the header of what is written begins; None for that of the whole matrix."""
        return table.names


@final
@dataclass(frozen=True, eq=False)
class Whole(AbstractAnswer):
    """Every cell, or every one in some columns, in the format of the source."""

    title = "written"

    output: Path
    columns: np.ndarray | None = None

    def names(self, table: Table) -> None:
        """Those of the matrix."""

    def write(self, done: "CompletedMatrix | NewRows", table: Table) -> None:
        """The completed matrix."""
        from rankscape.estimators.completion.completed.tabled import write_whole

        write_whole(self.output, done, table, self.columns)


@final
@dataclass(frozen=True)
class ModelOnly(AbstractAnswer):
    """Nothing but the model, which is saved in any case: the matrix is too large."""

    title = "matrix"

    shape: tuple[int, int]
    output: Path | None = None

    def write(self, done: "CompletedMatrix | NewRows", table: Table) -> None:
        """Nothing."""

    def words(self) -> str:
        """Why there is none."""
        return f"not written, it has {in_words(8 * self.shape[0] * self.shape[1])}; the model predicts any cell"


@final
@dataclass(frozen=True)
class Chosen(AbstractAnswer):
    """The pairs of a file, one line each, in its order."""

    title = "pairs"

    output: Path
    pairs: "Pairs"

    def write(self, done: Any, table: Table) -> None:
        """Observed cells keep their value; cells of unknown rows or columns stay empty, with one warning."""
        asked, known = self.pairs, self.pairs.known
        values, errors, observed = (np.full(len(known), fill) for fill in (np.nan, np.nan, False))
        rows, columns = asked.rows[known], asked.columns[known]
        given = done.observed_at(rows, columns)
        observed[known] = ~np.isnan(given)
        values[known] = np.where(np.isnan(given), done.predict(rows, columns), given)
        errors[known] = np.where(np.isnan(given), done.standard_errors(rows, columns), np.nan)
        _warn_of_unknown(asked)
        _write(self.output, table, [asked.row_names, asked.column_names], values, observed, errors)


@final
@dataclass(frozen=True)
class Top(AbstractAnswer):
    """The best unseen columns of each row."""

    title = "best columns"

    output: Path
    count: int

    def write(self, done: "CompletedMatrix | NewRows", table: Table) -> None:
        """One line a row and column, the best first."""
        from rankscape.estimators.completion.completed.new_rows import NewRows

        best = done.top(self.count)
        labels = labels_of(table)
        names = [side[at] for side, at in zip(labels, (best.rows, best.columns), strict=True)]
        # How sure a new row is has no formula here.
        errors = None if isinstance(done, NewRows) else done.standard_errors(best.rows, best.columns)
        _write(self.output, table, names, best.values, np.zeros(len(best.rows), dtype=bool), errors)


def answer_of(
    table: Table, default: str, extension: str, output: Path | None, pairs: Path | None, top: int | None, model: bool
) -> AbstractAnswer:
    """What was asked for; a whole matrix that would not fit is refused, with what to do instead.

    Parameters
    ----------
    default, extension
        The name of the output without its end, and the extension that the whole matrix would have.
    model
        Whether the model is saved as well: then a matrix that does not fit is no reason to refuse.
    """
    from rankscape import files
    from rankscape.files.pairs import check_long, read_pairs

    if pairs is not None and top is not None:
        raise InputError("--pairs and --top ask for different tables; give one of them.")
    if pairs is not None:
        asked = read_pairs(pairs, table.names[:2], labels_of(table))
        return Chosen(check_long(output or Path(f"{default}-pairs{_long(pairs.suffix)}")), asked)
    if top is not None:
        return Top(check_long(output or Path(f"{default}-top{_long(extension)}")), top)
    if model and output is None:
        try:
            check_room(table.shape, ARRAYS, INSTEAD)
        except InputError:
            return ModelOnly(table.shape)
    check_room(table.shape, ARRAYS, INSTEAD)
    return Whole(files.check_writable(output or Path(f"{default}-completed{extension}")))


def _long(extension: str) -> str:
    """The extension for a long table: that of the source if it is one."""
    return extension if extension in (".csv", ".tsv", ".txt", ".parquet") else ".csv"


def _warn_of_unknown(asked: "Pairs") -> None:
    import warnings

    unknown = np.flatnonzero(~asked.known)
    if len(unknown):
        first = unknown[0]
        message = (
            f"{len(unknown):,} of {len(asked.rows):,} pairs name a row or column without entries, such as "
            f"{asked.row_names[first]!r}, {asked.column_names[first]!r}: their value is left empty."
        )
        warnings.warn(message, FallbackWarning, stacklevel=2)


def _write(
    path: Path, table: Table, names: list[Any], values: np.ndarray, observed: np.ndarray, errors: np.ndarray | None
) -> None:
    from rankscape.files.pairs import write_long

    columns: dict[str, Any] = dict(zip(table.names, [*names, values], strict=True))
    for name, more in ((OBSERVED, observed), (STD_ERROR, errors)):
        if more is not None:
            columns[name if name not in columns else f"{name}_cell"] = more
    write_long(path, columns)
