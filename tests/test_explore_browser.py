"""The explorer as people use it, in a real browser to which no outside name resolves: run with ``-m browser``."""

import json
import re
import time

import browsing
import numpy as np
import pytest

import rankscape as rs

pytestmark = pytest.mark.browser

WAIT = 20_000


@pytest.fixture(scope="module")
def browser():
    with browsing.chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    return browsing.axe_script(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with names that would be scripts, a full matrix, a sweep, a run."""
    place = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 12)) + 0.05 * rng.normal(size=(40, 12))
    lines = ["id," + ",".join(f"<img src=x onerror=alert({j})>" for j in range(12))]
    hidden = rng.random(X.shape) < 0.25
    for i, row in enumerate(X):
        lines.append(f"<b>r{i}</b>," + ",".join("" if h else f"{v:.4f}" for v, h in zip(row, hidden[i], strict=True)))
    (place / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    np.save(place / "full.npy", X)
    base = dict(eigenvalues=[3.0, 1.0], learning_rate=2e-3, steps=1500)
    rs.sweep(base, over={"alpha": [0.05, 0.1, 0.2], "depth": [2, 3]}, store=place / "grid.zarr")
    return place


@pytest.fixture(scope="module")
def address(folder):
    with browsing.explorer(str(folder / "table.csv")) as found:
        yield found.rsplit("/", 1)[0]


@pytest.fixture
def page(browser, address):
    """A page that must ask nobody else, and complain of nothing."""
    with _opened(browser, address) as opened:
        yield opened


class _opened:
    def __init__(self, browser, address, width=1280, scheme="light"):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.address, self.outside, self.said = address, set(), []

    def __enter__(self):
        page = self.context.new_page()
        own = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
        page.on("request", lambda r: self.outside.add(r.url) if not r.url.startswith(own) else None)
        page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        return page

    def __exit__(self, kind, *_):
        self.context.close()
        if kind is None:
            assert self.outside == set()
            assert self.said == []


def text(page, part):
    return page.locator(f"[data-part={part}]").inner_text()


def until(page, expression, timeout=WAIT):
    """Wait for what a script says; the page's policy forbids the browser's own way, which compiles text."""
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)


def drawn(page):
    until(
        page,
        "(r => r.dataset.drawn && r.dataset.drawn === r.dataset.asked)(document.getElementById('room'))",
        timeout=WAIT,
    )


# -- all rooms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (800, "dark"), (400, "light"), (400, "dark")])
@pytest.mark.parametrize("room", ["", "climb", "fall", "complete", "sweep"])
def test_rooms_can_be_read_by_all(browser, address, axe, room, width, scheme):
    with _opened(browser, address, width, scheme) as page:
        page.goto(f"{address}/{room}")
        page.wait_for_timeout(1500)
        if room == "complete":
            until(page, "document.getElementById('room').dataset.done", timeout=3 * WAIT)
        # The checker is put in by the test's own hand: the page's policy lets no script in.
        page.evaluate(axe)
        assert browsing.unfit(page) == []
        assert page.locator("[aria-label*=undefined]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width + 1


# What one can do on the page, but for what is folded away or greyed out.
CONTROLS = """[...document.querySelectorAll("a[href], button, input, select, summary, textarea, [tabindex='0']")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.disabled)"""


@pytest.mark.parametrize("room", ["climb", "fall", "complete", "sweep"])
def test_everything_is_reached_with_tab_alone_on_a_phone(browser, address, room):
    """In the order of the page, where one sees it, with a mark around it; and past the last one out again."""
    with _opened(browser, address, 400) as page:
        page.goto(f"{address}/{room}")
        page.wait_for_timeout(1500)
        if room == "complete":
            until(page, "document.getElementById('room').dataset.done", timeout=3 * WAIT)
        if room == "fall":
            page.evaluate("document.querySelector('[data-part=pause]').click()")  # which leaves the focus where it is
        page.evaluate(f"{CONTROLS}.forEach((e, k) => {{ e.dataset.control = k; }})")
        reached = []
        for _ in range(page.evaluate(f"{CONTROLS}.length") + 5):
            page.keyboard.press("Tab")
            now = page.evaluate(
                """(() => {
                    const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
                    const inside = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
                    const marked = style.outlineStyle !== "none" || style.boxShadow !== "none";
                    return [e.dataset.control, e.outerHTML.slice(0, 90), inside, marked, e === document.body];
                })()"""
            )
            if now[4]:
                break
            assert now[2:4] == [True, True], now[1]
            reached.append(now[0])
        missing = f"{CONTROLS}.filter((e) => !seen.includes(e.dataset.control))"
        missed = page.evaluate(f"(seen) => {missing}.map((e) => e.outerHTML.slice(0, 90))", reached)
        assert missed == []


def test_a_page_has_its_content_before_its_scripts(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/climb")
    assert page.locator("h1").inner_text() == "Climb"
    assert page.locator("input[name=alpha]").input_value() == "0.1"
    assert "scripts" in page.locator("noscript").inner_text()
    context.close()


# -- climb ------------------------------------------------------------------------------------------------


def test_climb_by_keyboard(page, address):
    page.goto(f"{address}/climb")
    drawn(page)
    assert page.locator("[data-part=plateaus] tbody tr").count() == 3
    page.locator("input[name=rank]").fill("2")
    until(page, "document.querySelector('[data-part=stop]').textContent.includes('Stop at step')", timeout=WAIT)
    step = int(re.search(r"step ([\d,]+)", text(page, "stop"))[1].replace(",", ""))  # pyright: ignore
    assert step == rs.theory.stopping_rule([5.0, 3.0, 1.5], 3, 0.1, 1e-3, rank=2).step
    assert "rank=2" in page.url
    point = page.locator(".handle").nth(2)
    assert point.get_attribute("aria-valuenow") == "1.5"
    point.focus()
    page.keyboard.press("ArrowUp")
    until(page, "document.querySelectorAll('.handle')[2].getAttribute('aria-valuenow') === '1.6'", timeout=WAIT)
    assert page.locator("input[name=eigenvalues]").input_value() == "5, 3, 1.6"
    drawn(page)


def test_climb_by_mouse_and_back_again(page, address):
    page.goto(f"{address}/climb")
    drawn(page)
    page.wait_for_timeout(800)  # another entry of the history than the first
    box = page.locator(".handle").nth(1).bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    page.mouse.down()
    for k in range(10):
        page.mouse.move(box["x"] + 12, box["y"] + 12 + 6 * k)
    page.mouse.up()
    drawn(page)
    moved = [float(v) for v in page.locator("input[name=eigenvalues]").input_value().split(",")]
    assert moved[0] == 5
    assert moved[2] == 1.5
    assert 1 < moved[1] < 2.6
    link = page.url
    page.go_back()
    until(page, "document.querySelector('input[name=eigenvalues]').value === '5, 3, 1.5'", timeout=WAIT)
    page.go_forward()
    drawn(page)
    assert page.url == link
    page.reload()
    drawn(page)
    assert [float(v) for v in page.locator("input[name=eigenvalues]").input_value().split(",")] == moved


def test_the_address_follows_a_long_drag_and_is_written_when_it_rests(page, address):
    """Browsers ignore or refuse addresses that come by the hundred."""
    page.goto(f"{address}/climb?eigenvalues=3,1&steps=2000")
    drawn(page)
    written, wanted = page.evaluate(
        """async () => {
          let written = 0;
          for (const name of ["pushState", "replaceState"]) {
            const plain = history[name];
            history[name] = function (...given) { written += 1; return plain.apply(this, given); };
          }
          const slider = document.querySelector('input[data-for=alpha]');
          for (let k = 0; k < 300; k++) {
            slider.value = -2 + k / 600;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            await new Promise((done) => setTimeout(done, 8));
          }
          await new Promise((done) => setTimeout(done, 400));
          return [written, document.querySelector('input[name=alpha]').value];
        }"""
    )
    assert written <= 30
    assert f"alpha={wanted}" in page.url
    page.reload()
    drawn(page)
    assert page.locator("input[name=alpha]").input_value() == wanted
    page.go_back()
    until(page, "!location.search.includes('alpha')")


def test_climb_compares_designs_and_copies(page, address):
    page.goto(f"{address}/climb?rank=2")
    drawn(page)
    page.locator("[data-part=keep]").click()
    page.locator("input[name=alpha]").fill("0.01")
    drawn(page)
    assert "beside=" in page.url
    page.locator("[data-part=design]").click()
    until(page, "document.querySelector('input[name=alpha]').value !== '0.01'", timeout=WAIT)
    drawn(page)
    page.locator("[data-part=python]").click()
    page.wait_for_timeout(300)
    copied = page.evaluate("navigator.clipboard.readText()")
    there: dict = {}
    exec(copied, there)
    assert there["stop"].step is not None
    steps = np.unique(np.linspace(0, 8000, 241).astype(int))
    np.testing.assert_array_equal(there["kept"], rs.theory.eigenvalue_path([5.0, 3.0, 1.5], 3, 0.1, 1e-3, steps=steps))
    assert (there["paths"] != there["kept"]).any()
    assert "-o kept.zarr" in (page.locator("[data-part=lines]").text_content() or "")
    page.locator("input[name=learning_rate]").fill("50")
    until(page, "document.querySelector('[data-part=words]').textContent.includes('limit')", timeout=WAIT)
    page.locator("input[name=alpha]").fill("-1")
    until(page, "document.querySelector('[data-part=error]').textContent.includes('must be positive')", timeout=WAIT)


def test_the_cursor_reads_step_and_rank(page, address):
    page.goto(f"{address}/climb")
    drawn(page)
    box = page.locator("[data-part=paths] .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    until(page, "document.querySelector('[data-part=cursor]').textContent.includes('rank 2 guaranteed')", timeout=WAIT)


def test_the_spectrum_of_a_matrix_is_taken_by_keyboard(page, address, folder):
    page.goto(f"{address}/climb")
    until(page, "document.querySelector('[data-part=taken]').textContent.includes('are missing')", timeout=3 * WAIT)
    page.locator("[data-part=given] summary").focus()
    page.keyboard.press("Enter")
    page.locator("#file").set_input_files(folder / "full.npy")
    until(page, "document.querySelector('[data-part=taken]').textContent.includes('its 12 singular')", timeout=3 * WAIT)
    drawn(page)
    found = np.array(page.locator("#eigenvalues").input_value().split(","), dtype=float)
    np.testing.assert_allclose(found, np.linalg.svd(np.load(folder / "full.npy"))[1], rtol=1e-5)
    page.reload()  # a link needs no file
    drawn(page)
    assert page.locator(".handle").count() == 12


def test_curves_are_read_by_keyboard_and_times_as_theory_has_them(page, address):
    page.goto(f"{address}/climb?beta=0.05&eigenvalues=3,-2")
    drawn(page)
    until(page, "document.querySelectorAll('[data-part=times] tbody tr').length === 2")
    told = page.locator("[data-part=times] tbody tr").nth(1).locator("td").all_inner_texts()
    time_ = rs.theory.hitting_time(-2.0, -1.9, 3, 0.1, 1e-3, beta=0.05)
    assert told[:3] == ["-2", f"{time_.lower:,}", f"{time_.upper:,}"]
    page.locator("[data-part=staircase]").focus()
    for key in ("End", "ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    assert text(page, "cursor").startswith("step 7,966, effective rank")


# -- fall -------------------------------------------------------------------------------------------------


def test_fall_runs_pauses_goes_back_and_forks(page, address):
    page.goto(f"{address}/fall?pace=5000")
    until(page, "Number(document.getElementById('room').dataset.step) > 20000", timeout=3 * WAIT)
    assert "live mode" in text(page, "state")
    page.locator("[data-part=pause]").click()
    page.wait_for_timeout(600)
    here = page.locator("#room").get_attribute("data-step")
    page.wait_for_timeout(600)
    assert page.locator("#room").get_attribute("data-step") == here
    page.locator("#back").fill("5001")
    page.locator("[data-part=fork]").click()
    until(page, f"Number(document.getElementById('room').dataset.step) < {here}", timeout=WAIT)
    page.locator("input[name=ridge]").fill("0.002")
    page.wait_for_timeout(500)
    assert "ridge=0.002" in page.url
    page.locator("[data-part=expect]").click()
    until(page, "document.querySelector('[data-part=expected]').textContent.includes('95 %')", timeout=4 * WAIT)


def test_a_forked_run_is_shown_beside_the_first_and_comes_back_with_its_link(page, address):
    page.goto(f"{address}/fall?pace=2000&problem=random&n=12&rank=2&width=5")
    until(page, "Number(document.getElementById('room').dataset.step) > 16000", timeout=3 * WAIT)
    page.locator("#back").fill("6000")
    page.locator("[data-part=fork]").click()
    until(page, "document.querySelector('[data-part=former]').textContent.startsWith('Dashed')", timeout=WAIT)
    page.locator("input[name=ridge]").fill("0.004")
    until(page, "/:0.004:/.test(decodeURIComponent(location.search))", timeout=WAIT)
    page.locator("[data-part=pause]").click()
    page.wait_for_timeout(1500)
    said, past = text(page, "state"), page.url
    assert said.startswith("Step ")
    page.reload()
    until(page, f"document.querySelector('[data-part=state]').textContent === {said!r}", timeout=3 * WAIT)
    page.wait_for_timeout(600)
    assert (text(page, "state"), text(page, "pause")) == (said, "Go on")
    assert page.url == past
    page.locator("[data-part=python]").click()
    page.wait_for_timeout(300)
    there: dict = {}
    exec(page.evaluate("navigator.clipboard.readText()"), there)
    assert f"{there['lab'].relative_error(there['run'].product):.3g}" in said
    page.locator("[data-part=pause]").click()
    until(page, f"document.querySelector('[data-part=state]').textContent !== {said!r}", timeout=WAIT)
    page.locator("[data-part=again]").click()
    until(page, "!location.search.includes('past=') || location.search.length < 100", timeout=WAIT)


def test_another_mode_has_its_landscape_while_the_run_goes_on(page, address):
    page.goto(f"{address}/fall?pace=2000")
    until(page, "Number(document.getElementById('room').dataset.step) > 4000", timeout=3 * WAIT)
    first = text(page, "shape")
    second = page.locator("[data-part=modes] button").nth(1)
    second.focus()
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('[data-part=shape]').textContent !== {first!r}")
    assert second.get_attribute("aria-pressed") == "true"
    assert second.evaluate("button => button === document.activeElement")
    assert "mode=2" in page.url
    assert int(page.locator("#room").get_attribute("data-step") or 0) > 4000  # not begun anew
    page.locator("input[name=ridge]").fill("5")
    until(page, "document.querySelector('[data-part=shape]').textContent.includes('dies')")


def test_a_ridge_is_typed_while_the_run_goes_on(page, address):
    """On the way to 0.002 stands a zero, which no run can have."""
    page.goto(f"{address}/fall?pace=500&problem=random&n=12&rank=2&width=5&start=gaussian&learning_rate=0.05")
    until(page, "Number(document.getElementById('room').dataset.step) > 2000", timeout=3 * WAIT)
    page.locator("input[name=ridge]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("0")
    until(page, "document.querySelector('[data-part=error]').textContent.includes('`ridge` must be positive')")
    page.keyboard.type(".002", delay=100)
    until(page, "document.querySelector('[data-part=error]').textContent === ''")
    until(page, "/:0.002:/.test(decodeURIComponent(location.search))")
    before = int(page.locator("#room").get_attribute("data-step") or 0)
    until(page, f"Number(document.getElementById('room').dataset.step) > {before}")


def test_the_pictures_of_a_run_are_read_by_keyboard(page, address):
    page.goto(f"{address}/fall?pace=2000")
    until(page, "Number(document.getElementById('room').dataset.step) > 6000", timeout=3 * WAIT)
    page.locator("[data-part=pause]").click()
    page.wait_for_timeout(600)
    for chart, place, words in [
        ("values", "cursor", r"step [\d,]+, 3 live: [\d.]+, "), ("alive", "cursor", r"step [\d,]+, 3 live$"),
        ("landscape", "at", r"objective [\d.e-]+ at size "),
    ]:  # fmt: skip
        page.locator(f"[data-part={chart}]").focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(100)
        assert re.match(words, text(page, place)), (chart, text(page, place))


def test_formulas_are_formulas_and_stand_behind_the_labels(page, address):
    page.goto(f"{address}/climb")
    drawn(page)
    about = page.get_by_role("button", name="What is “Learning rate η”?")
    words = page.locator("#what-learning_rate")
    assert not words.is_visible()
    about.hover()
    assert words.is_visible()
    assert "all factors take at once" in words.inner_text()
    # Drawn as a formula: the index stands lower and smaller than its letter.
    letter, index = (words.locator("msub").first.locator(f":scope > :nth-child({k})").bounding_box() for k in (1, 2))
    assert index["height"] < letter["height"]
    assert index["y"] + index["height"] > letter["y"] + letter["height"]
    page.keyboard.press("Escape")
    assert not words.is_visible()
    page.mouse.move(1, 1)
    about.focus()
    assert words.is_visible()
    assert page.locator("#learning_rate").get_attribute("aria-describedby") == "what-learning_rate"


def test_two_people_do_not_disturb_each_other(browser, address):
    with _opened(browser, address) as one, _opened(browser, address) as other:
        one.goto(f"{address}/fall?pace=1000")
        other.goto(f"{address}/climb?alpha=0.2")
        drawn(other)
        until(one, "Number(document.getElementById('room').dataset.step) > 3000", timeout=3 * WAIT)
        other.locator("input[name=alpha]").fill("0.3")
        drawn(other)
        before = int(one.locator("#room").get_attribute("data-step") or 0)
        until(one, f"Number(document.getElementById('room').dataset.step) > {before}", timeout=WAIT)
        assert "alpha=0.3" not in one.url


# -- complete ---------------------------------------------------------------------------------------------


def test_the_named_table_is_completed_and_saved(page, address, folder, tmp_path):
    page.goto(f"{address}/complete")
    until(page, "document.getElementById('room').dataset.done", timeout=3 * WAIT)
    done = rs.complete(rs.files.read(folder / "table.csv").dense(), seed=0)
    assert f"Rank {done.rank}" in text(page, "heading")
    assert "<img src=x" in text(page, "cells")  # as words
    page.locator("[data-part=files] a").first.wait_for(timeout=WAIT)
    with page.expect_download() as saved:
        page.locator("[data-part=files] a").first.click()
    saved.value.save_as(tmp_path / "completed.csv")
    np.testing.assert_allclose(rs.files.read(tmp_path / "completed.csv").dense(), done.matrix, rtol=1e-3)
    page.locator("[data-part=rows]").fill("1" + "," * 11)
    page.locator("[data-part=fill]").click()
    page.locator("[data-part=filled] td").first.wait_for(timeout=WAIT)
    assert page.locator("[data-part=filled] td.filled").count() == 11
    page.locator("[data-part=rows]").fill("1,2")
    page.locator("[data-part=fill]").click()
    until(page, "document.querySelector('[data-part=rowerror]').textContent.includes('12 columns')", timeout=WAIT)
    page.locator("[data-part=ranks] button").first.click()
    until(page, "document.getElementById('room').dataset.done === '2'", timeout=3 * WAIT)
    assert "max_rank=" in page.url


def test_files_are_dropped_good_and_bad(page, address, folder, tmp_path):
    page.goto(f"{address}/complete?table=")
    page.wait_for_timeout(500)
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,x,5\n", encoding="utf-8")
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.csv")
    until(page, "document.querySelector('[data-part=error]').textContent.includes('bad.csv')", timeout=3 * WAIT)
    page.locator("input[type=file]").set_input_files(folder / "full.npy")
    until(page, "document.getElementById('room').dataset.read", timeout=3 * WAIT)
    assert "480 of 480 cells" in text(page, "readas")


def test_work_is_cancelled(page, address):
    page.goto(f"{address}/complete?table=flower")
    until(page, "document.getElementById('room').dataset.read", timeout=3 * WAIT)
    page.locator("[data-part=cancel]").click()
    assert text(page, "stage") == "Cancelled."
    page.wait_for_timeout(1500)
    assert page.locator("#room").get_attribute("data-done") is None


# -- runs -------------------------------------------------------------------------------------------------


def test_a_cell_of_a_sweep_opens_its_run(browser, folder):
    with browsing.explorer(str(folder / "grid.zarr")) as found, _opened(browser, found.rsplit("/", 1)[0]) as page:
        page.goto(found)
        until(page, "document.querySelector('[data-part=scale]').textContent.includes('Theory')", timeout=3 * WAIT)
        assert page.locator("[data-part=grid] button").count() == 6
        assert "theory 1" in page.locator("[data-part=grid] button").first.inner_text()
        page.locator("[data-part=python]").click()
        page.wait_for_timeout(300)
        assert "sweep.dataset['effective_rank']" in page.evaluate("navigator.clipboard.readText()")
        page.locator("[data-part=grid] button").nth(2).click()
        until(page, "document.querySelector('[data-part=words]').textContent.startsWith('Run ')", timeout=WAIT)
        assert "run=" in page.url
        page.select_option("select[name=value]", "loss")
        until(page, "document.querySelector('[data-part=caption]').textContent.startsWith('loss')", timeout=WAIT)
        page.reload()
        until(page, "document.querySelector('[data-part=caption]').textContent.startsWith('loss')", timeout=WAIT)


def test_a_closed_page_ends_its_work(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/fall?pace=0")
    until(page, "Number(document.getElementById('room').dataset.step) > 1000", timeout=3 * WAIT)
    context.close()
    # Another page is answered at once: nothing of the first one runs any more.
    with _opened(browser, address) as other:
        other.goto(f"{address}/climb")
        drawn(other)
        assert json.loads(other.locator("#room").get_attribute("data-start") or "") == {"matrix": "opened"}
