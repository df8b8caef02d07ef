"""DeepMatrixSensing: exact recovery without a rank, least squares at the true rank as the oracle of the noisy cases."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

import rankscape as rs
from rankscape.errors import InputError
from rankscape.estimators import DeepMatrixSensing
from rankscape.estimators.sensing.descent import best_record, descend
from rankscape.problem import Sensing
from rankscape.run.outcome import Outcome
from rankscape.solvers.least_squares.fixed_rank import _directly, _iteratively, fit_rank, freedom, truncated


def low_rank(shape, rank, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1]))


def measured(kind, shape, rank, oversampling, seed, noise=0.0):
    """A matrix and what is measured of it; the noise is relative to the measurements."""
    W = low_rank(shape, rank, seed)
    m = int(np.ceil(oversampling * freedom(rank, shape)))
    problem = getattr(rs.Sensing, kind)(W, m, seed=seed)
    y = problem.measurements
    return W, problem.operators, y + noise * y.std() * np.random.default_rng(seed).standard_normal(m)


def error(found, W):
    return np.linalg.norm(found - W) / np.linalg.norm(W)


def alternating(operators, y, W, rank, rounds=60):
    """The oracle: least squares for one factor after the other, from the truth and told its rank."""
    A = np.array(operators)
    V = np.linalg.svd(W)[2][:rank].T
    for _ in range(rounds):
        left = np.linalg.lstsq((A @ V).reshape(len(y), -1), y, rcond=None)[0].reshape(-1, rank)
        U = np.linalg.qr(left)[0]
        right = np.linalg.lstsq((A.transpose(0, 2, 1) @ U).reshape(len(y), -1), y, rcond=None)[0].reshape(-1, rank)
        V = np.linalg.qr(right)[0]
    return U @ right.T


# -- recovery ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 2, 4])
@pytest.mark.parametrize("oversampling", [1.5, 2.0, 3.0])
@pytest.mark.parametrize(("kind", "shape"), [("gaussian", (20, 20)), ("rank_one", (24, 16)), ("pauli", (16, 16))])
def test_exact_measurements_give_the_matrix_and_its_rank(kind, shape, oversampling, rank):
    if kind == "pauli" and oversampling * freedom(rank, shape) > shape[0] ** 2:
        oversampling = shape[0] ** 2 / freedom(rank, shape)
    W, operators, y = measured(kind, shape, rank, oversampling, seed=rank)
    model = DeepMatrixSensing().fit(operators, y)
    assert model.rank_ == rank
    assert error(model.matrix_, W) < 1e-8
    assert model.certificate_.trusted, model.certificate_
    assert model.certificate_.exact
    assert model.outcome_ is Outcome.CONVERGED


@pytest.mark.parametrize("rank", [1, 2])
def test_with_noise_it_is_as_good_as_least_squares_that_is_told_the_rank(rank):
    mine, told = [], []
    for seed in range(2):
        W, operators, y = measured("gaussian", (12, 10), rank, 3, seed, noise=0.1)
        model = DeepMatrixSensing().fit(operators, y)
        assert model.rank_ == rank
        mine.append(error(model.matrix_, W))
        told.append(error(alternating(operators, y, W, rank), W))
    assert np.mean(mine) < 1.01 * np.mean(told)
    assert model.certificate_.trusted, model.certificate_
    assert model.certificate_.heldout_rmse < 0.3 * model.certificate_.baseline_rmse


def test_functions_dense_stacks_and_families_agree():
    W, operators, y = measured("gaussian", (8, 6), 1, 2.5, 3)
    stack = np.array(operators)
    functions = rs.FunctionOperators(
        lambda W: stack.reshape(len(y), -1) @ W.reshape(-1), lambda z: (z @ stack.reshape(len(y), -1)).reshape(8, 6),
        shape=(8, 6),
    )  # fmt: skip
    for given in (operators, stack, stack.tolist(), functions):
        np.testing.assert_allclose(DeepMatrixSensing().fit(given, y).matrix_, W, atol=1e-8)


def test_an_identical_start_finds_a_positive_matrix():
    V = low_rank((12, 2), 2, 0)
    W = V @ V.T
    operators = rs.DenseOperators.gaussian(90, W.shape, seed=2)
    model = DeepMatrixSensing(initialization="identical").fit(operators, operators.apply(W))
    assert model.rank_ == 2
    assert error(model.matrix_, W) < 1e-8


@pytest.mark.parametrize("scale", [1e-10, 1e10])
def test_the_unit_does_not_matter(scale):
    W, operators, y = measured("gaussian", (10, 10), 1, 2, 4)
    assert error(DeepMatrixSensing().fit(operators, scale * y).matrix_, scale * W) < 1e-8
    assert error(DeepMatrixSensing().fit(scale * np.array(operators), y).matrix_, W / scale) < 1e-8


# -- the parts -----------------------------------------------------------------------------------------------


def test_the_loss_never_rises_on_the_way():
    _, operators, y = measured("rank_one", (12, 12), 2, 2, 6)
    for depth, start in ((3, rs.Gaussian(0.03)), (4, rs.Identical(0.3))):
        done = descend(rs.Sensing(operators, y / 100), depth, start, 1, most=300)
        assert (np.diff(done.loss) <= 1e-12).all()


def test_descent_ends_where_the_measurements_are_nearly_met():
    _, operators, y = measured("gaussian", (8, 8), 1, 3, 5)
    problem = rs.Sensing(operators, y / 10)
    done = descend(problem, 3, rs.Gaussian(0.03), 0, most=5000)
    misfit = [np.linalg.norm(problem.residual(W)) / np.linalg.norm(y / 10) for W in done.products.values]
    assert done.outcome is Outcome.STOPPED
    assert misfit[-1] < 0.01 < misfit[-2]
    assert best_record(done) == len(misfit) - 1


def test_heldout_measurements_stop_descent():
    _, operators, y = measured("gaussian", (12, 12), 1, 2, 0, noise=1.0)
    done = descend(rs.Sensing(operators, y / 10).split(0.2), 3, rs.Gaussian(0.03), 0, most=5000)
    assert done.outcome is Outcome.STOPPED
    assert done.step[best_record(done)] < done.step[-1] < 5000


def test_a_fit_of_fixed_rank_is_stationary():
    """The gradient vanishes on the tangent space, checked without the solver's formulas."""
    W, operators, y = measured("gaussian", (9, 7), 2, 2, 7, noise=0.3)
    problem = rs.Sensing(operators, y)
    fit = fit_rank(problem, W, 2)
    G = problem.gradient(fit.W)
    assert np.linalg.norm(G @ fit.V) + np.linalg.norm(fit.U.T @ G) < 1e-2 * np.linalg.norm(problem.gradient(0 * W))
    assert fit.squared <= problem.residual(W) @ problem.residual(W)
    assert np.linalg.matrix_rank(fit.W) == 2


