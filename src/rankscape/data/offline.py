"""Data sets that come inside packages rankscape needs anyway: one function each, no network."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rankscape.data.catalogue import DatasetInfo

# ``matrix``, and ``row_labels`` and ``column_labels`` where there are some.
Parts = dict[str, np.ndarray]


def make(what: DatasetInfo) -> Parts:
    """Return the matrix of an offline data set, with its labels."""
    return _MAKERS[what.name]()


def _photograph(file: str) -> Callable[[], Parts]:
    def grey() -> Parts:
        from sklearn.datasets import load_sample_image

        # The plain mean of the three channels, as the catalogue says, and not luminance.
        return {"matrix": load_sample_image(file).mean(axis=2) / 255}

    return grey


def _digits() -> Parts:
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    return {"matrix": digits.data, "column_labels": np.array(digits.feature_names)}


def _digits_covariance() -> Parts:
    digits = _digits()
    labels = digits["column_labels"]
    return _symmetric(np.cov(digits["matrix"].T), labels)


def _breast_cancer_correlation() -> Parts:
    from sklearn.datasets import load_breast_cancer

    cancer: Any = load_breast_cancer()
    return _symmetric(np.corrcoef(cancer.data.T), cancer.feature_names)


def _symmetric(matrix: np.ndarray, labels: np.ndarray) -> Parts:
    # Rounding can leave the two halves a bit apart, and theory wants a matrix that is exactly symmetric.
    labels = np.array(labels, dtype=np.str_)
    return {"matrix": (matrix + matrix.T) / 2, "row_labels": labels, "column_labels": labels}


def _elevation() -> Parts:
    from matplotlib.cbook import get_sample_data

    archive: Any = get_sample_data("jacksboro_fault_dem.npz")
    with archive as sample:
        return {"matrix": sample["elevation"]}


_MAKERS: dict[str, Callable[[], Parts]] = {
    "flower": _photograph("flower.jpg"),
    "china": _photograph("china.jpg"),
    "digits": _digits,
    "digits-covariance": _digits_covariance,
    "breast-cancer-correlation": _breast_cancer_correlation,
    "elevation": _elevation,
}
