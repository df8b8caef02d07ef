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


def check_files(inputs: Mapping[str, str | Path | None], outputs: Mapping[str, Path | None]) -> None:
    """Refuse to write what is read, and two things to one file; the names say what each is."""
    taken = [(Path(path), name) for name, path in inputs.items() if path is not None]
    for option, path in outputs.items():
        if path is None:
            continue
        for other, name in taken:
            if _same(path.expanduser(), other.expanduser()):
                raise InputError(f"{option} {path} is {name}; choose another name.")
        taken.append((path, option))


def _same(one: Path, other: Path) -> bool:
    """Whether two spellings or links lead to one file."""
    if one.resolve() == other.resolve():
        return True
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there yet
        return False


def share(part: float) -> str:
    """A part of the whole in percent, and never 0.0 % of something."""
    return f"{part:.1%}" if part >= 0.001 or not part else f"{100 * part:.2g}%"
