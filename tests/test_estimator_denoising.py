"""DeepMatrixDenoiser: against descent itself, the best truncation, and its own word."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.utils.estimator_checks import parametrize_with_checks

import rankscape as rs
from rankscape import theory
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixDenoiser
from rankscape.estimators.denoising.early_stop import learned, stop_time, tuned_alpha
from rankscape.estimators.denoising.noise import hard_threshold, noise_edge
from rankscape.run.outcome import Outcome
from rankscape.theory.inputs import Start


def planted(kind, n, rank, strength, seed):
    """A matrix whose singular values are `strength` to twice that times the largest of its noise; with noise of 1."""
    rng = np.random.default_rng(seed)
    m = round(0.6 * n) if kind == "rectangular" else n
    sizes = strength * np.linspace(1, 2, rank) * noise_edge(1.0, (m, n))
    left, right = (np.linalg.qr(rng.standard_normal((k, rank)))[0] for k in (m, n))
    if kind == "rectangular":
        clean = (left * sizes) @ right.T
        return clean, clean + rng.standard_normal((m, n))
    signs = np.where(np.arange(rank) % 2, -1, 1) if kind == "indefinite" else 1
    clean, G = (right * sizes * signs) @ right.T, rng.standard_normal((n, n))
    clean = (clean + clean.T) / 2
    return clean, clean + (G + G.T) / 2**0.5


def truncation(X, keep):
    """X with the singular values at the positions where `keep` of them is True."""
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return (U * np.where(keep(s), s, 0)) @ Vt


def rms(A):
    return float(np.sqrt(np.mean(np.square(A))))


def error(W, clean):
    return np.linalg.norm(W - clean) / np.linalg.norm(clean)


KINDS = ["rectangular", "positive", "indefinite"]
STARTS = {"rectangular": "singular vectors", "positive": "identical", "indefinite": "perturbed"}


@parametrize_with_checks([DeepMatrixDenoiser(), DeepMatrixDenoiser(depth=2, noise=0.5)])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)


# -- it is gradient descent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_the_path_is_that_of_gradient_descent_and_the_result_is_made_of_what_it_learned(kind, depth):
    _, X = planted(kind, 40, 2, 1.6, 0)
    model = DeepMatrixDenoiser(depth).fit(X)
    assert model.start_ == STARTS[kind]
    alpha = model.alpha_
    start = {
        "identical": lambda: rs.Identical(alpha),
        "perturbed": lambda: rs.PerturbedIdentical(alpha, alpha),
        "singular vectors": lambda: rs.Balanced(spectrum=alpha**depth),
    }[model.start_]()
    run = rs.simulate(
        rs.Estimation(X), depth=depth, initialization=start, dynamics=rs.GradientDescent(model.learning_rate_),
        steps=model.stop_step_, record=model.path_.step,
    )  # fmt: skip
    found = np.sort(np.abs(model.path_.learned[-1]))[::-1]
    there = np.linalg.svd(run.product, compute_uv=False)
    np.testing.assert_allclose(found, there, atol=0.005 * there[0])
    np.testing.assert_allclose(model.path_.effective_rank[-6:], run.dataset.effective_rank[-6:], rtol=0.02)
    U, _, Vt = np.linalg.svd(run.product)
    U, Vt = U[:, : model.rank_], Vt[: model.rank_]
    np.testing.assert_allclose(model.transform(X), U @ U.T @ model.transform(X) @ Vt.T @ Vt, atol=1e-6 * there[0])


@pytest.mark.parametrize("kind", KINDS)
def test_half_is_learned_of_a_direction_of_which_half_is_kept(kind):
    _, X = planted(kind, 60, 3, 1.3, 1)
    model = DeepMatrixDenoiser(noise=1.0).fit(X)
    kept = model.path_.kept
    assert np.count_nonzero(kept) == model.rank_ == np.linalg.matrix_rank(model.transform(X), tol=1e-6)
    shares = kept[: model.rank_] / model.path_.target[: model.rank_]
    assert ((shares >= 0.5) == (np.abs(model.path_.target[: model.rank_]) >= model.threshold_)).all()
    assert model.threshold_ == pytest.approx(hard_threshold(1.0, X.shape))


@given(st.integers(2, 6), st.booleans(), st.floats(0.7, 0.95))
def test_alpha_learns_half_at_the_threshold_and_a_tenth_at_the_edge(depth, perturbed, edge):
    """By the scalar theory, mode by mode; the perturbed start is only asked for the half."""
    alpha = tuned_alpha(depth, edge)
    start = Start(depth, alpha, alpha if perturbed else None)
    values = learned(start, np.array([1.0, edge, -1.0]), np.array([0.0, stop_time(start)]))
    np.testing.assert_allclose(values[0], start.product)
    np.testing.assert_allclose(values[1, 0], 0.5, atol=1e-3)
    if perturbed:
        np.testing.assert_allclose(values[1, 2], -0.5, atol=1e-3)
    else:
        np.testing.assert_allclose(values[1, 1], 0.1 * edge, rtol=1e-6)


@pytest.mark.parametrize("beta", [None, 0.1])
@pytest.mark.parametrize("depth", [2, 3])
def test_what_is_learned_agrees_with_the_flow_of_theory(depth, beta):
    target, times = np.array([4.0, 1.0, 0.3, 0.0, -0.5, -3.0]), np.array([0.5, 5.0, 12.0])
    found = learned(Start(depth, 0.1, beta), target, times)
    for i, lam in enumerate(target):
        expected = theory.flow_value(lam, times, depth, 0.1, beta)
        if lam:
            np.testing.assert_allclose(found[:, i], expected, atol=1e-4 * abs(lam) + 1e-12)
        else:
            assert (np.abs(found[:, i]) <= 0.1**depth).all()


# -- how well it does ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_on_average_no_worse_than_the_hard_threshold_and_the_told_truncation(kind):
    """Told the noise and the rank, respectively; the estimator is told nothing."""
    settings = [(n, rank, strength, seed) for n, rank in ((60, 1), (80, 4)) for strength in (0.6, 0.75, 1.25, 3.0)
                for seed in range(3)]  # fmt: skip
    ratios = []
    for n, rank, strength, seed in settings:
        clean, X = planted(kind, n, rank, strength, seed)
        mine = error(DeepMatrixDenoiser().fit_transform(X), clean)
        hard = error(truncation(X, lambda s, X=X: s > hard_threshold(1.0, X.shape)), clean)
        told = error(truncation(X, lambda s, rank=rank: np.arange(len(s)) < rank), clean)
        ratios.append((mine / hard, mine / told))
    assert (np.mean(ratios, axis=0) < 1.0).all()
    strong = np.array([strength >= 1.25 for _, _, strength, _ in settings])
    assert np.array(ratios)[strong].max() < 1.05


def test_scikit_learns_truncation_at_the_true_rank_is_not_better():
    clean, X = planted("rectangular", 100, 3, 1.2, 7)
    svd = TruncatedSVD(3, random_state=0).fit(X)
    told = svd.inverse_transform(svd.transform(X))
    model = DeepMatrixDenoiser()
    assert error(model.fit_transform(X), clean) < 1.02 * error(told, clean)
    assert model.rank_ == 3
    assert model.outcome_ is Outcome.STOPPED


# -- what it says about itself -------------------------------------------------------------------------------


def test_a_clear_matrix_is_trusted_and_stopped_in_a_guaranteed_plateau():
    _, X = planted("positive", 120, 3, 2.0, 1)
    model = DeepMatrixDenoiser().fit(X)
    assert model.certificate_.trusted, model.certificate_
    assert model.plateau_.start <= model.stop_step_ <= model.plateau_.end
    assert model.plateau_.rank == model.rank_ == 3
    assert "guaranteed plateau" in str(model.certificate_)
    np.testing.assert_allclose(
        model.singular_values_, np.linalg.svd(model.transform(X), compute_uv=False)[:3], rtol=1e-10
    )


def doubted(X, words, **settings):
    certificate = DeepMatrixDenoiser(**settings).fit(X).certificate_
    assert not certificate.trusted
    assert words in str(certificate), certificate
    return certificate


def test_the_certificate_says_when_not_to_trust(rng):
    noise = rng.standard_normal((90, 120))
    assert doubted(noise, "No direction stands out").rank == 0
    clean, X = planted("rectangular", 100, 2, 2.0, 0)
    doubted(X, "the spectrum shows", noise=1.3)
    doubted(clean + rng.standard_t(3, size=clean.shape), "heavy tails", loss="squares")
    doubted(np.cumsum(rng.standard_normal((60, 100)), axis=1), "may be signal")
    outlier = noise.copy()
    outlier[3, 4] += 100
    doubted(outlier, "single entry", noise=1.0, loss="squares")
    doubted(rng.standard_normal((40, 3)), "give `noise`")


def test_chance_is_rarely_doubted():
    """Gaussian noise on a clear signal: the checks of its law must not cry wolf."""
    doubts = [not DeepMatrixDenoiser().fit(planted(kind, n, 2, 2.0, seed)[1]).certificate_.trusted
              for kind in KINDS for n in (40, 80) for seed in range(5)]  # fmt: skip
    assert np.mean(doubts) <= 0.1


# -- manners -------------------------------------------------------------------------------------------------


def test_new_rows_are_projected_onto_what_was_learned():
    clean, X = planted("rectangular", 100, 2, 3.0, 2)
    model = DeepMatrixDenoiser().fit(X[:50])
    assert error(model.transform(X[50:]), clean[50:]) < 0.6 * error(X[50:], clean[50:])
    np.testing.assert_allclose(model.transform(X)[50:], model.transform(X[50:]), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_does_not_matter(kind, scale):
    _, X = planted(kind, 40, 2, 2.0, 3)
    plain, scaled = DeepMatrixDenoiser().fit(X), DeepMatrixDenoiser().fit(scale * X)
    np.testing.assert_allclose(scaled.transform(scale * X), scale * plain.transform(X), rtol=1e-8, atol=1e-9 * scale)
    assert scaled.stop_step_ == plain.stop_step_


def test_precision_is_kept_and_the_input_is_not_written_to():
    _, X = planted("rectangular", 50, 2, 2.0, 4)
    single = X.astype(np.float32)
    single.setflags(write=False)
    before = single.copy()
    out = DeepMatrixDenoiser().fit_transform(single)
    assert out.dtype == np.float32
    assert (single == before).all()
    np.testing.assert_allclose(out, DeepMatrixDenoiser().fit_transform(X), atol=1e-4)


def test_clone_pickle_and_frames():
    _, X = planted("rectangular", 40, 1, 2.0, 5)
    model = DeepMatrixDenoiser(depth=4, noise=1.0).set_output(transform="pandas")
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(40)])
    out = model.fit_transform(frame)
    assert list(out.columns) == list(frame.columns)
    assert clone(model).get_params() == {"alpha": None, "depth": 4, "loss": "auto", "noise": 1.0, "norm": "frobenius"}
    assert (pickle.loads(pickle.dumps(model)).transform(frame) == out).all(axis=None)


def test_without_noise_the_matrix_comes_back(rng):
    X = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 30))
    model = DeepMatrixDenoiser()
    np.testing.assert_allclose(model.fit_transform(X), X, atol=1e-10)
    assert model.rank_ == 2
    with pytest.warns(FallbackWarning, match="`noise` is 0, so nothing is removed"):
        np.testing.assert_allclose(DeepMatrixDenoiser(noise=0.0).fit_transform(X), X, atol=1e-10)


@pytest.mark.parametrize(
    "X", [np.zeros((5, 4)), np.ones((1, 6)), np.ones((6, 1)), np.full((4, 4), -2.0), np.eye(7), [[3.0]],
          np.arange(20.0).reshape(5, 4) % 7, np.full((9, 80), 5.0), np.diag([1e6, 1.0, 1e-6]),
          np.repeat(np.arange(12.0).reshape(4, 3), 3, axis=0)],
    ids=["zero", "row", "column", "negative", "identity", "number", "tiny", "constant", "graded", "repeated"],
)  # fmt: skip
def test_degenerate_matrices_give_finite_results(X):
    model = DeepMatrixDenoiser()
    out = model.fit_transform(X)
    assert np.isfinite(out).all()
    assert np.linalg.norm(out) <= np.linalg.norm(X) * (1 + 1e-9)
    assert str(model.certificate_)


def test_a_noise_that_the_data_cannot_hold_is_said_once():
    clean, X = planted("rectangular", 40, 1, 2.0, 5)
    with pytest.warns(
        FallbackWarning, match=r"`noise` is 99, but the data are smaller, [\d.]+ at root mean square"
    ) as said:
        model = DeepMatrixDenoiser(noise=99).fit(X)
    assert len(said) == 1
    assert model.rank_ == 0
    assert not model.transform(X).any()
    assert not model.certificate_.trusted
    DeepMatrixDenoiser(noise=1.05).fit(X - clean)  # a little above what chance made of it


def test_bad_input_is_refused_with_its_place():
    X = np.ones((4, 3))
    X[2, 1] = np.nan
    with pytest.raises(InputError, match=r"NaN at row 2, column 1; DeepMatrixCompletion"):
        DeepMatrixDenoiser().fit(X)
    X[2, 1] = np.inf
    with pytest.raises(InputError, match="inf at row 2, column 1"):
        DeepMatrixDenoiser().fit(X)
    for wrong, name in (({"depth": 1}, "depth"), ({"noise": -1.0}, "noise"), ({"alpha": 0.0}, "alpha"),
                        ({"alpha": 2.0}, "alpha"), ({"noise": np.nan}, "noise"), ({"loss": "l1"}, "loss")):  # fmt: skip
        with pytest.raises(InputError, match=name):
            DeepMatrixDenoiser(**wrong).fit(np.eye(6))


def test_what_is_no_number_is_named_with_its_column():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.random.default_rng(0).normal(size=(30, 4)), columns=list("abcd"))
    model = DeepMatrixDenoiser().fit(frame)
    for name, column in (("unit", ["m"] * 30), ("day", pandas.date_range("2024-01-01", periods=30))):
        for act in (model.fit, model.transform):
            with pytest.raises(InputError, match=f"'{name}'"):
                act(frame.drop(columns="c").assign(**{name: column}))
    with pytest.raises(InputError, match="text"):
        model.fit(np.array([["1", "2"], ["3", "x"]]))