# -- what it says about itself -------------------------------------------------------------------------------


def test_noise_alone_has_no_rank(rng):
    operators = rs.DenseOperators.gaussian(150, (8, 8), seed=0)
    model = DeepMatrixSensing().fit(operators, rng.standard_normal(150))
    assert model.rank_ <= 1
    assert not model.certificate_.trusted


def test_too_few_measurements_are_not_trusted():
    _, operators, y = measured("gaussian", (10, 10), 2, 0.8, 1)
    certificate = DeepMatrixSensing().fit(operators, y).certificate_
    assert not certificate.trusted
    assert "per free parameter" in str(certificate)


def test_a_matrix_of_full_rank_is_not_passed_off_as_one_of_low_rank(rng):
    W = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    operators = rs.DenseOperators.gaussian(50, W.shape, seed=0)
    assert not DeepMatrixSensing().fit(operators, operators.apply(W)).certificate_.trusted


@pytest.mark.parametrize("m", [1, 2, 3])
def test_almost_nothing_is_measured(m):
    operators = rs.DenseOperators.gaussian(m, (3, 2), seed=0)
    model = DeepMatrixSensing().fit(operators, np.ones(m))
    assert np.isfinite(model.matrix_).all()
    assert not model.certificate_.trusted


def test_zero_measurements_give_zero():
    operators = rs.DenseOperators.gaussian(30, (4, 4), seed=0)
    model = DeepMatrixSensing().fit(operators, np.zeros(30))
    assert model.rank_ == 0
    assert not model.matrix_.any()


# -- manners -------------------------------------------------------------------------------------------------


