"""What every candidate of the catalogue holds to: small, empty, constant and large data; its model's contract."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rankscape.entries import Entries
from rankscape.estimators.completion.candidates import CANDIDATES
from rankscape.estimators.completion.candidates.base import Trained
from rankscape.estimators.completion.models import packing
from rankscape.estimators.completion.models.low_rank import LowRank
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.modes import Modes
from rankscape.papers.bibliography import bibliography


def levels(training, heldout):
    """Stands in for the low-rank search: rank 0."""

    def again(entries):
        return LowRank(Modes.none(entries.shape), fit_offset("row+column", entries), 0.1)

    return Trained("low rank", again(training), again, "rank 0")


def data(kind, n, p, rng):
    """Entries of magnitude at most one, and which of them are held out; at least one of each."""
    X = {
        "noise": rng.normal(size=(n, p)),
        "constant": np.full((n, p), -0.3),
        "columns": np.broadcast_to(rng.normal(size=p), (n, p)).copy(),
        "walk": np.cumsum(rng.normal(size=(n, p)), axis=1),
        "whole": rng.integers(0, 3, (n, p)).astype(float),
        "spike": np.where(np.arange(n * p).reshape(n, p) == 1, 1.0, 1e-12),
    }[kind]
    X /= max(np.abs(X).max(), 1e-300)
    X[rng.random((n, p)) < 0.4] = np.nan
    X.flat[0], X.flat[-1] = 0.5, 0.25
    entries = Entries.from_array(X)
    if rng.random() < 0.3:
        entries = entries.with_weights(rng.uniform(0.5, 2, entries.count))
    held = rng.random(entries.count) < 0.2
    held[0], held[-1] = True, False
    return entries, held


KINDS = ("noise", "constant", "columns", "walk", "whole", "spike")


@pytest.mark.usefixtures("hasty_file")
@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
@given(kind=st.sampled_from(KINDS), n=st.integers(2, 14), p=st.integers(2, 14), seed=st.integers(0, 10**6))
@example(kind="noise", n=2, p=2, seed=33)  # rows that do not differ at all
@settings(max_examples=25, deadline=None)
def test_whatever_the_data_the_model_keeps_its_contract(candidate, kind, n, p, seed):
    rng = np.random.default_rng(seed)
    entries, held = data(kind, n, p, rng)
    ordered = Settings(ordered="both").knowing(entries)
    training, heldout = entries.split(held)
    if not candidate.wanted(training, ordered):
        return
    trained = candidate.fit(training, heldout, ordered, levels)
    for model, seen in ((trained.model, training), (trained.again(entries), entries)):
        assert model.shape == seen.shape
        dense = model.dense()
        assert dense.shape == seen.shape
        assert np.isfinite(dense).all()
        assert np.abs(dense).max() < 100
        i, j = rng.integers(n, size=9), rng.integers(p, size=9)
        np.testing.assert_allclose(model.at(i, j), dense[i, j], rtol=1e-9, atol=1e-12)
        new = Entries.from_array(np.where(rng.random((3, p)) < 0.5, rng.normal(size=(3, p)), np.nan))
        assert np.isfinite(model.folded(new)).all()
        arrays = {}
        np.testing.assert_array_equal(packing.unpack(packing.pack(model, arrays), arrays).dense(), dense)
    assert trained.name == candidate.name
    assert trained.words


@pytest.mark.parametrize(
    "candidate", [c for c in CANDIDATES if c.values == "real"], ids=lambda candidate: candidate.name
)
def test_the_unit_of_the_entries_does_not_matter(candidate):
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.normal(size=(30, 12)), axis=1)
    X[rng.random(X.shape) < 0.3] = np.nan
    whole, ordered = [Entries.from_array(X * unit) for unit in (1.0, 2.0**-20)], Settings(ordered="columns")
    held = rng.random(whole[0].count) < 0.1
    one, other = (candidate.fit(*entries.split(held), ordered, levels) for entries in whole)
    assert one.words == other.words
    np.testing.assert_allclose(other.model.dense() * 2.0**20, one.model.dense(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_a_candidate_says_how_it_predicts_and_where_it_comes_from(candidate):
    assert candidate.how.endswith(".")
    assert set(candidate.references) <= set(bibliography())
