"""docs/extending.md runs from top to bottom, and each recipe does what it promises; nothing of it stays behind."""

import os
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What the page leaves behind, as a module: an engine is found by the name of the module it stands in."""
    from rankscape.engine.choose import ENGINES
    from rankscape.engine.rules import RULES
    from rankscape.estimators.completion.methods import METHODS
    from rankscape.files import formats
    from rankscape.papers.chou2024 import FIGURES

    known, here = formats.FORMATS, Path.cwd()
    tables = [ENGINES, RULES, METHODS, FIGURES]
    before = [table.copy() for table in tables]
    module = sys.modules["extending_page"] = ModuleType("extending_page")
    os.chdir(tmp_path_factory.mktemp("page"))  # the page writes two small files
    try:
        for block in BLOCKS:
            exec(block, vars(module))
        yield module
    finally:
        os.chdir(here)
    formats.FORMATS = known
    del sys.modules["extending_page"]
    for table, kept in zip(tables, before, strict=True):
        table.clear()
        table.update(kept) if isinstance(table, dict) else table.extend(kept)


def test_every_seam_has_a_recipe():
    seams = re.findall(r"^\| ([a-z ]+) \| (?:`|a )", PAGE, flags=re.MULTILINE)
    recipes = [title.lower().removeprefix("a ").removeprefix("an ") for title in re.findall(r"^## (.*)$", PAGE, re.M)]
    assert recipes == seams
    assert len(seams) == 7


def test_the_problem_is_fitted(page):
    np.testing.assert_allclose(page.run.product, page.target, atol=1e-3)


def test_the_gradient_of_the_problem_is_that_of_its_loss(page):
    W, step = np.array([[0.3, -1.0], [2.0, 0.5]]), 1e-6
    numeric = np.array([
        [(page.weighted.loss(W + step * E) - page.weighted.loss(W - step * E)) / (2 * step) for E in row]
        for row in np.eye(4).reshape(2, 2, 2, 2)
    ])  # fmt: skip
    np.testing.assert_allclose(page.weighted.gradient(W), numeric, atol=1e-8)


def test_half_a_step_is_a_step_of_half_the_rate(page):
    np.testing.assert_allclose(page.halved.product, page.plain.product, rtol=1e-13)


def test_the_engine_agrees_with_the_one_that_is_chosen(page):
    again = page.rs.simulate(page.rs.Estimation([[2.0]]), engine="matrix", **page.one)
    np.testing.assert_allclose(page.mine.product, again.product, rtol=1e-13)
    assert page.mine.dataset.attrs["engine"] == "scalar"


def test_the_engine_says_what_it_cannot_run(page):
    with pytest.raises(page.rs.errors.InputError, match="scalar engine cannot run this: not every factor"):
        page.rs.simulate(page.rs.Estimation(np.eye(2)), engine="scalar", **page.one)


def test_the_rule_stops_the_run(page):
    assert page.stopped.message.endswith("the loss is below 0.01")
    assert page.stopped.dataset.loss[-1] < 0.01 <= page.stopped.dataset.loss[-2]


def test_the_method_is_chosen(page):
    assert page.completed.method == "row means"
    assert "rows differ" in page.completed.reason


def test_the_format_is_read_and_written(page):
    assert page.table.format == "cells"
    row, column, value = Path("completed.cells").read_text().splitlines()[2 * 6].split(":")
    assert (row, column, round(float(value), 9)) == ("2", "0", 3.0)
    Path("broken.cells").write_text("0:0:1.0\n0;1;2.0")
    with pytest.raises(page.rs.errors.InputError, match=r"broken.cells, line 2: '0;1;2.0' is not ROW:COLUMN:VALUE"):
        page.files.read("broken.cells")


def test_the_claim_of_the_figure_holds_and_can_fail(page):
    figure = page.first_hit()
    assert figure.holds
    assert not page.between("later", (1000, 2000), figure.claims[0].observed).holds
