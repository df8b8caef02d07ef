"""The built site, opened in a browser to which no outside name resolves: run with ``-m site``."""

import functools
import gzip
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote_plus, unquote, urlsplit

import browsing
import pytest
from questions import QUESTIONS

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "docs" / "_build"
SITE = BUILT / "html"

pytestmark = pytest.mark.site


@pytest.fixture(scope="module", autouse=True)
def built():
    """The site, made where it is not there; by several workers of pytest it would be made several times at once."""
    if not (SITE / "index.html").exists():
        if "PYTEST_XDIST_WORKER" in os.environ:
            pytest.fail("The site is not built: run docs/build first, or pytest without -n.")
        subprocess.run([sys.executable, str(ROOT / "docs" / "build")], check=True)


class Page(HTMLParser):
    """What a page points to and what can be pointed to in it."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.loads, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "source") and found.get("src", found.get("srcset")):
            self.loads.append(found.get("src", found.get("srcset")))
        if tag == "link" and "stylesheet" in found.get("rel", "") + "icon":
            self.loads.append(found["href"])


@functools.cache
def parsed() -> dict[str, Page]:
    """Every page, by its path."""
    pages = sorted(SITE.rglob("*.html"))
    return {
        p.relative_to(SITE).as_posix(): Page(p.read_text(encoding="utf-8")) for p in pages if "_static" not in str(p)
    }


def test_every_link_inside_leads_somewhere():
    broken = []
    for name, page in parsed().items():
        if name == "404.html" or name.startswith("_modules"):  # links from the root; Sphinx's own from the sources back
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = ((SITE / name).parent / unquote(parts.path)).resolve() if parts.path else SITE / name
            inside = target.relative_to(SITE.resolve()).as_posix() if target != SITE / name else name
            if not target.exists():
                broken.append(f"{name}: {link}")
            elif parts.fragment and inside in parsed() and unquote(parts.fragment) not in parsed()[inside].ids:
                broken.append(f"{name}: {link} (no such place)")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere():
    assert [f"{n}: {load}" for n, page in parsed().items() for load in page.loads if "//" in load] == []


def test_every_public_name_is_in_the_inventory_for_others():
    sys.path.insert(0, str(ROOT / "docs"))
    from _site import names

    raw = (SITE / "objects.inv").read_bytes()
    body = zlib.decompress(raw.split(b"\n", 4)[4]).decode()
    known = {line.split(" ")[0] for line in body.splitlines()}
    assert {name.full for name in names.public()} - known == set()


def test_the_first_page_is_light():
    page = parsed()["index.html"]
    files = {load.split("?")[0] for load in page.loads} | {"index.html"}
    sent = {name: len(gzip.compress((SITE / name).read_bytes())) for name in files}  # as any server sends it
    assert sent["_static/climb.png"] < 30_000
    assert sum(sent.values()) <= 300_000, sent


def test_what_is_for_reading_without_a_browser_is_there():
    text = (SITE / "rankscape.txt").read_text(encoding="utf-8")
    assert len(text) > 200_000
    assert "rankscape.complete" in text
    assert (SITE / "llms.txt").read_text(encoding="utf-8").count("\n- [") > 40
    assert len(list((SITE / "notebooks").glob("*.ipynb"))) >= 10
    assert (SITE / "404.html").exists()


def test_what_a_block_prints_is_meant_for_readers():
    """The last value of a block is shown: it should not be that of a drawing, nor a place in memory."""
    left = re.compile(r"&lt;(?:Axes|matplotlib|Figure|function)|Text\(\d|\[&lt;| at 0x[0-9a-f]{6}|Traceback")
    pages = [p for p in SITE.rglob("*.html") if "_modules" not in p.parts]
    outputs = {
        p: re.findall(r'<div class="cell_output.*?</div>', p.read_text(encoding="utf-8"), re.DOTALL) for p in pages
    }
    assert [
        f"{p.name}: {found[0]}" for p, texts in outputs.items() for text in texts if (found := left.findall(text))
    ] == []


def test_spelling():
    subprocess.run(
        [sys.executable, "-m", "codespell_lib", "docs", "README.md", "CONTRIBUTING.md", "changes"], cwd=ROOT, check=True
    )


def test_search_finds_the_pages_that_answer():
    """The index that the browser searches offline knows the words of the questions."""
    index = json.loads(
        (SITE / "searchindex.js").read_text(encoding="utf-8").removeprefix("Search.setIndex(").rstrip(")")
    )
    for word, page in {
        "dask": "data/how-to/dask", "slurm": "theory/tutorials/sweeps", "outlier": "data/how-to/outliers",
        "unit": "data/how-to/units", "pytorch": "theory/conventions", "thread": "theory/sharp-bits",
    }.items():  # fmt: skip
        found = [index[kind].get(word, []) for kind in ("terms", "titleterms")]
        hits = [k for hit in found for k in ([hit] if isinstance(hit, int) else hit)]
        assert page in {index["docnames"][k] for k in hits}, word


# -- in a browser ----------------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site and says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    """Where the site is served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    with browsing.chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def axe() -> str:
    return browsing.axe_script(BUILT / "npm" / "axe")


