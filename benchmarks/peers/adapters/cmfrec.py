"""cmfrec: alternating least squares; its default, and told the rank without biases and with hardly a ridge."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("cmfrec==3.5.1.post14", "threadpoolctl==3.6.0")  # it imports the second without asking for it
SHOWN = ("cmfrec", "threadpoolctl")


def _complete(task: Task, **options) -> np.ndarray:
    from cmfrec import CMF
    from scipy.sparse import coo_matrix

    seen = coo_matrix((task.values, (task.rows, task.columns)), shape=task.shape)
    model = CMF(nthreads=1, random_state=0, verbose=False, **options).fit(seen)
    return model.predict(user=task.asked_rows, item=task.asked_columns)


def default(task: Task) -> np.ndarray:
    return _complete(task)


def told(task: Task) -> np.ndarray:
    flat = {"center": False, "user_bias": False, "item_bias": False}
    return _complete(task, k=task.rank, lambda_=1e-4, niter=200, use_cg=False, use_float=False, **flat)


METHODS = [
    Method("cmfrec CMF, default", default),
    Method("cmfrec CMF, hardly a ridge", told, told=True, kinds=("planted", "noisy"), slow=True),
]
