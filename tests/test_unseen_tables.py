"""Kinds of tables that nothing was built on: what was wrong, silently, is right or said."""

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.fits.left_over import tail_index
from rankscape.estimators.completion.ready.farther import FEW, growth, nearest
from rankscape.estimators.completion.search.units import units_of


def missed(X, hidden):
    done = rs.complete(np.where(hidden, np.nan, X))
    return float(np.sqrt(np.mean((done.matrix - X)[hidden] ** 2))), done.certificate


@pytest.mark.parametrize("level", [1e8, 1.7e9, 1e11])
def test_a_level_that_dwarfs_what_varies_is_no_exact_fit(level):
    """As times in seconds since 1970: noise of a tenth is 1e-10 of them, and still noise."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 10)) + 0.1 * rng.normal(size=(60, 10))
    hidden = rng.random(X.shape) < 0.3
    error, certificate = missed(level + X, hidden)
    assert not certificate.exact
    assert error < 0.25  # the column mean has 1.1
    assert error < 2 * certificate.expected_error


def test_beside_a_level_an_exact_fit_is_one():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 10))
    hidden = rng.random(X.shape) < 0.3
    for level in (0.0, 1e3, 1e6):
        error, certificate = missed(level + X, hidden)
        assert certificate.exact
        assert error < 1e-9 * max(level, 1.0)


@pytest.mark.parametrize("seed", range(8))
def test_a_large_column_is_divided_also_where_some_rows_lack_it(seed):
    """Rows without it are small, so that rows seem to differ more than columns do."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 6)) * [1, 2, 1000, 1, 1, 1.5]
    seen = rng.random(X.shape) < 0.7
    assert units_of("auto", Entries.from_array(np.where(seen, X, np.nan))).kind == "column"
    assert units_of("auto", Entries.from_array(np.where(seen, X, np.nan).T)).kind == "row"


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_errors_grow_with_the_distance_as_those_held_out_do(power):
    rng = np.random.default_rng(0)
    away, missing = rng.integers(1, 20, 5000).astype(float), np.r_[rng.integers(1, 30, 5000).astype(float), np.inf]
    errors = away ** (power / 2) * rng.normal(size=len(away))
    true = np.sqrt(np.mean(missing[:-1] ** power) / np.mean(away**power))
    assert growth(errors, away, missing) == pytest.approx(true, rel=0.1)


def test_cells_that_lie_nearer_promise_nothing():
    away = np.random.default_rng(0).integers(5, 20, 500).astype(float)
    assert growth(away, away, np.ones(100)) == 1.0


def test_few_entries_say_nothing_of_growth():
    away = np.arange(1.0, FEW)
    assert growth(away, away, 10 * away) == 1.0
    assert growth(np.zeros(100), np.ones(100), np.ones(5)) == 1.0
    assert growth(np.ones(100), np.full(100, np.inf), np.ones(5)) == 1.0


def test_the_nearest_entry_is_the_nearest_along_any_axis():
    seen = np.ones((5, 5), bool)
    seen[1:4, 0:4] = False
    rows, columns = np.nonzero(~seen)
    away = nearest(Entries.from_array(np.where(seen, 1.0, np.nan)), (rows, columns), ("rows", "columns"))
    assert away.reshape(3, 4).tolist() == [[1, 1, 1, 1], [2, 2, 2, 1], [1, 1, 1, 1]]


@pytest.mark.parametrize("freedom", [1.2, 1.5])
def test_noise_without_a_mean_square_is_said(freedom):
    """The robust fit is right, but no error of an observation can be stated."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(150, 2)) @ rng.normal(size=(2, 40))
    done = rs.complete(np.where(rng.random(X.shape) < 0.3, np.nan, X + 0.1 * rng.standard_t(freedom, X.shape)))
    assert done.certificate.robust
    assert done.certificate.tail_index < 2
    assert "no root mean square" in " ".join(done.certificate.warnings)


@pytest.mark.parametrize("share", [0.003, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_gross_errors_among_normal_ones_are_no_heavy_tail(share, spread):
    rng = np.random.default_rng(3)
    wild = rng.random(10_000) < share
    values = rng.normal(size=10_000) + 50 * wild * (
        rng.choice([-1, 1], 10_000) if not spread else rng.normal(size=10_000)
    )
    assert tail_index(values) > 2
    assert tail_index(rng.standard_t(3, 10_000)) > 2
