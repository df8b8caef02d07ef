"""TensorLy: PARAFAC of a matrix with a mask."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("tensorly==0.10.0",)
SHOWN = ("tensorly",)


def complete(task: Task) -> np.ndarray:
    import tensorly
    from tensorly.decomposition import parafac

    known = ~np.isnan(task.dense())
    found = parafac(task.dense(fill=0.0), task.rank, mask=known, init="svd", n_iter_max=1000, tol=1e-10, random_state=0)
    return task.asked(tensorly.cp_to_tensor(found))


MATRICES = ("planted", "noisy", "photograph")  # without a ridge, ratings take most of a minute and overfit

METHODS = [Method("TensorLy parafac with a mask", complete, told=True, kinds=MATRICES)]
