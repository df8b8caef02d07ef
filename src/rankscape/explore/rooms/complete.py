"""A table with holes is completed, and looked at."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rankscape import data
from rankscape.data.source import HIDING
from rankscape.errors import InputError
from rankscape.explore.calls import Call, Frame, Room
from rankscape.explore.completing import complete_table, show_model
from rankscape.explore.opened import Opened
from rankscape.explore.reading import ReadingState
from rankscape.explore.workers import frames_of, ready
from rankscape.ground.checks import one_of, whole
from rankscape.ground.final import final


@final
@dataclass(frozen=True)
class CompleteState(ReadingState):
    """Which table, and how.

    Attributes
    ----------
    table : str
        "opened" for what was named at the start, the name of a data set, or the number of a dropped file.
    hide : float, optional
        Share of the entries that are hidden first, to compare with.
    max_rank, seed
        As in `complete`.
    ordered, kind : str
        As in `complete`; "none" for no order, and `kind` is what values are.
    """

    table: str = ""
    hide: float | None = None
    max_rank: int | None = None
    ordered: str = "auto"
    kind: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("ordered", self.ordered, ("auto", "rows", "columns", "both", "none"))
        if self.hide is not None and not 0 <= self.hide < 1:
            raise InputError(f"`hide` must lie between 0 and 1, got {self.hide}.")
        if self.max_rank is not None:
            whole("max_rank", self.max_rank, 1)

    @property
    def settings(self) -> dict[str, Any]:
        """Of `complete`; only what differs from its defaults."""
        asked = {"max_rank": self.max_rank, "ordered": None if self.ordered == "none" else self.ordered}
        asked |= {"values": self.kind}
        usual = {"max_rank": None, "ordered": "auto", "values": "auto"}
        return {name: value for name, value in asked.items() if value != usual[name]} | {"seed": self.seed}


@final
class Complete(Room):
    """The holes first, then the work, then what was found."""

    name = "complete"
    title = "Complete"
    sentence = (
        "Drop a table with holes: see what is missing, which rank fits, the completed table, and how far to trust it."
    )
    state = CompleteState

    def prepare(self) -> None:
        """The process that others are copies of."""
        ready()

    def start(self, opened: Opened) -> dict[str, str]:
        """What was named at the start."""
        return {"table": "opened"} if opened.kind in ("table", "model") else {}

    def frames(self, state: CompleteState, call: Call, opened: Opened) -> Iterator[Frame]:
        """What a process of its own finds; it stays, to fill new rows, as long as the page looks."""
        if not state.table:
            names = [name for name in data.names() if data.available(name)]
            yield Frame("empty", {"names": names})
            return
        source, shown, model = opened.source(state.table)
        number_, folder = opened.dropped.folder()
        code = _lines_of_model(shown) if model else lines(shown, state)
        yield Frame("begin", {"number": number_} | code)
        if model:
            yield from frames_of(show_model, (source, shown, str(folder), number_), call)
        else:
            asked = source, shown, str(folder), number_, state.reading, state.settings, state.hide or 0.0
            yield from frames_of(complete_table, asked, call)


def lines(name: str, state: CompleteState) -> dict[str, str]:
    """The same in Python and on the command line."""
    shell = ["rankscape complete", _word(name), *([] if name in data.names() else state.options)]
    shell += [f"--hide {state.hide!r}"] if state.hide else []
    for key, value in state.settings.items():
        option = {"max_rank": "max-rank", "values": "kind"}.get(key, key)
        shell.append(f"--{option} {'none' if value is None else shlex.quote(str(value))}")
    python = _with_some_hidden(name, state) if state.hide else _with_all(name, state)
    python += ["print(done.rank, done.certificate)", 'rs.report(done, "report.html")']
    return {"python": "\n".join(["import rankscape as rs", "", *python]) + "\n", "shell": " ".join(shell)}


def _with_all(name: str, state: CompleteState) -> list[str]:
    given = f"rs.data.load({name!r}).matrix" if name in data.names() else f"{_read(name, state)}.dense()"
    return [f"done = rs.complete({given}, {_words(state)})"]


def _with_some_hidden(name: str, state: CompleteState) -> list[str]:
    read = f"rs.data.load({name!r}).entries" if name in data.names() else _read(name, state)
    return [
        f"table = {read}",
        "problem = rs.Completion(table.rows, table.columns, table.values, table.shape)",
        f"split = problem.split({state.hide!r}, seed={state.seed + HIDING})",
        f"done = rs.complete(split.training, {_words(state)})",
        "print(done.rmse(split.heldout.entries))  # on what was hidden",
    ]


def _read(name: str, state: CompleteState) -> str:
    return f"rs.files.read({', '.join([repr(name), *(f'{key}={value!r}' for key, value in state.reading.items())])})"


def _words(state: CompleteState) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in state.settings.items())


def _lines_of_model(name: str) -> dict[str, str]:
    python = f"import rankscape as rs\n\ndone = rs.CompletedMatrix.load({name!r})\nprint(done.rank, done.certificate)\n"
    return {"python": python, "shell": f"rankscape fill {_word(name)} --top 3"}


def _word(name: str) -> str:
    """A file as a shell takes it, also one whose name begins like an option."""
    return shlex.quote(f"./{name}" if name.startswith("-") else name)
