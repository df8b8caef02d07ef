"""Which kind of thing a matrix is."""

import sys
from typing import Any

import numpy as np

from rankscape.entries.given.given import Given
from rankscape.errors import InputError


def given_of(data: Any, name: str = "X", aside: bool = False) -> Given:
    """The entries of whatever holds a matrix, with its names.

    Parameters
    ----------
    data : array_like, masked array, DataArray, frame or scipy sparse array
        Missing are NaN, NA, None and masked values; of a sparse array what is not stored.
    name : str
        What errors call it.
    aside : bool
        Whether columns of text are kept aside, for `Given.like` to give them back; else they are refused.

    Raises
    ------
    InputError
        It is no matrix, or holds what is no real number: text, dates, complex numbers, whole numbers beyond 2^53,
        infinity. Column and row are named.

    Warns
    -----
    FallbackWarning
        Columns are kept aside.

    Examples
    --------
    >>> import pandas as pd
    >>> given = given_of(pd.DataFrame({"a": [1, None], "b": [2, 3]}, index=["x", "y"]))
    >>> given.entries, given.column_labels.tolist()
    (Entries(shape=(2, 2), observed=3), ['a', 'b'])
    >>> given.like(np.array([[1.0, 2.0], [1.5, 3.0]])).loc["y", "a"].item()
    1.5
    """
    from rankscape.entries.given import arrays

    if isinstance(data, np.ndarray | list | tuple):
        return arrays.of_array(data, name)
    if hasattr(data, "tocoo"):
        return arrays.of_sparse(data, name)
    xarray = sys.modules.get("xarray")  # whoever has a DataArray has imported it
    if xarray is not None and isinstance(data, xarray.DataArray | xarray.Dataset):
        if isinstance(data, xarray.Dataset):
            raise InputError(f"`{name}` is a Dataset of {len(data)} variables: choose one, `{name}[...]`.")
        return arrays.of_labelled(data, name)
    return _of_frame(data, name, aside) or arrays.of_array(data, name)


def _of_frame(data: Any, name: str, aside: bool) -> Given | None:
    import narwhals as nw

    if nw.dependencies.is_into_series(data):
        raise InputError(f"`{name}` is one column ({type(data).__name__}): a matrix needs a frame or two dimensions.")
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, arrow.RecordBatch):
        data = arrow.Table.from_batches([data])
    try:
        table: Any = nw.from_native(data)
    except nw.exceptions.DuplicateError:
        names = list(getattr(data, "column_names", None) or data.columns)
        twice = next(label for k, label in enumerate(names) if label in names[:k])
        raise InputError(f"Two columns of `{name}` are called {twice!r}: rename one.") from None
    except TypeError:
        return None
    if isinstance(table, nw.LazyFrame):
        raise InputError(f"`{name}` is a query that has not run ({type(data).__name__}): collect() it first.")
    from rankscape.entries.given.frames import of_frame

    return of_frame(table, name, aside)
