"""What `docs/peers.md` measured beside one package, for pages with a block ```` ```{peers} package ````."""

import re
from collections.abc import Iterator

from _site.made import DOCS

ASKED = re.compile(r"^```\{peers\} ([^\n]+)\n```$", re.MULTILINE)
OURS = "rankscape DeepMatrixCompletion"
# Of each table the column that is shown, and what it is.
SHOWN = {
    "Planted, no noise": ("10% seen", "planted, 10 % seen, no noise: relative error"),
    "Planted, noise 0.1": ("20% seen", "planted, 20 % seen, noise 0.1: relative error"),
    "Photograph, half of the pixels hidden": ("RMSE", "photograph, half hidden: RMSE"),
    "MovieLens 100k, a tenth of the ratings held out": ("RMSE", "MovieLens 100k: RMSE in stars"),
}


def measured(text: str) -> dict[str, dict[str, str]]:
    r"""What stands in the shown column of each table: of each method, told the rank or not.

    >>> measured("### Planted, no noise\n\n| method | rank | 10% seen |\n| --- | --- | --- |\n| us | told 5 | 0.1 |\n")
    {'planted, 10 % seen, no noise: relative error': {'us, told the rank': '0.1'}}
    """
    found = {}
    for title, table in re.findall(r"^### ([^\n]+)\n\n((?:\|[^\n]*\n)+)", text, flags=re.MULTILINE):
        if title not in SHOWN:
            continue
        column, words = SHOWN[title]
        head, _, *rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()]
        told = lambda row: f"{row[0]}, told the rank" if row[1].startswith("told") else row[0]
        found[words] = {told(row): row[head.index(column)] for row in rows}
    return found


def table(text: str, package: str) -> Iterator[str]:
    """One row a matrix: what rankscape reached, and what each method of the package did."""
    found = measured(text)
    methods = dict.fromkeys(name for rows in found.values() for name in rows if name.startswith(f"{package} "))
    if not methods:
        raise ValueError(f"docs/peers.md has no line of {package!r}.")
    yield f"| measured on | rankscape | {' | '.join(methods)} |"
    yield "|---" * (len(methods) + 2) + "|"
    for words, rows in found.items():
        if rows.keys() & methods.keys():
            yield f"| {words} | {rows[OURS]} | {' | '.join(rows.get(name, '-') for name in methods)} |"


def _read(app, docname: str, source: list[str]) -> None:
    if ASKED.search(source[0]):
        text = (DOCS / "peers.md").read_text(encoding="utf-8")
        source[0] = ASKED.sub(lambda asked: "\n".join(table(text, asked[1].strip())), source[0])
        app.env.note_dependency(str(DOCS / "peers.md"), docname=docname)


def setup(app) -> None:
    """Connect."""
    app.connect("source-read", _read)
