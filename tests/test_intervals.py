"""Expected errors, intervals, and held-out entries in the pattern of the gaps: do they hold on entries nobody saw?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rankscape as rs
from rankscape.entries import Entries
from rankscape.errors import InputError
from rankscape.estimators.completion.ready.gaps import impose
from rankscape.estimators.completion.trust.expectation import alike
from rankscape.solvers.noise.leverage import overlaps


def planted(seed: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is true, what can be observed of it, and what is seen."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(120, 3)) @ rng.normal(size=(3, 80)) / 3**0.5
    if kind == "counts":
        W = np.exp(0.7 * W + 1)
        Y = rng.poisson(W).astype(float)
    elif kind == "proportional":
        Y = W * (1 + 0.3 * rng.normal(size=W.shape))
    else:
        Y = W + 0.3 * rng.normal(size=W.shape)
    return W, Y, np.where(rng.random(W.shape) < 0.5, Y, np.nan)


@pytest.mark.parametrize("kind", ["normal", "counts", "proportional"])
def test_intervals_for_observations_hold_their_share(kind):
    _, Y, X = planted(0, kind)
    rows, columns = np.nonzero(np.isnan(X))
    done = rs.complete(X)
    new = Y[rows, columns]
    for level in (0.5, 0.95):
        low, high = done.interval(rows, columns, level=level)
        held = np.mean((low <= new) & (new <= high))
        assert abs(held - level) < 0.06
    # Large values too, whose errors are larger: an interval of one size would miss these.
    large = done.predict(rows, columns) > np.quantile(done.predict(rows, columns), 0.9)
    assert np.mean(((low <= new) & (new <= high))[large]) > 0.88


def test_intervals_for_the_entry_itself_hold_where_the_rest_is_noise():
    W, _, X = planted(1, "normal")
    rows, columns = np.nonzero(np.isnan(X))
    low, high = rs.complete(X).interval(rows, columns, of="entry")
    assert 0.93 <= np.mean((low <= W[rows, columns]) & (W[rows, columns] <= high)) <= 0.98


def test_the_expected_error_is_that_of_the_missing_cells():
    _, Y, X = planted(2, "normal")
    done = rs.complete(X)
    true = np.sqrt(np.mean((done.matrix - Y)[np.isnan(X)] ** 2))
    assert abs(true - done.expected_error) < 4 * done.certificate.expected_std


def test_gaps_with_a_pattern_are_expected_to_cost_more():
    """A third of the rows lack the last columns, of a smooth matrix: there a fit extrapolates."""
    rng = np.random.default_rng(3)
    W = np.cumsum(rng.normal(size=(90, 40)), axis=1) / 6
    X = W + 0.01 * rng.normal(size=W.shape)
    gap = np.zeros(W.shape, bool)
    gap[:30, 28:] = True
    X[gap] = np.nan
    done = rs.complete(X)
    true = np.sqrt(np.mean((done.matrix - W)[gap] ** 2))
    assert true > 2 * done.heldout_rmse  # what is held out at random says nothing of them
    assert 0.5 <= true / done.expected_error <= 2
    assert any("not like the entries held out" in warning for warning in done.certificate.warnings)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 25), st.integers(4, 12))
def test_imposed_gaps_leave_every_row_and_column_something(seed, n_out, n_in):
    rng = np.random.default_rng(seed)
    seen = rng.random((n_out, n_in)) < 0.9
    seen[: n_out // 3, n_in // 2 :] = False
    rows, columns = np.nonzero(seen)
    entries = Entries(rows, columns, rng.normal(size=len(rows)), (n_out, n_in))
    held = impose(entries, seed)
    training = entries.part(~held)
    before, after = entries.counts(), training.counts()
    assert held.sum() <= 0.1 * entries.count + n_in
    assert (after[0][before[0] > 0] > 0).all()
    assert (2 * after[1] >= before[1]).all()
    # Each row that lost entries lost what some other row lacks.
    for row in np.unique(entries.rows[held]):
        lost = entries.columns[held & (entries.rows == row)]
        assert (~seen[:, lost]).all(axis=1).any()


def test_the_standard_error_of_a_root_mean_square_is_that_of_its_draws():
    rng = np.random.default_rng(4)
    draws = rng.standard_t(8, size=(4000, 300))
    told = np.mean([alike(missed).heldout_std for missed in draws[:400]])
    assert told == pytest.approx(np.sqrt(np.mean(draws**2, axis=1)).std(), rel=0.1)


@pytest.mark.parametrize("wrong", [{"level": 1.5}, {"of": "mean"}])
def test_intervals_refuse_what_they_cannot_give(wrong):
    _, _, X = planted(0, "normal")
    done = rs.complete(X[:20, :15])
    with pytest.raises(InputError, match="|".join(wrong)):
        done.interval([0], [0], **wrong)


def test_intervals_survive_saving(tmp_path):
    _, _, X = planted(5, "normal")
    model = rs.estimators.DeepMatrixCompletion().fit(X[:40, :30])
    model.save(tmp_path / "model.npz")
    again = rs.estimators.DeepMatrixCompletion.load(tmp_path / "model.npz")
    cells = np.arange(10), np.arange(10)
    np.testing.assert_array_equal(again.completed_.interval(*cells), model.completed_.interval(*cells))
    np.testing.assert_array_equal(again.predict_interval(*cells), model.completed_.interval(*cells))
    clip = float(np.nanmin(X[:40, :30])), float(np.nanmax(X[:40, :30])) + 1e-9
    low, high = again.set_params(clip=clip).fit(X[:40, :30]).predict_interval(np.arange(40), np.zeros(40, dtype=int))
    assert low.min() >= clip[0]
    assert high.max() <= clip[1]


def test_the_variance_of_a_product_of_errors():
    """Of two independent Gaussian vectors, drawn: the covariance of one times that of the other, summed."""
    rng = np.random.default_rng(0)
    A, B = (x @ x.T for x in rng.normal(size=(2, 3, 3)))
    du, dv = (rng.normal(size=(200_000, 3)) @ np.linalg.cholesky(C).T for C in (A, B))
    nowhere = np.zeros(1, int)
    found = overlaps(nowhere, A[None], nowhere, B[None], 3)
    assert found[0] == pytest.approx(np.var((du * dv).sum(1)), rel=0.03)
    assert overlaps(nowhere, A[None], nowhere, B[None], 1)[0] == pytest.approx(A[0, 0] * B[0, 0])


def test_the_interval_of_the_entry_covers_in_strong_noise():
    """Noise of three times the signal: the errors of both factors at once count, and chance in held-out errors not.

    Where no direction was found the interval holds what noise may hide, and is no single point.
    """
    covered: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = 0.35 * rng.normal(size=(150, 2)) @ rng.normal(size=(2, 100)) / 2**0.5
        hidden = rng.random(truth.shape) < 0.5
        done = rs.complete(np.where(hidden, np.nan, truth + rng.normal(size=truth.shape)), scale="none")
        low, high = done.interval(*np.nonzero(hidden), of="entry")
        covered[done.rank > 0].append(float(np.mean((low <= truth[hidden]) & (truth[hidden] <= high))))
    assert len(covered[True]) > 1  # how many is decided by the last digits of held-out errors
    assert 0.91 < np.mean(covered[True]) < 0.98, covered
    assert min(covered[False], default=1.0) > 0.6, covered


def test_no_direction_does_not_make_the_entries_certain():
    """A direction just too weak to be seen: the interval of the entry covers it as it should."""
    rng, shape, share, covered = np.random.default_rng(0), (120, 80), 0.5, []
    for _ in range(2):
        u, v = (x / np.linalg.norm(x) for x in (rng.normal(size=n) for n in shape))
        truth = (shape[0] * shape[1]) ** 0.25 / share**0.5 * np.outer(u, v)
        hidden = rng.random(shape) > share
        done = rs.complete(np.where(hidden, np.nan, truth + rng.normal(size=shape)), scale="none")
        low, high = done.interval(*np.nonzero(hidden), of="entry")
        covered.append(np.mean((low <= truth[hidden]) & (truth[hidden] <= high)))
    assert min(covered) > 0.85, covered
