"""What depth and path do: minima of a ridge for spectra without an edge, and SGD that jumps down along the path."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.entries.prepared import PreparedEntries, outer_factors, value_and_gradient
from rankscape.errors import InputError
from rankscape.estimators import DeepMatrixCompletion, complete
from rankscape.estimators.completion.fits.jumping import SGDJumps
from rankscape.estimators.completion.fits.ridge_path import RidgePath
from rankscape.estimators.completion.methods.penalised import Penalised
from rankscape.estimators.completion.methods.sampled import Sampled
from rankscape.ground.modes import modes_of
from rankscape.solvers.descent.relaxation import relax


def kernel(seed, share=0.6):
    """A kernel with a cusp: its singular values decay like a power, and no rank is *the* rank."""
    rng = np.random.default_rng(seed)
    W = 3 * np.exp(-8 * np.abs(np.linspace(0, 1, 60)[:, None] - np.linspace(0, 1, 50)))
    return W, np.where(rng.random(W.shape) < share, W, np.nan)


@pytest.fixture(scope="module")
def done():
    return complete(kernel(0)[1], ordered=None)


def hidden_error(W, seen, completed):
    """Of the low-rank fit alone, whatever it is combined with."""
    low_rank = completed.low_rank.dense() * completed.scaling.dense()
    return float(np.sqrt(np.mean((low_rank - W)[np.isnan(seen)] ** 2)))


def test_where_no_rank_is_the_rank_the_ridge_decides(done, monkeypatch):
    W, seen = kernel(0)
    assert done.method == "penalised"
    assert f"depth {done.depth}" in done.reason
    for method in (Penalised, Sampled):
        monkeypatch.setattr(method, "wanted", lambda *_: False)
    without = complete(seen, ordered=None)
    assert without.method != "penalised"
    assert hidden_error(W, seen, done) < 0.95 * hidden_error(W, seen, without)


def test_heldout_entries_choose_among_three_depths_and_both_directions(done):
    path = done.path.dataset()
    starts = path.where(path.phase == "all at once", drop=True)
    assert set(starts.depth.values) == {2, 3, 4}
    best = starts.heldout_rmse.min()
    assert path.heldout_rmse.sel(step=path.attrs["chosen"]) <= 1.02 * best
    assert "falling" in path.phase
    assert len(done.factors) == done.depth == path.attrs["depth"]


def test_the_trajectory_leaves_out_what_was_only_compared(done):
    shown, path = done.trajectory.dataset(), done.path.dataset()
    starts = shown.where(shown.phase == "all at once", drop=True)
    assert set(starts.depth.values) == {done.depth}
    assert len(np.unique(starts.ridge)) == 1
    assert (np.diff(shown.step) > 0).all()
    assert shown.attrs["chosen"] == shown.step[-1] < path.attrs["chosen"]
    assert shown.heldout_rmse[-1] == path.heldout_rmse.sel(step=path.attrs["chosen"])
    averaged = complete(planted(3, 0.5, noise=1.0)[1])
    assert "all at once" not in averaged.trajectory.phase
    assert complete(np.ones((4, 4))).trajectory.sizes["step"] == 0


@pytest.mark.parametrize("depth", [2, 4])
def test_a_penalised_fit_is_a_critical_point(depth):
    """There ``U^T G V = -2 ridge S^(2/L - 1)``, with the gradient G of the loss with respect to W."""
    _, seen = kernel(1)
    done = complete(seen, depth=depth, offset="none")
    assert done.method == "penalised"
    assert set(done.path.depth) <= {0, depth}
    i, j, y = done.observed.rows, done.observed.columns, done.observed.values
    scale = np.sqrt(np.mean(y**2))
    entries = PreparedEntries(Entries(i, j, y / scale, done.shape))
    ridge = done.path.attrs["ridge"]
    factors = [W / scale ** (1 / depth) for W in done.factors]
    _, gradient = value_and_gradient(entries, factors, ridge)
    size = np.sqrt(sum(np.vdot(W, W) for W in factors))
    assert (
        np.sqrt(sum(np.vdot(G, G) for G in gradient)) < 2e-3 * ridge * size
    )  # where the solver ends its last digits decide
    U, s, V = done.modes
    R = entries.as_sparse(entries.residual(U * s / scale, V)) / entries.count
    s = s / scale
    np.testing.assert_allclose(np.diag(U.T @ (R @ V)), -2 * ridge * s ** (2 / depth - 1), rtol=0.05)


def test_a_penalised_fit_is_kept_and_goes_on(tmp_path):
    W, seen = kernel(2)
    model = DeepMatrixCompletion().fit(seen)
    model.save(tmp_path / "model.npz")
    again = DeepMatrixCompletion.load(tmp_path / "model.npz")
    assert (again.transform(seen) == model.transform(seen)).all()
    assert again.completed_.depth == model.completed_.depth
    model.partial_fit(np.where(np.random.default_rng(5).random(W.shape) < 0.2, W, np.nan))
    assert model.completed_.method == "penalised"
    assert hidden_error(W, seen, model.completed_) < hidden_error(W, seen, again.completed_)


# -- SGD -----------------------------------------------------------------------------------------------------


def planted(seed, share=0.25, noise=0.0):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 40))
    return W, np.where(rng.random(W.shape) < share, W + noise * rng.standard_normal(W.shape), np.nan)


def test_sgd_along_the_path_ends_at_the_same_matrix():
    W, seen = planted(0)
    done = complete(seen, path="sgd", seed=3)
    assert done.rank == 3
    thick = np.isfinite(seen).sum(1) > 5
    np.testing.assert_allclose(
        done.fitted[thick][:, np.isfinite(seen).sum(0) > 5], W[thick][:, np.isfinite(seen).sum(0) > 5], atol=1e-6
    )


def test_sgd_leaves_a_minimum_of_too_high_a_rank(monkeypatch):
    """The planted problem of Wang and Jacot: rank 2, and descent is stuck above."""
    lab = rs.data.planted()
    problem, ridge = lab.problem, 0.4 / len(lab.problem.values)
    path = RidgePath(PreparedEntries(problem.entries), problem.entries.part(np.zeros(0, dtype=int)), 3)
    stuck = modes_of(*outer_factors(relax(problem, lab.start(), ridge).factors))
    assert len(path.settle(stuck, ridge, "falling", 0.0).s) == 3
    monkeypatch.setattr("rankscape.estimators.completion.fits.jumping.EPOCHS", 4000)
    path.jump = SGDJumps(problem.entries, seed=0, rate=0.2)
    assert len(path.settle(stuck, ridge, "falling", 0.0).s) == 2
    assert path.records[-1].step > 300_000


def test_the_same_seed_draws_the_same(tmp_path):
    _, seen = planted(2, 0.4, noise=0.3)
    one, two = (complete(seen, path="sgd", seed=7) for _ in range(2))
    assert (one.fitted == two.fitted).all()


def test_what_sgd_cannot_do_is_refused():
    _, seen = planted(0)
    with pytest.raises(InputError, match="takes no `weights`"):
        DeepMatrixCompletion(path="sgd").fit(seen, weights=np.ones(seen.shape))
    with pytest.raises(InputError, match="'minima' or 'sgd'"):
        complete(seen, path="adam")
    with pytest.raises(InputError, match="`depth` must be a whole number or 'auto'"):
        complete(seen, depth="deep")
