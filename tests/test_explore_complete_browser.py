"""The room where tables are completed, in a real browser to which no outside name resolves: ``-m browser``."""

import contextlib
import time

import browsing
import numpy as np
import pytest

import rankscape as rs

pytestmark = pytest.mark.browser

WAIT = 60

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser():
    with browsing.chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address():
    with browsing.explorer() as found:
        yield found.rstrip("/")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 10)) + 0.05 * rng.normal(size=(40, 10))
    X[rng.random(X.shape) < 0.2] = np.nan
    rows = [",".join("" if np.isnan(v) else f"{v:.4f}" for v in row) for row in X]
    (place / "Bäume.csv").write_text("\n".join([",".join([EVIL, *"bcdefghij"]), *rows]), encoding="utf-8")
    rs.complete(X, seed=0).save(place / "mine.npz")
    return place


@pytest.fixture
def page(browser, address):
    """A page that must ask nobody else, and complain of nothing."""
    context, said = browser.new_context(viewport={"width": 1280, "height": 900}), []
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    opened.on("request", lambda r: None if r.url.startswith(own) else said.append(r.url))
    opened.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    opened.goto(f"{address}/complete")
    yield opened
    context.close()
    assert said == []


def until(page, expression):
    """Wait for what a script says; the page's policy forbids the browser's own way, which compiles text."""
    end = time.monotonic() + WAIT
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def done(page, times=1):
    until(page, f"document.getElementById('room').dataset.done === '{times}'")


def text(page, part):
    return page.locator(f"[data-part={part}]").inner_text()


def test_a_rank_is_chosen_and_the_others_stay_to_choose_from(page, folder):
    page.locator("input[type=file]").set_input_files(folder / "Bäume.csv")
    done(page)
    assert text(page, "readas").startswith("Bäume.csv: a wide table")
    assert EVIL in text(page, "names")
    ranks = page.locator("[data-part=ranks] button").all_inner_texts()
    assert len(ranks) > 1
    first = text(page, "heading")
    page.locator("[data-part=ranks] button").first.focus()
    page.keyboard.press("Enter")
    done(page, 2)
    bound = int(ranks[0].split(":")[0])
    given = rs.files.read(folder / "Bäume.csv").dense()
    assert f"Rank {rs.complete(given, max_rank=bound, seed=0).rank};" in text(page, "heading")
    now = page.locator("[data-part=ranks] button").all_inner_texts()
    assert now == [*ranks, "any rank"]
    page.locator("[data-part=ranks] button").last.click()
    done(page, 3)
    assert text(page, "heading") == first
    assert "max_rank" not in page.url
    page.go_back()
    done(page, 4)
    assert f"max_rank={bound}" in page.url


def test_lines_are_copied_with_the_name_of_the_file(page, folder, monkeypatch):
    page.locator("input[type=file]").set_input_files(folder / "Bäume.csv")
    done(page)
    page.locator("[data-part=python]").click()
    page.wait_for_timeout(300)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(rs, "report", lambda *_: None)
    there: dict = {}
    exec(page.evaluate("navigator.clipboard.readText()"), there)
    assert f"Rank {there['done'].rank};" in text(page, "heading")
    page.locator("[data-part=files] a").first.wait_for(timeout=WAIT * 1000)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the standard errors").click()
    assert saved.value.suggested_filename == "Bäume-standard-errors.csv"
    saved.value.save_as(folder / "errors.csv")
    errors = rs.files.read(folder / "errors.csv").dense()
    assert (np.isnan(errors) == np.isfinite(rs.files.read(folder / "Bäume.csv").dense())).all()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the model").click()
    assert saved.value.suggested_filename == "Bäume-model.npz"


def test_a_model_is_dropped_and_fills_rows(page, folder):
    page.locator("input[type=file]").set_input_files(folder / "mine.npz")
    done(page)
    kept = rs.CompletedMatrix.load(folder / "mine.npz")
    assert "a saved model" in text(page, "readas")
    assert f"Rank {kept.rank};" in text(page, "heading")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the completed table").click()
    assert saved.value.suggested_filename == "mine-completed.csv"
    page.locator("[data-part=rows]").fill("2;;;;;;;;;1,5")
    page.locator("[data-part=fill]").click()
    page.locator("[data-part=filled] td").first.wait_for(timeout=WAIT * 1000)
    shown = [float(cell) for cell in page.locator("[data-part=filled] td").all_inner_texts()]
    row = np.array([[2.0, *[np.nan] * 8, 1.5]])
    np.testing.assert_allclose(shown, kept.new_rows(row).matrix[0], rtol=1e-4, atol=1e-5)


def test_what_was_cancelled_is_not_shown_and_can_be_asked_again(page):
    page.locator("select[data-part=named]").focus()
    until(page, "document.querySelector('[data-part=named]').options.length > 1")
    page.select_option("select[data-part=named]", "flower")
    until(page, "document.getElementById('room').dataset.read")
    page.locator("[data-part=cancel]").focus()
    page.keyboard.press("Enter")
    assert text(page, "stage") == "Cancelled."
    page.wait_for_timeout(1000)
    assert text(page, "stage") == "Cancelled."
    page.locator("[data-part=go]").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-part=stage]').textContent.includes('rank')")
    assert page.locator("[data-part=cancel]").is_visible()


