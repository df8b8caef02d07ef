"""The page about large matrices runs, and what it says of costs is what the function says."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "scale.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask warns while it starts and ends


@pytest.fixture(scope="module")
def page() -> tuple[dict, str]:
    variables, out = {"__name__": "__main__"}, io.StringIO()
    with redirect_stdout(out):
        for block in BLOCKS:
            exec(block, variables)
    return variables, out.getvalue()


def test_what_is_found_is_what_was_planted_and_does_not_depend_on_where(page):
    variables, said = page
    completed = variables["completed"]
    assert completed.rank == variables["rank"]
    assert completed.heldout_rmse == pytest.approx(0.53, abs=0.03)
    assert "were decided on" in completed.reason
    for other in (variables["spread"], variables["resumed"]):
        assert np.array_equal(other.modes.U, completed.modes.U)
        assert other.certificate == completed.certificate
    assert said.splitlines().count("True") == 2


def test_the_table_of_costs_is_that_of_the_function(page):
    costs, schedules = page[0]["costs"], page[0]["played"]
    number = r"([\d.]+|-)"
    row = rf"^\| 10\^(\d+) \| (\d+) \| {number} \| {number} \| {number} \| {number} \| {number} GB \| (\d+) % \|$"
    rows = re.findall(row, PAGE, flags=re.MULTILINE)
    assert len(rows) == len(costs)
    for power, workers, total, alone, sweep, played, memory, waiting in rows:
        at = 10.0 ** int(power), int(workers)
        cost = costs[at]
        assert float(alone) == pytest.approx(cost.passes / 60, rel=0.06)
        assert played == "-" or float(played) == pytest.approx(schedules[at].seconds, rel=0.06)
        assert float(total) == pytest.approx(cost.seconds / 60, rel=0.06)
        assert float(sweep) == pytest.approx(cost.sweep, rel=0.06)
        assert float(memory) == pytest.approx(cost.worker / 1e9, abs=0.06)
        assert float(waiting) == pytest.approx(100 * cost.waiting, abs=1)
    said = re.findall(r"^\| .*(?:each worker|for all) \| ([\d.]+) \| (\d+) % \|$", PAGE, flags=re.MULTILINE)
    assert len(said) == 3
    for (seconds, network), played in zip(said, page[0]["served"], strict=True):
        assert float(seconds) == pytest.approx(played.seconds, rel=0.06)
        assert float(network) == pytest.approx(100 * played.network, abs=1)
