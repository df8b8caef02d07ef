"""The user guide runs, and what its comments and sentences say is so."""

import re
from pathlib import Path

import numpy as np
import pytest

from rankscape.estimators.completion.methods import METHODS

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def namespace() -> dict:
    variables: dict = {}
    for block in BLOCKS:
        exec(block, variables)
    return variables


def test_it_answers_these_questions():
    assert re.findall(r"^## (.*)$", GUIDE, flags=re.MULTILINE) == [
        "Which rank?",
        "How many entries do I need?",
        "My columns are in different units",
        "My entries are counts, votes or answers on a scale",
        "How do I predict new rows?",
        "Can I trust it?",
        "Why did the rank drop?",
    ]


def test_the_rank_is_found(namespace):
    assert namespace["completed"].rank == np.linalg.matrix_rank(namespace["truth"]) == 3


def test_every_method_is_described_as_it_describes_itself():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", GUIDE, flags=re.MULTILINE)
    assert rows == [(method.name, method.how) for method in METHODS]


def test_a_spectrum_without_an_edge_is_penalised(namespace):
    smooth = namespace["smooth"]
    assert (smooth.method, smooth.depth) == ("penalised", 3)
    assert 10 <= smooth.rank <= 18


def test_the_entries_needed_are_counted(namespace):
    assert namespace["parameters"](3, (80, 60)) == 3 * 80 + 3 * 60 - 3 * 3 == 411
    seen = (~np.isnan(namespace["X"])).sum()
    assert namespace["completed"].certificate.oversampling == pytest.approx(seen / 411)
    errors = list(namespace["errors"].values())
    assert errors == sorted(errors, reverse=True)


def test_new_rows_are_predicted_to_within_the_noise(namespace):
    assert namespace["error"] < 0.1


def test_the_certificate_says_yes_and_no(namespace):
    assert namespace["certificate"].trusted
    assert not namespace["nothing"].certificate.trusted
    assert (namespace["errors_of_values"] > 0).all()


def test_ranks_drop_for_the_reasons_given(namespace):
    assert namespace["ranks"] == {0.1: 4, 0.5: 3}
    assert namespace["fall"].jumps.values[:, 1:].tolist() == [[4, 3], [3, 2]]


def test_columns_in_different_units_are_judged_in_their_own(namespace):
    assert namespace["people"].units == "standard deviations of their column"
    assert namespace["people"].heldout_rmse < 0.8


def test_counts_stay_positive_and_what_is_small_stays_small(namespace):
    assert namespace["rates"].fitted.min() > 0
    assert "counts" in namespace["rates"].reason
    below, limited = namespace["below"], namespace["limited"]
    assert below.fitted[np.isnan(limited)].max() < 4.5
