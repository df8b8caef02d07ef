"""The options of every command, as its own help has them."""

import inspect
from collections.abc import Iterator
from typing import Any

from cyclopts import App

from _site.made import cell, write
from rankscape.cli.app import COMMANDS
from rankscape.cli.app import app as application


def leaves(parent: App = application, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command that does something, with its words."""
    for name in parent:
        if not name.startswith("-"):
            child = parent[name]
            below = [sub for sub in child if not sub.startswith("-")]
            yield from leaves(child, (*path, name)) if below else [((*path, name), child)]


def shown(leaf: App) -> list[Any]:
    """The arguments of a command that its help shows."""
    return [argument for argument in leaf.assemble_argument_collection(parse_docstring=True) if argument.show]


def _names(argument: Any) -> str:
    flags = [name for name in argument.names if name.startswith("-")]
    return ", ".join(f"`{name}`" for name in flags or [argument.name.upper()])


def _default(argument: Any) -> str:
    value = argument.field_info.default
    if argument.required:
        return " Required."
    return "" if value in (None, inspect.Parameter.empty, False, ()) else f" Default: `{value}`."


def _section(path: tuple[str, ...], leaf: App) -> Iterator[str]:
    name = " ".join(path)
    yield from [f"## rankscape {name}", "", leaf.help.strip(), ""]
    arguments = shown(leaf)
    places = " ".join(a.name.upper() for a in arguments if not any(n.startswith("-") for n in a.names))
    yield from ["```text", f"rankscape {name} {places} [OPTIONS]".replace("  ", " "), "```", ""]
    if not arguments:
        return
    yield from ["| option | what it does |", "|---|---|"]
    for argument in arguments:
        choices = [f"`{choice}`" for choice in argument.get_choices() or ()]
        # A single word stands beside numbers.
        said = f" A number, or {choices[0]}." if len(choices) == 1 else f" One of {', '.join(choices)}."
        text = argument.parameter.help + (said if choices else "")
        yield f"| {_names(argument)} | {cell(text + _default(argument))} |"
    yield ""


def page() -> str:
    """All commands."""
    lines = ["# Commands and options", "", "Made from the commands themselves. What a script may rely on (exit codes,"]
    lines += ["variables, files, keys of `--json`) is on [its own page](../command-line.md).", ""]
    lines += ["| command | what it does |", "|---|---|"]
    lines += [f"| `rankscape {name}` | {cell(text)} |" for name, text in COMMANDS.items()] + [""]
    for path, leaf in leaves():
        lines += _section(path, leaf)
    return "\n".join(lines)


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", lambda _: write("reference/commands.md", page()))
