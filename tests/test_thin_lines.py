"""Rows with few entries: a reason for caution only where what was held out there is missed by more, or nothing was."""

from dataclasses import replace

import numpy as np
import pytest

import rankscape as rs
from rankscape.entries import Entries
from rankscape.estimators.completion.trust.cautions import few_entries_matter
from rankscape.estimators.completion.trust.thin import thin_lines


def survey(seed: int, rows: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Nine columns of a slow spectrum and noise, a third missing: many directions, and few entries in many rows."""
    rng = np.random.default_rng(seed)
    spectrum = 0.6 ** np.arange(9)
    whole = (rng.normal(size=(rows, 9)) * spectrum) @ np.linalg.qr(rng.normal(size=(9, 9)))[0].T
    whole += 0.2 * rng.normal(size=whole.shape)
    return whole, np.where(rng.random(whole.shape) < 0.35, np.nan, whole)


@pytest.mark.parametrize("seed", [0, 2])
def test_thin_rows_whose_error_is_measured_and_alike_are_no_reason_for_caution(seed):
    whole, X = survey(seed)
    done = rs.complete(X, seed=0)
    certificate, hidden = done.certificate, np.isnan(X)
    assert certificate.thin_rows > 5
    assert certificate.thin_error is not None
    assert not few_entries_matter(certificate)
    true = np.sqrt(np.mean((done.matrix - whole)[hidden] ** 2))
    assert 0.7 < true / done.expected_error < 1.4
    assert certificate.trusted


def test_they_are_where_more_is_missed_or_nothing_was_held_out():
    certificate = rs.complete(survey(0)[1], seed=0).certificate
    thin = replace(certificate, needed=5.0, thin_rows=12, thin_share=0.2, thin_error=certificate.heldout_rmse)
    assert not few_entries_matter(thin)
    assert few_entries_matter(replace(thin, thin_error=3 * certificate.heldout_rmse))
    assert few_entries_matter(replace(thin, thin_error=None))
    assert not few_entries_matter(replace(thin, thin_error=None, thin_share=0.01))


def test_the_share_is_that_of_the_missing_cells():
    seen = np.random.default_rng(0).random((30, 12)) < 0.6
    seen[:4] = False
    seen[:4, :2] = True
    seen[5:, 11] = False
    entries = Entries.from_array(np.where(seen, 1.0, np.nan))
    rows, columns = seen.sum(1) <= 3, seen.sum(0) <= 3
    found = thin_lines(entries, 3.0, None)
    assert (found.rows, found.columns) == (rows.sum(), columns.sum())
    assert found.share == pytest.approx((~seen & (rows[:, None] | columns)).sum() / (~seen).sum())
    assert found.error is None


def test_levels_do_not_cost_more_than_an_exact_rank_gains():
    """Forward rates: nine columns of rank three, each day near the one before; a fit of five directions leaves cells
    open that the days beside them foretell."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        days = np.cumsum(rng.normal(size=(276, 3)), 0) @ rng.normal(size=(3, 3))
        margins = np.cumsum(1e-2 * rng.normal(size=(276, 2)), 0)
        whole = np.column_stack([days, days[:, :3] + margins[:, :1], days[:, :3] + margins[:, 1:]])
        whole += 1e-3 * rng.normal(size=whole.shape)
        hidden = rng.random(whole.shape) < 0.35
        done = rs.complete(np.where(hidden, np.nan, whole), seed=0)
        # The day before, of each column: what anybody would take.
        last = np.where(hidden, np.nan, whole)
        for j in range(9):
            known = np.flatnonzero(~hidden[:, j])
            last[:, j] = np.interp(np.arange(276), known, whole[known, j])
        error = lambda W, whole=whole, hidden=hidden: np.sqrt(np.mean((W - whole)[hidden] ** 2))
        assert error(done.matrix) < error(last)
