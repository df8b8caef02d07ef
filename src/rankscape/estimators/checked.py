"""What scikit-learn checks for all estimators, in errors of rankscape."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from rankscape.errors import InputError, RankscapeError, WrongKindError
from rankscape.ground.arrays import real_array
from rankscape.ground.checks import shown, whole
from rankscape.ground.numbers import NotReal

# Kinds of values that scikit-learn turns into numbers without a word.
FOREIGN = ("text", "dates", "time spans", "long")


def checked_data(estimator: Any, X: Any, **wanted: Any) -> Any:
    """`X` as `sklearn.utils.validation.validate_data` gives it."""
    try:
        return validate_data(estimator, X, **wanted)
    except RankscapeError:
        raise
    except Exception as error:  # objects refuse to be arrays in any way they like
        raise (WrongKindError if isinstance(error, TypeError) else InputError)(str(error)) from error


def refuse_foreign(X: Any) -> None:
    """Of an array or list what scikit-learn would turn into numbers: text, dates, whole numbers that are rounded."""
    if issparse(X):
        X = X.tocoo().data
    given = np.asarray(X) if isinstance(X, np.ndarray) else None
    if given is not None and given.dtype.kind not in "iuMmSUO":
        return
    try:
        real_array(X, "X", copy=False)
    except InputError as error:
        if isinstance(error.__cause__, NotReal) and error.__cause__.kind in FOREIGN:
            raise


def seed_of(random_state: Any) -> int:
    """The seed of a fit: a number is itself, a RandomState gives another one each time, None any.

    >>> seed_of(7), seed_of(np.int64(7))
    (7, 7)
    """
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return check_random_state(random_state).randint(2**31)
    if not isinstance(random_state, int | float | np.number):
        raise InputError(f"`random_state` must be a number, a RandomState or None, got {shown(random_state)}.")
    return whole("random_state", random_state, least=0)
