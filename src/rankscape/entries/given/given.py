"""A matrix as it was handed over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from rankscape.entries.labelled import AbstractLabelled
from rankscape.ground.final import final
from rankscape.ground.types import ArrayLike, SparseMatrix

# Everything that holds a matrix. At run time the door decides, so that neither library is imported for its name.
if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame
    from xarray import DataArray

    MatrixLike: TypeAlias = ArrayLike | SparseMatrix | IntoDataFrame | DataArray
else:
    MatrixLike = object

# From a completed matrix of the same shape to the kind of thing that was given.
Giver: TypeAlias = Callable[[np.ndarray], Any]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Given(AbstractLabelled):
    """Observed entries of a frame, an array or a sparse matrix, and how to give one like it back.

    Attributes
    ----------
    entries : Entries
        What is observed: not NaN, NA, None or masked; of a sparse matrix what is stored.
    row_labels, column_labels : ndarray or None
        Their names, where what was given has names of its own and not only numbers from zero.
    dtype : dtype
        The precision in which the values came: float32 where all did, else float64.
    like : callable
        Makes of a full matrix the same kind of thing: values that were given are unchanged, to their type where
        nothing was missing in their column.
    aside : tuple
        Names of columns that hold text, and are no part of the matrix.
    """

    dtype: np.dtype
    like: Giver
    aside: tuple[object, ...] = ()
