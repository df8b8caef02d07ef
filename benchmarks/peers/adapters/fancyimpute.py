"""fancyimpute: every solver of 0.7.0 fails on scikit-learn 1.6 and later, so an older scikit-learn is pinned."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("fancyimpute==0.7.0", "scikit-learn==1.5.2")
SHOWN = ("fancyimpute", "scikit-learn")


def soft(task: Task) -> np.ndarray:
    from fancyimpute import SoftImpute

    return task.asked(SoftImpute(verbose=False).fit_transform(task.dense()))


def told(task: Task) -> np.ndarray:
    from fancyimpute import IterativeSVD

    return task.asked(IterativeSVD(rank=task.rank, verbose=False).fit_transform(task.dense()))


METHODS = [
    Method("fancyimpute SoftImpute", soft),
    Method("fancyimpute IterativeSVD", told, told=True),
]
