"""What a peer is given: the observed entries of a matrix, and the positions it is asked for. NumPy only."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NOISE_FREE, NOISE, NOISY = (0.10, 0.08, 0.07, 0.06), 0.1, (0.10, 0.20, 0.50)
"""Observed shares of the planted matrices, and the standard deviation of the noise."""
RANK_OF_REAL_DATA = 10
"""What methods that have to be told a rank are told where there is no true one."""
KINDS = ("planted", "noisy", "photograph", "ratings")


@dataclass(frozen=True, eq=False)
class Task:
    """Observed entries, and the positions whose values are asked for; the truth is kept elsewhere.

    Parameters
    ----------
    name, kind
        Which task, and which table it belongs to: one of `KINDS`.
    shape
        Size of the matrix.
    rows, columns, values
        One element an observed entry.
    asked_rows, asked_columns
        One element a value to return.
    rank
        The true rank of a planted matrix, a fixed one for real data; for methods that have to be told.
    first
        Whether it is the first matrix of its setting, which slow methods see as well.
    """

    name: str
    kind: str
    shape: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    asked_rows: np.ndarray
    asked_columns: np.ndarray
    rank: int
    first: bool = True

    def dense(self, fill: float = np.nan) -> np.ndarray:
        """Return the matrix with `fill` where nothing was observed."""
        X = np.full(self.shape, fill)
        X[self.rows, self.columns] = self.values
        return X

    def asked(self, completed: np.ndarray) -> np.ndarray:
        """Return the asked values of a completed matrix."""
        return completed[self.asked_rows, self.asked_columns]

    def save(self, folder: Path) -> None:
        """Write the task to ``folder/NAME.npz``."""
        np.savez_compressed(folder / f"{self.name}.npz", **vars(self))

    @classmethod
    def load(cls, path: Path) -> "Task":
        """Read a task that `save` wrote."""
        with np.load(path) as stored:
            task = {name: stored[name] for name in stored.files}
        rows, columns = task.pop("shape").tolist()
        plain = {name: task.pop(name).item() for name in ("name", "kind", "rank", "first")}
        return cls(shape=(rows, columns), **plain, **task)


@dataclass(frozen=True)
class Method:
    """One way to use a peer.

    Parameters
    ----------
    name
        As the tables show it.
    complete
        From a task to the asked values.
    told
        Whether it is given `Task.rank`.
    kinds
        The tables it takes part in.
    scores
        Whether what it returns orders the entries without being on their scale.
    slow
        Whether it sees only the first matrix of each setting.
    """

    name: str
    complete: Callable[[Task], np.ndarray]
    told: bool = False
    kinds: tuple[str, ...] = KINDS
    scores: bool = False
    slow: bool = False
