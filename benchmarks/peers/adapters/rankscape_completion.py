"""rankscape itself: `DeepMatrixCompletion` with its defaults, in the environment of the caller."""

import numpy as np
from task import Method, Task

REQUIREMENTS = None  # measured where it is installed already
SHOWN = ("rankscape",)


def complete(task: Task) -> np.ndarray:
    from scipy.sparse import coo_array

    from rankscape.estimators import DeepMatrixCompletion

    seen = coo_array((task.values, (task.rows, task.columns)), shape=task.shape)
    return DeepMatrixCompletion().fit(seen).predict(task.asked_rows, task.asked_columns)


METHODS = [Method("rankscape DeepMatrixCompletion", complete)]
