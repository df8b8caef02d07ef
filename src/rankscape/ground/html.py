"""Small tables for notebooks: no scripts, colours of the page they stand on, and every word escaped."""

from collections.abc import Iterable
from html import escape

# Readable in light and dark: nothing is coloured.
_TABLE = "border-collapse:collapse;color:inherit;background:transparent;font-size:90%"
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;border:0;max-width:60em;white-space:normal"

# Facts of one kind that are shown.
MOST = 20


def facts(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A title, and names with what is to be said of them.

    >>> "&lt;b&gt;" in facts("a", [("x", "<b>")])
    True
    """
    lines = "".join(f'<tr><th style="{_CELL}">{escape(name)}</th>{_cell(words)}</tr>' for name, words in rows)
    return f'<table style="{_TABLE}"><caption style="{_CELL}">{_strong(title)}</caption><tbody>{lines}</tbody></table>'


def _cell(words: str) -> str:
    return f'<td style="{_CELL}">{escape(words)}</td>'


def _strong(title: str) -> str:
    return f"<strong>{escape(title)}</strong>"
