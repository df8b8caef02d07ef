"""What is for reading without a browser: notebooks to take along, and ``llms.txt``, a list of the pages."""

import json
import re
from pathlib import Path

from _site.made import DOCS
from _site.pages import BLOCK, installed

HEAD = """\
# rankscape

> Deep matrix factorization: simulate, predict and use the rank of a product of matrices while it is trained. All pages
> as one text: rankscape.txt

## Pages
"""
TUTORIALS = ("data/tutorials", "theory/tutorials")


def notebook(text: str) -> dict:
    """A page as a notebook: text and code in turn."""
    cells, last = [_cell("markdown", f"`{installed(text)}` brings what this notebook needs.")], 0
    for found in BLOCK.finditer(text):
        cells.append(_cell("markdown", text[last : found.start()]))
        code = found[3] if found[1] == "python" else "%%bash\n" + found[3]
        cells.append(_cell("code", code))
        last = found.end()
    cells.append(_cell("markdown", text[last:]))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    kept = [cell for cell in cells if "".join(cell["source"]).strip()]
    for k, cell in enumerate(kept):
        cell["id"] = f"cell-{k}"
    return {"cells": kept, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, text: str) -> dict:
    cell = {"cell_type": kind, "metadata": {}, "source": text.strip("\n").splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def tutorials() -> list[Path]:
    """The pages that can be taken along."""
    return [path for place in TUTORIALS for path in sorted((DOCS / place).glob("*.md")) if path.stem != "index"]


def _summary(text: str) -> str:
    """The first sentence below the title."""
    body = re.sub(r"^# .*$|<p .*?</p>", "", text, flags=re.MULTILINE)
    paragraph = next((p for p in body.split("\n\n") if re.match(r"\s*(?!```)[A-Z*`\d]", p)), "")
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", paragraph.strip().replace("\n", " ")).split(". ")[0].rstrip(".")


def listed(app) -> str:
    """All pages written by hand, and the rooms of the reference, with a sentence each."""
    lines = [HEAD]
    for name in sorted(app.env.found_docs):
        path = Path(app.env.doc2path(name))
        if "/api/" not in name and path.suffix == ".md":
            said = _summary(path.read_text(encoding="utf-8"))
            title = app.env.titles[name].astext() if name in app.env.titles else name
            lines.append(f"- [{title}]({name}.html)" + (f": {said}" if said else ""))
    return "\n".join(lines) + "\n"


def write_all(app, error) -> None:
    """After the pages."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    (out / "notebooks").mkdir(exist_ok=True)
    for path in tutorials():
        book = json.dumps(notebook(path.read_text(encoding="utf-8")), indent=1, ensure_ascii=False)
        (out / "notebooks" / f"{path.stem}.ipynb").write_text(book, encoding="utf-8")
    (out / "llms.txt").write_text(listed(app), encoding="utf-8")


def setup(app) -> None:
    """Connect."""
    app.connect("build-finished", write_all)
