"""Very many rows: some are searched, the others folded in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rankscape.entries import Entries
from rankscape.estimators import DeepMatrixCompletion
from rankscape.estimators.completion.complete import complete
from rankscape.estimators.completion.ready.scaling import Scaling
from rankscape.estimators.completion.ready.split import Split
from rankscape.estimators.completion.search.many_lines import sample_of
from rankscape.estimators.completion.settings import Settings
from rankscape.ground.groups import sorted_groups


def table(n: int, p: int, rank: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The truth, what is seen of it, and the factor of its columns."""
    random = np.random.default_rng(seed)
    V = random.standard_normal((p, rank))
    W = random.standard_normal((n, rank)) @ V.T
    return W, np.where(random.random(W.shape) < 0.7, W + noise * random.standard_normal(W.shape), np.nan), V


def known_columns(seen: np.ndarray, V: np.ndarray, noise: float) -> np.ndarray:
    """What is best where the factor of the columns and the noise are known: the posterior mean of each row."""
    filled = np.empty_like(seen)
    for i, row in enumerate(seen):
        there = np.isfinite(row)
        gram = V[there].T @ V[there] + noise**2 * np.eye(V.shape[1])
        filled[i] = V @ np.linalg.solve(gram, V[there].T @ row[there])
    return filled


@pytest.mark.parametrize("wide", [False, True])
def test_folded_rows_are_as_good_as_with_known_columns(wide):
    W, seen, V = table(6000, 8, 2, 0.3, 1)
    hidden = np.isnan(seen)
    done = complete(seen.T if wide else seen)
    fitted = done.fitted.T if wide else done.fitted
    error, best = (np.sqrt(np.mean((x - W)[hidden] ** 2)) for x in (fitted, known_columns(seen, V, 0.3)))
    assert done.rank == 2
    assert error < 1.02 * best, (error, best)
    assert done.heldout_rmse == pytest.approx(np.hypot(best, 0.3), rel=0.06)


def test_exact_for_rows_that_were_not_searched():
    W, seen, _ = table(6000, 8, 2, 0.0, 2)
    seen[:, 0] += 5.0
    done = complete(seen)
    told = np.isnan(seen) & done.determined
    # Where a processor rounds otherwise a direction too many is found: exact all the same.
    assert done.rank in (3, 4) or done.path.attrs["offset"] != "nothing was removed"
    assert done.certificate.exact
    assert np.abs((done.fitted - W - 5.0 * (np.arange(8) == 0))[told]).max() < 1e-6


def test_what_a_few_rows_break_is_not_exact():
    W, seen, _ = table(6000, 8, 2, 0.0, 3)
    seen[17] = np.random.default_rng(0).standard_normal(8) * 3
    searched = Split.of(Entries.from_array(seen), Scaling.none(seen.shape), np.zeros(np.isfinite(seen).sum(), bool))
    drawn = sample_of(searched, Settings())
    assert drawn is not None
    assert not np.array_equal(drawn.whole.values[:8], searched.whole.values[:8])
    done = complete(seen)
    told = np.isnan(seen) & done.determined & (np.arange(len(seen)) != 17)[:, None]
    assert (done.rank, done.certificate.exact) != (2, True), "row 17 does not meet it"
    assert np.sqrt(np.mean((done.fitted - W)[told] ** 2)) < 0.01


def test_only_lopsided_tables_are_sampled():
    def drawn(n: int, p: int, share: float = 0.5) -> Split | None:
        random = np.random.default_rng(0)
        X = np.where(random.random((n, p)) < share, 1.0, np.nan)
        entries = Entries.from_array(X)
        return sample_of(Split.of(entries, Scaling.none(X.shape), random.random(entries.count) < 0.1), Settings())

    assert drawn(1500, 5) is None
    assert drawn(3000, 100) is None
    assert drawn(5000, 5, 0.05) is None, "too few entries in each column"
    tall, wide = drawn(5000, 5), drawn(5, 5000)
    assert tall is not None
    assert wide is not None
    assert 900 < tall.whole.shape[0] < 1100
    assert tall.whole.shape[1] == wide.whole.shape[0] == 5
    assert tall.heldout.count + tall.training.count == tall.whole.count


def test_weights_count_where_rows_are_folded_in():
    W, seen, _ = table(5000, 6, 2, 0.0, 4)
    seen[:, 0] = W[:, 0]
    random = np.random.default_rng(0)
    loud = random.random(seen.shape) < 0.5
    weights = np.where(loud, 0.01, 1.0)
    noisy = seen + np.where(loud, 1.0, 0.1) * random.standard_normal(seen.shape)
    hidden = np.isnan(seen)
    told = np.where(hidden, 0.0, weights)
    errors = []
    for given_weights in (told, None):
        model = DeepMatrixCompletion().fit(noisy, weights=given_weights)
        errors.append(np.sqrt(np.mean((model.completed_.fitted - W)[hidden] ** 2)))
    assert errors[0] < 0.9 * errors[1]


@given(arrays(np.int64, 30, elements=st.integers(0, 4)), arrays(np.float64, 30, elements=st.floats(-9, 9, width=16)))
def test_sorted_groups_are_those_of_lexsort(groups, values):
    starts, ordered = sorted_groups(groups, values, 6)
    np.testing.assert_array_equal(ordered, values[np.lexsort((values, groups))])
    np.testing.assert_array_equal(np.diff(starts), np.bincount(groups, minlength=6))


def test_long_groups_are_sorted_too():
    random = np.random.default_rng(0)
    groups, values = random.integers(0, 3, 1000), random.standard_normal(1000).round(1)
    np.testing.assert_array_equal(sorted_groups(groups, values, 3)[1], values[np.lexsort((values, groups))])
