"""vbpca-py: variational Bayesian PCA; the rank is chosen by the lower bound of the evidence, over a grid of fits.

The package's default grid holds every rank up to the smaller side, which takes minutes; here it ends at twice the true
rank, and on the photograph it is 5, 10, 20.
"""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("vbpca-py==0.5.0",)
SHOWN = ("vbpca-py", "scikit-learn")


def _asked(model, task: Task) -> np.ndarray:
    return task.asked(model.inverse_transform(model.scores_))


def select(task: Task) -> np.ndarray:
    from vbpca_py import SelectionConfig, select_n_components

    ranks = (5, 10, 20) if task.kind == "photograph" else range(1, 2 * task.rank + 1)
    config = SelectionConfig(metric="cost", return_best_model=True, compute_explained_variance=False)
    return _asked(
        select_n_components(task.dense(), components=ranks, config=config, random_state=0, num_cpu=1)[3], task
    )


def told(task: Task) -> np.ndarray:
    from vbpca_py import VBPCA

    return _asked(VBPCA(task.rank, random_state=0, num_cpu=1).fit(task.dense()), task)


MATRICES = ("planted", "noisy", "photograph")  # ratings take it most of a minute and end at their mean

METHODS = [
    Method("vbpca-py select_n_components", select, kinds=MATRICES, slow=True),
    Method("vbpca-py VBPCA", told, told=True, kinds=MATRICES),
]
