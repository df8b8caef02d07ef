"""scikit-learn's imputers with their defaults; columns without an entry are kept."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("scikit-learn==1.9.1",)
SHOWN = ("scikit-learn",)


def means(task: Task) -> np.ndarray:
    from sklearn.impute import SimpleImputer

    return task.asked(SimpleImputer(keep_empty_features=True).fit_transform(task.dense()))


def neighbours(task: Task) -> np.ndarray:
    from sklearn.impute import KNNImputer

    return task.asked(KNNImputer(keep_empty_features=True).fit_transform(task.dense()))


def iterative(task: Task) -> np.ndarray:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    return task.asked(IterativeImputer(keep_empty_features=True, random_state=0).fit_transform(task.dense()))


METHODS = [
    Method("scikit-learn SimpleImputer", means),
    Method("scikit-learn KNNImputer", neighbours),
    # a regression a film would take minutes on the ratings
    Method("scikit-learn IterativeImputer", iterative, kinds=("planted", "noisy", "photograph"), slow=True),
]
