"""scikit-learn's own checks of an estimator, all of them."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from rankscape.estimators import DeepMatrixCompletion

pytestmark = pytest.mark.usefixtures("hasty_file")

# Entries are held out by their place, so a row that is given twice is judged otherwise than one of twice the weight.
EXPECTED = {
    f"check_sample_weight_equivalence_on_{kind}_data": "which entries judge the fit depends on their places"
    for kind in ("dense", "sparse")
}


@pytest.mark.filterwarnings("ignore::rankscape.errors.FallbackWarning")  # their sparse matrices have empty rows
@parametrize_with_checks([DeepMatrixCompletion()], expected_failed_checks=lambda estimator: EXPECTED)
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)
