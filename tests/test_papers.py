"""Papers: every claim holds, every figure is whole and labelled, and a claim that fails is said aloud."""

import json

import numpy as np
import pytest
import xarray as xr

from rankscape.cli.app import start
from rankscape.errors import InputError
from rankscape.papers import PAPERS, PaperFigure, figure_names, reproduce
from rankscape.papers.claims import Claim, attempted, between, close, contains, ordered, within_factor
from rankscape.papers.figure import verdict
from rankscape.plot import Band, Image, Line, Panel

# Figures that take more than a few seconds.
LONG = {
    "alpha", "annealing", "avoided", "batches", "controls", "depth", "eigenvalues", "jump-times", "kinds", "minima",
    "one-way", "rank-grid", "recovery", "reshuffling", "scalar-landscape", "sensing", "soft-rank", "stuck",
    "time-bounds",
}  # fmt: skip

EVERY = [
    pytest.param(paper, name, id=f"{paper}-{name}", marks=[pytest.mark.slow] if name in LONG else [])
    for paper in PAPERS
    for name in figure_names(paper)
]


@pytest.mark.parametrize(("paper", "name"), EVERY)
def test_every_claim_holds_and_every_figure_is_labelled(paper, name, tmp_path):
    figure = next(reproduce(paper, [name], quick=True))
    assert figure.name == name
    assert figure.claims
    assert [claim.name for claim in figure.claims if not claim.holds] == []
    assert len({claim.name for claim in figure.claims}) == len(figure.claims)
    for part in figure.parts:
        assert part.title
        if isinstance(part, Panel):
            assert part.xlabel
            assert part.ylabel
            assert any(np.isfinite(line.y).any() for line in part.lines)
            labelled = [line for line in part.lines if line.label]
            looks = {(line.color, line.style, line.marker) for line in labelled}
            assert len(looks) == len(labelled), "curves that cannot be told apart"
    paths = figure.save(tmp_path)
    assert [path.suffix for path in paths] == [".png", ".pdf", ".nc", ".json"]
    assert json.loads(paths[3].read_text())["claims"] == json.loads(json.dumps(figure.describe()["claims"]))
    with xr.open_dataset(paths[2], engine="scipy") as stored:
        assert set(stored.data_vars) == set(figure.data.data_vars)


def call(arguments, capsys) -> tuple[int, str, str]:
    """Run the command line in this process."""
    capsys.readouterr()
    return (start(arguments), *capsys.readouterr())


def figure(*claims: Claim) -> PaperFigure:
    """A small figure with these claims."""
    x = np.arange(3.0)
    panel = Panel("a", "b", "c", [Line(x, x)], bands=[Band(0.5, float("inf"), "1")])
    image = Image("i", np.eye(2), (0.0, 1.0))
    return PaperFigure("small", "title", {"n": 3}, [panel, image], xr.Dataset({"x": ("step", x)}), claims)


def test_a_claim_that_fails_is_said_aloud(monkeypatch, tmp_path, capsys):
    made = figure(Claim("right", 1, 1, True), Claim("wrong", [1, None], float("nan"), False))
    monkeypatch.setattr("rankscape.papers.chou2024.FIGURES", {"small": lambda quick: made})
    code, out, err = call(["reproduce", "chou2024", "-o", str(tmp_path / "f")], capsys)
    assert code == 1
    assert "FAILS" in out
    assert "1 of 2 claims hold" in out
    assert "1 of 2 claims do not hold" in err
    code, out, _ = call(["reproduce", "chou2024", "-o", str(tmp_path / "f"), "--json"], capsys)
    assert code == 1
    assert json.loads(out)["claims"][1] == {
        "figure": "small", "name": "wrong", "predicted": [1, None], "observed": None, "holds": False,
        "accepted": "as predicted", "problems": None,
    }  # fmt: skip
    assert not made.holds


def test_names_that_do_not_exist():
    with pytest.raises(InputError, match="did you mean 'chou2024'"):
        figure_names("chou2042")
    with pytest.raises(InputError, match="no figure 'alhpa' - did you mean 'alpha'"):
        next(reproduce("chou2024", ["alhpa"]))


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("rankscape.papers.chou2024.FIGURES", {"small": lambda quick: pytest.fail("worked")})
    (tmp_path / "file").write_text("kept")
    for folder in (tmp_path / "file", tmp_path / "no" / "folder"):
        code, _, err = call(["reproduce", "chou2024", "-o", str(folder)], capsys)
        assert code == 2
        assert str(folder) in err
    assert (tmp_path / "file").read_text() == "kept"


def test_claims_judge_as_they_say():
    assert contains("plateau", (3, 5), (3, 5)).holds
    assert contains("plateau", (3, None), (2, None)).holds
    assert not contains("plateau", (3, 5), None).holds
    assert not contains("plateau", (3, 6), (3, 5)).holds
    assert between("time", (1, 2), 2).holds
    assert not between("time", (1, 2), 3).holds
    assert not between("time", (1, 2), float("nan")).holds
    assert close("limit", 1.0, 1.05, 0.1).holds
    assert not close("limit", 1.0, float("nan"), 0.1).holds
    assert ordered("length", "falls", [2, 1], True).holds
    assert within_factor("times", [1.0], [1.9], 2).holds
    assert not within_factor("times", [1.0], [2.1], 2).holds
    assert not within_factor("times", [], [], 2).holds


def test_a_claim_says_what_is_accepted():
    assert close("limit", 1.0, 1.05, 0.1).describe()["accepted"] == "+- 0.1"
    assert within_factor("times", [1.0], [1.9], 2).accepted == "within a factor of 2"
    assert verdict(between("ratio", (0.6, 1.6), 2.0)) == "FAILS: ratio (accepted: [0.6, 1.6])"
    missing = attempted("jump", "before the end", lambda: ([].pop(), True))
    assert not missing.holds
    assert missing.observed.startswith("did not happen")


def broken(quick, seed=0):
    """A figure that can be made for even seeds only, and whose claim holds for multiples of four."""
    if seed % 2:
        raise IndexError("no jump")
    return figure(Claim("small", 0, seed, seed % 4 == 0), Claim("certain", 1, 1, True))


def test_a_figure_that_cannot_be_made_is_a_claim_that_fails(monkeypatch, tmp_path):
    monkeypatch.setattr("rankscape.papers.chou2024.FIGURES", {"small": broken})
    made = next(reproduce("chou2024", seed=1))
    assert [claim.holds for claim in made.claims] == [False]
    assert made.claims[0].observed == "IndexError: no jump"
    assert len(made.save(tmp_path)) == 4


def test_several_problems_say_in_how_many_a_claim_holds(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("rankscape.papers.chou2024.FIGURES", {"small": broken})
    made = next(reproduce("chou2024", seed=0, problems=5))
    assert {claim.name: claim.problems for claim in made.claims} == {
        "small": (2, 5), "certain": (3, 5), "the figure can be made": (3, 5),
    }  # fmt: skip
    assert not made.holds
    assert made.settings["problem seeds"] == [0, 1, 2, 3, 4]
    arguments = ["reproduce", "chou2024", "-o", str(tmp_path / "f"), "--problems", "3", "--seed", "2", "--publication"]
    code, out, _ = call(arguments, capsys)
    assert code == 1
    assert "2 of 3" in out
    code, _, err = call(["reproduce", "chou2024", "-o", str(tmp_path / "f"), "--problems", "0"], capsys)
    assert code == 2
    assert "`problems`" in err
