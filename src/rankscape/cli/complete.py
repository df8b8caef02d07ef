"""``rankscape complete``."""

import shutil
import textwrap
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators

from rankscape.cli.outlying import outlying_facts, outlying_words, print_outlying
from rankscape.cli.output import Speech, check_files, number, share
from rankscape.cli.source import SOURCE, Reading
from rankscape.errors import InputError, StorageError
from rankscape.ground.checks import listed

if TYPE_CHECKING:
    from rankscape.cli.answers import AbstractAnswer
    from rankscape.data.source import Source
    from rankscape.estimators import CompletedMatrix
    from rankscape.problem import Completion

# Added to the seed of what is hidden, so that the entries held out later are chosen independently.
HIDING = 1 << 32

# What the baselines are called for people.
BASELINES = {"column_mean": "column mean", "row_column_bias": "row + column bias"}

# Most columns whose errors are listed one by one.
LISTED = 40

# Longest line of sentences.
READABLE = 100

Share = Annotated[float, Parameter(validator=validators.Number(gte=0, lt=1))]
Flag = Annotated[bool, Parameter(negative="")]


def _two_or_more(_: Any, depth: int | str) -> None:
    if not isinstance(depth, str) and depth < 2:
        raise ValueError("Must be >= 2.")


def complete(
    source: Annotated[str, Parameter(help=SOURCE, allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    figure: Path | None = None,
    no_figure: Flag = False,
    report: Path | None = None,
    pairs: Path | None = None,
    top: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None,
    model: Path | None = None,
    standard_errors: Path | None = None,
    reading: Reading | None = None,
    hide: Share = 0.0,
    validation_fraction: Annotated[float, Parameter(validator=validators.Number(gt=0, lt=1))] = 0.1,
    depth: Annotated[int | Literal["auto"], Parameter(validator=_two_or_more)] = "auto",
    max_rank: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None,
    offset: Literal["auto", "none", "mean", "row", "column", "row+column"] = "auto",
    path: Literal["minima", "sgd"] = "minima",
    scale: Literal["auto", "none", "column", "row", "both"] = "auto",
    loss: Literal["auto", "squares", "robust"] = "auto",
    ordered: Literal["auto", "rows", "columns", "both", "none"] = "auto",
    kind: Literal["auto", "real", "count", "binary", "ordinal"] = "auto",
    detection_limit: float | None = None,
    clip: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    jobs: int = -1,
    seed: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    explain: Flag = False,
    speech: Speech | None = None,
) -> None:
    """Fill the holes of a matrix; the trajectory chooses the rank.

    Writes the completed matrix and a picture of the trajectory, and prints what was found.

    Parameters
    ----------
    output
        File for the completed matrix; its extension chooses the format. Default: here, named after the source.
    figure
        File for the picture (PNG, PDF or SVG). Default: as the output, ending in .png.
    no_figure
        Draw no picture, which takes as long as the rest of a small matrix.
    report
        File for a page (HTML) that tells what was found and whether to trust it; it needs no network.
    pairs
        Long table with a row and a column on each line: write what is predicted there, and not the whole matrix.
    top
        Write this many unseen columns of each row, those of the largest values, and not the whole matrix.
    model
        File (NPZ) for the model, which `rankscape fill` uses for new rows and for more pairs.
    standard_errors
        File for the standard errors of what was completed, laid out as the output; a long table has a column of them.
    hide
        Hide this share of the entries first, and report the error on them: a test with a known answer.
    validation_fraction
        Share of the entries that judges the rank and is not trained on until the end.
    depth
        Number of factors; auto lets the held-out entries decide.
    max_rank
        Largest rank to be found.
    offset
        What to remove before fitting; auto lets the held-out entries decide.
    path
        How each ridge is followed: to its minimum, or by SGD, which also leaves minima of too high a rank.
    scale
        What to divide by first: the spread of each column, row, or both; auto where their sizes differ much.
    loss
        How residuals count; auto tries a robust fit where they have heavy tails.
    ordered
        Along which axes neighbours are alike (time, place, wavelength); auto finds out.
    kind
        What the values are: any numbers, counts, one of two, or one of few levels that have an order; predictions then
        stay in their range. auto lets held-out entries decide. In Python this is `values`.
    detection_limit
        Says that entries are missing because they are small: all missing cells lie below this number.
    clip
        Bounds of what is filled in: LOW HIGH (or LOW,HIGH), or observed for the smallest and largest entry.
    jobs
        Threads; -1 for all cores that may be used. Their number changes no digit.
    seed
        Decides which entries are hidden and held out.
    explain
        Say in plain sentences why this rank, how sure, and what to do next.
    """
    from rankscape import complete as fill
    from rankscape.cli.answers import answer_of, errors_of
    from rankscape.cli.models import check_model, save_model
    from rankscape.data.source import open_source
    from rankscape.estimators.completion.progress import shown_on
    from rankscape.files import check_writable, write_errors
    from rankscape.plot import check_figure
    from rankscape.reports import check_report

    speech, began = speech or Speech(), time.monotonic()
    opened = open_source(source, **(reading or Reading()).settings())
    # Everything that may be refused is refused before the work, which can take minutes.
    answer = answer_of(opened.table, opened.stem, opened.extension, output, pairs, top, model is not None)
    picture = _picture(figure, no_figure, answer.output or Path(f"{opened.stem}-completed.npy"))
    written = {"--output": answer.output, "--model": model, "--standard-errors": standard_errors}
    check_files(
        {"the source itself": opened.path, "the file of --pairs": pairs},
        {**written, "--figure": picture, "--report": report},
    )
    if model is not None:
        check_model(model)
    if standard_errors is not None:
        check_writable(standard_errors, opened.table, wide=True)
    if picture is not None:
        check_figure(picture)
    if report is not None:
        check_report(report)
    problem, hidden = _problem(opened, hide, seed)
    settings: dict[str, Any] = {"depth": depth, "max_rank": max_rank, "validation_fraction": validation_fraction}
    settings |= {"offset": offset, "path": path, "scale": scale, "loss": loss, "clip": _clip(clip)}
    settings["ordered"] = None if ordered == "none" else ordered
    settings |= {"values": kind, "detection_limit": detection_limit, "n_jobs": jobs}
    with speech.meter() as bar:
        bar.came_before("reading the table", began)
        completed = fill(problem, **settings, seed=seed, progress=shown_on(bar))
        bar.update("writing")
        if model is not None:
            save_model(model, completed, opened.table)
        answer.write(completed, opened.table)
        if standard_errors is not None:
            write_errors(standard_errors, errors_of(completed, opened.table), opened.table)
        # The matrix is safe by now: a picture that fails must not make it look lost.
        bar.update("drawing")
        try:
            if picture is not None:
                _draw(opened, problem, hidden, completed, picture)
            if report is not None:
                _report(opened, hidden, completed, report, {**settings, "hide": hide, "seed": seed})
        except StorageError as error:
            raise StorageError(f"{error} ({answer.output or model} is written).") from error
    result = _Result(opened, problem, hidden, completed, answer, model, picture, report, time.monotonic() - began)
    speech.say(result.facts, result.rows)
    if speech.json or speech.quiet:
        return
    print_outlying(completed.outliers, opened.table)
    if explain:
        _explain(completed)


def _clip(words: list[str] | None) -> Any:
    """Two numbers, or the word."""
    if words is None or words == ["observed"]:
        return words and "observed"
    bounds = listed(words)
    try:
        low, high = (float(bound) for bound in bounds)
    except ValueError:
        raise InputError(f"--clip {' '.join(words)}: two numbers, LOW HIGH, or observed.") from None
    return low, high


def _picture(figure: Path | None, none: bool, output: Path) -> Path | None:
    """Where the picture goes."""
    if none and figure is not None:
        raise InputError(f"--figure {figure} and --no-figure exclude each other.")
    return None if none else figure or output.with_suffix(".png")


def _problem(opened: "Source", hide: float, seed: int) -> tuple["Completion", "Completion | None"]:
    """The completion to solve, and the entries that were hidden from it."""
    from rankscape.problem import Completion

    table = opened.table
    problem = Completion(table.rows, table.columns, table.values, table.shape)
    if not hide:
        return problem, None
    # Another seed than the estimator's own split: the hidden entries are a test, not the validation.
    split = problem.split(hide, seed=seed + HIDING)
    return split.training, split.heldout


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


def _explain(completed: "CompletedMatrix") -> None:
    """Paragraphs as wide as the terminal."""
    from rankscape.reports import explain

    width = min(shutil.get_terminal_size().columns, READABLE)
    for paragraph in explain(completed):
        print("\n" + textwrap.fill(paragraph, width))


@dataclass(frozen=True)
class _Result:
    """What the command found, for people and for machines."""

    opened: "Source"
    problem: "Completion"
    hidden: "Completion | None"
    completed: "CompletedMatrix"
    answer: "AbstractAnswer"
    model: Path | None
    figure: Path | None
    page: Path | None
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Everything, as JSON."""
        done, problem = self.completed, self.problem
        facts = {
            "source": self.opened.name,
            "read_as": self.opened.table.read_as,
            "shape": list(problem.shape),
            "observed": len(problem.values),
            "rank": done.rank,
            "heldout_rmse": done.heldout_rmse,
            "baselines": done.baselines,
            "units": done.units,
            "scale": done.scaling.kind,
            "column_errors": done.column_errors if len(done.column_errors) <= LISTED else None,
            "hidden": self._hidden_errors(),
            "offset": done.offset,
            "reason": done.reason,
            "method": done.method,
            "certificate": asdict(done.certificate) | {"words": str(done.certificate)},
            "outliers": outlying_facts(done.outliers, self.opened.table),
            "outcome": str(done.outcome),
            "singular_values": done.singular_values,
            "output": None if self.answer.output is None else str(self.answer.output),
            "model": None if self.model is None else str(self.model),
            "figure": None if self.figure is None else str(self.figure),
            "report": None if self.page is None else str(self.page),
            "seconds": round(self.seconds, 2),
        }
        return facts

    def _hidden_errors(self) -> dict[str, Any] | None:
        """The error on the entries that were hidden on request: nothing has seen them."""
        hidden = self.hidden
        if hidden is None:
            return None
        return {"entries": len(hidden.values), "rmse": self.completed.rmse(hidden.entries)}

    def rows(self) -> list[tuple[str, str]]:
        """The table for people."""
        done, problem = self.completed, self.problem
        cells = problem.shape[0] * problem.shape[1]
        rows = [
            ("matrix", f"{self.opened.name}, {problem.shape[0]} x {problem.shape[1]}"),
            *([("read as", self.opened.table.read_as)] if self.opened.table.read_as else []),
            ("observed", f"{len(problem.values):,} of {cells:,} entries ({share(len(problem.values) / cells)})"),
            ("rank found", str(done.rank)),
            ("held-out RMSE", f"{number(done.heldout_rmse)}{done.scaling.suffix}"),
        ]
        rows += [(f"  {BASELINES.get(name, name)}", number(value)) for name, value in done.baselines.items()]
        hidden = self._hidden_errors()
        if hidden is not None:
            error = f"{number(hidden['rmse'])}{done.scaling.suffix}"
            rows.append(("hidden RMSE", f"{error}  ({hidden['entries']:,} entries that nothing saw)"))
        rows += [("why", done.reason), ("trust", str(done.certificate))]
        rows += [] if done.scaling.uniform else [("scale", f"entries were divided by the {done.scaling.divisor}")]
        if len(done.outliers):
            rows.append(("look wrong", f"{outlying_words(done.outliers)}; they keep their values"))
        rows += [("offset", done.offset), ("outcome", str(done.outcome))]
        rows += [(self.answer.title, self.answer.words())]
        rows += [] if self.model is None else [("model", str(self.model))]
        rows += [] if self.figure is None else [("picture", str(self.figure))]
        return rows if self.page is None else [*rows, ("report", str(self.page))]
