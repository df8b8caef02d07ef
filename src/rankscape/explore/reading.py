"""How a file is read, where its content does not tell: the options of the command line as fields of an address."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rankscape.errors import RankscapeError
from rankscape.explore.calls import State
from rankscape.files.wanted import SEPARATORS
from rankscape.ground.checks import one_of

# Fields whose values an address spells out; empty leaves it to the file.
CHOICES = {
    "layout": ("", "wide", "long"),
    "header": ("", "yes", "no"),
    "index": ("", "yes", "no"),
    "separator": ("", *SEPARATORS),
    "decimal": ("", ".", ","),
    "duplicates": ("error", "mean", "last"),
}


@dataclass(frozen=True, kw_only=True)
class ReadingState(State):
    """As in `files.read`; empty where the content of the file tells.

    Attributes
    ----------
    format, layout, header, index, separator, decimal, sheet, rows, columns, values, duplicates : str
        As the options of the command line are called; `header` and `index` are "yes" or "no".
    missing : str
        Words for a missing value, between commas.
    """

    format: str = ""
    layout: str = ""
    header: str = ""
    index: str = ""
    separator: str = ""
    decimal: str = ""
    missing: str = ""
    sheet: str = ""
    rows: str = ""
    columns: str = ""
    values: str = ""
    duplicates: str = "error"

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            one_of(name, getattr(self, name), known)

    @property
    def words(self) -> tuple[str, ...]:
        """For a missing value."""
        return tuple(word.strip() for word in self.missing.split(",") if word.strip())

    @property
    def reading(self) -> dict[str, Any]:
        """Of `files.read`; only what is settled."""
        plain: dict[str, Any] = {name: value for name, value in self._settled().items() if name != "missing"}
        truth = {"yes": True, "no": False}
        for name in {"header", "index"} & set(plain):
            plain[name] = truth[plain[name]]
        return plain | ({"missing": self.words} if self.words else {})

    @property
    def options(self) -> list[str]:
        """The same on the command line."""
        pieces = [f"--{name} {shlex.quote(value)}" for name, value in self._settled().items() if name != "missing"]
        return pieces + [f"--missing={shlex.quote(word)}" for word in self.words]

    def _settled(self) -> dict[str, str]:
        names = ReadingState.__annotations__
        return {name: value for name in names if (value := getattr(self, name)) != getattr(ReadingState, name)}


@contextmanager
def called(path: str, name: str) -> Iterator[None]:
    """Errors call a file by the name that people know, and not by the place where it is kept."""
    try:
        yield
    except RankscapeError as error:
        raise type(error)(str(error).replace(path, name)) from error
