"""What needs no package: row and column means, shrunk; whoever loses to this has learned nothing."""

import numpy as np
from task import Method, Task

REQUIREMENTS = None
SHOWN = ()


def row_and_column_means(task: Task, shrinkage: float = 5.0, sweeps: int = 20) -> np.ndarray:
    """Alternate between the mean residual of each row and of each column, counting `shrinkage` zeros with each."""
    mean = task.values.mean()
    row, column = (np.zeros(size) for size in task.shape)

    def average(residual, index, size):
        return np.bincount(index, residual, size) / (np.bincount(index, minlength=size) + shrinkage)

    for _ in range(sweeps):
        row = average(task.values - mean - column[task.columns], task.rows, task.shape[0])
        column = average(task.values - mean - row[task.rows], task.columns, task.shape[1])
    return mean + row[task.asked_rows] + column[task.asked_columns]


METHODS = [Method("row and column means", row_and_column_means)]
