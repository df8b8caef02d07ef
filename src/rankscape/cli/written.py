"""Where ``rankscape complete`` writes: refused before the work, the matrix first, the pictures last."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rankscape.cli.completed import BASELINES
from rankscape.cli.output import check_files, number
from rankscape.errors import InputError, StorageError

if TYPE_CHECKING:
    from rankscape.cli.answers import AbstractAnswer
    from rankscape.data.source import Source
    from rankscape.estimators import CompletedMatrix
    from rankscape.problem import Completion


@dataclass(frozen=True)
class Written:
    """The files that were asked for; None where one was not."""

    answer: "AbstractAnswer"
    model: Path | None
    standard_errors: Path | None
    picture: Path | None
    report: Path | None
    force: bool = False

    def check(self, opened: "Source", pairs: Path | None) -> None:
        """Refuse now what could not be written after minutes of work."""
        from rankscape.cli.models import check_model
        from rankscape.files import check_writable
        from rankscape.files.standing import check_marked, check_standing
        from rankscape.plot import check_figure
        from rankscape.reports import check_report

        tables = {"--output": self.answer.output, "--model": self.model, "--standard-errors": self.standard_errors}
        pages = {"--figure": self.picture, "--report": self.report}
        check_files({"the source itself": opened.path, "the file of --pairs": pairs}, {**tables, **pages})
        self.answer.check_standing(opened.table, self.force)
        if self.model is not None:
            check_model(self.model)
        if self.standard_errors is not None:
            path = check_writable(self.standard_errors, opened.table, wide=True)
            check_standing(path, opened.table, cells=False, force=self.force)
        if self.picture is not None:
            check_figure(self.picture)
        if self.report is not None:
            check_report(self.report)
        for path in (self.picture, self.report):
            if path is not None:
                check_marked(path, force=self.force)

    def save(self, opened: "Source", completed: "CompletedMatrix") -> None:
        """The model, what was asked, and its standard errors."""
        from rankscape.estimators.completion.completed.tabled import errors_of, save_model
        from rankscape.files import write_errors

        if self.model is not None:
            save_model(self.model, completed, opened.table)
        self.answer.write(completed, opened.table)
        if self.standard_errors is not None:
            write_errors(self.standard_errors, errors_of(completed, opened.table), opened.table)

    def draw(
        self,
        opened: "Source",
        problem: "Completion",
        hidden: "Completion | None",
        completed: "CompletedMatrix",
        settings: dict[str, Any],
    ) -> None:
        """The picture and the page. The matrix is safe by now: one that fails must not make it look lost."""
        try:
            if self.picture is not None:
                _draw(opened, problem, hidden, completed, self.picture)
            if self.report is not None:
                _report(opened, hidden, completed, self.report, settings)
        except StorageError as error:
            raise StorageError(f"{error} ({self.answer.output or self.model} is written).") from error

    def rows(self) -> list[tuple[str, str]]:
        """What was written, for people."""
        pages = ("model", self.model), ("picture", self.picture), ("report", self.report)
        return [(self.answer.title, self.answer.words())] + [(name, str(path)) for name, path in pages if path]


def picture_of(figure: Path | None, none: bool, output: Path) -> Path | None:
    """Where the picture goes."""
    if none and figure is not None:
        raise InputError(f"--figure {figure} and --no-figure exclude each other.")
    return None if none else figure or output.with_suffix(".png")


def _draw(
    opened: "Source", problem: "Completion", hidden: "Completion | None", completed: "CompletedMatrix", path: Path
) -> None:
    """The trajectory; of a photograph also what was seen, filled in, and true."""
    from rankscape import plot

    baselines = {BASELINES.get(name, name): value for name, value in completed.baselines.items()}
    parts: list[Any] = list(plot.trajectory_panels(completed.trajectory, baselines))
    if opened.info is not None and opened.info.image:
        truth = opened.table.dense() if hidden is not None else None
        parts += plot.completion_images(problem.entries.dense(), completed.matrix, truth)
    title = f"{opened.stem}: rank {completed.rank}"
    if completed.heldout_rmse is not None:
        title += f", held-out RMSE {number(completed.heldout_rmse)}{completed.scaling.suffix}"
    plot.save(plot.draw(parts, title=title), path)


def _report(
    opened: "Source", hidden: "Completion | None", completed: "CompletedMatrix", path: Path, settings: dict[str, Any]
) -> None:
    """The page, with the names that the source gives to rows and columns."""
    from rankscape.reports import report

    table = opened.table
    report(
        completed,
        path,
        name=opened.name,
        settings=settings,
        hidden=None if hidden is None else hidden.entries,
        row_labels=table.row_labels,
        column_labels=table.column_labels,
        image=opened.info is not None and opened.info.image,
    )
