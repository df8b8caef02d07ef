"""A table with holes is completed, and looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rankscape import data
from rankscape.errors import InputError
from rankscape.explore.calls import Call, Frame, Room, State, number
from rankscape.explore.completing import complete_table, show_model
from rankscape.explore.opened import Opened
from rankscape.explore.workers import frames_of
from rankscape.ground.checks import one_of, whole
from rankscape.ground.final import final


@final
@dataclass(frozen=True)
class CompleteState(State):
    """Which table, and how.

    Attributes
    ----------
    table : str
        "opened" for what was named at the start, the name of a data set, or the number of a dropped file.
    hide : float
        Share of the entries that are hidden first, to compare with.
    max_rank, seed
        As in `complete`.
    ordered, values : str
        As in `complete`; "none" for no order.
    """

    table: str = ""
    hide: float = 0.0
    max_rank: int | None = None
    ordered: str = "auto"
    values: str = "auto"
    seed: int = 0

    @classmethod
    def read(cls, name: str, value: Any) -> Any:
        """One field, as typed."""
        if name in ("table", "ordered", "values"):
            return str(value)
        if name == "hide":
            return number(name, value or 0)
        if name == "max_rank":
            return None if value in (None, "", "None") else whole(name, number(name, value), 1)
        return whole(name, number(name, value), 0)

    def __post_init__(self) -> None:
        one_of("ordered", self.ordered, ("auto", "rows", "columns", "both", "none"))
        if not 0 <= self.hide < 1:
            raise InputError(f"`hide` must lie between 0 and 1, got {self.hide}.")

    @property
    def settings(self) -> dict[str, Any]:
        """Of `complete`; only what differs from its defaults."""
        asked = {"max_rank": self.max_rank, "ordered": None if self.ordered == "none" else self.ordered}
        asked |= {"values": self.values}
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

    def start(self, opened: Opened) -> dict[str, str]:
        """What was named at the start."""
        return {"table": "opened"} if opened.kind in ("table", "model") else {}

    def frames(self, state: CompleteState, call: Call, opened: Opened) -> Iterator[Frame]:
        """What a process of its own finds; it stays, to fill new rows, as long as the page looks."""
        if not state.table:
            names = [name for name in data.names() if data.available(name)]
            yield Frame("empty", {"names": names})
            return
        number_, folder = opened.dropped.folder()
        if state.table == "opened" and opened.kind == "model":
            yield from frames_of(show_model, (str(opened.path), str(folder), number_), call)
            return
        source, shown = _source(state.table, opened)
        asked = state.settings, state.hide
        facts = {"address": state.address, "number": number_} | lines(shown, state)
        yield Frame("begin", facts)
        yield from frames_of(complete_table, (source, shown, str(folder), number_, *asked), call)


def _source(table: str, opened: Opened) -> tuple[str, str]:
    """What `open_source` takes, and the name for people."""
    if table == "opened":
        if opened.kind != "table":
            raise InputError("No table was named at the start: drop one on the page.")
        return str(opened.path), str(opened.path)
    if table in data.names():
        return table, table
    path = opened.dropped.file(table)
    return str(path), path.name


def lines(name: str, state: CompleteState) -> dict[str, str]:
    """The same in Python and on the command line."""
    import shlex

    words = ", ".join(f"{key}={value!r}" for key, value in state.settings.items())
    given = f"rs.data.load({name!r}).matrix" if name in data.names() else f"rs.files.read({name!r}).dense()"
    python = ["import rankscape as rs", "", f"done = rs.complete({given}, {words})"]
    if state.hide:
        python = [
            "import rankscape as rs",
            "",
            "# The page hides a share of the entries first: `rankscape complete --hide` does the same.",
            f"done = rs.complete({given}, {words})",
        ]
    python += ["print(done.rank, done.certificate)", 'rs.report(done, "report.html")']
    shell = ["rankscape complete", shlex.quote(name)]
    shell += [f"--hide {state.hide!r}"] if state.hide else []
    for key, value in state.settings.items():
        shell.append(f"--{key.replace('_', '-')} {'none' if value is None else shlex.quote(str(value))}")
    return {"python": "\n".join(python) + "\n", "shell": " ".join(shell)}
