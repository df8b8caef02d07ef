"""Model selection: scores on hidden entries, folds of entries, and scikit-learn's own searches."""

import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

import rankscape as rs
from rankscape.entries import Entries
from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators import DeepMatrixCompletion, EntryKFold, entry_cross_validate
from rankscape.estimators.completion.scoring import PARTS, column_units, parts_of

pytestmark = pytest.mark.usefixtures("hasty_file")


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(1)
    W = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 15))
    return W, np.where(rng.random(W.shape) < 0.7, W + 0.1 * rng.normal(size=W.shape), np.nan)


def test_the_score_is_the_error_of_entries_that_are_hidden_from_their_rows(noisy):
    """Against a loop that hides each part itself, with NaN."""
    _, X = noisy
    model, new = DeepMatrixCompletion().fit(X[:45]), X[45:]
    entries = Entries.from_array(new)
    squares = squares_by_row(model, new, parts_of(entries, PARTS))
    assert model.score(new) == pytest.approx(-np.sqrt(np.mean(squares)), rel=1e-12)
    assert -0.2 < model.score(new) < -0.1  # noise 0.1, and what is learned of two directions from ten entries
    rows = np.arange(1.0, 16)
    weighted = -np.sqrt(np.average(squares, weights=rows[entries.rows]))
    assert model.score(new, sample_weight=rows) == pytest.approx(weighted, rel=1e-12)


def squares_by_row(model, new, parts):
    entries, missed = Entries.from_array(new), np.empty(parts.shape)
    for part in range(PARTS):
        hidden = parts == part
        at, seen = (entries.rows[hidden], entries.columns[hidden]), new.copy()
        seen[at] = np.nan
        missed[hidden] = model.transform(seen)[at] - new[at]
    return missed**2


def test_columns_of_other_quantities_count_in_their_own_units():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(80, 1)) @ rng.normal(size=(1, 6)) + 0.3 * rng.normal(size=(80, 6))
    X[rng.random(X.shape) < 0.2] = np.nan
    sizes = np.array([1, 1e3, 1e-3, 1, 50, 1e4])
    units = column_units(Entries.from_array(X * sizes))
    np.testing.assert_allclose(units, np.nanstd(X, axis=0) * sizes, rtol=0.3)
    new = X[:20] * sizes
    for scale in ("column", "none"):  # in the same units, whatever the model divides by
        model = DeepMatrixCompletion(scale=scale, depth=3).fit(X * sizes)
        entries = Entries.from_array(new)
        squares = squares_by_row(model, new, parts_of(entries, PARTS)) / units[entries.columns] ** 2
        assert model.score(new) == pytest.approx(-np.sqrt(squares.mean()), rel=1e-9)


def test_scikit_learn_searches_over_the_bare_estimator(noisy):
    _, X = noisy
    scores = cross_val_score(DeepMatrixCompletion(depth=3), X, cv=KFold(2))
    assert (scores < -0.05).all()
    assert (scores > -0.25).all()
    search = GridSearchCV(DeepMatrixCompletion(depth=3), {"max_rank": [1, 2]}, cv=KFold(2)).fit(X)
    assert search.best_params_ == {"max_rank": 2}


def test_folds_of_entries_test_each_entry_once_and_spread_every_row():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((20, 9)) < 0.6, rng.normal(size=(20, 9)), np.nan)
    tested = np.zeros(X.shape, dtype=int)
    for training, test in EntryKFold(3).split(pd.DataFrame(X)):
        tested[test.rows, test.columns] += 1
        together = np.full(X.shape, np.nan)
        for problem in (training, test):
            together[problem.rows, problem.columns] = problem.values
        np.testing.assert_array_equal(together, X)
        by_row = np.bincount(test.rows, minlength=20) / np.maximum((~np.isnan(X)).sum(1), 1)
        assert (np.abs(np.bincount(test.rows, minlength=20) - (~np.isnan(X)).sum(1) / 3) < 1).all(), by_row
    np.testing.assert_array_equal(tested, ~np.isnan(X))
    assert EntryKFold(4).get_n_splits() == 4


def test_folds_do_not_depend_on_the_order_of_entries():
    rng = np.random.default_rng(0)
    rows, columns = np.nonzero(rng.random((12, 7)) < 0.7)
    values, order = rng.normal(size=len(rows)), rng.permutation(len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pair = [rs.Completion(rows[at], columns[at], values[at], (12, 7)) for at in (np.arange(len(rows)), order)]
        first, second = ([t.values.tolist() for _, t in EntryKFold(3).split(p)] for p in pair)
    assert first == second
    assert first != [t.values.tolist() for _, t in EntryKFold(3, random_state=1).split(pair[0])]


def test_cross_validation_by_entries_measures_the_error_of_each_fold(noisy):
    _, X = noisy
    result = entry_cross_validate(DeepMatrixCompletion(), X, cv=EntryKFold(3), return_estimator=True)
    for k, (training, test) in enumerate(EntryKFold(3).split(X)):
        assert result["rank"][k] == result["estimator"][k].rank_ == 2
        if k == 2:
            continue
        done = rs.complete(training)
        error = np.sqrt(np.mean((done.fitted[test.rows, test.columns] - test.values) ** 2))
        assert result["test_score"][k] == pytest.approx(-error, rel=1e-9)
        assert done.rank == 2
    assert (result["fit_time"] > 0).all()


def test_cross_validation_by_entries_takes_weights_and_workers(noisy):
    _, X = noisy
    alone = entry_cross_validate(DeepMatrixCompletion(depth=3), X[:30], cv=2, weights=np.ones((30, 15)))
    with parallel_config(backend="threading"):  # processes take seconds to start
        threads = entry_cross_validate(DeepMatrixCompletion(depth=3), X[:30], cv=2, n_jobs=2)
    np.testing.assert_allclose(alone["test_score"], threads["test_score"], rtol=1e-6)


def test_weights_of_rows_are_those_of_their_entries(noisy):
    _, X = noisy
    rows = np.linspace(0.5, 2, 60)
    by_row = DeepMatrixCompletion().fit(X, sample_weight=rows).completed_.fitted
    by_entry = DeepMatrixCompletion().fit(X, weights=np.outer(rows, np.ones(15))).completed_.fitted
    np.testing.assert_array_equal(by_row, by_entry)


def test_a_row_of_weight_zero_is_not_learned_from(noisy):
    _, X = noisy
    wrong = X.copy()
    wrong[7] = 1e3
    weights = np.ones(60)
    weights[7] = 0
    with pytest.warns(FallbackWarning, match=r"1 row\(s\) \(7\)"):
        model = DeepMatrixCompletion().fit(wrong, sample_weight=weights)
    assert model.score(np.delete(X, 7, axis=0)) > -0.2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: EntryKFold(1), "`n_splits` must be a whole number of at least 2"),
        (lambda X: list(EntryKFold(9).split([[1.0, 2.0], [3.0, np.nan]])), "3 entries do not fill 9 folds"),
        (lambda X: DeepMatrixCompletion().fit(X, sample_weight=np.ones(3)), "weigh each of 60 rows"),
        (lambda X: DeepMatrixCompletion().fit(X, sample_weight=-np.ones(60)), "zero or positive"),
        (lambda X: DeepMatrixCompletion().fit(X).score(np.full((2, 15), np.nan)), "nothing to score"),
    ],
)
def test_what_cannot_be_selected_is_refused(noisy, call, words):
    with pytest.raises(InputError, match=words):
        call(noisy[1])
