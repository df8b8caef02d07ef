"""The changelog: what is released, and above it the fragments that wait for the next release."""

import re

from _site.made import ROOT, write

KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "removed": "Removed"}


def page() -> str:
    """All changes, the newest first."""
    lines = ["# Changes", "", "## Not released yet", ""]
    for kind, title in KINDS.items():
        texts = [path.read_text(encoding="utf-8").strip() for path in sorted((ROOT / "changes").glob(f"+*.{kind}.md"))]
        if texts:
            lines += [f"### {title}", "", *(f"- {_indented(text)}" for text in texts), ""]
    released = re.findall(r"^## \[.*", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return "\n".join([*lines, *released])


def _indented(text: str) -> str:
    return text.removeprefix("- ").replace("\n", "\n  ")


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", lambda _: write("more/changelog.md", page()))
