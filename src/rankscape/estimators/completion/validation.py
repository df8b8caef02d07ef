"""Cross-validation by entries: some cells of every row are hidden, and not whole rows."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from rankscape.errors import FallbackWarning, InputError
from rankscape.estimators.completion.inputs import MatrixData, Weights, given_weights, taken
from rankscape.estimators.completion.scoring import column_units, parts_of, score_of
from rankscape.ground.checks import shown, whole
from rankscape.ground.final import final
from rankscape.problem import Completion

if TYPE_CHECKING:
    from rankscape.estimators.completion.estimator import DeepMatrixCompletion


@final
@dataclass(frozen=True)
class EntryKFold:
    """Folds of the entries of a matrix: each entry is tested once, by what the others say.

    Every row is spread over the folds evenly, so that a row of two entries keeps one of them. Which entry is in which
    fold is decided by a hash of row, column and seed, and does not depend on their order.

    Parameters
    ----------
    n_splits : int
        Folds, at least 2.
    random_state : int
        Another number gives other folds.

    Examples
    --------
    >>> X = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]])
    >>> [test.values.tolist() for training, test in EntryKFold(2).split(X)]
    [[1.0, 6.0], [3.0, 4.0, 5.0]]
    """

    n_splits: int = 5
    random_state: int = 0

    def __post_init__(self) -> None:
        whole("n_splits", self.n_splits, least=2)
        whole("random_state", self.random_state, least=0)

    def split(self, X: MatrixData) -> Iterator[tuple[Completion, Completion]]:
        """Pairs of problems: the entries to learn from, and those to test with.

        Raises
        ------
        InputError
            There are fewer entries than folds.
        """
        given = taken(X, aside=False)[0]
        entries, labels = given.entries, (given.row_labels, given.column_labels)
        parts = parts_of(entries, self.n_splits, self.random_state)
        for fold in range(self.n_splits):
            test = parts == fold
            if not test.any() or test.all():
                raise InputError(f"{entries.count} entries do not fill {self.n_splits} folds: ask for fewer.")
            yield Completion.of(entries.part(~test), *labels), Completion.of(entries.part(test), *labels)

    def get_n_splits(self, X: MatrixData | None = None) -> int:
        """The number of folds."""
        return self.n_splits


def entry_cross_validate(
    estimator: "DeepMatrixCompletion",
    X: MatrixData,
    *,
    cv: int | EntryKFold = 5,
    weights: Weights = None,
    n_jobs: int | None = None,
    return_estimator: bool = False,
) -> dict[str, Any]:
    """Fit to all folds of the entries but one, and predict that one, in turn.

    Parameters
    ----------
    estimator : DeepMatrixCompletion
        Cloned for every fold.
    X : frame, array_like, scipy sparse array or Completion
        The matrix.
    cv : int or EntryKFold
        The folds, or how many.
    weights : array_like or scipy sparse array of the shape of X, optional
        Positive weight of each observed entry, in the fits and in the score.
    n_jobs : int, optional
        Folds at once, as everywhere in scikit-learn: None for one after another, -1 for all cores.
    return_estimator : bool
        Whether to return the fitted estimators.

    Returns
    -------
    dict
        ``test_score`` (minus the root mean square error on the fold, in standard deviations of the columns where these
        differ much, the same units for every estimator), ``fit_time``, ``score_time`` (seconds), ``rank``; arrays with
        one number a fold. ``estimator`` on request.

    Examples
    --------
    >>> from rankscape.estimators import DeepMatrixCompletion
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 1)) @ rng.normal(size=(1, 20))
    >>> X[rng.random(X.shape) < 0.3] = np.nan
    >>> bool(entry_cross_validate(DeepMatrixCompletion(), X, cv=3)["test_score"].min() > -1e-6)
    True
    """
    if not all(hasattr(estimator, name) for name in ("fit", "get_params")) or isinstance(estimator, type):
        raise InputError(f"`estimator` must be an estimator such as DeepMatrixCompletion(), got {shown(estimator)}.")
    if n_jobs is not None:
        n_jobs = whole("n_jobs", n_jobs, least=-(2**31))
    folds = cv if isinstance(cv, EntryKFold) else EntryKFold(cv)
    given, _ = taken(X, aside=False)
    entries = given.entries.with_weights(given_weights(weights, given.entries))
    units = column_units(entries)
    problems = folds.split(Completion.of(entries))
    found = Parallel(n_jobs=n_jobs)(delayed(_judged)(clone(estimator), *pair, units) for pair in problems)
    scores, fitting, scoring, fitted = zip(*cast(list[Any], found), strict=True)
    result: dict[str, Any] = {
        "fit_time": np.array(fitting),
        "score_time": np.array(scoring),
        "test_score": np.array(scores),
        "rank": np.array([model.rank_ for model in fitted]),
    }
    return result | ({"estimator": list(fitted)} if return_estimator else {})


def _judged(
    estimator: "DeepMatrixCompletion", training: Completion, test: Completion, units: np.ndarray
) -> tuple[float, float, float, "DeepMatrixCompletion"]:
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)  # that columns are empty without the fold is our doing
        estimator.fit(training)
    between = time.perf_counter()
    missed = estimator.completed_.predict(test.rows, test.columns, by="positions") - test.values
    score = score_of(missed, test.columns, units, test.entries.weights)
    return score, between - began, time.perf_counter() - between, estimator
