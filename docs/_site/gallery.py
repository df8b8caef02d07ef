"""Every figure of `rankscape reproduce` and of `rankscape phases`, with its command, claims and data.

Figures are made with ``quick``: fewer runs, the same claims. One that is there stays (`made`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from _site.made import FILES, cell, is_made, is_older, older, stamp, write
from rankscape.papers import PAPERS, figure_names
from rankscape.papers.bibliography import reference
from rankscape.phases import DIAGRAMS

FOLDER = FILES / "gallery"
CELLS = FILES.parent / "cells"  # of the diagrams
TITLES = {
    "chou2024": "Gradient descent: ranks climb",
    "wang2024": "SGD with a ridge: ranks fall",
    "phases": "Phase diagrams",
}


def make() -> None:
    """Draw what is not drawn yet, two at a time."""
    for folder in (FOLDER, CELLS):
        folder.mkdir(parents=True, exist_ok=True)
    papers = [(paper, _missing(paper, figure_names(paper))) for paper in PAPERS]
    diagrams = [("phases", [name]) for name in _missing("phases", DIAGRAMS)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_draw, [work for work in papers if work[1]] + diagrams))
    for drawing in FOLDER.glob("*/*.pdf"):
        drawing.unlink()  # the page shows the picture and offers the data


def _missing(work: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if not (is_made(f"{work}-{name}") and (FOLDER / work / f"{name}.json").exists())]


def _draw(wanted: tuple[str, list[str]]) -> None:
    work, names = wanted
    if work == "phases":
        _run(["phases", *names, "--quick", "-o", str(FOLDER / work), "--store", f"{CELLS / names[0]}.zarr"])
    else:
        _run(["reproduce", work, *(f"--figure={name}" for name in names), "--quick", "-o", str(FOLDER / work)])
    for name in names:
        stamp(f"{work}-{name}")


def _run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "rankscape", *arguments, "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"rankscape {' '.join(arguments)}: {done.stderr}")


def figures(work: str) -> list[dict]:
    """What was made of a paper, or of the phase diagrams, as it describes itself."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / work).glob("*.json"))]


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_number, value)) + "]"
    return "open" if value is None else str(value)


def _figure(work: str, made: dict) -> Iterator[str]:
    name = made["figure"]
    command = f"rankscape phases {name}" if work == "phases" else f"rankscape reproduce {work} --figure {name}"
    path = f"../_static/gallery/{work}/{name}"
    held = sum(claim["holds"] for claim in made["claims"])
    drawn = " Drawn before the sources changed." if is_older(f"{work}-{name}") else ""
    yield from [f"({work}-{name})=", f"## {name}", "", f"{made['title']}.".replace("..", ".") + drawn, ""]
    image = f'<img src="{path}.png" alt="{made["title"].replace(chr(34), "")}" loading="lazy">'
    yield from [f'<a href="{path}.png">{image}</a>', ""]
    yield from ["```text", command, "```", ""]
    yield f'Data: <a href="{path}.nc" download>netCDF</a>, <a href="{path}.json" download>settings and claims</a>.'
    yield from ["", f":::{{dropdown}} {held} of {len(made['claims'])} claims hold: {name}", ""]
    yield from ["| claim | predicted | observed | holds |", "|---|---|---|---|"]
    for claim in made["claims"]:
        seen = (cell(claim["name"]), cell(_number(claim["predicted"])), cell(_number(claim["observed"])))
        yield f"| {' | '.join(seen)} | {'yes' if claim['holds'] else 'no'} |"
    yield from [":::", ""]


def _page(work: str) -> str:
    lines = [f"# {TITLES[work]}", ""]
    if work != "phases":
        lines += [f"Figures of {reference(work).line.split('] ')[1]}", ""]
    lines += ["The settings are ours, and each figure states them. Here each is drawn with `--quick`;"]
    lines += ["the command draws it whole.", ""]
    for made in figures(work):
        lines += _figure(work, made)
    return "\n".join(lines)


def generate(app) -> None:
    """Draw, say what was not drawn, and write the pages."""
    make()
    if app.builder.name == "html" and (kept := older()):
        print(f"Kept, though the sources have changed since (docs/build makes all anew): {', '.join(kept)}.")
    for work in TITLES:
        write(f"theory/gallery-{work}.md", _page(work))


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", generate)
