"""What the theme leaves without a name or out of reach of the keyboard, mended in the finished pages."""

from pathlib import Path

# What stands in a page, and what stands there instead.
MENDED = {
    # The arrow that opens a branch of the list of pages has no words.
    '<summary><span class="toctree-toggle"': '<summary aria-label="Pages below"><span class="toctree-toggle"',
    # A list without items of a list.
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    # What scrolls must be reached by the keyboard.
    '<div class="pst-scrollable-table-container">': '<div class="pst-scrollable-table-container" tabindex="0">',
}


def mended(text: str) -> str:
    """A page with these places mended."""
    for old, new in MENDED.items():
        text = text.replace(old, new)
    return text


def mend(app, error) -> None:
    """After the pages."""
    if not error and app.builder.name == "html":
        for path in Path(app.outdir).rglob("*.html"):
            path.write_text(mended(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app) -> None:
    """Connect."""
    app.connect("build-finished", mend)
