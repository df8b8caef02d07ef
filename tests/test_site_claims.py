"""What pages conclude from the numbers that they print is so in the site as it was built: run with ``-m site``."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

TEXT = Path(__file__).resolve().parent.parent / "docs" / "_build" / "text"
N = r"(-?[\d.]+(?:e[-+]?\d+)?)"  # a number that is printed
falls = lambda *numbers: list(numbers) == sorted(numbers, reverse=True)

# The page, what it says, the numbers it prints, and what has to hold of them.
CLAIMS: list[tuple[str, str, str, Callable[..., bool]]] = [
    ("data/tutorials/sensors", "a line in time is a bad rule, the mean of the weekday a better one",
     rf"a line in time +{N}\n +mean of that weekday +{N}\n +rankscape +{N}", falls),
    ("data/tutorials/sensors", "the expected error is that of the missing blocks",
     rf"expected {N}, true {N}", lambda said, true: 0.6 < said / true < 1.6),
    ("data/tutorials/questionnaire", "2,800 people", r"\((\d+), 25\) \(800, 25\)", lambda people: people == 2800),
    ("data/tutorials/questionnaire", "predictions stay between 1 and 6", rf"ordinal {N} {N} {N}",
     lambda _, low, high: 1 <= low < high <= 6),
    ("data/tutorials/questionnaire", "filled scores spread a little less",
     rf"spread of scores {N}\n +spread of scores, filled {N}", lambda true, filled: 0.8 * true < filled < true),
    ("data/tutorials/ratings", "the expected error is larger than the one measured",
     rf"error {N} stars, expected {N}", lambda measured, expected: measured < expected),
    ("data/tutorials/ratings", "100,000 ratings of 1,682 films by 943 people", r"\((\d+), (\d+)\) (\d+) ratings",
     lambda *counts: counts == (943, 1682, 100_000)),
    ("data/tutorials/ratings", "intervals are calibrated", rf"{N}% inside, asked 80", lambda inside: 77 < inside < 83),
    ("data/tutorials/photograph", "near pixels help as well", rf"auto {N}\n +None {N}", lambda near, rank: near < rank),
    ("data/tutorials/genes", "5,000 genes in 38 samples", r"\((\d+), (\d+)\) T\. R\. Golub",
     lambda *shape: shape == (5000, 38)),
    ("data/tutorials/genes", "beside the usual rules", rf"of the gene +{N}\n +10 near genes +{N}\n +rankscape +{N}",
     falls),
    ("data/coming-from", "the imputers of scikit-learn", rf"KNNImputer +error {N}[^\n]*\n +IterativeImputer +error {N}"
     rf"[^\n]*\n +DeepMatrixCompletion +error {N}", falls),
    ("data/choose", "a full matrix is cleaned", rf"denoised +{N}.*?as it was {N}", lambda new, old: new < old),
    ("data/choose", "counts as counts", rf"real:.*?ones {N}.*?count:.*?ones {N}, smallest prediction {N}",
     lambda real, count, least: count < real and least > 0),
    ("data/how-to/weights", "what is known to be bad counts for less",
     rf"all alike {N}\n +by their precision {N}", lambda alike, weighted: weighted < 0.5 * alike),
    ("data/how-to/new-rows", "more known entries than the rank are needed",
     rf" 2 known: error {N}\n +3 known: error {N}\n +5 known: error {N}", falls),
    ("data/how-to/standard-errors", "intervals hold what they promise",
     rf"{N}% of new observations.*?{N}% of the values", lambda new, values: new > 93 and values > 92),
    ("data/how-to/pca", "means in the holes turn the components",
     rf"completed {N} degrees, column means in the holes {N} degrees", lambda ours, means: ours < 5 < means),
    ("data/limits", "it is worse than it says where values are missing because of themselves",
     rf"expected {N} true {N}", lambda expected, true: expected < true),
    ("theory/sharp-bits", "a large start has no plateaus below the last rank",
     r"alpha 2\.0:.*?ranks \[(\d+)\]", lambda rank: rank == 4),
    ("theory/sharp-bits", "the norm grows while the rank falls",
     rf"nuclear norm {N}, effective.*?nuclear norm {N}, effective.*?nuclear norm {N}, effective rank {N}",
     lambda first, then, last, rank: first < then < last and rank < 1.01),
    ("theory/sharp-bits", "float32 shows at 1e-7", rf"float64 {N}\n +float32 {N}",
     lambda double, single: double < 1e-9 < 1e-8 < single < 1e-5),
    ("theory/tutorials/plateaus", "stopping there returns nearly what was there",
     rf"noisy {N}\n +stopped {N}", lambda noisy, stopped: stopped < 0.5 * noisy),
    ("theory/tutorials/stuck", "SGD leaves downwards and never comes back", r"down (\d+) up (\d+)",
     lambda down, up: down > 0 == up),
    ("theory/tutorials/stuck", "reshuffled epochs: nothing happens", r"(\d+) jumps\n\n\nHow long", lambda n: n == 0),
    ("theory/tutorials/stuck", "the hidden entries come out right",
     rf"rank 2 test error {N}\n +stuck +test error {N}", lambda annealed, stuck: annealed < 0.05 * stuck),
    ("theory/conventions", "PyTorch's loop and ours are one", r"G @ W1\.T \+ c \* W2\).*?\n   " + N + r"\n",
     lambda apart: apart < 1e-12),
    ("more/benchmarks", "scalars are faster than products", rf"by hand takes {N} times as long", lambda k: k > 3),
]  # fmt: skip


@pytest.mark.site
@pytest.mark.parametrize(("page", "said", "printed", "holds"), CLAIMS, ids=[f"{c[0]}: {c[1]}" for c in CLAIMS])
def test_what_a_page_concludes_is_what_it_prints(page, said, printed, holds):
    found = re.search(printed, (TEXT / f"{page}.txt").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found, f"{page} no longer prints it"
    assert holds(*(float(number) for number in found.groups())), f"{page} says: {said}; it prints {found.groups()}"
