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
    costs = page[0]["costs"]
    rows = re.findall(
        r"^\| 10\^(\d+) \| (\d+) \| ([\d,.]+) \| ([\d,.]+) \| ([\d.]+) GB \| (\d+) % \|$", PAGE, flags=re.MULTILINE
    )
    assert len(rows) == len(costs)
    for power, workers, total, sweep, memory, waiting in rows:
        cost = costs[10.0 ** int(power), int(workers)]
        assert float(total.replace(",", "")) == pytest.approx(cost.seconds / 60, rel=0.06)
        assert float(sweep.replace(",", "")) == pytest.approx(cost.sweep, rel=0.06)
        assert float(memory) == pytest.approx(cost.worker / 1e9, abs=0.06)
        assert float(waiting) == pytest.approx(100 * cost.waiting, abs=1)
