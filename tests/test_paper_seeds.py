"""The seed of `reproduce` is the seed of what a figure draws by chance, and of nothing else."""

import inspect
from importlib import import_module

import numpy as np
import pytest

from rankscape.papers import PAPERS, reproduce
from rankscape.papers.reproduce import _room

# Figures without chance, and the one about data that are there.
CERTAIN = {
    "chou2024": {"eigenvalues", "effective-rank", "alpha", "depth", "learning-rate", "negative-eigenvalues"},
    "wang2024": {"scalar-landscape", "real-data"},
}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_figure_with_chance_takes_the_seed(paper):
    makers = _room(paper).FIGURES
    assert {name for name, make in makers.items() if "seed" not in inspect.signature(make).parameters} == CERTAIN[paper]


LONG = [pytest.param(name, marks=pytest.mark.slow) for name in ("random-start", "time-bounds")]


@pytest.mark.parametrize("name", ["denoising", "correlation", *LONG])
def test_another_seed_draws_another_problem(name):
    first, again, other = (next(reproduce("chou2024", [name], quick=True, seed=seed)) for seed in (0, 0, 1))
    assert first.data.equals(again.data)
    same = [np.array_equal(first.data[key], other.data[key]) for key in first.data if key in other.data]
    assert not all(same)
    assert {claim.name for claim in first.claims} == {claim.name for claim in other.claims}
    assert other.settings["seed"] == 1


def test_a_run_that_diverges_does_not_end_the_figure(monkeypatch):
    """It has a record more, its last finite one."""
    room = import_module("rankscape.papers.wang2024.annealing")
    monkeypatch.setattr(room, "RATE", 0.45)
    monkeypatch.setattr(room, "STAGE", 20_000)
    monkeypatch.setattr(room, "_anneal", lambda *_: (3, 1.0, ()))
    monkeypatch.setattr(room, "with_others", lambda figure, *_: figure)
    figure = next(reproduce("wang2024", ["annealing"], quick=True))
    assert len(figure.data.step) == figure.data.test_error.shape[1]
    assert len(figure.claims) > 1
