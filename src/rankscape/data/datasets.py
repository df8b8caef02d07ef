"""Load named real matrices."""

from dataclasses import dataclass

import numpy as np

from rankscape.data.catalogue import DATASETS, DatasetInfo
from rankscape.entries import Entries
from rankscape.entries.labelled import AbstractLabelled
from rankscape.errors import InputError, did_you_mean
from rankscape.ground.checks import of_kind
from rankscape.ground.final import final

_REGISTRY = {what.name: what for what in DATASETS}


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset(AbstractLabelled):
    """A real matrix: its observed entries, and what is known about it.

    Parameters
    ----------
    info
        Licence, citation and provenance.
    entries
        In row order; ``rows``, ``columns``, ``values`` and ``shape`` are theirs.
    row_labels, column_labels
        Names of the rows and columns, or None.
    times
        When each entry was observed, in seconds since 1970, or None.
    """

    info: DatasetInfo
    times: np.ndarray | None = None


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
    of_kind("name", name, str)
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
    if what.offline:  # imported here: one needs scikit-learn, the other nothing but files
        from rankscape.data.offline import make as content
    else:
        from rankscape.data.cache import content
    parts = dict(content(what))
    if "matrix" in parts:
        return Dataset(info=what, entries=Entries.from_array(parts.pop("matrix"), name), **parts)
    # The triplets are in row order since they were fetched (`times` go by it), and are checked again for all that.
    rows, columns, values = (parts.pop(part) for part in ("rows", "columns", "values"))
    return Dataset(info=what, entries=Entries(rows, columns, values, what.shape), **parts)
