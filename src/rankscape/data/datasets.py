"""Load named real matrices."""

from dataclasses import dataclass

import numpy as np

from rankscape.data.catalogue import DATASETS, DatasetInfo
from rankscape.errors import InputError, did_you_mean
from rankscape.files import entries

_REGISTRY = {what.name: what for what in DATASETS}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A real matrix: its observed entries, sorted by row and then by column, and what is known about it.

    Parameters
    ----------
    info
        Licence, citation and provenance.
    rows, columns, values
        One element an observed entry.
    shape
        Size of the matrix.
    row_labels, column_labels
        Names of the rows and columns, or None.
    times
        When each entry was observed, in seconds since 1970, or None.
    """

    info: DatasetInfo
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    row_labels: np.ndarray | None = None
    column_labels: np.ndarray | None = None
    times: np.ndarray | None = None

    def dense(self) -> np.ndarray:
        """Return the matrix, NaN where no entry was observed."""
        return entries.dense(self.rows, self.columns, self.values, self.shape)


def names() -> tuple[str, ...]:
    """Return the names of all data sets: first those that are there at once, then those to fetch.

    >>> names()[0]
    'flower'
    """
    return tuple(_REGISTRY)


def info(name: str) -> DatasetInfo:
    """Return what is known about a data set, without loading it.

    >>> info("movielens-100k").shape
    (943, 1682)
    """
    if name not in _REGISTRY:
        raise InputError(f"there is no data set {name!r}{did_you_mean(name, names())}; there are {', '.join(names())}")
    return _REGISTRY[name]


def available(name: str) -> bool:
    """Return whether a data set can be loaded now, without fetching it.

    >>> available("flower")
    True
    """
    from rankscape.data.cache import is_current

    what = info(name)
    return what.offline or is_current(what)


def load(name: str) -> Dataset:
    """Load a data set; one that has to be fetched first must be on this machine already.

    Examples
    --------
    >>> load("breast-cancer-correlation").dense().shape
    (30, 30)
    """
    what = info(name)
    if what.offline:
        from rankscape.data.offline import make as content
    else:
        from rankscape.data.cache import content
    parts = dict(content(what))
    if "matrix" in parts:
        matrix = parts.pop("matrix")
        rows, columns, values = entries.of_array(matrix, name)
        return Dataset(what, rows, columns, values, matrix.shape, **parts)
    values = parts.pop("values").astype(np.float64)
    return Dataset(what, values=values, shape=what.shape, **parts)
