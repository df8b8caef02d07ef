"""Files that the page hands out: the completed table, its standard errors, the report, the model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rankscape.files.packing import extension_of
from rankscape.ground.final import final

if TYPE_CHECKING:
    from rankscape.estimators import CompletedMatrix
    from rankscape.files import Table

# Cells up to which every one of them is written.
WHOLE = 20_000_000


@final
@dataclass(frozen=True)
class Written:
    """Where the files of one result lie.

    Attributes
    ----------
    folder : Path
        Of this result alone.
    name : str
        Of the table, as people know it.
    extension : str
        In which its cells are written.
    """

    folder: Path
    name: str
    extension: str

    def save(self, done: "CompletedMatrix", table: "Table", told: dict[str, Any]) -> dict[str, str]:
        """Write everything that there is; the names under which people save it, by kind. The report tells `told`."""
        from rankscape.estimators.completion.completed.tabled import save_model
        from rankscape.reports import report

        names = self._cells(done, table) if table.shape[0] * table.shape[1] <= WHOLE else {}
        labels = {"row_labels": table.row_labels, "column_labels": table.column_labels}
        report(done, self.folder / "report.html", name=self.name, **labels, **told)
        save_model(self.folder / "model.npz", done, table)
        return names | {"report": f"{self._stem}-report.html", "model": f"{self._stem}-model.npz"}

    @property
    def _stem(self) -> str:
        return self.name.removesuffix(extension_of(Path(self.name)))

    def _cells(self, done: "CompletedMatrix", table: "Table") -> dict[str, str]:
        """The table as it stood, and how sure each filled cell is: in a file of its own where no column says it."""
        from rankscape.estimators.completion.completed.tabled import errors_of, write_whole
        from rankscape.files import has_errors, write_errors

        path, errors = (self.folder / f"{kind}{self.extension}" for kind in ("table", "errors"))
        write_whole(path, done, table)
        names = {"table": f"{self._stem}-completed{self.extension}"}
        if has_errors(path, table):
            return names
        write_errors(errors, errors_of(done, table), table)
        return names | {"errors": f"{self._stem}-standard-errors{self.extension}"}
