"""What a notebook shows: small tables without scripts, and pictures on axes that one has."""

from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

import rankscape as rs
from rankscape.errors import InputError
from rankscape.ground.html import facts
from rankscape.run.trajectory import Trajectory

MODES = dict(depth=3, alpha=0.1, learning_rate=1e-3)


@pytest.fixture(scope="module")
def done():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 20)) + 0.1 * rng.normal(size=(30, 20))
    return rs.complete(np.where(rng.random(X.shape) < 0.7, X, np.nan))


@pytest.fixture(scope="module")
def run():
    start = rs.Identical(alpha=0.1)
    return rs.simulate(
        rs.Estimation(eigenvalues=[5, 3]), depth=3, initialization=start, dynamics=rs.GradientDescent(1e-3), steps=6000
    )


@pytest.fixture(scope="module")
def fall():
    lab = rs.data.planted()
    dynamics = rs.SGD(learning_rate=0.2, ridge=0.4 / len(lab.problem.values))
    start = rs.Factors(lab.start())
    return rs.simulate(lab.problem, initialization=start, dynamics=dynamics, steps=200, monitor=rs.RankMonitor())


class Page(HTMLParser):
    """The words of a page; every tag must be closed, and none may do anything."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.tags = [], [], set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style"}
        assert all("#" not in value and "rgb" not in value for _, value in attrs)  # colours are those of the page

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_tables_hold_words_and_nothing_else(done, run, fall, tmp_path):
    plateau = rs.theory.plateaus([5, 3, 1.5], **MODES)[0]
    base = dict(eigenvalues=[3.0], depth=2, steps=3, alpha=0.1, learning_rate=0.01)
    sweep = rs.sweep(base, over={"alpha": [0.1, 0.2]}, store=tmp_path / "s.zarr")
    shown = [done, done.certificate, run, fall, plateau, sweep]
    texts = [" ".join(Page(thing._repr_html_()).words) for thing in shown]
    assert all(len(thing._repr_html_()) < 6000 for thing in shown)
    for text, word in zip(
        texts,
        [f"{done.rank}: ", done.certificate.evidence, run.message, "jumps of the rank", f"{plateau.end:,}", "2 done"],
        strict=True,
    ):
        assert word in text
    assert f"{done.heldout_rmse:.4g}" in texts[0]


def test_what_is_said_is_escaped():
    text = facts("<script>", [("a & b", "<img src=x onerror=alert(1)>")])
    assert Page(text).tags == {"table", "caption", "strong", "tbody", "tr", "th", "td"}
    assert "<img src=x onerror=alert(1)>" in Page(text).words


@pytest.mark.parametrize("what", ["rank", "spectrum", "errors"])
def test_a_picture_is_drawn_on_the_axes_that_are_given(done, run, what):
    for thing in (done, run):
        axes = Figure().subplots()
        assert thing.plot(axes, what=what) is axes
        assert axes.lines


def test_the_rank_is_drawn_with_the_plateaus_of_theory(run):
    predicted = rs.theory.plateaus([5, 3], **MODES)
    axes = run.plot(Figure().subplots(), theory=predicted)
    rank = next(line for line in axes.lines if line.get_label() == "numerical rank")
    np.testing.assert_array_equal(rank.get_ydata(), run.numerical_rank.values)
    held = [p for p in predicted if p.guaranteed and p.start <= run.step.values[-1]]
    assert [text.get_text() for text in axes.texts] == [f"rank {p.rank}" for p in held]
    edges = {x for line in axes.lines if line.get_linewidth() == 0.6 for x in line.get_xdata()}
    assert {float(p.start) for p in held} <= edges


def test_new_axes_are_those_that_a_notebook_shows(done, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    axes = done.plot()
    assert axes.figure.number in pyplot.get_fignums()
    pyplot.close(axes.figure)


def test_a_batch_is_not_drawn(run):
    batch = Trajectory(run.dataset.expand_dims("run"), [])
    with pytest.raises(InputError, match=r"run\.select"):
        batch.plot(Figure().subplots())
    assert "runs" in Page(batch._repr_html_()).words
