"""A completion told to people: the page stands alone, harms nobody, stays small, and says what was measured."""

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.cli.app import start
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.reports import Subject, explain
from rankscape.reports.content import page_of
from rankscape.reports.residuals import residual_panels, worst

pytestmark = pytest.mark.usefixtures("hasty_file")

EVIL = '<script>alert("x")</script>&amp;$name'
VOID = {"meta", "img", "br"}


def planted(noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 30))
    return truth, np.where(rng.random(truth.shape) < 0.5, truth + noise * rng.normal(size=truth.shape), np.nan)


def matrices() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "noisy": planted()[1],
        "exact": planted(0.0)[1],
        "nothing held out": np.arange(1.0, 7.0).reshape(1, 6),
        "equal": np.full((5, 4), 3.0),
        "rank 0": rng.normal(size=(20, 15)),
        "everything observed": planted()[0],
        "rank 1": np.outer(np.arange(1.0, 9.0), [1, -1, 2, 0.5, 3, 1]),
        "huge": planted()[1] * 1e200,
        "tiny": planted()[1] * 1e-200,
    }


MATRICES = matrices()
DRAWN = ("noisy", "exact", "nothing held out", "equal", "rank 0", "huge")


@pytest.fixture(scope="module")
def completions() -> dict[str, rs.CompletedMatrix]:
    return {name: rs.complete(X) for name, X in MATRICES.items()}


@pytest.fixture(scope="module")
def pages(completions, tmp_path_factory) -> dict[str, str]:
    """Drawn once: figures take longer than everything else here."""
    folder = tmp_path_factory.mktemp("pages")
    labels: dict[str, Any] = {
        "row_labels": [f"{EVIL}{i}" for i in range(40)],
        "column_labels": [f"{EVIL}{j}" for j in range(30)],
    }
    return {
        name: rs.report(
            completions[name], folder / f"{name}.html", name=EVIL, settings={EVIL: EVIL},
            **(labels if name == "noisy" else {}),
        ).read_text("utf-8")
        for name in DRAWN
    }  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, attributes and words, and checks that what is opened is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.mark.parametrize("name", DRAWN)
def test_every_page_is_whole_small_and_alone(completions, pages, name):
    text = pages[name]
    page = Reader(text)
    assert len(text) < 300_000
    assert {"script", "link", "iframe", "object", "embed", "base"}.isdisjoint(page.tags)
    for key, value in page.attributes:
        assert not key.startswith("on")
        if key in ("src", "href", "xlink:href"):
            assert value.startswith(("data:", "#"))
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    assert not re.search(r"\bnan\b|\binf\b|None", page.text)
    assert page.tags.count("h1") == 1
    assert (completions[name].rank > 0) == ("Spectrum of the model" in text)
    for warning in completions[name].certificate.warnings:
        assert warning in page.text


def test_ids_inside_the_page_do_not_contradict_each_other(pages):
    text = pages["noisy"]
    shapes = re.findall(r'<(?:path|clipPath) id="(\w+)"(.*?)(?:/>|</clipPath>)', text, flags=re.DOTALL)
    assert shapes
    meanings = {name: {rest for other, rest in shapes if other == name} for name, _ in shapes}
    assert all(len(meaning) == 1 for meaning in meanings.values())
    used = set(re.findall(r'(?:xlink:href="#|url\(#)(\w+)', text))
    assert used <= meanings.keys()


def test_names_and_labels_are_words_and_nothing_else(pages):
    page = Reader(pages["noisy"])
    assert "script" not in page.tags
    assert page.text.count(EVIL) >= 3  # shown as it is, in the title, above the heading, and in the settings
    assert any(f"row {EVIL}" in word for word in page.words)


def test_the_same_completion_gives_the_same_page(pages, tmp_path):
    again = rs.report(rs.complete(MATRICES["exact"]), tmp_path / "page.html", name=EVIL, settings={EVIL: EVIL})
    assert again.read_text("utf-8") == pages["exact"]


@pytest.mark.parametrize("name", MATRICES)
def test_every_completion_can_be_told(completions, name):
    done = completions[name]
    page = page_of(Subject(done))
    headings = [section.heading for section in page.sections]
    assert len(set(headings)) == len(headings) == (7 if done.rank else 6)  # without a direction there is no spectrum
    assert page.trusted == done.certificate.trusted
    for section in page.sections:
        for panel in section.figures:
            assert all(np.isfinite(line.y).any() for line in panel.lines)


def test_the_page_says_what_was_measured(completions):
    done = completions["noisy"]
    truth, seen = planted()
    i, j = np.nonzero(np.isnan(seen))
    page = page_of(Subject(done, hidden=Entries(i, j, truth[i, j], truth.shape)))
    assert page.heading == "The data hold up 2 directions."
    assert dict(page.facts)["observed"] == f"{np.mean(~np.isnan(seen)):.1%}"
    assert dict(page.facts)["held-out RMSE"] == f"{done.heldout_rmse:.3g}"
    missing = f"{np.isnan(seen).sum()} missing entries were filled in"
    error = np.sqrt(np.mean((done.fitted - truth)[np.isnan(seen)] ** 2))
    sections = {section.heading: section for section in page.sections}
    assert missing in sections
    residual = sections[f"What is left over has a root mean square of {error:.3g}"]
    assert len(residual.figures) == 2
    errors = next(s for s in page.sections if "less error" in s.heading).tables[0]
    shown = {name: value for name, value in errors.rows}
    assert shown.pop("this model") == f"{done.heldout_rmse:.3g}"
    assert len(shown) == len(done.certificate.baselines) == 3
    gain = 1 - done.heldout_rmse / min(done.certificate.baselines.values())
    assert any(f"{gain:.0%} less error" in heading for heading in sections)
    assert max(errors.bars) == 1


