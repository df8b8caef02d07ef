"""The drawing of the house: which room imports which, read from the imports themselves."""

import ast
import re

from _site.made import DOCS, FILES, ROOT

SOURCE = ROOT / "src" / "rankscape"
WIDTH, HEIGHT = 88, 26


def floors() -> list[list[str]]:
    """The floors, from the ground up, as the page about the house states them and a test enforces them."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    (chain,) = re.findall(r"^```\n(errors -> .*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [floor.replace(",", " ").split() for floor in chain.split("->")]


def imports() -> dict[str, set[str]]:
    """The rooms that each room imports at any time."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rankscape."):
                found.setdefault(room, set()).add(node.module.split(".")[1])
    return found


def drawing() -> str:
    """The rooms on their floors, with a line for each import, as SVG."""
    levels = floors()
    width = max(map(len, levels)) * (WIDTH + 24)
    place = {}
    for k, names in enumerate(levels):
        for i, name in enumerate(names):
            x = (i + 0.5) * width / len(names)
            place[name] = (x, (len(levels) - k - 0.5) * 2 * HEIGHT)
    height = len(levels) * 2 * HEIGHT
    lines = [
        f'<line x1="{place[a][0]:.0f}" y1="{place[a][1]:.0f}" x2="{place[b][0]:.0f}" y2="{place[b][1]:.0f}"/>'
        for a, below in sorted(imports().items()) for b in sorted(below) if a in place and b in place and a != b
    ]  # fmt: skip
    boxes = [
        f'<rect x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text x="{x:.0f}" y="{y + 4:.0f}">{name}</text>'
        for name, (x, y) in place.items()
    ]
    style = (
        "line{stroke:#8fa7b3;stroke-width:.7;opacity:.6}rect{fill:#17455c}"
        "text{fill:#fff;font:12px sans-serif;text-anchor:middle}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Rooms and their imports"><style>{style}</style>{"".join(lines)}{"".join(boxes)}</svg>'
    )


def generate(app) -> None:
    """Write the drawing."""
    FILES.mkdir(parents=True, exist_ok=True)
    (FILES / "house.svg").write_text(drawing(), encoding="utf-8")


def setup(app) -> None:
    """Connect."""
    app.connect("builder-inited", generate)
