"""Laboratory problems: their fingerprints, what is seen of them, and the trap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rankscape as rs
from rankscape.errors import InputError

SIZES = dict(n=st.integers(8, 24), rank=st.integers(1, 3), seed=st.integers(0, 50))


@pytest.mark.parametrize(
    ("settings", "norm", "squares", "top"),
    [
        (dict(z=8.0, eps=0.35, beta=0.5), 34.438647, 89.803662, [24.878192, 23.813778]),
        (dict(z=10.0, eps=0.30, beta=0.7), 50.473243, 161.719357, [36.469766, 34.892757]),
    ],
    ids=["P1", "P2"],
)
def test_fingerprints(settings, norm, squares, top):
    lab = rs.data.planted(n=24, rank=2, fraction=0.6, seed=0, jitter=0.05, **settings)
    assert len(lab.problem.values) == 311
    assert np.linalg.norm(lab.matrix) == pytest.approx(norm, abs=1e-6)
    assert np.sum(lab.problem.values**2) == pytest.approx(squares, abs=1e-6)
    np.testing.assert_allclose(np.linalg.svd(lab.matrix)[1][:3], [*top, 0], atol=1e-6)


def test_the_mean_square_of_what_is_hidden():
    lab = rs.data.planted(z=10.0, eps=0.30, beta=0.7)
    assert lab.test_error(np.zeros((24, 24))) == pytest.approx(9.003128, abs=1e-6)


@given(**SIZES)
def test_what_is_seen_is_the_truth_and_the_decoy_alike(n, rank, seed):
    lab = rs.data.planted(n, rank, seed=seed)
    seen = lab.problem.rows, lab.problem.columns
    np.testing.assert_array_equal(lab.matrix[seen], lab.problem.values)
    np.testing.assert_array_equal(lab.decoy[seen], lab.problem.values)
    assert np.linalg.matrix_rank(lab.matrix) == rank
    assert np.linalg.matrix_rank(lab.decoy) == 2 * rank
    assert lab.unseen.sum() == n * n - len(lab.problem.values)


def test_strong_rows_are_seen_in_the_corner_only():
    unseen = rs.data.planted(n=24, rank=3).unseen
    assert unseen[21:, :21].all()
    assert not unseen[21:, 21:].any()


def test_the_start_is_the_decoy_balanced():
    lab = rs.data.planted()
    for depth in (2, 3, 4):
        factors = lab.start(depth=depth, width=6)
        assert [W.shape[0] for W in factors] == [6] * (depth - 1) + [24]
        np.testing.assert_allclose(rs.product(factors), lab.decoy, atol=1e-12)
        assert max(np.abs(D).max() for D in rs.imbalance(factors)) < 1e-12


@given(**SIZES, oversampling=st.floats(1.2, 1.5), tails=st.booleans())
def test_every_row_and_column_of_a_generic_problem_has_entries_enough(n, rank, seed, oversampling, tails):
    lab = (rs.data.heavy_tailed if tails else rs.data.gaussian)(n, rank, oversampling, seed)
    seen = ~lab.unseen
    assert min(seen.sum(0).min(), seen.sum(1).min()) >= rank
    assert seen.sum() == round(oversampling * rank * (2 * n - rank))
    assert np.linalg.matrix_rank(lab.matrix) == rank
    assert np.mean(lab.matrix**2) == pytest.approx(1)


def test_where_no_row_is_short_the_entries_are_the_first_of_a_random_order():
    """The repair moves few entries: rows have binomial spread, not the same number each."""
    counts = (~rs.data.gaussian(60, 2, oversampling=4.0, seed=1).unseen).sum(1)
    assert counts.std() > 1.5


def test_tails_are_log_normal():
    rows = np.log(np.sqrt((rs.data.heavy_tailed(400, 3, 2.0, spread=1.0).matrix ** 2).mean(1)))
    assert 0.9 < rows.std() < 1.3  # 1 from the sizes, and a little from three normal numbers
    plain = np.log(np.sqrt((rs.data.gaussian(400, 3, 2.0).matrix ** 2).mean(1)))
    assert plain.std() < 0.6


def test_errors_are_measured_on_what_is_hidden():
    lab = rs.data.gaussian(20, 2, 2.0)
    W = np.where(lab.unseen, lab.matrix + 0.5, 99.0)
    assert lab.test_error(W) == pytest.approx(0.25)
    assert lab.relative_error(np.zeros((20, 20))) == 1.0
    assert lab.relative_error(lab.matrix) == 0.0


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: rs.data.planted(n=6, rank=4), "at most n / 2 = 3"),
        (lambda: rs.data.planted(fraction=1.2), "at most 1"),
        (lambda: rs.data.planted(z=-1.0), "`z` must be positive"),
        (lambda: rs.data.gaussian(10, 2, oversampling=0.5), "`oversampling` must lie between"),
        (lambda: rs.data.gaussian(10, 2, oversampling=9.0), "`oversampling` must lie between"),
        (lambda: rs.data.gaussian(10, 11, oversampling=1.5), "`rank` must be"),
        (lambda: rs.data.gaussian(10, 2, 2.0).start(), "have a decoy"),
        (lambda: rs.data.planted().start(width=3), "hidden widths of at least 4"),
    ],
)
def test_impossible_laboratories_are_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()
