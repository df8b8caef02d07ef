"""Every work that is cited, with its BibTeX."""

from _site.made import write
from rankscape.papers.bibliography import bibliography

HEAD = """\
# Bibliography: how to cite

Docstrings and pages cite from this list. How to cite rankscape and what it builds on:

```shell
rankscape cite
```

One work: `rankscape cite wang2024`. All: `rankscape cite --all`.
"""


def page() -> str:
    """The works, by key."""
    lines = [HEAD]
    for key, work in sorted(bibliography().items()):
        line = work.line.split("] ", 1)[1] if "title" in work.fields and "author" in work.fields else key
        lines += [f"## {key}", "", line, "", f":::{{dropdown}} BibTeX of {key}"]
        lines += ["```bibtex", work.bibtex.strip(), "```", ":::", ""]
    return "\n".join(lines)


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", lambda _: write("reference/bibliography.md", page()))