def test_a_picture_shows_what_was_given_filled_and_true(completions):
    truth, seen = planted()
    i, j = np.nonzero(np.isnan(seen))
    hidden = Entries(i, j, truth[i, j], truth.shape)
    for known, titles in ((None, ["given", "completed"]), (hidden, ["given", "completed", "truth"])):
        first = page_of(Subject(completions["noisy"], image=True, hidden=known)).sections[0]
        assert [image.title for image in first.images] == titles
        assert not first.tables


def test_missing_pixels_have_their_own_colour():
    import base64
    import io

    from PIL import Image as Pixels

    from rankscape.plot import Image
    from rankscape.reports.page import PIXELS, TINT, _image

    values = np.tile([0.0, 1.0, np.nan], (4, 500))
    coded = re.search(r"base64,([^\"]+)", _image(Image("seen", values, (0.0, 1.0))))
    assert coded
    picture = np.asarray(Pixels.open(io.BytesIO(base64.b64decode(coded[1]))).convert("RGB"))
    kept = values[::4, ::4]
    assert picture.shape == (*kept.shape, 3)
    assert max(picture.shape) <= PIXELS
    expected = np.where(np.isnan(kept)[..., None], TINT, np.nan_to_num(kept)[..., None] * 255)
    np.testing.assert_array_equal(picture, expected)


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_residual_panels_lose_no_entry_and_stay_small(size, seed):
    rng = np.random.default_rng(seed)
    predicted, residual = rng.normal(size=size), rng.standard_cauchy(size=size)
    panels = residual_panels(predicted, residual)
    assert panels[0].lines[0].y.sum() == pytest.approx(100)
    assert all(len(line.x) <= 40 for panel in panels for line in panel.lines)
    if len(panels) == 2:
        middle, high, low = (line.y for line in panels[1].lines)
        assert (low <= middle).all()
        assert (middle <= high).all()


def test_the_worst_groups_are_found_among_those_with_enough_entries(rng):
    groups, residual = rng.integers(0, 8, 60), rng.normal(size=60)
    groups[groups == 3] = 4
    groups[0], residual[0] = 3, 100.0  # one entry alone is no evidence
    expected = sorted(
        ((k, np.sqrt(np.mean(residual[groups == k] ** 2))) for k in range(8) if (groups == k).sum() >= 5),
        key=lambda pair: -pair[1],
    )[:3]
    found = worst(groups, residual, 8)
    assert [k for k, _ in found] == [k for k, _ in expected]
    np.testing.assert_allclose([e for _, e in found], [e for _, e in expected])


@pytest.mark.parametrize(
    ("options", "word"),
    [({"path": "page.pdf"}, "html"), ({"path": "no/page.html"}, "directory"), ({"row_labels": ["a"]}, "row_labels")],
)
def test_bad_requests_are_refused(completions, tmp_path, options, word):
    path = tmp_path / options.pop("path", "page.html")
    with pytest.raises(InputError, match=word):
        rs.report(completions["equal"], path, **options)
    assert not path.exists()


# --- in sentences -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRICES)
def test_explanations_answer_three_questions(completions, name):
    why, sure, following = explain(completions[name])
    assert why.startswith("Why this rank?")
    assert completions[name].reason in why
    assert sure.startswith("How sure?")
    assert ("Nothing speaks against" in sure) == completions[name].certificate.trusted
    assert following.startswith("What next?")
    assert not re.search(r"\bnan\b|\binf\b|None", why + sure + following)


def test_scarce_entries_are_asked_for_by_number():
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 50))
    done = rs.complete(np.where(rng.random(truth.shape) < 0.18, truth, np.nan))
    assert done.rank == 4
    assert done.certificate.oversampling < 1.4
    wanted = 2 * 4 * (60 + 50 - 4) - len(done.observed.values)
    assert f"Observe about {wanted} more entries" in explain(done)[2]


# --- on the command line ----------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    X = MATRICES["noisy"]
    lines = [f'"{EVIL.replace(chr(34), chr(34) * 2)}{i}",c{j},{X[i, j]}' for i, j in np.argwhere(~np.isnan(X))]
    (tmp_path / "X.csv").write_text("\n".join(["u,v,r", *lines]))
    np.save("X.npy", X)
    return tmp_path


def test_the_command_writes_the_page_and_explains(here, capsys):
    assert start(["complete", "X.csv", "--hide", "0.1", "--report", "page.html", "--explain"]) == 0
    out = capsys.readouterr().out
    table, *explained = re.split(r"\n\n", out)
    assert table.rstrip().endswith("page.html")
    assert [part.split("?")[0] for part in explained] == ["Why this rank", "How sure", "What next"]
    lines = [line for part in explained for line in part.splitlines() if line]
    assert 5 <= len(lines) <= 12
    assert all(len(line) <= 80 for line in lines)
    page = Reader((here / "page.html").read_text("utf-8"))
    assert "script" not in page.tags
    assert any(EVIL in word for word in page.words)
    assert "seed 0" in page.text


def test_json_stays_json(here, capsys):
    import json

    np.save("equal.npy", MATRICES["equal"])
    assert start(["complete", "equal.npy", "--report", "page.html", "--explain", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["report"] == "page.html"


def test_a_report_that_cannot_be_written_is_refused_before_the_work(here, capsys):
    assert start(["complete", "X.npy", "--report", "page.pdf"]) == 2
    assert "html" in capsys.readouterr().err
    assert not (here / "X-completed.npy").exists()
