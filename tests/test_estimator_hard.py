"""Matrices that lead a climb astray: hardly enough entries, heavy tails, and noise that looks like a high rank."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.fits import ridge_path
from rankscape.estimators.completion.fits.fit import Fit
from rankscape.estimators.completion.methods import CLIMBED
from rankscape.estimators.completion.methods.averaged import Averaged
from rankscape.estimators.completion.methods.penalised import Penalised
from rankscape.estimators.completion.methods.sampled import Sampled
from rankscape.estimators.completion.ready.offsets import fit_offset
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.tails import Tails
from rankscape.estimators.completion.trust.certificate import certify
from rankscape.estimators.completion.trust.expectation import alike
from rankscape.ground.modes import Modes


def gaussian(seed, shape, rank, share, noise=0.0):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))
    return W, np.where(rng.random(W.shape) < share, W + noise * rng.standard_normal(W.shape), np.nan)


def heavy_tailed(seed):
    """Rank 5, the rows and columns of very different sizes."""
    W, _ = gaussian(seed, (200, 200), 5, 1.0)
    rng = np.random.default_rng(seed + 1)
    W = W * np.exp(0.75 * rng.standard_normal((200, 1))) * np.exp(0.75 * rng.standard_normal(200))
    return W, np.where(rng.random(W.shape) < 0.15, W, np.nan)


def relative_error(W, model):
    """Median over the entries, so that rows with too few of them do not count."""
    return float(np.median(np.abs(model.completed_.fitted - W)) / np.median(np.abs(W)))


@pytest.mark.parametrize("seed", [7, 13, 16])
def test_all_entries_are_tried_when_those_not_held_out_are_too_few_for_the_rank(seed):
    W, seen = gaussian(seed, (200, 200), 5, 0.055)
    assert np.count_nonzero(~np.isnan(seen)) * 0.9 < 5 * 395 * 1.01
    model = DeepMatrixCompletion().fit(seen)
    assert model.rank_ == 5
    assert relative_error(W, model) < 1e-9
    # Exact with entries to spare is no chance; what the entries leave open is known cell by cell.
    done = model.completed_
    assert done.certificate.exact
    assert np.abs(done.matrix - W)[done.determined].max() < 1e-6
    assert done.certificate.undetermined == (~done.determined).sum()


@pytest.mark.parametrize("seed", [2, 10, 31, 65, 2006])
def test_heavy_tails_do_not_hide_the_rank(seed):
    W, seen = heavy_tailed(seed)
    model = DeepMatrixCompletion().fit(seen)
    assert model.rank_ == 5
    assert relative_error(W, model) < 1e-9


def test_a_high_rank_that_predicts_nothing_is_not_polished_with_patience(monkeypatch):
    steps = []
    polish = ridge_path.polish
    monkeypatch.setattr(ridge_path, "polish", lambda *a, **k: steps.append(polish(*a, **k)) or steps[-1])
    model = DeepMatrixCompletion().fit(gaussian(0, (60, 40), 1, 0.95, noise=2.0)[1])
    assert model.rank_ <= 2
    assert sum(fit.steps * len(fit.modes.s) for fit in steps) < 1000


def test_a_model_that_follows_its_entries_only_is_not_trusted(monkeypatch):
    monkeypatch.setattr(Averaged, "settle", lambda *_: None)  # without the cure above
    for method in (Penalised, Sampled):
        monkeypatch.setattr(method, "wanted", lambda *_: False)
    model = DeepMatrixCompletion(scale="none").fit(heavy_tailed(31)[1])
    assert model.certificate_.unseen > 3
    assert not model.certificate_.trusted
    assert "follows the entries" in str(model.certificate_)


def alone(entries: Entries) -> Split:
    """Entries none of which is held out, in units of their own."""
    return Split.of(entries, Scaling.none(entries.shape), np.zeros(entries.count, dtype=bool))


def test_certificate_says_when_a_baseline_wins():
    i, j = np.indices((6, 5)).reshape(2, -1)
    entries = Entries(i, j, np.r_[np.ones(29), 1 - 1e-9], (6, 5))
    fit = Fit(CLIMBED, Modes.none((6, 5)), fit_offset("none", entries), 1.0, 0.5)
    baselines, tails = {"column_mean": 0.9, "nearest_rows": 0.7}, Tails(None, np.ones(entries.count))
    warnings = certify(alone(entries), fit, alike(np.array([0.8])), baselines, 0.8, tails, 0).warnings
    assert any("mean of near rows predicts better (0.7)" in warning for warning in warnings)


@pytest.mark.parametrize("seed", [0, 45])
def test_an_exact_fit_has_standard_errors_of_the_size_of_rounding(seed):
    """What turns the factors and not their product is held by the ridge, and of an exact fit that is none."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=(50, 2)) @ random.normal(size=(2, 30)) + 3 * (seed % 2)
    done = rs.complete(np.where(random.random(truth.shape) < 0.5, truth, np.nan), seed=0)
    errors = done.standard_errors(*np.nonzero(np.ones(truth.shape)))
    assert np.isfinite(errors).all()
    assert errors.max() < 1e-12
