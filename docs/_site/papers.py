"""The statements of the papers: on paper, in code. Made from the table that the tests hold."""

from collections.abc import Iterator
from itertools import groupby

from _site.made import write
from _site.names import public
from rankscape.papers.bibliography import reference
from rankscape.papers.statements import STATEMENTS, Statement, resolve

HEAD = """\
# On paper, in code

Each statement in our words and the papers' letters, the function that computes it, the tests that hold it, the figure
that shows it. *Published* forms are those of the paper. *Derived here*: the paper has the statement or asks the
question, and the constants are rankscape's own. What a function assumes stands on its page, and every record that it
returns lists it under `assumptions`, with `failed` where one does not hold.

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


def _statement(statement: Statement) -> Iterator[str]:
    yield from [f"**{statement.text}**", ""]
    yield from ["Form", f": {statement.source}", ""]
    yield from ["In code", ": " + ", ".join(_function(name) for name in statement.functions.split()), ""]
    tests = ", ".join(f"`{name.removeprefix('test_')}`" for _, name in statement.nodes())
    yield from ["Tests", f": {tests}", ""]
    if statement.figures:
        work, names = statement.work, statement.figures.split()
        shown = ", ".join(f"[{name}](gallery-{work}.md#{work}-{name})" for name in names)
        yield from ["Figures", f": {shown}", ""]


def page() -> str:
    """Every statement, by work and place."""
    lines = [HEAD]
    for work, statements in groupby(STATEMENTS, key=lambda statement: statement.work):
        lines += [f"## {reference(work).line.split('] ')[1]}", "", f"`rankscape cite {work}` prints its BibTeX.", ""]
        for place, here in groupby(statements, key=lambda statement: statement.place):
            lines += [f"### {place} ({work})", ""]
            for statement in here:
                lines += _statement(statement)
    return "\n".join(lines)


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", lambda _: write("theory/papers.md", page()))
