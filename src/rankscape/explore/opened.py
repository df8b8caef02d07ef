"""What was named at the start: the only file that the page can see."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rankscape import data
from rankscape.errors import InputError
from rankscape.explore.dropped import Dropped
from rankscape.ground.durable import attributes_of
from rankscape.ground.final import final
from rankscape.ground.kinds import MODEL, kind_of

# Which room shows what.
ROOM_OF = {"run": "sweep", "sweep": "sweep", "model": "complete", "table": "complete"}


@final
@dataclass(frozen=True)
class Opened:
    """A run, a sweep, a model or a table, or nothing.

    Attributes
    ----------
    path : Path, optional
        As it was typed.
    kind : {"", "run", "sweep", "model", "table"}
        What it holds.
    dropped : Dropped
        What comes later, by the page.
    """

    path: Path | None = None
    kind: str = ""
    dropped: Dropped = field(default_factory=Dropped)

    @classmethod
    def at(cls, path: Path | None) -> "Opened":
        """Look what a path holds.

        Raises
        ------
        InputError
            There is nothing, or a folder that rankscape did not write.
        """
        if path is None:
            return cls()
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder.")
        if path.is_dir():
            return cls(path, _kind_of_store(path))
        return cls(path, "model" if is_model(path) else "table")

    @property
    def room(self) -> str:
        """Which room shows it; none where nothing was named."""
        return ROOM_OF.get(self.kind, "")

    @cached_property
    def content(self) -> Any:
        """The run or the sweep; a table or a model is read by who shows it."""
        assert self.path is not None
        if self.kind == "run":
            from rankscape.run.trajectory import Trajectory

            return Trajectory.load(self.path)
        from rankscape.sweeps import Sweep

        return Sweep(self.path)

    def source(self, table: str) -> tuple[str, str, bool]:
        """What `open_source` takes, the name for people, and whether it is a saved model.

        Parameters
        ----------
        table : str
            "opened" for what was named at the start, the name of a data set, or the number of a dropped file.

        Raises
        ------
        InputError
            There is none.
        """
        if table == "opened":
            if self.kind not in ("table", "model"):
                raise InputError("No table was named at the start: drop one on the page.")
            return str(self.path), str(self.path), self.kind == "model"
        if table in data.names():
            return table, table, False
        path = self.dropped.file(table)
        return str(path), self.dropped.name(table), is_model(path)


def _kind_of_store(path: Path) -> str:
    attributes = attributes_of(path)
    if attributes is None:
        raise InputError(f"{path} is a folder, and no run (`simulate -o RUN.zarr`) and no sweep's store.")
    return "sweep" if "rankscape_sweep_format" in attributes else "run"


def is_model(path: Path) -> bool:
    """Whether a file is a saved completion."""
    return kind_of(path) == MODEL