def test_a_sheet_is_named_where_the_file_does_not_tell(page, tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("openpyxl")
    rng = np.random.default_rng(2)
    first, second = (
        pandas.DataFrame(np.outer(rng.normal(size=n), rng.normal(size=6)).round(3)).mask(rng.random((n, 6)) < 0.2)
        for n in (20, 30)
    )
    with pandas.ExcelWriter(tmp_path / "two.xlsx") as book:
        first.to_excel(book, sheet_name="One")
        second.to_excel(book, sheet_name="Second one")
    page.locator("input[type=file]").set_input_files(tmp_path / "two.xlsx")
    done(page)
    assert "of 120 cells are seen" in text(page, "readas")
    assert "the sheet 'One', and nothing else of the workbook: not 'Second one'" in text(page, "readas")
    page.locator("[data-part=reading] summary").click()
    page.locator("#sheet").fill("No such")
    page.locator("[data-part=go]").click()
    until(page, "document.querySelector('[data-part=error]').textContent.includes('No such')")
    page.locator("#sheet").fill("Second one")
    page.locator("[data-part=go]").click()
    done(page, 2)
    assert "of 180 cells are seen" in text(page, "readas")
    heading = text(page, "heading")
    page.reload()
    done(page)
    assert text(page, "heading") == heading
    assert page.locator("#sheet").input_value() == "Second one"
    page.locator("[data-part=python]").click()
    page.wait_for_timeout(300)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rs, "report", lambda *_: None)
    there: dict = {}
    exec(page.evaluate("navigator.clipboard.readText()"), there)
    assert there["done"].shape == (30, 6)
    page.get_by_role("link", name="Save the shell lines").wait_for(timeout=WAIT * 1000)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the shell lines").click()
    assert saved.value.suggested_filename == "two.sh"
    saved.value.save_as(tmp_path / "lines.sh")
    assert "--sheet 'Second one'" in (tmp_path / "lines.sh").read_text(encoding="utf-8")


def test_of_long_names_the_beginning_is_shown_beside_the_numbers(page, tmp_path):
    rng = np.random.default_rng(3)
    X = np.outer(rng.normal(size=20), rng.normal(size=5)).round(3)
    X[rng.random(X.shape) < 0.2] = np.nan
    lines = ["id," + ",".join("n" * 300 + str(j) for j in range(5))]
    lines += ["row" * 120 + f"{i}," + ",".join("" if np.isnan(v) else str(v) for v in x) for i, x in enumerate(X)]
    (tmp_path / "long.csv").write_text("\n".join(lines), encoding="utf-8")
    page.locator("input[type=file]").set_input_files(tmp_path / "long.csv")
    done(page)
    name = page.locator("[data-part=cells] th[scope=row]").first
    assert name.inner_text() == ("row" * 13) + "…"
    assert name.get_attribute("title") == "row" * 120 + "0"
    value, frame = (page.locator(f"[data-part=cells]{part}").first.bounding_box() for part in (" td", ""))
    assert value["x"] - frame["x"] < 500
    assert len(text(page, "names")) < 300


def test_a_matrix_without_words_is_told_from_a_data_set(page, folder):
    np.save(folder / "plain.npy", np.arange(600.0).reshape(30, 20))
    page.locator("input[type=file]").set_input_files(folder / "plain.npy")
    until(page, "document.getElementById('room').dataset.read")
    assert text(page, "readas").startswith("plain.npy: a matrix, 30 rows x 20 columns; 600 of 600 cells")


def computing(server):
    """Processor seconds of each process that a server has started."""
    import psutil

    found = {}
    for process in psutil.Process(server.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found[process.pid] = sum(process.cpu_times()[:2])
    return found


def test_a_tab_that_is_closed_ends_its_work_and_no_other(browser):
    pytest.importorskip("psutil")
    with browsing.served() as (address, server):
        context = browser.new_context()
        one, other = context.new_page(), context.new_page()
        other.goto(f"{address}complete?table=flower&seed=1")
        until(other, "document.querySelector('[data-part=stage]').textContent.includes('rank')")
        before = set(computing(server))
        one.goto(f"{address}complete?table=flower&seed=2")
        until(one, "document.querySelector('[data-part=stage]').textContent.includes('rank')")
        assert len(set(computing(server)) - before) == 1
        one.close()
        end = time.monotonic() + 10
        while set(computing(server)) - before:
            assert time.monotonic() < end
            other.wait_for_timeout(100)
        so_far = sum(computing(server).values())
        assert set(computing(server)) == before
        while sum(computing(server).values()) == so_far:  # the work of the other tab goes on
            assert time.monotonic() < end + 10
            other.wait_for_timeout(100)
        context.close()
