"""Surprise: stochastic gradients; its default for ratings, and for planted matrices no biases and no ridge."""

import numpy as np
from task import Method, Task

REQUIREMENTS = ("scikit-surprise==1.1.5",)
SHOWN = ("scikit-surprise",)


def _complete(task: Task, **options) -> np.ndarray:
    import surprise

    reader = surprise.Reader(rating_scale=(task.values.min(), task.values.max()))
    entries = [(int(i), int(j), float(y), None) for i, j, y in zip(task.rows, task.columns, task.values, strict=True)]
    loader = surprise.Dataset(reader)
    seen = loader.construct_trainset(entries)
    model = surprise.SVD(random_state=0, **options).fit(seen)
    asked = zip(task.asked_rows.tolist(), task.asked_columns.tolist(), strict=True)
    return np.array([model.predict(i, j, clip=False).est for i, j in asked])


def default(task: Task) -> np.ndarray:
    return _complete(task)


def told(task: Task) -> np.ndarray:
    return _complete(task, n_factors=task.rank, biased=False, reg_all=0.0, n_epochs=200)


METHODS = [
    Method("Surprise SVD, default", default, kinds=("ratings",)),
    Method("Surprise SVD, no ridge, 200 epochs", told, told=True, kinds=("planted", "noisy")),
]
