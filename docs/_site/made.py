"""Pages that are made: written only where they changed, so that Sphinx reads again only what it must."""

from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent
FILES = DOCS / "_build" / "made"  # pictures and data, which Sphinx copies into _static


def write(name: str, text: str) -> None:
    """Write a page below ``docs/``; git ignores all of these."""
    path = DOCS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def cell(text: str) -> str:
    """Text for one cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ").strip()
