"""The statements of the papers: on paper, in code. Made from the table that the tests hold."""

import re
from collections.abc import Iterator
from itertools import groupby

from _site.gallery import figures
from _site.made import write
from _site.names import public
from rankscape.papers.bibliography import reference
from rankscape.papers.statements import STATEMENTS, Statement, resolve

HEAD = """\
# On paper, in code

Each statement in our words and the papers' letters, what it assumes, the function that computes it, the tests that
hold it, the figure that shows it, and how many of its claims held when this page was made. *Published* forms are those
of the paper. *Derived here*: the paper has the statement or asks the question, and the constants are rankscape's own.
The records that functions return list their `assumptions` with numbers, and `failed` where one does not hold.

```python
import rankscape as rs

first = rs.theory.plateaus([5, 3, 1.5], depth=3, alpha=0.1, learning_rate=1e-3)[0]
print(first.start, first.end)
print("\\n".join(first.assumptions))
```
"""


def _function(name: str) -> str:
    """A link to the page of a public name."""
    thing = resolve(name)
    full = next((known.full for known in public() if known.thing is thing), None)
    return f"{{py:obj}}`{name} <{full}>`" if full else f"`rankscape.{name}`"


def _short(line: str) -> str:
    """Who and when, of a line of the bibliography.

    >>> _short('[a2024] Ada, Bob, "On ranks", Journal 1 (2024).')
    'Ada, Bob (2024)'
    """
    authors, rest = line.split("] ")[1].split(', "', 1)
    return f"{authors} ({re.findall(r'[12][0-9]{3}', rest)[-1]})"


def _held(work: str, name: str) -> str:
    """How many claims of a figure hold, once it is drawn."""
    claims = [claim["holds"] for made in figures(work) if made["figure"] == name for claim in made["claims"]]
    return f" ({sum(claims)} of {len(claims)} claims hold)" if claims else ""


def _statement(statement: Statement) -> Iterator[str]:
    yield from [f"**{statement.text}**", ""]
    yield from ["Assumes", f": {statement.assumes}", "", "Form", f": {statement.source}", ""]
    yield from ["In code", ": " + ", ".join(_function(name) for name in statement.functions.split()), ""]
    tests = ", ".join(f"`{name.removeprefix('test_')}`" for _, name in statement.nodes())
    yield from ["Tests", f": {tests}", ""]
    if statement.figures:
        work, names = statement.work, statement.figures.split()
        shown = ", ".join(f"[{name}](gallery-{work}.md#{work}-{name}){_held(work, name)}" for name in names)
        yield from ["Figures", f": {shown}", ""]


def page() -> str:
    """Every statement, by work and place."""
    lines = [HEAD]
    for work, statements in groupby(STATEMENTS, key=lambda statement: statement.work):
        found = reference(work)
        lines += [
            f"## {_short(found.line)}",
            "",
            f"{found.line.split('] ')[1]} `rankscape cite {work}` prints its BibTeX.",
            "",
        ]
        for place, here in groupby(statements, key=lambda statement: statement.place):
            lines += [f"### {place} ({work})", ""]
            for statement in here:
                lines += _statement(statement)
    return "\n".join(lines)


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", lambda _: write("theory/papers.md", page()))
