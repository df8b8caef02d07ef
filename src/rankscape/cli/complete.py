"""``rankscape complete``."""

import shutil
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators

from rankscape.cli.completed import Result
from rankscape.cli.outlying import print_outlying
from rankscape.cli.output import Speech
from rankscape.cli.source import IN_PARTS, Reading
from rankscape.cli.written import Written, picture_of
from rankscape.errors import InputError
from rankscape.ground.checks import listed

if TYPE_CHECKING:
    from rankscape.estimators import CompletedMatrix

# Longest line of sentences.
READABLE = 100

Share = Annotated[float, Parameter(validator=validators.Number(gte=0, lt=1))]
Flag = Annotated[bool, Parameter(negative="")]


def _two_or_more(_: Any, depth: int | str) -> None:
    if not isinstance(depth, str) and depth < 2:
        raise ValueError("Must be >= 2.")


def complete(
    source: Annotated[str, Parameter(help=IN_PARTS, allow_leading_hyphen=True)],
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
    executor: str | None = None,
    checkpoint: Path | None = None,
    seed: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    explain: Flag = False,
    force: Flag = False,
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
    executor
        Whose workers sweep over very many entries: dask (as many as jobs), slurm, pbs, lsf, sge, or the address of a
        Dask scheduler.
    checkpoint
        File in which these sweeps are written down: the same command goes on there after it was killed.
    seed
        Decides which entries are hidden and held out.
    explain
        Say in plain sentences why this rank, how sure, and what to do next.
    force
        Replace files that hold something else than an earlier answer to the same source.
    """
    from rankscape import complete as fill
    from rankscape.cli.answers import answer_of
    from rankscape.data.source import open_source
    from rankscape.estimators.completion.at_work import opened as workers_of
    from rankscape.estimators.completion.progress import shown_on
    from rankscape.ground.threads import threads_of

    speech, began = speech or Speech(), time.monotonic()
    with workers_of(executor, threads_of(jobs)) as work:
        opened = open_source(source, in_parts=True, each=work.each, **(reading or Reading()).settings())
        answer = answer_of(opened.table, opened.stem, opened.extension, output, pairs, top, model is not None)
        picture = picture_of(figure, no_figure, answer.output or Path(f"{opened.stem}-completed.npy"))
        written = Written(answer, model, standard_errors, picture, report, force)
        written.check(opened, pairs)
        problem, hidden = opened.problem(hide, seed)
        settings: dict[str, Any] = {"depth": depth, "max_rank": max_rank, "validation_fraction": validation_fraction}
        settings |= {"offset": offset, "path": path, "scale": scale, "loss": loss, "clip": _clip(clip)}
        settings["ordered"] = None if ordered == "none" else ordered
        settings |= {"values": kind, "detection_limit": detection_limit, "n_jobs": jobs}
        where: dict[str, Any] = {"executor": work.hands, "checkpoint": checkpoint}
        with speech.meter() as bar:
            bar.came_before("reading the table", began)
            completed = fill(problem, **settings, seed=seed, progress=shown_on(bar), **where)
            bar.update("writing")
            written.save(opened, completed)
            bar.update("drawing")
            written.draw(opened, problem, hidden, completed, {**settings, "hide": hide, "seed": seed})
        result = Result(opened, problem, hidden, completed, written, time.monotonic() - began)
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


def _explain(completed: "CompletedMatrix") -> None:
    """Paragraphs as wide as the terminal."""
    from rankscape.reports import explain

    width = min(shutil.get_terminal_size().columns, READABLE)
    for paragraph in explain(completed):
        print("\n" + textwrap.fill(paragraph, width))
