"""What is made: pages, written only where they changed, and drawings, which stay where they are.

Any of the sources may move any drawing. ``docs/build`` begins from nothing and draws all of them; ``docs/build
--quick`` keeps those that are there, and says which are older than the sources.
"""

import functools
import hashlib
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent
FILES = DOCS / "_build" / "made"  # pictures and data, which Sphinx copies into _static
STAMPS = DOCS / "_build" / "stamps"  # from which sources each of them was made


@functools.cache
def sources() -> str:
    """A digest of the package as it is now."""
    files = sorted((ROOT / "src").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def stamp(name: str) -> None:
    """Remember from which sources something was made."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(sources())


def is_made(name: str) -> bool:
    """Whether something was made, from whatever sources."""
    return (STAMPS / name).exists()


def is_older(name: str) -> bool:
    """Whether something was made from other sources than those that are there now."""
    return (STAMPS / name).read_text() != sources()


def older() -> list[str]:
    """All that is kept though the sources have changed."""
    return [path.name for path in sorted(STAMPS.glob("*")) if is_older(path.name)]


def write(name: str, text: str) -> None:
    """Write a page below ``docs/``; git ignores all of these."""
    path = DOCS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def cell(text: str) -> str:
    """Text for one cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ").strip()
