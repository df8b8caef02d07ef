"""The tutorials run as they are printed, and say what they promise."""

import re
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a tutorial in an empty folder; what it prints."""
    monkeypatch.chdir(tmp_path)

    def example(name: str) -> str:
        runpy.run_path(str(EXAMPLES / name))
        return capsys.readouterr().out

    return example


def test_every_tutorial_is_tested():
    text = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'run("{path.name}")' not in text] == []


def test_stop_at_rank_two(run):
    text = run("stop_at_rank_two.py")
    step, first, last = map(int, re.search(r"stop at step (\d+): any step from (\d+) to (\d+)", text).groups())
    assert (first, last) == (3386, 5125)  # the exact plateau
    assert first <= step <= last
    assert f"stopped at step {step}:" in text
    rank, most = map(float, re.search(r"effective rank ([\d.]+), predicted 1.6 and at most ([\d.]+)", text).groups())
    assert 1.57 <= rank <= most
    noisy, stopped = map(float, re.findall(r"relative error ([\d.]+)", text))
    assert stopped < noisy / 3
    assert Path("stop_at_rank_two.png").stat().st_size > 10_000


def test_stuck_at_rank_four(run):
    text = run("stuck_at_rank_four.py")
    assert "gradient descent rests at rank 4: strict minimum" in text
    down, up = map(int, re.search(r"jumps down (\d+), jumps up (\d+)", text).groups())
    assert down >= 2
    assert up == 0
    assert "reshuffled epochs: 0 jumps" in text
    assert re.search(r"seed \d ends at rank 2; no next step can leave its set: True", text)
    stuck, found = map(float, re.findall(r"test error ([\d.]+)", text))
    assert found < stuck / 50
    assert Path("stuck_at_rank_four.png").stat().st_size > 10_000
