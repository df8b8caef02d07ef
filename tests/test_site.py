"""The pages of the site: their code is code, their links lead somewhere, nothing public is left out."""

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rankscape
from rankscape.cli.app import app
from rankscape.papers.statements import STATEMENTS

DOCS = Path(__file__).resolve().parent.parent / "docs"
sys.path.insert(0, str(DOCS))

from _site import commands, house, lighter, names, pages, papers, passages, plain, reference  # noqa: E402

# Written by hand: what the site makes is not in the repository.
MADE = {"commands.md", "bibliography.md", "papers.md", "changelog.md"}
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if "_build" not in path.parts and path.name not in MADE and not path.name.startswith("gallery-")
)
TEXTS = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
# Pages that teach: all but lists of pages and of questions, and those that are a table or include another file.
TAUGHT = [
    name
    for name in TEXTS
    if name.split("/")[-1] not in ("index.md", "questions.md", "contributing.md", "statements.md")
]
MADE_PAGES = ("reference/commands.md", "reference/bibliography.md", "theory/papers.md", "more/changelog.md")


def anchors(text: str) -> set[str]:
    """What a link may point to in a page: its headings, as MyST and GitHub name them."""
    plain_text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#{1,3} (.*)$", plain_text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", TEXTS)
def test_links_between_pages_lead_somewhere(name):
    text = re.sub(r"^```.*?^```", "", TEXTS[name], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = (DOCS / name).parent / file if file else DOCS / name
        inside = found.resolve().relative_to(DOCS).as_posix() if found.resolve().is_relative_to(DOCS) else ""
        if inside in MADE_PAGES or inside.startswith("theory/gallery-"):
            continue
        assert found.exists(), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), f"{name}: {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_code_is_code_and_commands_are_understood(name):
    for block in pages.blocks(TEXTS[name]):
        ast.parse(block)
    for block in re.findall(r"^```(?:bash|shell)\n(.*?)^```$", TEXTS[name], flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            line = re.split(r"  #| [|]|[|][|]| &&| < ", line)[0].strip()
            if line.startswith("rankscape ") and "--help" not in line and "--install-completion" not in line:
                app.parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("name", TAUGHT)
def test_a_page_that_teaches_runs_an_example(name):
    assert pages.BLOCK.search(TEXTS[name])


def test_every_page_is_in_a_list_of_pages():
    listed = set()
    for name, text in TEXTS.items():
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                if line and not line.startswith(":"):
                    path = ((DOCS / name).parent / f"{line}.md").resolve()
                    listed.add(path.relative_to(DOCS).as_posix())
    alone = {"index.md", "statements.md"}  # the root, and what the page of the papers stands for
    assert set(TEXTS) - listed - alone == set()


# -- the reference ---------------------------------------------------------------------------------------

# Rooms without a public name of their own, or behind another door.
INSIDE = {
    "rankscape.cli",
    "rankscape.entries.given",
    "rankscape.theory.climbing",
    "rankscape.theory.exact",
    "rankscape.estimators.completion.search.at_scale",
}


def public_names() -> set[int]:
    """Everything in the ``__all__`` of a room, found by walking the package."""
    found: dict[int, str] = {}
    for module in pkgutil.walk_packages(rankscape.__path__, "rankscape."):
        room = importlib.import_module(module.name) if module.ispkg else None
        for name in getattr(room, "__all__", ()):
            if module.name not in INSIDE and not inspect.ismodule(getattr(room, name)):
                found[id(getattr(room, name))] = f"{module.name}.{name}"
    return {id(getattr(rankscape, name)) for name in rankscape.__all__} | found.keys()


def test_every_public_name_has_a_page():
    here = {id(name.thing) for name in names.public()}
    rooms = {id(getattr(rankscape, room)) for room in rankscape._ROOMS}
    assert public_names() - rooms <= here


def test_every_public_name_is_listed_once_and_under_a_name_that_reaches_it():
    full = [name.full for name in names.public()]
    assert len(full) == len(set(full)) > 150
    for name in names.public():
        assert getattr(importlib.import_module(name.room), name.name) is name.thing


def test_all_of_rankscape_is_on_one_page():
    page = TEXTS["start/one-page.md"]
    named = lambda name: re.search(rf"rankscape\.{name}\b|\brs\.{name}\b", page)
    assert [name for name in rankscape.__all__ if not named(name)] == []


def test_every_public_name_has_an_example_that_runs():
    """Its own, or that of the function which makes it; a constant shows its value. All of them are doctests."""
    shown = lambda name: (
        names.has_example(name.thing)
        or (inspect.isclass(name.thing) and names.maker(name.thing))
        or not callable(name.thing)
    )
    assert {name.full for name in names.public() if not shown(name)} == set()


def test_a_record_shows_the_example_of_its_maker():
    lines: list[str] = []
    reference._with_example(None, "class", "", rankscape.theory.Plateau, None, lines)
    assert any("plateaus(" in line for line in lines)


# -- what is made ----------------------------------------------------------------------------------------


def test_every_option_is_on_the_page_of_commands():
    page = commands.page()
    for path, leaf in commands.leaves():
        section = page.split(f"## rankscape {' '.join(path)}\n")[1].split("\n## ")[0]
        for argument in leaf.assemble_argument_collection(parse_docstring=True):
            flags = [flag for flag in argument.names if flag.startswith("-")]
            if argument.show:
                assert all(f"`{flag}`" in section for flag in flags), (path, flags)


def test_every_statement_is_on_the_page_of_the_papers():
    page = papers.page()
    assert [s.text for s in STATEMENTS if s.text not in page] == []
    assert page.count("In code\n") == len(STATEMENTS)


def test_the_drawing_has_every_room_and_imports_run_downwards():
    floor = {name: level for level, floor in enumerate(house.floors()) for name in floor}
    drawn = house.drawing()
    assert all(f">{name}</text>" in drawn for name in floor)
    assert any("solvers" in rooms for rooms in house.imports().values())


@pytest.mark.parametrize("path", plain.tutorials(), ids=lambda path: path.stem)
def test_a_tutorial_is_a_notebook(path):
    nbformat = pytest.importorskip("nbformat")
    text = path.read_text(encoding="utf-8")
    book = plain.notebook(text)
    nbformat.validate(nbformat.from_dict(book))
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    assert len(code) == len(pages.BLOCK.findall(text)) >= 3
    assert pages.minutes(text) <= 15


@pytest.mark.parametrize("path", plain.tutorials(), ids=lambda path: path.stem)
def test_a_tutorial_says_what_to_install_for_it(path):
    """Each package that its code imports is brought by rankscape, by the extra it names, or is named itself."""
    text = path.read_text(encoding="utf-8")
    said = pages.installed(text)
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = project["dependencies"] + (project["optional-dependencies"]["simulate"] if "[simulate]" in said else [])
    modules = {re.split(r"[>=\[ ]", line)[0].replace("scikit-learn", "sklearn") for line in brought}
    code = "\n".join(pages.blocks(text))
    imported = set(re.findall(r"^(?:import|from) (\w+)", code, flags=re.MULTILINE)) - set(sys.stdlib_module_names)
    assert imported - modules - {"rankscape"} == {name for name in imported if f"{name}==" in said}


def test_a_block_becomes_a_cell():
    text = "# T\n\n```python alt: a line\nprint(1)\n```\n\n```shell\nls\n```\n\n```bash\nrm\n```\n"
    made = pages.prepared("page", text)
    assert made.startswith("---\nfile_format: mystnb")
    assert made.count("{code-cell}") == 2
    assert 'alt: "a line"' in made
    assert "plain + 'ls\\n'" in made


# -- the search ------------------------------------------------------------------------------------------


def test_each_question_leads_to_a_place_that_is_there():
    """In the search an answer stands beside its question, without the page on which both are."""
    assert [doctest.testmod(module).failed for module in (passages, pages, papers)] == [0, 0, 0]
    text = TEXTS["start/questions.md"]
    found = list(passages.questions(text))
    assert len(found) == text.count("\n| ") - text.count("\n|---") > 100  # all rows but the heads
    assert {p.page + ".md" for p in found} - set(TEXTS) - set(MADE_PAGES) <= {
        f"theory/gallery-{work}.md" for work in ("chou2024", "wang2024", "phases")
    }


# -- what a page loads -----------------------------------------------------------------------------------


def test_rules_that_no_page_uses_are_cut_and_no_others():
    assert doctest.testmod(lighter).failed == 0
    sheet = (
        '@charset "a;b";/* .x{} */.a>.b:hover,.x .a{content:"}.a{"}@media (width<9px){.x{c:d}@supports (e:f){.b{g:h}}}'
        "@font-face{src:url(x.woff2)}.a\\:b{i:j}#n[data-x='.y']{k:l}:is(.x,.y) p{m:n}@keyframes t{from{o:p}}"
    )
    everything = {"a", "b", "x", "y", "a:b", "n"}
    joined = lambda text: text.replace(", ", ",").replace("/* .x{} */", "")
    assert lighter.cut(sheet, everything) == joined(sheet)
    assert lighter.cut(sheet, {"a", "b"}) == (
        '@charset "a;b";.a>.b:hover{content:"}.a{"}@media (width<9px){@supports (e:f){.b{g:h}}}'
        "@font-face{src:url(x.woff2)}:is(.x,.y) p{m:n}@keyframes t{from{o:p}}"
    )


def test_a_page_loads_nothing_for_what_it_does_not_show():
    head = (
        '<link rel="stylesheet" href="../_static/mystnb.12.css"/>\n'
        '<script src="../_static/copybutton.js?v=1"></script>\n'
        '<script src="../_static/scripts/bootstrap.js"></script>\n'
    )
    assert lighter.without(head) == '<script src="../_static/scripts/bootstrap.js"></script>\n'
    assert lighter.without(head + '<div class="highlight"></div><div class="cell"></div>').startswith(head)


def test_a_switch_of_versions_is_there_when_it_is_asked_for():
    words = "import runpy; print(runpy.run_path('conf.py')['html_theme_options'])"
    for url, there in (("", False), ("/versions.json", True)):
        env = os.environ | {"RANKSCAPE_DOCS_VERSIONS": url}
        done = subprocess.run(
            [sys.executable, "-c", words], cwd=DOCS, env=env, capture_output=True, text=True, check=True
        )
        assert ("version-switcher" in done.stdout, "/versions.json" in done.stdout) == (there, there)
