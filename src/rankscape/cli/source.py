"""Options of commands that read a file: what its content does not tell."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from rankscape.files.formats import titles

SOURCE = (
    f"A name from `rankscape data list`, or a file: {titles(long=True)} with a wide or a long table, or "
    f"{titles(long=False)} with a matrix, NaN where an entry is missing; - is standard input."
)

IN_PARTS = SOURCE.removesuffix("- is standard input.") + (
    "a folder or a pattern of Parquet files, which may be more than the memory holds; - is standard input."
)

YesNo = Literal["yes", "no"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read the file, where its content does not tell.

    Parameters
    ----------
    format
        What the file is, where its extension does not tell: csv, tsv, txt, parquet, npy, ...
    layout
        Whether a table is wide (a column for each column of the matrix) or long (a line for each entry).
    header
        Whether the first line names the columns.
    index
        Whether the first column of a wide table names its rows.
    separator
        What stands between cells: comma, tab, semicolon, bar, blanks or colons.
    decimal
        The decimal mark, a point or a comma.
    missing
        A word that stands for a missing value, beside the usual ones; may be given several times.
    sheet
        The sheet of a workbook; the first otherwise.
    rows
        Column of a long file that names the row of an entry.
    columns
        Column of a long file that names its column.
    values
        Column of a long file that holds its value; of a file of several matrices, the one to read.
    duplicates
        What to do when an entry is given twice.
    """

    format: str | None = None
    layout: Literal["wide", "long"] | None = None
    header: YesNo | None = None
    index: YesNo | None = None
    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    missing: Annotated[
        tuple[str, ...], Parameter(allow_leading_hyphen=True, consume_multiple=False, show_default=False)
    ] = ()
    sheet: str | None = None
    rows: str | None = None
    columns: str | None = None
    values: str | None = None
    duplicates: Literal["error", "mean", "last"] = "error"

    def settings(self) -> dict[str, Any]:
        """The same as arguments of `rankscape.files.read`."""
        truth = {"yes": True, "no": False, None: None}
        return asdict(self) | {"header": truth[self.header], "index": truth[self.index]}
