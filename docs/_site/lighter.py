"""What a page need not load: rules of style that no page uses, and scripts for what it does not show."""

import re
from pathlib import Path

# A piece of a sheet that holds rules itself, and words of classes that scripts put together.
NESTED = re.compile(r"@(media|supports|container|layer)\b")
MADE = ("bs-",)

# A line of a page's head, and what a page has that needs it.
NEEDED = {
    "copybutton": 'class="highlight',
    "clipboard": 'class="highlight',
    "design-tabs": "sd-tab-",
    "mystnb": 'class="cell',
    "pygments": 'class="highlight',
    "scripts/fontawesome": "fa-custom",  # the theme's own icons are letters of a font
}

# Which sheets are cut: those of the theme and of extensions; of their scripts the words are kept.
SHEETS = ("styles/pydata-sphinx-theme.css", "sphinx-design.min.css", "mystnb.*.css")
LOADED = re.compile(r'[ \t]*(?:<link [^>]*href|<script [^>]*src)="[^"]*_static/([^"?]+)[^>]*>(?:</script>)?\n?')


def rules(sheet: str) -> list[tuple[str, str]]:
    """A sheet as preludes with their blocks; a statement without one has an empty block.

    >>> rules("@import 'a'; .b{c:d} @media print{.e{f:g}}")
    [("@import 'a'", ''), ('.b', 'c:d'), ('@media print', '.e{f:g}')]
    """
    sheet, found, at = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S), [], 0
    for sign in re.finditer(r"""[;{]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", sheet):
        if sign.start() < at or sign[0] not in ";{":
            continue
        prelude, end = sheet[at : sign.start()].strip(), sign.end()
        block = ""
        if sign[0] == "{":
            end = _closing(sheet, sign.end())
            block = sheet[sign.end() : end - 1]
        found.append((prelude, block))
        at = end
    return found


def _closing(sheet: str, at: int) -> int:
    """Behind the brace that closes the block which begins here."""
    depth = 1
    for sign in re.compile(r"""[{}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""").finditer(sheet, at):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.end()
    return len(sheet)


def cut(sheet: str, used: set[str]) -> str:
    """A sheet without the rules whose classes and names stand nowhere.

    >>> cut(".a,.b .c{d:e} @media print{.c{f:g}} a:not(.c){h:i}", {"a", "b"})
    '.a{d:e}a:not(.c){h:i}'
    """
    kept = []
    for prelude, block in rules(sheet):
        if NESTED.match(prelude):
            inside = cut(block, used)
            kept += [f"{prelude}{{{inside}}}"] if inside else []
        elif prelude.startswith("@"):
            kept.append(f"{prelude}{{{block}}}" if block else f"{prelude};")
        else:
            wanted = [selector for selector in _selectors(prelude) if _is_used(selector, used)]
            kept += [f"{','.join(wanted)}{{{block}}}"] if wanted else []
    return "".join(kept)


def _selectors(prelude: str) -> list[str]:
    """Those of a rule; a comma in brackets parts none."""
    found, depth = [""], 0
    for letter in prelude:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [selector.strip() for selector in found]


def _is_used(selector: str, used: set[str]) -> bool:
    while (plain := re.sub(r"\([^()]*\)|\[[^\]]*\]", "", selector)) != selector:  # :not(.a) and :is(.a) need no a
        selector = plain
    named = re.findall(r"[.#]((?:[\w-]|\\.)+)", selector)
    return all(name.startswith(MADE) or re.sub(r"\\(.)", r"\1", name) in used for name in named)


def words_of(site: Path) -> set[str]:
    """Every class and name of a page, and every word of a script."""
    found: set[str] = set()
    for path in site.rglob("*.html"):
        for value in re.findall(r'\b(?:class|id)=(?:"([^"]*)"|([\w-]+))', path.read_text(encoding="utf-8")):
            found.update("".join(value).split())
    for path in (site / "_static").rglob("*.js"):
        if "mathjax" not in str(path):
            found.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return found


def without(text: str) -> str:
    """A page that loads nothing for what it does not show."""
    spare = tuple(name for name, sign in NEEDED.items() if sign not in text)
    return LOADED.sub(lambda line: "" if spare and line[1].startswith(spare) else line[0], text)


def lighten(app, error) -> None:
    """After the pages."""
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    used = words_of(site)
    for pattern in SHEETS:
        for path in (site / "_static").glob(pattern):
            path.write_text(cut(path.read_text(encoding="utf-8"), used), encoding="utf-8")
    for path in site.rglob("*.html"):
        path.write_text(without(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app) -> None:
    """Connect."""
    app.connect("build-finished", lighten, priority=900)  # after what others change in the pages
