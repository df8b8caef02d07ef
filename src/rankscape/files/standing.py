"""Whether a table that stands where another will be written is an earlier one of it."""

import contextlib
import warnings
from collections.abc import Sequence
from pathlib import Path

from rankscape.errors import FileFormatError, InputError
from rankscape.files import formats
from rankscape.files.long import header_of
from rankscape.files.packing import blocks
from rankscape.files.table import Table
from rankscape.files.text.decoding import decode
from rankscape.files.text.records import Text
from rankscape.files.words import folded

# Lines over which a header may go.
HEADER = 20


def check_standing(path: Path, source: Table, names: Sequence[str] | None = None) -> None:
    """Refuse to replace a text that is no earlier answer of the same kind: its header has other names.

    Parameters
    ----------
    path
        Where a table will be written.
    source
        The table that was read.
    names
        The first names of what will be written; if left out, those of the whole matrix.
    """
    if not path.is_file() or not path.stat().st_size or formats.format_of(path).name not in ("csv", "tsv", "txt"):
        return
    if names is None:
        names = source.wide.names if source.wide is not None else header_of(source)[:3]
    if names is not None and not _begins(path, folded("".join(names))):
        shown = ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
        raise InputError(
            f"{path} holds something else: it does not begin with {shown}, as what would be written does: it stays; "
            "choose another name, or delete it"
        )


def _begins(path: Path, names: str) -> bool:
    """Whether a line from which a table can begin goes on with these names."""
    with warnings.catch_warnings(), contextlib.suppress(FileFormatError, OSError, EOFError):
        warnings.simplefilter("ignore")  # of its encoding
        content = next(blocks(path), b"")
        text, encoding = decode(path, content[: content.rfind(b"\n") + 1] or content)
        lines = Text.of(path, encoding, text)
        first = next((k for k in range(len(lines.lines)) if lines.is_body(k)), 0)
        starts = (folded("".join(lines.lines[k : k + HEADER])) for k in range(first + 1))  # names in a comment
        return any(start.startswith(names) for start in starts)
    return False
