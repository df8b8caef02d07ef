"""What a caller settles about a file, so that its content need not be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias, TypedDict

from rankscape.errors import InputError
from rankscape.ground.checks import one_of
from rankscape.ground.final import final

Layout: TypeAlias = Literal["wide", "long"]
Decimal: TypeAlias = Literal[".", ","]

# What separates cells, and what people call it; runs of blanks and tabs count as one.
BLANKS = "blanks"
SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|", BLANKS: BLANKS, "colons": "::"}


class Settings(TypedDict, total=False):
    """The same as keyword arguments of `rankscape.files.read`."""

    rows: str | None
    columns: str | None
    values: str | None
    layout: Layout | None
    header: bool | None
    index: bool | None
    decimal: Decimal | None
    separator: str | None
    missing: Sequence[str] | str
    sheet: str | None
    format: str | None


@final
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for; None leaves it to the content of the file.

    Parameters
    ----------
    rows, columns, values
        Names of the three columns of a long table; ``values`` also names the array or layer in a file of several.
    layout
        Whether a table is wide (a column for each column of the matrix) or long (a line for each entry).
    header, index
        Whether the first line names the columns, and the first column the rows.
    decimal
        The decimal mark of the numbers.
    separator
        What stands between cells: one of `SEPARATORS`, by name or as it is.
    missing
        Words that stand for a missing value, beside the usual ones.
    sheet
        The sheet of a workbook.
    """

    rows: str | None = None
    columns: str | None = None
    values: str | None = None
    layout: Layout | None = None
    header: bool | None = None
    index: bool | None = None
    decimal: Decimal | None = None
    separator: str | None = None
    missing: tuple[str, ...] = ()
    sheet: str | None = None

    def __post_init__(self) -> None:
        if self.layout is not None:
            one_of("layout", self.layout, ("wide", "long"))
        if self.decimal is not None:
            one_of("decimal", self.decimal, (".", ","))
        if self.separator is not None and self.separator not in {*SEPARATORS, *SEPARATORS.values(), " ", "\\t"}:
            raise InputError(f"`separator` must be one of {', '.join(SEPARATORS)}, got {self.separator!r}.")

    @property
    def names(self) -> tuple[str | None, str | None, str | None]:
        """The names of rows, columns and values."""
        return self.rows, self.columns, self.values

    @property
    def mark(self) -> str | None:
        """The separator as it stands between cells."""
        aliases = {" ": BLANKS, "\\t": "\t"} | SEPARATORS
        return None if self.separator is None else aliases.get(self.separator, self.separator)

    def given(self) -> dict[str, object]:
        """What is settled, by name."""
        empty = (None, ())
        return {field.name: getattr(self, field.name) for field in fields(self)
                if getattr(self, field.name) not in empty}  # fmt: skip

    def calls(self, path: object, name: str, *choices: str) -> str:
        """The commands among which a reader has to choose, and the same in Python."""
        words = [_option(key, value) for key, value in self.given().items()]
        source = f"'{path}'" if " " in str(path) else str(path)
        before = " ".join(["rankscape complete", source, *words])
        commands = [f"`{before} --{name} {choice}`" for choice in choices]
        python = " or ".join(
            f"{name}={ {'yes': 'True', 'no': 'False'}.get(choice, repr(choice)) }" for choice in choices
        )
        return f"{' or '.join(commands)} (in Python {python})"


def _option(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"--{name} {'yes' if value else 'no'}"
    if isinstance(value, tuple):
        return " ".join(f"--{name} '{word}'" for word in value)
    quoted = f"'{value}'" if str(value) in ";|," or " " in str(value) else str(value)
    return f"--{name} {quoted}"
