"""Entries that look wrong, for people and for machines."""

from typing import TYPE_CHECKING, Any

from rankscape.cli.output import number, print_table

if TYPE_CHECKING:
    from rankscape.estimators.outliers import Outliers
    from rankscape.files import Table

# Most of them that JSON lists, and the table.
LISTED, FARTHEST = 40, 5


def outlying_facts(found: "Outliers", table: "Table") -> dict[str, Any]:
    """How many there are, and the farthest ones with the names of their rows and columns."""
    return {"entries": len(found), "farthest": [_fact(found, table, k) for k in range(min(len(found), LISTED))]}


def outlying_words(found: "Outliers") -> str:
    """How many there are."""
    return "1 entry, see below" if len(found) == 1 else f"{len(found):,} entries, see below"


def print_outlying(found: "Outliers", table: "Table") -> None:
    """A table of the farthest, if there are any."""
    if not len(found):
        return
    print()
    facts = [_fact(found, table, k) for k in range(min(len(found), FARTHEST))]
    keys = "value", "fitted", "deviations"
    rows = [[str(fact["row"]), str(fact["column"]), *(number(fact[key]) for key in keys)] for fact in facts]
    print_table(["row", "column", "given", "model", "off by (noise sd)"], rows)


def _fact(found: "Outliers", table: "Table", k: int) -> dict[str, Any]:
    i, j = int(found.rows[k]), int(found.columns[k])
    return {
        "row": i if table.row_labels is None else str(table.row_labels[i]),
        "column": j if table.column_labels is None else str(table.column_labels[j]),
        "value": float(found.values[k]),
        "fitted": float(found.fitted[k]),
        "deviations": float(found.deviations[k]),
    }