def visited(share: int) -> list[str]:
    """Pages to open: all, but those of the sources; of the reference of names one in so many."""
    every = [n for n in parsed() if not n.startswith("_modules") and n not in ("404.html", "genindex.html")]
    return [n for n in every if "/api/" not in n] + [n for n in every if "/api/" in n][::share]


@pytest.mark.parametrize(("width", "scheme", "share"), [(1280, "light", 1), (400, "dark", 5)])
def test_pages_ask_nobody_complain_of_nothing_and_can_be_read_by_all(browser, address, axe, width, scheme, share):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    outside, said, unfit, wide = set(), [], [], []
    page.on("request", lambda r: outside.add(r.url) if not r.url.startswith((address, "data:", "blob:")) else None)
    page.on("console", lambda m: said.append(f"{name}: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: said.append(f"{name}: {error}"))
    for name in visited(share):
        page.goto(address + name, wait_until="load")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            wide.append(name)
        page.evaluate(axe)
        unfit += [f"{name}: {words}" for words in browsing.unfit(page)]
    context.close()
    assert outside == set()
    assert said == []
    assert wide == []
    assert unfit == []


def test_formulas_are_drawn(browser, address):
    page = browser.new_page()
    page.goto(address + "reference/api/rankscape.complete.html", wait_until="networkidle")
    page.wait_for_selector("mjx-container", timeout=20_000)
    assert page.locator("mjx-merror").count() == 0
    page.close()


def test_search_answers_offline(browser, address):
    page = browser.new_page()
    page.goto(address + "search.html?q=standard+errors", wait_until="networkidle")
    page.wait_for_selector("ul.search li", timeout=20_000)
    assert re.search("standard-errors", page.content())
    page.close()


def test_what_the_first_page_sends(browser, address):
    page = browser.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda r: sizes.update({r.url: len(r.body())}) if r.ok else None)
    page.goto(address + "index.html", wait_until="networkidle")
    fonts = sum(size for url, size in sizes.items() if re.search(r"\.(woff2?|ttf)", url))
    moving = sum(size for url, size in sizes.items() if url.endswith("climb.png"))
    whole = sum(sizes.values())
    page.close()
    assert moving > 0
    print(f"first page: {whole - fonts - moving} bytes without fonts and picture; picture {moving}, fonts {fonts}")
    assert whole - fonts - moving <= 300_000  # unpacked
    assert whole - fonts <= 500_000


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_people_ask_is_among_the_first_that_search_finds(browser, address, question):
    page = browser.new_page()
    page.goto(f"{address}search.html?q={quote_plus(question)}")
    page.wait_for_selector("ul.search li a", timeout=20_000)
    page.wait_for_timeout(300)
    links = page.eval_on_selector_all("ul.search li a", "links => links.map((link) => link.getAttribute('href'))")
    page.close()
    found = list(dict.fromkeys(re.sub(r"\.html.*", "", link) for link in links))[:5]
    assert set(QUESTIONS[question]) & set(found), found
