"""From the papers to the code: every function, test and figure of the table is there, and the page is the table."""

import ast
import inspect
from functools import cache
from pathlib import Path

import pytest

from rankscape import theory
from rankscape.papers import PAPERS, figure_names
from rankscape.papers.statements import DERIVED, PUBLISHED, STATEMENTS, page, resolve

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "statements.md"
ROOMS = {"landscape": theory.landscape, "absorbing": theory.absorbing, "escape": theory.escape}
IDS = [f"{s.work}-{s.place}-{k}" for k, s in enumerate(STATEMENTS)]


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_page_is_made_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m rankscape.papers.statements > docs/statements.md"


@pytest.mark.parametrize("statement", STATEMENTS, ids=IDS)
def test_functions_tests_and_figures_of_a_statement_exist(statement):
    assert statement.source in (PUBLISHED, DERIVED)
    assert statement.assumes
    assert all(inspect.getdoc(resolve(name)) for name in statement.functions.split())
    assert statement.nodes()
    for file, name in statement.nodes():
        assert name in names_in(file), f"{file} has no {name}"
    if statement.figures:
        assert set(statement.figures.split()) <= set(figure_names(statement.work))


@pytest.mark.parametrize("paper", PAPERS)
def test_every_figure_shows_a_statement(paper):
    shown = {name for s in STATEMENTS if s.work == paper for name in s.figures.split()}
    assert shown == set(figure_names(paper))


def test_every_public_name_of_the_theory_is_on_the_page():
    names = [name for name in theory.__all__ if name not in ROOMS]
    names += [name for room in ROOMS.values() for name in room.__all__]
    text = page()
    assert [name for name in names if f".{name}`" not in text and f"`{name}`" not in text] == []


def test_rows_of_the_page_have_all_their_cells():
    """A bar inside a formula would end its cell."""
    rows = [line for line in page().splitlines() if line.startswith("| ")]
    assert len(rows) > len(STATEMENTS)
    assert {row.count("|") for row in rows} == {8}


def test_the_page_can_be_found():
    assert "statements.md" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
