"""implicit: alternating least squares for counts; its scores order a person's films and are not ratings."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("implicit==0.7.3",)
SHOWN = ("implicit",)


def complete(task: Task) -> np.ndarray:
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    seen = csr_matrix((task.values.astype(np.float32), (task.rows, task.columns)), shape=task.shape)
    model = AlternatingLeastSquares(random_state=0, num_threads=1)
    model.fit(seen, show_progress=False)
    return (model.user_factors[task.asked_rows] * model.item_factors[task.asked_columns]).sum(1)


METHODS = [Method("implicit ALS, default", complete, kinds=("ratings",), scores=True)]
