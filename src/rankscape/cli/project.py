"""The project file: options that the commands of a project have in common, found here or in a folder above."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts.config import Dict

from rankscape.errors import InputError
from rankscape.ground.final import final

if TYPE_CHECKING:
    from cyclopts import App, ArgumentCollection

# A run and a sweep have TOML files of their own, over which a project file must not win.
OWN_FILE = ("simulate", "sweep")


@final
class ProjectFile:
    """A table for each command, below some keys of a TOML file.

    Parameters
    ----------
    name : str
        Of the file; the nearest one counts, from the present folder upwards.
    keys : sequence of str
        Below which the tables stand.
    """

    def __init__(self, name: str, keys: Sequence[str] = ()):
        self.name, self.keys = name, tuple(keys)

    def layer(self, app: "App", commands: tuple[str, ...], arguments: "ArgumentCollection") -> None:
        """Give the options of a command that were not typed."""
        path = self._path()
        if path is not None and commands and commands[0] not in OWN_FILE:
            Dict(_read(path), root_keys=self.keys, source=str(path))(app, commands, arguments)

    def found(self) -> Path | None:
        """The file, if it is there and has such tables."""
        path = self._path()
        table = {} if path is None else _read(path)
        for key in self.keys:
            table = table.get(key, {})
        return path if table else None

    def _path(self) -> Path | None:
        here = Path.cwd()
        return next((folder / self.name for folder in (here, *here.parents) if (folder / self.name).is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the project file cannot be read: {error}.") from None
