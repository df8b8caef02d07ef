"""How commands speak: facts as a table for people, or as one JSON object for machines."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.errors import InputError
from rankscape.ground.as_json import as_json
from rankscape.ground.progress import AbstractMeter, meter

Flag = Annotated[bool, Parameter(negative="")]

# Raised when a key of the JSON that commands print is renamed, removed, or means something else; new keys do not count.
SCHEMA = 1


def print_json(facts: Mapping[str, Any]) -> None:
    """One JSON object on stdout, with the number of its schema; NaN becomes null."""
    print(as_json({"schema": SCHEMA, **facts}))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Speech:
    """How much a command says.

    Parameters
    ----------
    quiet
        Print nothing but warnings and errors, and JSON where it is asked for.
    verbose
        Print each stage with the time that it took, on stderr.
    json
        Print JSON, and nothing else, on stdout.
    """

    quiet: Flag = False
    verbose: Flag = False
    json: Flag = False

    def meter(self) -> AbstractContextManager[AbstractMeter]:
        """Where progress is shown."""
        return meter(self.quiet, self.verbose)

    def say(self, facts: Callable[[], Mapping[str, Any]], rows: Callable[[], Sequence[tuple[str, str]]]) -> None:
        """Print one or the other."""
        if self.json:
            print_json(facts())
        elif not self.quiet:
            print_facts(rows())


def print_facts(rows: Sequence[tuple[str, str]]) -> None:
    """A two-column table on stdout."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    _print(table)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table with a header on stdout; the last column wraps, the others are never cut."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for k, name in enumerate(header):
        # A number cut in two would be read as another one.
        table.add_column(name, no_wrap=k < len(header) - 1, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    _print(table)


def _print(table: Any) -> None:
    """Without the blanks that fill up each line."""
    from rich.console import Console

    console = Console(highlight=False)
    # Captured, because rich fills lines up with blanks, which end up in files and diffs.
    with console.capture() as text:
        console.print(table)
    print("\n".join(line.rstrip() for line in text.get().splitlines()))


def number(value: float | None) -> str:
    """Four significant digits; None is nothing to speak of."""
    return "none" if value is None else f"{value:.4g}"


def check_files(source: str, named: bool, files: Mapping[str, Path | None]) -> None:
    """Refuse one name for two files; `named` says that the source is a data set and no file."""
    owners: dict[Path, str] = {} if named else {Path(source).expanduser().resolve(): "the source itself"}
    for option, path in files.items():
        if path is None:
            continue
        # Resolved, so that two spellings of one file are seen.
        if (other := owners.setdefault(path.expanduser().resolve(), option)) != option:
            raise InputError(f"{option} {path} is {other}; choose another name.")


def share(part: float) -> str:
    """A part of the whole in percent, and never 0.0 % of something."""
    return f"{part:.1%}" if part >= 0.001 or not part else f"{100 * part:.2g}%"
