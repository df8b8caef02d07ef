"""Names of rows that are refused: two rows of one name, a line of totals."""

from collections.abc import Sequence

from rankscape.errors import FileFormatError
from rankscape.files.text.records import Body
from rankscape.files.words import TOTALS, folded


def refuse_twice(body: Body, labels: Sequence[str], lines: Sequence[int]) -> None:
    """Raise if two rows have one name, however far they are apart."""
    if len(set(labels)) == len(labels):
        return
    first: dict[str, int] = {}
    for label, line in zip(labels, lines, strict=True):
        if label in first:
            raise FileFormatError(
                f"{body.path}, line {line + 1}, column {body.name(0)}: the name {label!r} is that of line "
                f"{first[label] + 1} too; give every row a name of its own, or say `--index no`"
            )
        first[label] = line


def refuse_total(body: Body, labels: Sequence[str], lines: Sequence[int]) -> None:
    """Raise if the last row is one of sums or means: it is no row like the others."""
    if len(labels) > 2 and folded(str(labels[-1])) in TOTALS:
        raise FileFormatError(
            f"{body.path}, line {lines[-1] + 1}: {labels[-1]!r} is a line of totals, not a row of the table; delete it"
        )