def test_predict_score_clone_and_pickle():
    W, operators, y = measured("gaussian", (10, 8), 1, 3, 8, noise=0.05)
    model = DeepMatrixSensing(random_state=3).fit(operators, y)
    new = rs.RankOneOperators.gaussian(40, (10, 8), seed=9)
    np.testing.assert_allclose(model.predict(new), new.apply(model.matrix_))
    np.testing.assert_allclose(model.predict(np.eye(80).reshape(80, 10, 8)), model.matrix_.ravel())
    assert model.score(new, new.apply(W)) > 0.99
    assert (model.coef_ == model.matrix_).all()
    again = clone(model).fit(operators, y)
    assert (again.matrix_ == model.matrix_).all()
    assert (pickle.loads(pickle.dumps(model)).predict(new) == model.predict(new)).all()
    assert set(model.path_) >= {"singular_values", "effective_rank", "train_rmse", "fit_heldout_rmse"}
    assert int(model.path_.attrs["stop_step"]) == model.stop_step_ <= model.n_iter_


def test_what_is_given_is_not_written_to():
    _, operators, y = measured("gaussian", (6, 6), 1, 3, 1)
    stack, y = np.array(operators), y.copy()
    kept = stack.copy(), y.copy()
    stack.setflags(write=False)
    y.setflags(write=False)
    DeepMatrixSensing(random_state=np.random.RandomState(0)).fit(stack, y)
    assert (stack == kept[0]).all()
    assert (y == kept[1]).all()


def test_bad_input_is_refused_with_its_place():
    stack = np.random.default_rng(0).standard_normal((6, 3, 2))
    with pytest.raises(InputError, match="6 operators but 5 measurements"):
        DeepMatrixSensing().fit(stack, np.ones(5))
    y = np.ones(6)
    y[4] = np.nan
    with pytest.raises(InputError, match="nan at position"):
        DeepMatrixSensing().fit(stack, y)
    with pytest.raises(InputError, match="shape"):
        DeepMatrixSensing().fit(stack, np.ones(6)).predict(np.ones((2, 2, 2)))
    for wrong, name in (({"depth": 1}, "depth"), ({"alpha": -1.0}, "alpha"), ({"validation_fraction": 1.0}, "fraction"),
                        ({"initialization": "zero"}, "initialization"), ({"max_iter": 0}, "max_iter")):  # fmt: skip
        with pytest.raises(InputError, match=name):
            DeepMatrixSensing(**wrong).fit(stack, np.ones(6))


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("shape", [(15, 12), (20, 20)])
def test_near_the_information_limit_the_rank_is_found(noise, shape):
    """At 1.25 times the limit a part of the measurements is nearly too few: their fits start at the fit to all."""
    rng = np.random.default_rng(7)
    W = rng.normal(size=(shape[0], 2)) @ rng.normal(size=(2, shape[1]))
    count = int(1.25 * 2 * (sum(shape) - 2))
    A = rng.normal(size=(count, *shape)) / count**0.5
    y = np.einsum("kij,ij->k", A, W)
    y += noise * np.sqrt(np.mean(y**2)) * rng.normal(size=count)
    model = DeepMatrixSensing().fit(A, y)
    assert model.rank_ == 2
    # Least squares over rank 2 from the truth: no method that is told the rank comes nearer.
    told = fit_rank(Sensing(A, y), W, 2, flat=1e-10).W
    assert np.linalg.norm(model.matrix_ - told) <= 1e-3 * np.linalg.norm(W)
    assert not model.certificate_.trusted  # so near the limit another matrix may fit as well


def test_a_step_is_the_same_from_the_jacobian_and_by_iterations():
    rng = np.random.default_rng(2)
    A, W = rng.normal(size=(90, 8, 6)), rng.normal(size=(8, 6))
    problem = Sensing(A, np.einsum("kij,ij->k", A, W))
    fit = truncated(problem, W + 0.1 * rng.normal(size=W.shape), 2)
    unit = 10.0
    moved = []
    for step in (_directly, _iteratively):
        d = step(problem.operators, fit, 1e-3, unit)
        moved.append(d[:16].reshape(8, 2) @ fit.V.T + fit.U @ d[16:].reshape(6, 2).T)
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-6, atol=1e-8)
