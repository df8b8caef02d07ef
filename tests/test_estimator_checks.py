"""scikit-learn's own checks of an estimator, all of them."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from rankscape.estimators import DeepMatrixCompletion


@pytest.mark.filterwarnings("ignore::rankscape.errors.FallbackWarning")  # their sparse matrices have empty rows
@parametrize_with_checks([DeepMatrixCompletion()])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)
