"""From a statement of the papers to the function that computes it, the tests that hold it, the figure that shows it.

`STATEMENTS` is the table, read from ``statements.toml``; ``python -m rankscape.papers.statements`` prints it as a page,
docs/statements.md. Places are named by subject and not by number, because the versions of a paper count their theorems
differently.
"""

import importlib
import inspect
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from rankscape.papers.bibliography import reference

PUBLISHED, DERIVED = "published", "derived here"


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes
    ----------
    work : str
        Key of the bibliography.
    place : str
        Where in the paper, by subject.
    text : str
        The statement in one line, in the paper's letters.
    assumes : str
        What has to hold for it; "none proved" of an experiment, with its setting.
    source : str
        Whether this form is `PUBLISHED`, or its constants, or all of it, are `DERIVED` for rankscape.
    functions : str
        Public names below `rankscape`, separated by spaces.
    tests : str
        Files of ``tests/`` without ``test_`` and ``.py``, each with names of tests in brackets.
    figures : str
        Names for `rankscape reproduce`, of the work itself; empty where nothing is drawn.
    """

    work: str
    place: str
    text: str
    assumes: str
    source: str
    functions: str
    tests: str
    figures: str = ""

    def nodes(self) -> list[tuple[str, str]]:
        """File and name of each test."""
        parts = [part.split("[") for part in self.tests.replace("]", "").split("; ")]
        return [(f"test_{file}.py", f"test_{name}") for file, names in parts for name in names.split()]


def _read() -> Iterator[Statement]:
    table = tomllib.loads(files("rankscape.papers").joinpath("statements.toml").read_text(encoding="utf-8"))
    return (Statement(work, **row) for work, rows in table.items() for row in rows)


STATEMENTS = tuple(_read())


def resolve(name: str) -> Any:
    """The object of a public name below `rankscape`.

    >>> resolve("theory.plateaus").__name__
    'plateaus'
    """
    found = importlib.import_module("rankscape")
    for part in name.split("."):
        found = getattr(found, part)
    return found


def page() -> str:
    """The table as a page in Markdown, for ``docs/``."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# From the papers to the code"
    yield ""
    yield "Each statement, what it assumes, the function that computes it and what that returns, tests that hold it,"
    yield "and the figure of `rankscape reproduce` that shows it. *Published* forms are those of the paper; where it"
    yield "says *derived here*, the paper has the statement or asks the question, and the constants are rankscape's."
    yield "Made by `python -m rankscape.papers.statements`."
    for work, statements in groupby(STATEMENTS, key=lambda statement: statement.work):
        yield from ["", f"## {reference(work).line.split('] ')[1]}", ""]
        yield "| place | statement | assumes | form | function | tests | figure |"
        yield "|---|---|---|---|---|---|---|"
        yield from (_row(statement) for statement in statements)
    yield ""


def _row(s: Statement) -> str:
    tests = " ".join(f"[{name[5:]}](../tests/{file})" for file, name in s.nodes())
    figures = " ".join(f"`{s.work} --figure {name}`" for name in s.figures.split())
    functions = " ".join(_linked(name) for name in s.functions.split())
    return f"| {s.place} | {s.text} | {s.assumes} | {s.source} | {functions} | {tests} | {figures} |"


def _linked(name: str) -> str:
    """A name with a link to its file, and the record that it returns."""
    found = resolve(name)
    # By the module: the function itself may be wrapped by a checker of types.
    file = Path(sys.modules[found.__module__].__file__ or "")
    inside = file.relative_to(Path(__file__).parent.parent)
    made = getattr(inspect.signature(found).return_annotation, "__args__", None) if inspect.isfunction(found) else None
    kind = (made or [getattr(found, "__annotations__", {}).get("return")])[0]
    record = f" → `{kind.__name__}`" if inspect.isclass(kind) and kind.__module__.startswith("rankscape") else ""
    return f"[`{name}`](../src/rankscape/{inside}){record}"


if __name__ == "__main__":
    print(page(), end="")
