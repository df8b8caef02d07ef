"""How a file is read, where its content does not tell: the options of the command line as fields of an address."""

import re
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

# What the page calls them, under "How the file is read": errors of readers name options, which a page has not.
LABELS = {
    "format": "Format",
    "layout": "Layout",
    "header": "Names on top",
    "index": "Names at left",
    "separator": "Between cells",
    "decimal": "Decimal mark",
    "missing": "Words for a missing value",
    "sheet": "Sheet of a workbook",
    "rows": "Column of rows",
    "columns": "Column of columns",
    "values": "Column of values",
    "duplicates": "Given twice",
}
_OPTION = re.compile(rf"(?:--|\b(?=\w+=))({'|'.join(LABELS)})\b")


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
def called(path: str, name: str, form: bool = False) -> Iterator[None]:
    """Errors call a file by the name that people know, not by the place where it is kept.

    Beside a form with the fields of `ReadingState` they also say which of them are meant.
    """
    try:
        yield
    except RankscapeError as error:
        words = str(error).replace(path, name)
        raise type(error)(words + _fields(words) if form else words) from error


def _fields(words: str) -> str:
    """Where the options that are named stand on the page."""
    labels = [f"“{LABELS[name]}”" for name in dict.fromkeys(_OPTION.findall(words))]
    return f" (On this page: {' and '.join(labels)} under “How the file is read”.)" if labels else ""
