"""``rankscape fill``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter, validators

from rankscape.cli.answers import AbstractAnswer, Whole, answer_of
from rankscape.cli.output import Speech, check_files
from rankscape.cli.source import Reading
from rankscape.entries import Entries
from rankscape.errors import InputError, did_you_mean
from rankscape.files.formats import format_of
from rankscape.files.long import labels_of
from rankscape.files.table import Table

if TYPE_CHECKING:
    from rankscape.data.source import Source
    from rankscape.estimators import CompletedMatrix


def fill(
    model: Path,
    new: str | None = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    pairs: Path | None = None,
    top: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    reading: Reading | None = None,
    speech: Speech | None = None,
) -> None:
    """Fill new rows with a model that `complete --model` saved; nothing is fitted again.

    Each row is folded in by its own entries, against what the model knows of the columns. Without NEW, --pairs and
    --top ask for cells of the matrix that the model was made of.

    Parameters
    ----------
    model
        A file that `rankscape complete --model` or `DeepMatrixCompletion.save` wrote.
    new
        A file of further rows of the same columns, or a name from `rankscape data list`.
    output
        File for the result; its extension chooses the format. Default: here, named after the rows.
    pairs
        Long table with a row and a column on each line: write what is predicted there (without NEW).
    top
        Write this many unseen columns of each row, those of the largest values, and not all of them.
    force
        Replace a file that holds something else than an earlier answer to the same question.
    """
    from rankscape.estimators.completion.completed.tabled import load_model

    done, known = load_model(model)
    if new is None:
        if pairs is None and top is None:
            raise InputError("Nothing to fill: name a file of new rows, or ask for cells with --pairs or --top.")
        answer = answer_of(known, model.stem, ".csv", output, pairs, top, model=False)
        check_files({"the model itself": model, "the file of --pairs": pairs}, {"--output": answer.output})
        answer.check_standing(known, force)
        answer.write(done, known)
        facts = {"model": str(model), "source": None, "shape": list(done.shape), "observed": done.observed.count}
    else:
        from rankscape.data.source import open_source

        if pairs is not None:
            raise InputError("--pairs names cells of the model's own rows; leave NEW out, or ask for --top.")
        opened = open_source(new, **(reading or Reading()).settings())
        answer = _fill(done, known, opened, model, output, top, force)
        facts = {"model": str(model), "source": opened.name, "shape": list(opened.table.shape)}
        facts |= {"observed": opened.table.entries.count}
    facts["output"] = str(answer.output)
    (speech or Speech()).say(lambda: facts, lambda: _rows(facts, answer))


def _fill(
    done: "CompletedMatrix",
    known: Table,
    opened: "Source",
    model: Path,
    output: Path | None,
    top: int | None,
    force: bool,
) -> AbstractAnswer:
    """Fold the new rows in, and write all of them or their best columns."""
    aligned, places = _aligned(opened.table, known, opened.name)
    table, answer = aligned, answer_of(aligned, opened.stem, opened.extension, output, None, top, model=False)
    as_it_came = opened.table.wide is not None or (answer.output and not format_of(answer.output).long)
    if isinstance(answer, Whole) and as_it_came:
        # An array or a wide table has the columns that it had, and no place for others.
        answer, table = Whole(answer.output, places), opened.table
    check_files({"the model itself": model, "the file of new rows": opened.path}, {"--output": answer.output})
    answer.check_standing(table, force)
    answer.write(done.new_rows(aligned.entries), table)
    return answer


def _aligned(new: Table, known: Table, name: str) -> tuple[Table, np.ndarray]:
    """The new rows in the columns of the model, and which of these they have."""
    mine, theirs = labels_of(new)[1], labels_of(known)[1]
    places = {str(label): k for k, label in enumerate(theirs.tolist())}
    unknown = [str(label) for label in mine.tolist() if str(label) not in places]
    if unknown:
        shown = ", ".join(map(repr, unknown[:3])) + (", ..." if len(unknown) > 3 else "")
        raise InputError(
            f"{name}: the model has not seen {len(unknown):,} of its {len(mine):,} columns ({shown}); leave them out"
            f"{did_you_mean(unknown[0], places) or '.'}"
        )
    at = np.array([places[str(label)] for label in mine.tolist()])
    seen = new.entries
    entries = Entries(seen.rows, at[seen.columns], seen.values, (new.shape[0], len(theirs)))
    return replace(new, entries=entries, column_labels=known.column_labels, wide=None, long=None), at


def _rows(facts: dict[str, Any], answer: AbstractAnswer) -> list[tuple[str, str]]:
    """The table for people."""
    shape, what = " x ".join(f"{n:,}" for n in facts["shape"]), "matrix" if facts["source"] is None else "new rows"
    source = "" if facts["source"] is None else f"{facts['source']}, "
    return [
        ("model", facts["model"]),
        (what, f"{source}{shape}, {facts['observed']:,} entries observed"),
        (answer.title, answer.words()),
    ]
